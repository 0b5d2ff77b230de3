import { describe, expect, it } from "vitest";
import { initialState, type State } from "#web/state/model.ts";
import { advance, breakService, nothingDone, recolour, stageOf } from "./walk.ts";

const state = (part: Partial<State>): State => ({ ...initialState(), ...part });
const change = { count: 1, newBytes: 0, closureDelta: 0, units: [], etc: [], packages: [], users: [], others: [] };

describe("recolour", () => {
  it.each([
    ['  colour = "seagreen";\n', '  colour = "rebeccapurple";\n'],
    ['color = "pink";', 'color = "seagreen";'],
    ['colour = "chocolate";', 'colour = "seagreen";'],
    ["x = 1;", null],
  ])("%j", (before, after) => expect(recolour(before)).toBe(after));
});

describe("breakService", () => {
  it.each([
    ["{ root = ./www; }", '{ root = "/nowhere"; }'],
    ["{ root = f ''\n  a; b ${x; y}\n''; z = 1; }", '{ root = "/nowhere"; z = 1; }'],
    ["{ root = { a = 1; }; }", '{ root = "/nowhere"; }'],
    ["{ services.static-web-server.root = ./www; }", '{ services.static-web-server.root = "/nowhere"; }'],
    ["{ uproot = 1; }", null],
  ])("%j", (before, after) => expect(breakService(before)).toBe(after));
});

describe("stageOf", () => {
  it("begins with a change", () => expect(stageOf(nothingDone, state({}))).toBe("change"));
  it("then asks for the switch", () =>
    expect(stageOf(nothingDone, state({ pending: { status: "ready", change } }))).toBe("switch"));
  it("knows a cut from the machine", () => {
    const two = {
      ...initialState().generations,
      list: [1, 2].map((number) => ({ number }) as State["generations"]["list"][number]),
    };
    const cut = state({ generations: two, machine: { ...initialState().machine, phase: "cut" } });
    expect(advance(nothingDone, cut)).toMatchObject({ switched: true, cut: true, broken: false });
  });
  it("ends", () =>
    expect(stageOf({ switched: true, cut: true, broken: true, rolledBack: true, shared: true }, state({}))).toBe(
      "done",
    ));
});

describe("advance", () => {
  it("gives the same object when nothing happened", () => expect(advance(nothingDone, state({}))).toBe(nothingDone));
});
