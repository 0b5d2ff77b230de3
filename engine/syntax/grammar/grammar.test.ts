import { expect, it } from "vitest";
import { ACTIONS } from "../actions.ts";
import { tablesModule } from "./encode.ts";
import { GRAMMAR } from "./grammar.ts";
import { buildTables } from "./lalr.ts";

it("the parse tables are those of the grammar", async () => {
  await expect(tablesModule()).toMatchFileSnapshot("../tables.ts");
});

it("every rule has its action, and every action its rule", () => {
  const named = new Set(GRAMMAR.map((rule) => rule.action).filter((name) => name !== "pass"));
  expect([...named].sort()).toEqual(Object.keys(ACTIONS).sort());
});

it("what is passed on is the only value", () => {
  for (const rule of GRAMMAR) if (rule.action === "pass") expect(rule.body).toHaveLength(1);
});

const rule = (head: string, ...body: string[]): { head: string; body: string[]; action: string } => ({
  head,
  body,
  action: "a",
});

it("an ambiguous grammar is refused", () => {
  const ambiguous = [rule("e", "e", "+", "e"), rule("e", "1")];
  expect(() => buildTables(["END", "+", "1"], [], ambiguous)).toThrow(/conflict/);
  expect(() => buildTables(["END", "+", "1"], [["left", "+"]], ambiguous)).not.toThrow();
});

it("an unknown symbol is refused", () =>
  expect(() => buildTables(["END"], [], [rule("e", "x")])).toThrow(/unknown symbol x/));
