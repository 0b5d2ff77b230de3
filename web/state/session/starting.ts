/** What a browser must have, checked before anything starts; each missing feature is named to the visitor. */

const NEEDS: readonly (readonly [name: string, present: () => boolean])[] = [
  ["WebAssembly", () => typeof WebAssembly === "object"],
  ["workers", () => typeof Worker === "function"],
  ["IndexedDB", () => typeof indexedDB === "object" && indexedDB !== null],
  ["Web Locks", () => "locks" in navigator],
  ["BroadcastChannel", () => typeof BroadcastChannel === "function"],
  ["compression streams", () => typeof DecompressionStream === "function"],
  ["popovers", () => "popover" in HTMLElement.prototype],
  ["current CSS", () => CSS.supports("color", "light-dark(#000, #fff)")],
  ["a secure page (https or localhost)", () => isSecureContext],
];

/** Names of what this browser lacks. */
export const missingFeatures = (): string[] => NEEDS.filter(([, present]) => !present()).map(([name]) => name);

/** Base16 of the first bytes of a SHA-256. */
export async function shortHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
