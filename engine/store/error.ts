/** StoreError: an operation that the store refuses or cannot do. Plain data beside the message, for a worker boundary. */

export type StoreErrorCode =
  | "invalid-path" // not in the store
  | "missing" // a reference, a blob, a profile or generation that is not there
  | "alive" // cannot be deleted
  | "hash-mismatch"
  | "signature"
  | "conflict" // somebody else committed in between
  | "quota" // the disk or the browser's quota is full
  | "schema" // written by a newer version
  | "corrupt"
  | "usage"
  | "network"
  | "cancelled";

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly data: Readonly<Record<string, string | number>>;

  constructor(code: StoreErrorCode, message: string, data: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = "StoreError";
    this.code = code;
    this.data = data;
  }
}
