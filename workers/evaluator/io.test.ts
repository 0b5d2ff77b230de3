/** What an evaluation in the page put into the store stays known as long as the evaluator does not write it again. */
import { expect, test } from "vitest";
import { createEvaluator } from "#engine/eval/evaluator.ts";
import { createVirtualFiles } from "./files.ts";
import { createPageIo } from "./io.ts";

const system = (colour: string): string =>
  `(derivation { name = "${colour}"; system = "i686-linux"; builder = builtins.toFile "b" "${colour}"; }).drvPath`;

test("a derivation that comes back after many others can be built", () => {
  const io = createPageIo(createVirtualFiles([], []), []);
  const evaluator = createEvaluator({ io, settings: { readOnly: false } });
  const evaluate = (colour: string): number => {
    io.begin(0);
    const value = evaluator.force(evaluator.expression(system(colour))) as { readonly text: string };
    return io.instantiation(value.text).length;
  };
  expect(evaluate("teal")).toBe(2);
  for (let i = 0; i < 100; i++) evaluate(`c${i}`);
  expect(evaluate("teal")).toBe(2);
  evaluator.reset();
  io.forgetUnused();
  expect(evaluate("c0")).toBe(2);
});
