declare module "virtual:samples" {
  export const archiveUrl: string;
  export const seeds: readonly import("./samples.ts").Seed[];
}

declare module "*?url" {
  const url: string;
  export default url;
}
