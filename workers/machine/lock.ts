/** One machine a workspace: a Web Lock held as long as the worker lives, so a closed or crashed tab gives it up by itself. */
import { MachineError } from "./errors.ts";

/** Milliseconds to wait for it: a worker that was ended a moment ago gives its locks back a moment later. */
const patience = 3_000;

/** @throws MachineError "in-use" when another tab has it. Resolves to the function that gives it up. */
export function holdLock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(release));
    navigator.locks
      .request(name, { signal: AbortSignal.timeout(patience) }, hold)
      .catch(() => reject(new MachineError("in-use", "another tab runs this workspace's machine")));
  });
}
