import { describe, expect, it } from "vitest";
import { directory } from "#engine/store/format/tree.ts";
import { bootEntries } from "./boot-entries.ts";
import { activeUnits, compareUnits, diffSystems, pulledUnits } from "./diff-systems.ts";
import { makeStore, path, readerOf, type Recipe, service } from "./made-systems.ts";
import { parsePackageName, readSystem } from "./read-system.ts";
import type { SystemChange } from "./types.ts";
import { parseUnitFile, unitFlag, unitWords } from "./unit-file.ts";

async function diff(before: Recipe, after: Recipe): Promise<SystemChange> {
  const { reader, tops } = makeStore([before, after]);
  const [old, next] = await Promise.all(tops.map((top) => readSystem(top, reader)));
  if (old === undefined || next === undefined) throw new Error("two systems");
  return diffSystems(old, next);
}

/** The units' part of a change, one line a unit. */
async function checkUnits(before: Recipe["units"], after: Recipe["units"], expected: string[], wants?: string[]) {
  const change = await diff(
    { units: before ?? {}, ...(wants && { wants }) },
    { units: after ?? {}, ...(wants && { wants }) },
  );
  const lines = change.units.map(({ name, action, how, reason }) => `${action} ${name}: ${how}, ${reason}`);
  expect([...lines, ...change.skipped.map((name) => `skip ${name}`)]).toEqual(expected);
}

describe("units of a switch", () => {
  const web = (text: string): Record<string, string> => ({ "web.service": text });
  it("leaves equal units alone", () => checkUnits(web(service("/a")), web(service("/a")), []));
  it("stops and starts a changed service", () =>
    checkUnits(web(service("/a")), web(service("/b")), ["restart web.service: stop-start, changed"]));
  it("restarts in one go", () =>
    checkUnits(web(service("/a")), web(service("/b", "X-StopIfChanged=false")), [
      "restart web.service: restart, changed",
    ]));
  it("reloads instead", () =>
    checkUnits(web(service("/a")), web(service("/b", "X-ReloadIfChanged=true")), [
      "reload web.service: reload, changed",
    ]));
  it("reloads on a trigger", () =>
    checkUnits(web(service("/a", "", "X-Reload-Triggers=1")), web(service("/a", "", "X-Reload-Triggers=2")), [
      "reload web.service: reload, reload-trigger",
    ]));
  it("leaves alone what must not be touched", () =>
    checkUnits(web(service("/a")), web(service("/b", "X-RestartIfChanged=false")), ["skip web.service"]));
  it("leaves alone what refuses to stop", () =>
    checkUnits(web(service("/a")), web(service("/b", "", "RefuseManualStop=true")), ["skip web.service"]));
  it("ignores descriptions", () => checkUnits(web(service("/a")), web(service("/a", "", "Documentation=man:x")), []));
  it("starts a new one", () => checkUnits({}, web(service("/a")), ["start web.service: start, new"]));
  it("stops a removed one", () => checkUnits(web(service("/a")), {}, ["stop web.service: stop, removed"]));
  it("runs a changed one-shot again", () =>
    checkUnits(web(service("/a", "Type=oneshot")), web(service("/b", "Type=oneshot")), [
      "start web.service: start, changed",
    ]));
  it("leaves what does not run alone", () => checkUnits(web(service("/a")), web(service("/b")), [], []));
  it("names the keys", async () => {
    const change = await diff({ units: web(service("/a")) }, { units: web(service("/b", "User=x")) });
    expect(change.units[0]?.detail).toBe("ExecStart, User changed");
  });
});

describe("the rest of a switch", () => {
  it("counts nothing between equal systems", async () => expect((await diff({}, {})).count).toBe(0));
  it("shows files", async () => {
    const { etc } = await diff({ etc: { motd: "a", gone: "x" } }, { etc: { motd: "b", hosts: "y" } });
    expect(etc.map(({ path, kind }) => `${kind} ${path}`)).toEqual(["removed gone", "added hosts", "changed motd"]);
  });
  it("shows packages", async () => {
    const { packages, newBytes, closureDelta } = await diff(
      { packages: { "hello-2.12": 100, "old-1": 50 } },
      { packages: { "hello-2.13": 120, cowsay: 10 } },
    );
    expect(packages).toEqual([
      { name: "cowsay", before: null, after: "", sizeDelta: 10 },
      { name: "hello", before: "2.12", after: "2.13", sizeDelta: 20 },
      { name: "old", before: "1", after: null, sizeDelta: -50 },
    ]);
    expect([newBytes, closureDelta]).toEqual([1130, -20]);
  });
  it("shows users", async () => {
    const line = "user\talice\t-\tusers\t-\t/home/alice\t/bin/sh\tnormal\t700\t-\n";
    const { reader, tops } = makeStore([{ users: `group\twheel\t1\talice\n${line}` }]);
    const system = await readSystem(tops[0] ?? "", reader);
    expect(system.users.get("alice")).toEqual({
      name: "alice",
      uid: -1,
      group: "users",
      home: "/home/alice",
      shell: "/bin/sh",
      normal: true,
      groups: ["wheel"],
    });
  });
  it("asks for a reboot", async () => {
    const { others } = await diff({}, { kernel: "linux-6.6", host: "fern" });
    expect(others.map(({ name, needsReboot }) => [name, needsReboot])).toEqual([
      ["host name", false],
      ["kernel", true],
    ]);
  });
  it("refuses what is no system", async () => {
    const reader = readerOf(new Map([[path("x"), directory([])]]), new Map(), new Map());
    await expect(readSystem(path("x"), reader)).rejects.toThrow("has no link `etc'");
  });
});

