/**
 * The engine's Builder over a sandbox: a derivation's build is handed to the builder VM as plain data, its failure comes back as data and
 * becomes a BuildError here, in one place. The sandbox may be in this thread or behind Comlink.
 */
import { proxy } from "comlink";
import {
  BuildError,
  type BuildRequest,
  type Builder,
  type BuiltOutputs,
  type CancelSignal,
} from "#engine/build/builder.ts";
import { chrootPath } from "#engine/build/outputs.ts";
import type { MachineWorker, SandboxFailure, SandboxRequest } from "./types.ts";

/** What the guest can execute. */
export const guestSystems: readonly string[] = ["i686-linux", "i386-linux", "i486-linux", "i586-linux"];

type SandboxWorker = Pick<MachineWorker, "build" | "cancelBuild">;

/** `worker` as given by Comlink's `wrap`, or the same methods in this thread. */
export function vmBuilder(worker: SandboxWorker): Builder {
  return { systems: guestSystems, build: (request, onLog, signal) => build(worker, request, onLog, signal) };
}

async function build(
  worker: SandboxWorker,
  request: BuildRequest,
  onLog: (bytes: Uint8Array) => void,
  signal: CancelSignal,
): Promise<BuiltOutputs> {
  if (signal.aborted) throw buildError(request, { kind: "cancelled" });
  const cancel = (): void => void worker.cancelBuild();
  signal.addEventListener("abort", cancel);
  try {
    const result = await worker.build(sandboxRequest(request), proxy(onLog));
    if (!result.ok) throw buildError(request, result.failure);
    return { trees: result.trees, blob: async (sha256) => blobOf(result.blobs, sha256) };
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function blobOf(blobs: ReadonlyMap<string, Uint8Array>, sha256: string): Uint8Array {
  const bytes = blobs.get(sha256);
  if (bytes === undefined) throw new BuildError("output", `file content ${sha256} is not of this build`);
  return bytes;
}

function sandboxRequest(request: BuildRequest): SandboxRequest {
  return {
    program: request.program,
    argv: [...request.argv],
    env: [...request.env],
    files: [...request.files],
    closure: [...request.inputs.closure],
    outputs: [...request.outputs],
    ...(request.again === true ? { again: true } : {}),
    timeout: request.timeout,
    maxSilent: request.maxSilent,
  };
}

/** In Nix's words where Nix has them. */
function buildError(request: BuildRequest, failure: SandboxFailure): BuildError {
  switch (failure.kind) {
    case "exit":
      return failure.status.signal === undefined
        ? new BuildError("exit", `builder failed with exit code ${failure.status.code}`, {
            status: failure.status.code,
          })
        : new BuildError("signal", `builder failed due to signal ${signalText(failure.status.signal)}`, {
            signal: failure.status.signal,
          });
    case "timeout":
    case "silent":
      return new BuildError(failure.kind, `timed out after ${failure.seconds} seconds`, { exit: 101 });
    case "output":
      return new BuildError("output", outputText(request, failure), { exit: 1 });
    case "cancelled":
      return new BuildError("cancelled", "interrupted by the user");
    case "memory":
      return new BuildError("memory", "the builder VM ran out of memory");
    case "machine":
      return new BuildError("machine", `the builder VM failed: ${failure.text}`);
  }
}

function outputText({ drvPath, outputs }: BuildRequest, failure: Extract<SandboxFailure, { kind: "output" }>): string {
  const { output, problem, path } = failure;
  const place = `"${chrootPath(drvPath, outputs.get(output) as string)}${path}"`;
  return problem === "type"
    ? `file ${place} has an unsupported type`
    : `suspicious ownership or permission on ${place} for output '${output}'; rejecting this build output`;
}

/** strsignal(3), as Nix prints it. */
function signalText(signal: number): string {
  const texts: Record<number, string> = {
    1: "Hangup",
    2: "Interrupt",
    3: "Quit",
    4: "Illegal instruction",
    6: "Aborted",
    7: "Bus error",
    8: "Floating point exception",
    9: "Killed",
    11: "Segmentation fault",
    13: "Broken pipe",
    14: "Alarm clock",
    15: "Terminated",
  };
  const text = texts[signal];
  return text === undefined ? `${signal}` : `${signal} (${text})`;
}
