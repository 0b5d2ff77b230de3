/** What can go wrong with a machine, as a type with data: Error objects lose their fields at a worker's boundary, so `code` says all. */

export type MachineErrorCode =
  /** This browser cannot run the driver; the text says why. */
  | "unsupported"
  /** An image could not be fetched, unpacked, or does not fit v86's options. */
  | "bad-image"
  /** Another tab runs this workspace's machine. */
  | "in-use"
  /** The guest did not get to where it should within the time given. */
  | "no-answer"
  /** Stage 1 or stage 2 said that it cannot go on. */
  | "boot-failed"
  /** The guest's kernel stopped (panic) or no longer answers. */
  | "died"
  /** The plug was pulled while the call was under way. */
  | "cut"
  /** The call needs a running machine, or one that is off. */
  | "wrong-state"
  /** The guest refused: connection refused, no such file, no such user. */
  | "refused"
  | "timeout"
  | "too-large"
  /** The two ends of the control channel do not understand each other. */
  | "protocol";

export class MachineError extends Error {
  readonly code: MachineErrorCode;
  readonly data: Readonly<Record<string, string | number>>;

  constructor(code: MachineErrorCode, message: string, data: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = "MachineError";
    this.code = code;
    this.data = data;
  }
}

/** An error's text, whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
