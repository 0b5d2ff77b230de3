/**
 * WebContainer, as little of it as the simulation needs, and its start. Invariant: a start ends, one way or the other: the library's own
 * promise never rejects when its frame does not load, so the time is limited here.
 */
import type { FileSystemAPI, WebContainer, WebContainerProcess } from "@webcontainer/api";
import { MachineError, errorText } from "../../errors.ts";

export type ContainerProcess = Pick<WebContainerProcess, "exit" | "input" | "output" | "kill" | "resize">;

/** What the simulation calls; paths are relative to the container's working folder. */
export interface Container {
  readonly fs: Pick<FileSystemAPI, "readFile" | "writeFile" | "mkdir">;
  mount: WebContainer["mount"];
  spawn(
    command: string,
    args: string[],
    options?: { env?: Record<string, string>; terminal?: { cols: number; rows: number } },
  ): Promise<ContainerProcess>;
  teardown(): void;
}

/** Milliseconds that the container's frame may take to load and start. */
const startPatience = 15_000;

/**
 * Starts the page's WebContainer.
 * @throws MachineError "unsupported" where the page is not cross-origin isolated, "no-answer" when nothing comes in time
 */
export async function startContainer(patience = startPatience): Promise<Container> {
  if (!globalThis.crossOriginIsolated) {
    throw new MachineError(
      "unsupported",
      "A WebContainer needs a cross-origin isolated page, and this host does not send the two headers for it.",
    );
  }
  const { WebContainer } = await import("@webcontainer/api");
  const starting = WebContainer.boot({ coep: "require-corp", workdirName: "terrarium" });
  return inTime(starting, patience);
}

/** The container, or an error after so many milliseconds; one that comes later is taken down at once. */
export async function inTime<Late extends { teardown(): void }>(
  starting: Promise<Late>,
  patience: number,
): Promise<Late> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let given = false;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      given = true;
      reject(new MachineError("no-answer", "WebContainer did not start: its page could not be loaded."));
    }, patience);
  });
  starting.then(
    (container) => {
      if (given) container.teardown();
    },
    () => undefined,
  );
  try {
    return await Promise.race([starting, late]);
  } catch (error) {
    throw error instanceof MachineError ? error : new MachineError("no-answer", errorText(error));
  } finally {
    clearTimeout(timer);
  }
}
