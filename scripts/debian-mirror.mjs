// Where Debian's files come from while something is recorded: the project itself names none.
import { execFileSync } from "node:child_process";

/**
 * Addresses to try in turn, without a slash at the end: DEBIAN_MIRROR, else the mirror that this system's apt uses; then DEBIAN_ARCHIVE,
 * which may keep files that the mirror has dropped.
 */
export function debianMirrors() {
  const { DEBIAN_MIRROR = ownMirror(), DEBIAN_ARCHIVE } = process.env;
  return [DEBIAN_MIRROR, DEBIAN_ARCHIVE].filter((one) => one !== undefined).map((one) => one.replace(/\/$/, ""));
}

function ownMirror() {
  const targets = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI)"], { encoding: "utf8" });
  const mirror = targets.split("\n").find((line) => /\/debian\/?$/.test(line));
  if (mirror === undefined) throw new Error("apt knows no mirror of Debian: set DEBIAN_MIRROR");
  return mirror;
}
