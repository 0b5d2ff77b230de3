/** PathInfo: what the store knows of a valid path besides its files. Plain data; small; all of it is in memory. */
import type { StorePath } from "./format/store-path.ts";

export interface PathInfo {
  readonly path: StorePath;
  /** "sha256:" and nix32: the hash of the path's NAR. */
  readonly narHash: string;
  /** Length of the NAR in bytes. */
  readonly narSize: number;
  /** Sorted, each once; the path itself when it refers to itself. */
  readonly references: readonly StorePath[];
  readonly deriver?: StorePath;
  /** Content address, e.g. "text:sha256:…": such a path needs no signature. */
  readonly ca?: string;
  /** "key-name:base64", sorted. */
  readonly signatures: readonly string[];
  /** Seconds since the epoch. */
  readonly registrationTime: number;
  /** Built here, hence trusted without a signature. */
  readonly ultimate: boolean;
}
