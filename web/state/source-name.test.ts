import { expect, test } from "vitest";
import { isSourceName, sourceNameOf } from "./source-name.ts";

test.each([
  ["mine.tar.gz", "mine"],
  ["mine-1.2.3.tar.xz", "mine"],
  ["my pkgs.zip", "my-pkgs"],
  ["nixpkgs-24.05.tar.zst", "nixpkgs"],
  ["https://example.org/sets/tools-v2.tar.bz2?token=1", "tools"],
  ["https://github.com/owner/repo/archive/0123456789abcdef0123456789abcdef01234567.tar.gz", "repo"],
  ["github:owner/my.repo/main", "my.repo"],
  ["github:owner/repo", "repo"],
  ["repo-0123456789abcdef0123456789abcdef01234567.tar.gz", "repo"],
  ["repo-main.zip", "repo"],
  ["nixos-24.11.tar.xz", "packages"],
  ["….tgz", "packages"],
])("%s is called %s", (title, name) => {
  expect(sourceNameOf(title)).toBe(name);
});

test.each([
  ["mine", true],
  ["nixos-24.05", true],
  ["nixos", false],
  ["a/b", false],
  [".hidden", false],
  ["", false],
  ["x".repeat(65), false],
])("%j may name a set: %s", (name, may) => expect(isSourceName(name)).toBe(may));
