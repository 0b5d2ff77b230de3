/** What the panels of taking in and taking home show: a store of its own beside the page's, because its code loads with them. */
import type { CacheRecord, SourceRecord, StoreSize } from "#workers/api.ts";
import { createStore } from "zustand/vanilla";

export interface TransferState {
  /** Package sets that this browser has; null before they are read. */
  sources: SourceRecord[] | null;
  caches: CacheRecord[] | null;
  /** What each workspace's store takes; null before it was asked for. */
  sizes: StoreSize[] | null;
  /** What is going on, and which kind; one piece of work at a time. */
  work: { kind: TransferKind; text: string; fraction: number | null } | null;
  /** How the last one ended. */
  report: { kind: TransferKind; tone: "good" | "bad"; text: string } | null;
}

export type TransferKind = "source" | "cache" | "archive" | "export";

export const transferStore = createStore<TransferState>()(() => ({
  sources: null,
  caches: null,
  sizes: null,
  work: null,
  report: null,
}));
