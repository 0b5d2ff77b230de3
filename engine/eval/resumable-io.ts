/**
 * An `Io` whose log does not repeat itself when an evaluation goes on after a `NeedsIO`.
 *
 * What was unwound is evaluated again, traces and all; but everything up to the request that failed is a repetition, because evaluation
 * is deterministic. So lines are dropped from a `NeedsIO` until that request is made again.
 */
import { NeedsIO, type Io } from "./io.ts";

export interface ResumableIo extends Io {
  /** Forgets the request that is waited for: something else is evaluated now. */
  forget(): void;
}

export function resumableIo(io: Io): ResumableIo {
  let awaited: string | undefined;
  const guard =
    <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
    (...args: A): R => {
      if (awaited !== undefined && awaited === keyOf(name, args)) awaited = undefined;
      try {
        return method.apply(io, args);
      } catch (thrown) {
        if (thrown instanceof NeedsIO) awaited = keyOf(name, args);
        throw thrown;
      }
    };
  return {
    readFile: guard("readFile", io.readFile),
    readDir: guard("readDir", io.readDir),
    lstat: guard("lstat", io.lstat),
    readLink: guard("readLink", io.readLink),
    getEnv: (name) => io.getEnv(name),
    currentTime: () => io.currentTime(),
    addSource: guard("addSource", io.addSource),
    addText: guard("addText", io.addText),
    writeDerivation: guard("writeDerivation", io.writeDerivation),
    readDerivation: guard("readDerivation", io.readDerivation),
    isValidPath: guard("isValidPath", io.isValidPath),
    references: guard("references", io.references),
    realise: guard("realise", io.realise),
    fetch: guard("fetch", io.fetch),
    log: (line) => {
      if (awaited === undefined) io.log(line);
    },
    forget: () => {
      awaited = undefined;
    },
  };
}

const keyOf = (name: string, args: readonly unknown[]): string => `${name} ${JSON.stringify(args)}`;
