declare module "virtual:samples" {
  export const archiveUrl: string;
  export const seeds: readonly import("./samples.ts").Seed[];
}

declare module "*?url" {
  const url: string;
  export default url;
}

/** Vite's: modules by a pattern, here the state image that may not be there. */
interface ImportMeta {
  glob<T>(pattern: string, options: { query: string; import: string; eager: true }): Record<string, T>;
}