describe("unit files", () => {
  const read = (text: string) => parseUnitFile(text).get("Service");
  it("keeps repeated keys", () =>
    expect(read("[Service]\nExecStart=a\nExecStart=b")?.get("ExecStart")).toEqual(["a", "b"]));
  it("clears on an empty value", () => expect(read("[Service]\nA=1\nA=\nA=2")?.get("A")).toEqual(["2"]));
  it("joins lines", () => expect(read("[Service]\nA=1 \\\n  2\n# c\n;d")?.get("A")).toEqual(["1 2"]));
  it("adds drop-ins", () => expect(parseUnitFile("[A]\nB=1", "[A]\nB=2").get("A")?.get("B")).toEqual(["1", "2"]));
  it("splits words", () =>
    expect(unitWords(parseUnitFile("[Unit]\nAfter=a b\nAfter=c"), "Unit", "After")).toEqual(["a", "b", "c"]));
  it("reads flags", () => expect(unitFlag(parseUnitFile("[A]\nB=yes"), "A", "B", false)).toBe(true));
  it("ignores [Install]", () =>
    expect(compareUnits(parseUnitFile("[Install]\nA=1"), parseUnitFile("[Install]\nA=2"))).toEqual({ kind: "equal" }));
});

describe("package names", () => {
  const check = (text: string, name: string, version: string) =>
    it(text, () => expect(parsePackageName(text)).toEqual({ name, version }));
  check("hello-2.12", "hello", "2.12");
  check("busybox-applets-1.35.0", "busybox-applets", "1.35.0");
  check("cowsay", "cowsay", "");
  check("gtk-doc", "gtk-doc", "");
});

describe("activeUnits", () => {
  const units = {
    "a.service": service("/a"),
    "b.service": service("/b"),
    "once.service": service("/c", "Type=oneshot"),
  };
  it.each<[string, [string, string][], string[]]>([
    ["nothing is said", [], ["a.service", "once.service"]],
    ["one was started by hand", [["b.service", "active"]], ["a.service", "b.service", "once.service"]],
    ["one was stopped by hand", [["a.service", "inactive"]], ["once.service"]],
    ["one failed", [["a.service", "failed"]], ["once.service"]],
    ["a one-shot ended", [["once.service", "inactive"]], ["a.service", "once.service"]],
    ["a one-shot failed", [["once.service", "failed"]], ["a.service"]],
  ])("%s", async (_, states, expected) => {
    const { reader, tops } = makeStore([{ units, wants: ["a.service", "once.service"] }]);
    expect([...activeUnits(await readSystem(tops[0] ?? "", reader), states)].sort()).toEqual(expected);
  });
});

describe("pulledUnits", () => {
  it("follows wants", async () => {
    const { reader, tops } = makeStore([
      {
        units: {
          "a.service": service("/a", "", "Wants=b.service"),
          "b.service": service("/b"),
          "c.service": service("/c"),
        },
        wants: ["a.service"],
      },
    ]);
    expect([...pulledUnits(await readSystem(tops[0] ?? "", reader))].sort()).toEqual(["a.service", "b.service"]);
  });
});

describe("bootEntries", () => {
  it("lists the newest first, with variants", () => {
    const generation = (number: number, specialisations = new Map<string, string>()) => ({
      number,
      topLevel: path(`s-${number}`),
      label: "26.05",
      date: 1_795_000_000,
      specialisations,
    });
    const entries = bootEntries([generation(1), generation(2, new Map([["night", path("n")]]))], 1);
    expect(entries.map(({ title, isDefault }) => [title, isDefault])).toEqual([
      ["NixOS - Configuration 2 (2026-11-18 - 26.05)", false],
      ["NixOS - (night - Configuration 2, 2026-11-18)", false],
      ["NixOS - Configuration 1 (2026-11-18 - 26.05)", true],
    ]);
  });
});
