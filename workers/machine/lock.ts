/** One machine a workspace: a Web Lock held as long as the worker lives, so a closed or crashed tab gives it up by itself. */
import { MachineError } from "./errors.ts";

/** @throws MachineError "in-use" when another tab has it. Resolves to the function that gives it up. */
export function holdLock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock === null) {
        reject(new MachineError("in-use", "another tab runs this workspace's machine"));
        return undefined;
      }
      return new Promise((release) => resolve(release));
    };
    navigator.locks.request(name, { ifAvailable: true }, held).catch(reject);
  });
}
