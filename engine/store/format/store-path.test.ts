import { expect, test } from "vitest";
import { parseHash } from "./hash.ts";
import {
  isStorePath,
  makeContentPath,
  makeTextPath,
  parseContentAddress,
  parseStorePath,
  printContentAddress,
  splitStorePath,
  storeNameProblem,
} from "./store-path.ts";

const ZERO256 = parseHash("0".repeat(64), "sha256");
const ZERO1 = parseHash("0".repeat(40), "sha1");
const PATH = "/nix/store/00000000000000000000000000000000-a";

// What C++ Nix computes for `builtins.toFile` and for fixed-output derivations.
test.each([
  [() => makeTextPath(".a", "x", []), "/nix/store/asd5znqvqny47n2kaa06zr46k6b2hx9h-.a"],
  [() => makeTextPath("..a", "x", []), "/nix/store/dzsk5b0ywvl3ccfchs3c51ab960kzixx-..a"],
  [
    () => {
      const bar = makeTextPath("bar", "x", []);
      return makeTextPath("foo", `text ${bar}`, [bar]);
    },
    "/nix/store/5yncxr89kvgdafgjv71vssdvy9cw3r1y-foo",
  ],
  [() => makeContentPath({ method: "flat", hash: ZERO256 }, "n"), "/nix/store/sqfqwal2rr559hnjxbns9zz67h9yq8va-n"],
  [() => makeContentPath({ method: "nar", hash: ZERO256 }, "n"), "/nix/store/qn0rq9k5vwhs4fslk9hm4lpv35kljrfs-n"],
  [() => makeContentPath({ method: "nar", hash: ZERO1 }, "n"), "/nix/store/60jixzsx95bz0900c6871fjbs9p08gya-n"],
])("path %#", (make, expected) => expect(make()).toBe(expected));

test.each([
  ["", "name must not be empty"],
  [".", "name '.' is not valid"],
  ["..", "name '..' is not valid"],
  [".-a", "name '.-a' is not valid: first dash-separated component must not be '.'"],
  ["..-a", "name '..-a' is not valid: first dash-separated component must not be '..'"],
  ["a b", "name 'a b' contains illegal character ' '"],
  ["a/b", "name 'a/b' contains illegal character '/'"],
  ["a\nb", "name 'a\nb' contains illegal character '\n'"],
  ["a".repeat(212), `name '${"a".repeat(212)}' must be no longer than 211 characters`],
  [".a", undefined],
  ["..a", undefined],
  ["a+b-c_d.e?f=g", undefined],
  ["a".repeat(211), undefined],
])("name %j", (name, problem) => expect(storeNameProblem(name)).toBe(problem));

test.each([
  ["/foo", "path '/foo' is not in the Nix store"],
  ["/nix/store", "path '/nix/store' is not in the Nix store"],
  ["/nix/store/abc", "'abc' is too short to be a valid store path"],
  [
    "/nix/store/00000000000000000000000000000000-",
    "path '00000000000000000000000000000000-' is not a valid store path: name must not be empty",
  ],
  [
    "/nix/store/e0000000000000000000000000000000-a",
    "store path 'e0000000000000000000000000000000-a' contains illegal base-32 character 'e'",
  ],
])("refused path %s", (path, message) => {
  expect(() => parseStorePath(path)).toThrow(message);
  expect(isStorePath(path)).toBe(false);
});

test("paths and what is below them", () => {
  expect(parseStorePath(PATH)).toBe(PATH);
  expect(isStorePath(PATH)).toBe(true);
  expect(isStorePath(`${PATH}/bin`)).toBe(false);
  expect(splitStorePath(`${PATH}/bin/sh`)).toEqual([PATH, "/bin/sh"]);
  expect(splitStorePath(PATH)).toEqual([PATH, ""]);
});

test.each([
  "text:sha256:0000000000000000000000000000000000000000000000000000",
  "fixed:sha256:0000000000000000000000000000000000000000000000000000",
  "fixed:r:sha256:0000000000000000000000000000000000000000000000000000",
  "fixed:git:sha1:00000000000000000000000000000000",
])("content address %s", (text) => expect(printContentAddress(parseContentAddress(text))).toBe(text));
