import { defineConfig } from "vite";

/** The command-line program: a small file that loads what a command needs, every dependency inside, Node's own modules outside. */
export default defineConfig({
  build: {
    ssr: "workers/node/main.ts",
    outDir: "dist",
    emptyOutDir: false,
    target: "node20",
    minify: false,
    rollupOptions: {
      output: {
        entryFileNames: "terrarium.mjs",
        chunkFileNames: "cli/[name].mjs",
        banner: "#!/usr/bin/env node",
      },
    },
  },
  ssr: { noExternal: true },
  publicDir: false,
});
