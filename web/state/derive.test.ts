import { describe, expect, it } from "vitest";
import { changeChips, changeSentence, firstError, pictured, rollbackTarget, stripOf } from "./derive.ts";
import { initialState, type Change, type Diagnostic, type Generation, type State } from "./model.ts";

const nothing: Change = {
  count: 0,
  newBytes: 0,
  closureDelta: 0,
  units: [],
  etc: [],
  packages: [],
  users: [],
  others: [],
};

const generation = (number: number, marks: Partial<Generation> = {}): Generation => ({
  number,
  date: 0,
  label: "",
  outPath: `/nix/store/${String(number).padStart(32, "0")}-nixos-system-moss-26.05`,
  booted: false,
  current: false,
  isDefault: false,
  note: "",
  pinned: false,
  files: null,
  ...marks,
});

const error = (line: number): Diagnostic => ({
  severity: "error",
  message: "syntax error",
  range: { start: { line, column: 1 }, end: { line, column: 2 } },
  explanation: null,
  fixes: [],
  trace: [],
});

const ready = (part: Partial<State>): State => ({
  ...initialState(),
  start: { phase: "ready", text: "" },
  workspace: {
    ...initialState().workspace,
    files: [
      { path: "a.nix", text: "" },
      { path: "b.nix", text: "" },
    ],
  },
  ...part,
});

describe("changeSentence", () => {
  it.each<[Partial<Change>, string]>([
    [{ count: 3, newBytes: 40_000 }, "3 things change, 40 kB"],
    [{ count: 1, newBytes: 400 }, "1 thing changes, 400 B"],
    [{ count: 2 }, "2 things change"],
    [{}, "Nothing a service would notice changes"],
  ])("%j", (change, expected) => expect(changeSentence({ ...nothing, ...change })).toBe(expected));
});

describe("changeChips", () => {
  it("names units without their suffix, and long files by their last part", () => {
    const change: Change = {
      ...nothing,
      units: [{ name: "web.service", action: "restart", reason: "" }],
      etc: [
        { path: "motd", kind: "changed", before: null, after: null },
        { path: "systemd/system/static-web-server.service", kind: "added", before: null, after: null },
      ],
      packages: [{ name: "hello", before: "2.1", after: null, sizeDelta: 0 }],
    };
    expect(changeChips(change).map((chip) => chip.sign + chip.text)).toEqual([
      "↻web",
      "~/etc/motd",
      "+…/static-web-server.service",
      "−hello",
    ]);
  });
});

describe("stripOf", () => {
  const kind = (part: Partial<State>): string => stripOf(ready(part)).kind;
  it("waits for the start", () => expect(stripOf(initialState()).kind).toBe("starting"));
  it("has a first build", () => expect(kind({ pending: { status: "first", change: null } })).toBe("first"));
  it("shows a change", () => expect(kind({ pending: { status: "ready", change: nothing } })).toBe("ready"));
  it("says it is the same", () => expect(kind({ pending: { status: "none", change: null } })).toBe("same"));
  it.each<[State["machine"]["phase"], string]>([
    ["running", "The machine runs this file"],
    ["booting", "The machine runs this file"],
    ["off", "The machine starts with this file"],
  ])("says what is the same: %s", (phase, text) =>
    expect(
      stripOf(ready({ pending: { status: "none", change: null }, machine: { ...initialState().machine, phase } })),
    ).toMatchObject({ text }),
  );
  it("offers the switch when what changes could not be worked out", () =>
    expect(stripOf(ready({ pending: { status: "ready", change: null } }))).toMatchObject({
      text: "What changes shows when it is built",
    }));
  it("prefers an error to a change", () =>
    expect(
      stripOf(ready({ pending: { status: "ready", change: nothing }, diagnostics: { "b.nix": [error(7)] } })),
    ).toMatchObject({
      kind: "error",
      path: "b.nix",
      text: "An error on line 7",
    }));
  it("prefers a running switch to everything", () =>
    expect(
      kind({ switching: { ...initialState().switching, phase: "running" }, diagnostics: { "a.nix": [error(1)] } }),
    ).toBe("switching"));
  it("offers to roll back when a unit failed", () =>
    expect(
      kind({
        pending: { status: "none", change: null },
        machine: { ...initialState().machine, phase: "running" },
        switching: { ...initialState().switching, phase: "failed", failedUnits: ["web.service"] },
      }),
    ).toBe("unit-failed"));
});

describe("firstError", () => {
  it("goes by the order of files", () =>
    expect(firstError(ready({ diagnostics: { "b.nix": [error(1)], "a.nix": [error(9)] } }))?.path).toBe("a.nix"));
  it("leaves out warnings", () =>
    expect(firstError(ready({ diagnostics: { "a.nix": [{ ...error(1), severity: "warning" }] } }))).toBeNull());
});

describe("rollbackTarget", () => {
  const target = (...list: Generation[]): number | undefined => rollbackTarget(list)?.number;
  it("is the next lower number", () =>
    expect(target(generation(1), generation(4), generation(6, { isDefault: true }))).toBe(4));
  it("is below the default, not below the newest", () =>
    expect(target(generation(1), generation(2, { isDefault: true }), generation(3))).toBe(1));
  it("is none for the lowest", () => expect(target(generation(1, { isDefault: true }), generation(2))).toBeUndefined());
});

describe("pictured", () => {
  const numbers = (list: Generation[]): number[] => pictured(list, 3).map((each) => each.number);
  it("shows the newest", () =>
    expect(numbers([1, 2, 3, 4, 5].map((n) => generation(n, { isDefault: n === 5 })))).toEqual([5, 4, 3]));
  it("never leaves out a mark", () =>
    expect(
      numbers([generation(1, { booted: true }), generation(2), generation(3), generation(4, { isDefault: true })]),
    ).toEqual([4, 3, 1]));
});
