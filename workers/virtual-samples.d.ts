declare module "virtual:samples" {
  export const channelUrl: string;
  export const teachingUrl: string;
  export const seeds: readonly import("./samples.ts").Seed[];
}

declare module "*?raw" {
  const text: string;
  export default text;
}

declare module "*?url" {
  const url: string;
  export default url;
}

/** Vite's: modules by a pattern, here the state image that may not be there. */
interface ImportMeta {
  glob<T>(pattern: string, options: { query: string; import: string; eager: true }): Record<string, T>;
}
