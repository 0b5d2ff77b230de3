/**
 * Control: `if`, `assert`, `!`, `&&`, `||`, `->`, and checkpoints that count nesting against the JavaScript stack.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { drive } from "../call.ts";
import { Evaluate, leafCode, makeCode, routineCode, type Code, type Outcome } from "../code.ts";
import { explainDifference } from "../difference.ts";
import { equals, quickEquals } from "../equality.ts";
import { NixError, addTrace } from "../error.ts";
import { expectedError } from "../expect.ts";
import type { Frame, Machine } from "../machine.ts";
import type { Pos } from "../positions.ts";
import { deepEvaluator, runtime } from "../runtime.ts";
import type { Env, Slot, Value } from "../value.ts";

/** What a condition is, for messages. */
interface ConditionTexts {
  readonly context: string;
  readonly pos: Pos | undefined;
}

function runCondition(condition: Code, env: Env, texts: ConditionTexts): boolean {
  try {
    const value = condition.run(env);
    if (typeof value === "boolean") return value;
    throw expectedError("a Boolean", value, texts.pos);
  } catch (thrown) {
    throw addTrace(thrown, texts.context, texts.pos);
  }
}

/** A code that evaluates a Boolean and then goes on with what `next` chooses: another code or a value. */
function branchCode(
  condition: Code,
  texts: ConditionTexts,
  next: (truth: boolean) => Code | boolean,
  run: Code["run"] = (env) => {
    const chosen = next(runCondition(condition, env, texts));
    return typeof chosen === "boolean" ? chosen : chosen.run(env);
  },
): Code {
  return makeCode(run, (machine, env) => {
    const truth = condition.quick?.(env);
    if (typeof truth === "boolean") {
      const chosen = next(truth);
      return typeof chosen === "boolean" ? chosen : machine.eval(chosen, env);
    }
    machine.push(new ConditionFrame(env, texts, next));
    return machine.eval(condition, env);
  });
}

class ConditionFrame implements Frame {
  declare readonly env: Env;
  declare readonly texts: ConditionTexts;
  declare readonly next: (truth: boolean) => Code | boolean;
  constructor(env: Env, texts: ConditionTexts, next: (truth: boolean) => Code | boolean) {
    this.env = env;
    this.texts = texts;
    this.next = next;
  }
  resume(machine: Machine, value: Value): Outcome {
    const { texts } = this;
    if (typeof value !== "boolean")
      throw addTrace(expectedError("a Boolean", value, texts.pos), texts.context, texts.pos);
    const chosen = this.next(value);
    return typeof chosen === "boolean" ? chosen : machine.eval(chosen, this.env);
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw addTrace(thrown, this.texts.context, this.texts.pos);
  }
}

export function ifCode(condition: Code, then: Code, otherwise: Code, pos: Pos): Code {
  const texts = { context: "while evaluating a branch condition", pos };
  return branchCode(
    condition,
    texts,
    (truth) => (truth ? then : otherwise),
    (env) => (runCondition(condition, env, texts) ? then.run(env) : otherwise.run(env)),
  );
}

/** The right operand of a logical operator: evaluates to a Boolean. */
const operandCode = (operand: Code, context: string, pos: Pos): Code =>
  branchCode(operand, { context, pos }, (truth) => truth);

export function logicalCode(operator: "&&" | "||" | "->", left: Code, right: Code, pos: Pos): Code {
  const name = { "&&": "AND (&&)", "||": "OR (||)", "->": "IMPL (->)" }[operator];
  const second = operandCode(right, `in the right operand of the ${name} operator`, pos);
  const texts = { context: `in the left operand of the ${name} operator`, pos };
  switch (operator) {
    case "&&":
      return branchCode(
        left,
        texts,
        (truth) => (truth ? second : false),
        (env) => runCondition(left, env, texts) && second.run(env),
      );
    case "||":
      return branchCode(
        left,
        texts,
        (truth) => (truth ? true : second),
        (env) => runCondition(left, env, texts) || second.run(env),
      );
    case "->":
      return branchCode(left, texts, (truth) => (truth ? second : true));
  }
}

/** `!operand`; `pos` is the operand's own position, which not every expression has. */
export function notCode(operand: Code, pos: Pos | undefined): Code {
  const texts = { context: "in the argument of the not operator", pos };
  return branchCode(
    operand,
    texts,
    (truth) => !truth,
    (env) => !runCondition(operand, env, texts),
  );
}

/** `assert condition; body`. `text` prints the condition. */
export function assertCode(condition: Code, body: Code, text: () => string, pos: Pos): Code {
  const texts = { context: "in the condition of the assert statement", pos };
  const failed = leafCode(() => {
    throw new NixError("assert", `assertion '${text()}' failed`, { pos });
  });
  return branchCode(condition, texts, (truth) => (truth ? body : failed));
}

/** `assert left == right; body`, whose error says what differs. */
export function assertEqualCode(left: Code, right: Code, body: Code, text: () => string, pos: Pos): Code {
  function* routine(env: Env): Routine<Slot> {
    let a: Value;
    let b: Value;
    let same: boolean;
    try {
      a = yield new Evaluate(left, env);
      b = yield new Evaluate(right, env);
      same = quickEquals(a, b) ?? (yield* equals(a, b));
    } catch (thrown) {
      throw addTrace(thrown, "in the condition of the assert statement", pos);
    }
    if (same) return body.delay(env);
    const error = yield* explainDifference(a, b);
    throw error.within(`while evaluating the condition of the assertion '${text()}'`, pos);
  }
  return routineCode((env) => drive(routine(env)), routine);
}

/** An expression inside many others, compiled when it is first met and counted as one nesting. */
export function checkpointCode(compile: () => Code): Code {
  let compiled: Code | undefined;
  const inner = (): Code => (compiled ??= compile());
  return makeCode(
    (env) => {
      if (runtime.depth >= runtime.maxDepth) return deepEvaluator().run(inner(), env);
      runtime.depth++;
      const value = inner().run(env);
      runtime.depth--;
      return value;
    },
    (machine, env) => machine.eval(inner(), env),
  );
}

/** A code compiled when it is first run: bodies of lambdas and of thunks, most of which never are. */
export function lazyCode(compile: () => Code): Code {
  const self: Code = makeCode(
    (env) => become(self, compile()).run(env),
    (machine, env) => become(self, compile()).step(machine, env),
  );
  return self;
}

function become(self: Code, compiled: Code): Code {
  self.run = compiled.run;
  self.step = compiled.step;
  self.quick = compiled.quick;
  self.lambda = compiled.lambda;
  return self;
}
