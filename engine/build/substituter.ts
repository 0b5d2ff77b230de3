/** Substituter: somewhere that store paths can be had from instead of being built. */
import type { StorePath } from "../store/format/store-path.ts";
import type { PathInfo } from "../store/path-info.ts";
import type { CancelSignal } from "./builder.ts";

/** A path's info as a substituter offers it, with what it costs to fetch. */
export interface Offer {
  readonly info: Omit<PathInfo, "registrationTime">;
  /** Bytes to download; 0 when unknown. */
  readonly downloadSize: number;
}

export interface Substituter {
  readonly name: string;
  /** Lower is asked first. */
  readonly priority: number;
  /** Whether its word is enough, or each path needs a trusted signature or a content address. */
  readonly trusted: boolean;
  /** Undefined when it does not have the path. @throws StoreError "network" */
  offer(path: StorePath, signal?: CancelSignal): Promise<Offer | undefined>;
  /** The path's NAR, unpacked, piece by piece. @throws StoreError "network", "hash-mismatch" */
  nar(path: StorePath, signal?: CancelSignal): AsyncIterable<Uint8Array>;
}
