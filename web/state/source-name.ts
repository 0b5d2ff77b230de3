/** Names of package sets, as `<name>` can say them. */

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}$/;

/** `nixos` is the embedded channel's own place. */
export const isSourceName = (name: string): boolean => NAME.test(name) && name !== "nixos";

/** A name from that of a file or the end of an address: without its version and what it is packed with. */
export function sourceNameOf(title: string): string {
  const [, repository] = /^(?:github:|https:\/\/github\.com\/)[^/]+\/([^/]+)/.exec(title) ?? [];
  const base = (repository ?? title)
    .replace(/[?#].*$/, "")
    .replace(/\/+$/, "")
    .replace(/^.*\//, "")
    .replace(/\.(?:zip|tar|tgz|txz|tbz2?|tar\.\w+)$/, "");
  const name = base
    .replace(/[^A-Za-z0-9_.+-]+/g, "-")
    .replace(/-(?:v?\d[\w.+-]*|[0-9a-f]{7,40}|main|master)$/, "")
    .replace(/^[^A-Za-z0-9_]+/, "")
    .slice(0, 64);
  return isSourceName(name) ? name : "packages";
}
