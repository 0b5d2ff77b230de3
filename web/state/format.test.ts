import { describe, expect, it } from "vitest";
import { formatBytes, formatDate, formatDelta, formatMs, pathParts, plural, shortHash } from "./format.ts";

const check = <A, B>(run: (input: A) => B, cases: [A, B][]): void => {
  it.each(cases)("%j → %j", (input, expected) => expect(run(input)).toEqual(expected));
};

describe("formatBytes", () => {
  check(formatBytes, [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1049, "1 kB"],
    [1050, "1.1 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [40_120, "40 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [1_640_000, "1.6 MB"],
    [-2_000_000, "−2 MB"],
    [5e9, "5 GB"],
    [3e15, "3000 TB"],
  ]);
});

describe("formatDelta", () => {
  check(formatDelta, [
    [0, "±0"],
    [16, "+16 B"],
    [-1200, "−1.2 kB"],
  ]);
});

describe("formatMs", () => {
  check(formatMs, [
    [0.4, "0 ms"],
    [34.4, "34 ms"],
    [999, "999 ms"],
    [1240, "1.2 s"],
    [12_400, "12 s"],
    [61_000, "1 min 1 s"],
  ]);
});

describe("pathParts", () => {
  const hash = "r4kq0w8z1xn5c7v9b2m6dphs3fjl0aiy";
  check(pathParts, [
    [`/nix/store/${hash}-nixos-system-moss-26.05`, { hash, name: "nixos-system-moss-26.05" }],
    [`${hash}-hello`, { hash, name: "hello" }],
    ["/etc/motd", { hash: "", name: "/etc/motd" }],
    ["system-2-link", { hash: "", name: "system-2-link" }],
  ]);
  it("shows the first seven digits", () => expect(shortHash(`/nix/store/${hash}-x`)).toBe("r4kq0w8"));
});

describe("formatDate", () => {
  const now = new Date(2026, 10, 22, 14, 5).getTime();
  it("names today", () => expect(formatDate(new Date(2026, 10, 22, 9, 30).getTime(), now)).toBe("today 09:30"));
  it("names yesterday", () =>
    expect(formatDate(new Date(2026, 10, 21, 23, 59).getTime(), now)).toBe("yesterday 23:59"));
  it("dates the rest", () => expect(formatDate(new Date(2026, 10, 3).getTime(), now)).toBe("3 Nov 2026"));
});

describe("words", () => {
  it.each([
    [1, "1 thing"],
    [0, "0 things"],
    [3, "3 things"],
  ])("%i", (count, expected) => expect(plural(count, "thing")).toBe(expected));
});
