/** `nix repl` in the page: one repl over the workspace's files. Text comes and goes as Unicode. */
import { createRepl } from "#engine/commands/repl.ts";
import type { Settings } from "#engine/eval/settings.ts";
import { decodeUtf8, encodeUtf8 } from "#engine/store/format/bytes.ts";
import type { ReplOutcome } from "../api.ts";
import { CONFIGURATION } from "./files.ts";
import type { PageIo } from "./io.ts";

export interface ReplService {
  /** Throws NeedsIO: the line is given again then. */
  line(text: string): ReplOutcome;
  complete(text: string): string[];
}

export function createReplService(io: PageIo, settings: Partial<Settings>): ReplService {
  let output: { stream: "out" | "err"; text: string }[] = [];
  const write =
    (stream: "out" | "err") =>
    (text: string): void => {
      if (text !== "") output.push({ stream, text: decodeUtf8(text) });
    };
  const error = write("err");
  const world = {
    io: { ...io, log: (line: string) => error(`${line}\n`) },
    cwd: CONFIGURATION,
    env: () => undefined,
    stdin: () => "",
    settings,
    print: write("out"),
    error,
  };
  const repl = createRepl([], world);
  return {
    line(text) {
      const before = output;
      const answer = repl.line(encodeUtf8(text));
      const printed = { output: before };
      output = [];
      switch (answer.kind) {
        case "done":
        case "failed":
          return { ...printed, next: "done" };
        case "incomplete":
        case "quit":
          return { ...printed, next: answer.kind };
        case "edit":
          return { ...printed, next: "edit", file: decodeUtf8(answer.file) };
        default: {
          const { drvPath, kind } = answer;
          const next = kind === "build-link" ? "build" : kind;
          return { ...printed, next, drvPath, items: io.instantiation(drvPath) };
        }
      }
    },
    complete: (text) => repl.complete(encodeUtf8(text)).map(decodeUtf8),
  };
}
