import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { precompress } from "./scripts/precompress.ts";
import { samplesArchive } from "./scripts/samples-archive.ts";

/**
 * The page. Workers are ES modules and take the samples' archive too. `assets/<worker>-….js` are names that headers.json
 * gives headers to; `base` is relative, so that dist/ may lie in any folder of a static host.
 */
export default defineConfig({
  base: "./",
  publicDir: "web/public",
  plugins: [
    react(),
    samplesArchive(),
    precompress(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "web/sw",
      filename: "service-worker.ts",
      injectRegister: false,
      injectManifest: {
        globPatterns: ["**/*"],
        globIgnores: ["**/*.br", "cache/**"],
        maximumFileSizeToCacheInBytes: 40_000_000,
      },
      manifest: {
        name: "Terrarium",
        short_name: "Terrarium",
        description: "NixOS under glass: a whole Nix and a Linux machine in one browser tab.",
        display: "standalone",
        background_color: "#eef2ec",
        theme_color: "#1b6e46",
        icons: [{ src: "favicon.svg", sizes: "any", type: "image/svg+xml", purpose: "any" }],
      },
    }),
  ],
  worker: { format: "es", plugins: () => [samplesArchive()] },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
  },
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
});
