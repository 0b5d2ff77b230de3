/**
 * FormatError: bytes or text that do not have the form they should. Its message is Nix's own text wherever Nix has one.
 * `code` and `data` are plain data, so the error survives a worker boundary once it is turned into data there.
 */

/** What kind of text or bytes was refused. */
export type FormatErrorCode =
  | "hash" // a hash with wrong characters, length or type
  | "usage" // an unknown algorithm or format name (a UsageError in Nix: the commands add their "Try '… --help'" line)
  | "store-path"
  | "nar"
  | "derivation"
  | "narinfo"
  | "signature"
  | "export"
  | "content-address"
  | "json"
  | "limit"; // larger or deeper than what we agree to read

export class FormatError extends Error {
  readonly code: FormatErrorCode;
  readonly data: Readonly<Record<string, string | number>>;

  constructor(code: FormatErrorCode, message: string, data: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = "FormatError";
    this.code = code;
    this.data = data;
  }
}
