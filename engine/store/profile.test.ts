import { expect, test } from "vitest";
import {
  type Profile,
  annotate,
  deleteGenerations,
  generationsToDelete,
  nextNumber,
  profileName,
  profilePath,
  rollback,
  setPath,
  switchGeneration,
} from "./profile.ts";

const DAY = 86_400;
const NOW = 100 * DAY;
const path = (number: number) => `/nix/store/${String(number).padStart(32, "0")}-p`;

/** Generations 1…n, made on days 10, 20, …; the current one is marked. */
function profileOf(count: number, current: number, pinned: readonly number[] = []): Profile {
  const generations = Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    return {
      number,
      path: path(number),
      created: 10 * number * DAY,
      ...(pinned.includes(number) ? { pinned: true } : {}),
    };
  });
  return { name: "system", current, generations };
}

test.each<[string, Profile, string[], number[] | string]>([
  ["old", profileOf(4, 2), ["old"], [1, 3, 4]],
  ["old keeps the pinned", profileOf(4, 2, [1]), ["old"], [3, 4]],
  ["+1 keeps the current and what is newer", profileOf(5, 4), ["+1"], [3, 2, 1]],
  ["+2", profileOf(5, 4), ["+2"], [2, 1]],
  ["+2 keeps the pinned", profileOf(5, 4, [1]), ["+2"], [2]],
  ["+9", profileOf(5, 4), ["+9"], []],
  ["+0", profileOf(5, 4), ["+0"], "Must keep at least one generation"],
  ["65d keeps the one active then", profileOf(5, 5), ["65d"], [2, 1]],
  ["1d", profileOf(5, 5), ["1d"], [4, 3, 2, 1]],
  ["99d", profileOf(5, 5), ["99d"], []],
  ["0d", profileOf(5, 5), ["0d"], "invalid number of days specifier '0d'"],
  ["numbers", profileOf(5, 5), ["3", "1", "9"], [1, 3]],
  ["a pinned one by number", profileOf(5, 5, [3]), ["3"], [3]],
  [
    "the current one by number",
    profileOf(5, 5),
    ["5"],
    'cannot delete current version of profile "/nix/var/nix/profiles/system"',
  ],
  ["no number", profileOf(5, 5), ["x"], "invalid generation number 'x'"],
])("delete %s", (_, profile, args, expected) => {
  if (typeof expected === "string") expect(() => generationsToDelete(profile, args, NOW)).toThrow(expected);
  else expect(generationsToDelete(profile, args, NOW)).toEqual(expected);
});

test("numbers only grow, also after deletions below the highest", () => {
  const profile = deleteGenerations(profileOf(3, 3), [1, 2]);
  expect(nextNumber(profile, path(9))).toBe(4);
  expect(nextNumber(profile, path(3))).toBe(3);
});

test("the highest generation's path makes no new one, an older one's does", () => {
  const back = rollback(profileOf(3, 3));
  expect(back.current).toBe(2);
  expect(setPath(back, path(3), NOW)).toEqual({ ...back, current: 3 });
  expect(setPath(back, path(2), NOW).current).toBe(4);
});

test("rollback goes to the next lower number that exists", () => {
  expect(rollback(deleteGenerations(profileOf(4, 4), [3])).current).toBe(2);
  expect(() => rollback(profileOf(1, 1))).toThrow("no profile version older than the current (1) exists");
  expect(() => switchGeneration(profileOf(1, 1), 7)).toThrow("profile version 7 does not exist");
});

test("marks are added, changed and taken away, and change nothing else", () => {
  const marked = annotate(profileOf(2, 2), 1, { label: "before", note: "a note", pinned: true });
  expect(marked.generations[0]).toEqual({
    number: 1,
    path: path(1),
    created: 10 * DAY,
    label: "before",
    note: "a note",
    pinned: true,
  });
  expect(annotate(marked, 1, { label: "", note: "", pinned: false })).toEqual(profileOf(2, 2));
});

test.each([
  ["/nix/var/nix/profiles/system", "system"],
  ["/home/a/profile", "/home/a/profile"],
  ["/nix/var/nix/profiles/per-user/a", "/nix/var/nix/profiles/per-user/a"],
])("profile %s", (whole, name) => {
  expect(profileName(whole)).toBe(name);
  expect(profilePath(name)).toBe(whole);
});
