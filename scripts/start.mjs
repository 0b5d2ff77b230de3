// `npm start`: on a fresh clone installs, builds what is missing or stale, serves the production build and prints its address.
import { ensureBuilt, ensurePackages } from "./ensure.mjs";

ensurePackages();
ensureBuilt();
const { serve } = await import("./serve.mjs");
const wanted = Number(process.env.PORT ?? 4173);
const server = await serve({ port: wanted }).catch((error) => {
  if (error.code === "EADDRINUSE" && !process.env.PORT) return serve({ port: 0 });
  throw error;
});
console.log(`Terrarium is at http://localhost:${server.address().port}/   (Ctrl+C ends it)`);
