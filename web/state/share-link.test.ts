import fc from "fast-check";
import { deflateSync, strToU8 } from "fflate";
import { describe, expect, it } from "vitest";
import { decodeLink, encodeLink, isFileName, type SharedWorkspace } from "./share-link.ts";

const sample: SharedWorkspace = {
  title: "My machine",
  entry: "configuration.nix",
  files: [{ path: "configuration.nix", text: "{ }" }],
  sources: [],
  channel: "0123456789abcdef",
  expected: "/nix/store/00000000000000000000000000000000-nixos-system-moss",
  generations: ["first", "blue"],
};

const packed = (value: unknown) => {
  const binary = String.fromCharCode(...deflateSync(strToU8(JSON.stringify(value))));
  return `#1/${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
};

describe("share link", () => {
  it("comes back as it was", () =>
    fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.string({ unit: "binary" }),
        async (title, text) => {
          const given = { ...sample, title: title.slice(0, 200), files: [{ path: "configuration.nix", text }] };
          expect(await decodeLink(await encodeLink(given))).toEqual(JSON.parse(JSON.stringify(given)));
        },
      ),
    ));

  const pin = {
    name: "mine",
    narHash: `sha256-${"A".repeat(43)}=`,
    url: "https://example.org/a.tar.gz",
    nixpkgs: true,
  };
  const withSources = (...sources: unknown[]) => packed({ ...sample, sources });

  it("carries the pins of package sets", async () => {
    const given = { ...sample, sources: [pin, { ...pin, name: "other", url: null, nixpkgs: false }] };
    expect(await decodeLink(await encodeLink(given))).toEqual(given);
  });

  it.each<[string, string, string]>([
    ["a set without a hash", withSources({ ...pin, narHash: "sha256-x" }), "no hash"],
    ["a set in the channel's place", withSources({ ...pin, name: "nixos" }), "name of a package set"],
    ["a set that leaves its place", withSources({ ...pin, name: "../x" }), "name of a package set"],
    ["a set of another scheme", withSources({ ...pin, url: "javascript:alert(1)" }), "address"],
    ["a set twice", withSources(pin, pin), "twice"],
    ["no fragment", "", "not a Terrarium link"],
    ["other text", "#hello", "not a Terrarium link"],
    ["a newer version", "#2/abcd", "newer Terrarium"],
    ["cut off", packed(sample).slice(0, -9), "damaged"],
    ["not deflate", "#1/AAAAAAAA", "damaged"],
    ["not an object", packed([1]), "damaged"],
    ["no files", packed({ ...sample, files: [] }), "no files"],
    ["a file twice", packed({ ...sample, files: [...sample.files, ...sample.files] }), "twice"],
    ["an absolute name", packed({ ...sample, files: [{ path: "/etc/passwd", text: "" }] }), "not allowed"],
    ["a way out", packed({ ...sample, files: [{ path: "a/../../b", text: "" }] }), "not allowed"],
    ["entry missing", packed({ ...sample, entry: "other.nix" }), "not among its files"],
    ["a false store path", packed({ ...sample, expected: "<img onerror=1>" }), "not one"],
    [
      "a bomb",
      packed({ ...sample, files: [{ path: "configuration.nix", text: "a".repeat(9_000_000) }] }),
      "more than can be opened",
    ],
  ])("refuses %s", async (_, link, message) => {
    await expect(decodeLink(link)).rejects.toThrow(message);
  });

  it.each<[string, boolean]>([
    ["configuration.nix", true],
    ["modules/web.nix", true],
    [".hidden", true],
    ["", false],
    ["a//b", false],
    ["a/", false],
    ["..", false],
    ["a/./b", false],
    ["__proto__", false],
    ["a b", false],
  ])("file name %j: %s", (name, allowed) => expect(isFileName(name)).toBe(allowed));
});
