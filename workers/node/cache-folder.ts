/** Where fetchers keep what can be had again. */
import os from "node:os";
import path from "node:path";

export function cacheFolder(): string {
  const home = process.env["HOME"] ?? os.homedir();
  return path.join(process.env["XDG_CACHE_HOME"] ?? path.join(home, ".cache"), "terrarium");
}
