/**
 * Files that are part of the program, as the language sees them: `<nix/fetchurl.nix>`.
 */
import type { FileStatus, FileType, Io } from "#engine/eval/io.ts";
import { terminalText } from "#engine/eval/terminal-text.ts";
import { fetchurlFile } from "./fetchurl-file.ts";
import { internalRoot } from "#engine/eval/paths.ts";

const FILES: ReadonlyMap<string, string> = new Map([[`${internalRoot}/fetchurl.nix`, fetchurlFile]]);

function statusOf(path: string): FileStatus | undefined {
  if (path === internalRoot) return { type: "directory", executable: false, size: 0 };
  const text = FILES.get(path);
  return text === undefined ? undefined : { type: "regular", executable: false, size: text.length };
}

const isInternal = (path: string): boolean => path === internalRoot || path.startsWith(`${internalRoot}/`);

/** The outside with the program's own files in it, which is told messages as a terminal-less log has them. */
export function withInternalFiles(io: Io): Io {
  return {
    readFile: (path) => FILES.get(path) ?? io.readFile(path),
    readDir: (path) =>
      path === internalRoot
        ? [...FILES.keys()].map((file): [string, FileType] => [file.slice(internalRoot.length + 1), "regular"])
        : io.readDir(path),
    lstat: (path) => (isInternal(path) ? statusOf(path) : io.lstat(path)),
    readLink: (path) => io.readLink(path),
    getEnv: (name) => io.getEnv(name),
    currentTime: () => io.currentTime(),
    addSource: (request) => io.addSource(request),
    addText: (name, text, references) => io.addText(name, text, references),
    writeDerivation: (path, text, references) => io.writeDerivation(path, text, references),
    readDerivation: (path) => io.readDerivation(path),
    isValidPath: (path) => io.isValidPath(path),
    references: (path) => io.references(path),
    realise: (path, outputs) => io.realise(path, outputs),
    fetch: (request) => io.fetch(request),
    log: (line) => io.log(terminalText(line)),
  };
}
