/**
 * The explicit-stack machine: evaluates beyond the budget of JavaScript frames, over the same frames and thunks as the direct evaluator.
 *
 * Invariant: nothing it runs recurses on the JavaScript stack; what remains to be done is on `stack`. An error pops frames until one
 * handles it, which restores thunks and adds trace lines just as the direct evaluator's `catch` clauses do.
 */
import { Call, type Builtin, type Request, type Routine } from "#engine/builtins/record.ts";
import { argTrace, builtinTrace, functorOf, functorTrace, lambdaTrace } from "./call.ts";
import { Evaluate, ForceAt, PENDING, Pending, type Code, type Outcome } from "./code.ts";
import { addTrace } from "./error.ts";
import { checkArg } from "./expect.ts";
import { blackHole, failThunk, infiniteRecursion, settle, settled } from "./force.ts";
import { bindFormals, checkFormalsArgument, formalsTrace } from "./formals.ts";
import type { Pos } from "./positions.ts";
import { callDepthExceeded, evalContext, runtime } from "./runtime.ts";
import { Lambda, PrimOp, PrimOpApp, Thunk, type Env, type Slot, type Value } from "./value.ts";

/** What is to be done with a value that is being computed. */
export interface Frame {
  resume(machine: Machine, value: Value): Outcome;
  /** Called when the computation failed: throws on (perhaps with one more trace line), or goes on with an outcome. */
  unwind?(machine: Machine, thrown: unknown): Outcome;
}

export class Machine {
  private readonly stack: Frame[] = [];
  private code: Code = blackHole;
  private env: Env = [];

  push(frame: Frame): void {
    this.stack.push(frame);
  }

  /** Evaluates a code next. */
  eval(code: Code, env: Env): Pending {
    this.code = code;
    this.env = env;
    return PENDING;
  }

  /** Evaluates a slot next, unless its value is there. */
  force(slot: Slot, pos?: Pos): Outcome {
    if (!(slot instanceof Thunk)) return slot;
    const code = slot.code;
    if (code === undefined) return settled(slot);
    if (code === blackHole) throw infiniteRecursion(pos);
    const { env } = slot;
    const value = code.quick?.(env);
    if (value !== undefined) {
      settle(slot, value);
      return value;
    }
    slot.code = blackHole;
    runtime.forcedAt = pos;
    this.stack.push(new ThunkFrame(slot, code));
    return this.eval(code, env);
  }

  /** Calls a forced function next. Simple lambdas take all their arguments at once. */
  call(fn: Value, args: readonly Slot[], pos: Pos | undefined): Outcome {
    if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(pos);
    let current = fn;
    let used = 0;
    while (used < args.length && current instanceof Lambda && current.code.formals === null) {
      const { body } = current.code;
      const env: Env = [current.env, args[used]!];
      const value = body.quick?.(env);
      if (value === undefined) {
        this.stack.push(
          used + 1 === args.length ? new CallFrame(current, pos) : new CurriedFrame(current, args, used + 1, pos),
        );
        return this.eval(body, env);
      }
      current = value;
      used++;
    }
    if (used === args.length) {
      runtime.calls--;
      return current;
    }
    this.stack.push(leaveCall);
    return this.apply(current, args, used, pos);
  }

  /** Goes on with a counted call from argument `used`. */
  apply(fn: Value, args: readonly Slot[], used: number, pos: Pos | undefined): Outcome {
    if (used === args.length) return fn;
    if (fn instanceof Lambda) {
      if (used + 1 < args.length) this.stack.push(new ApplyFrame(args, used + 1, pos));
      return this.enter(fn, args[used]!, pos);
    }
    if (fn instanceof PrimOp || fn instanceof PrimOpApp) {
      const before = fn instanceof PrimOp ? [] : fn.args;
      const take = Math.min(fn.builtin.arity - before.length, args.length - used);
      const all = [...before, ...args.slice(used, used + take)];
      if (all.length < fn.builtin.arity) return new PrimOpApp(fn.builtin, all);
      if (used + take < args.length) this.stack.push(new ApplyFrame(args, used + take, pos));
      this.stack.push(new BuiltinFrame(fn.builtin, pos));
      return this.start(builtinRoutine(fn.builtin, all, pos));
    }
    const functor = functorOf(fn, pos);
    if (used + 1 < args.length) this.stack.push(new ApplyFrame(args, used + 1, pos));
    this.stack.push(new FunctorFrame(pos));
    return this.start(callFunctor(functor.slot, [fn, args[used]!], functor.pos));
  }

  private enter(lambda: Lambda, argument: Slot, pos: Pos | undefined): Outcome {
    if (lambda.code.formals === null) {
      this.stack.push(new LambdaFrame(lambda, pos));
      return this.eval(lambda.code.body, [lambda.env, argument]);
    }
    this.stack.push(new FormalsFrame(lambda, argument, pos));
    return this.force(argument);
  }

  /** Runs a routine next. */
  start(routine: Routine<Slot>): Outcome {
    return new RoutineFrame(routine).advance(this, routine.next());
  }

  /** Runs everything above the present stack and returns its value. */
  finish(first: () => Outcome): Value {
    const base = this.stack.length;
    let outcome: Outcome;
    try {
      outcome = first();
    } catch (thrown) {
      outcome = this.unwind(thrown, base);
    }
    for (;;) {
      try {
        for (;;) {
          while (outcome instanceof Pending) outcome = this.code.step(this, this.env);
          if (this.stack.length === base) return outcome;
          outcome = this.stack.pop()!.resume(this, outcome);
        }
      } catch (thrown) {
        outcome = this.unwind(thrown, base);
      }
    }
  }

  /** Pops frames until one takes the error; throws it on when none above `base` does. */
  private unwind(thrown: unknown, base: number): Outcome {
    let current = thrown;
    while (this.stack.length > base) {
      const frame = this.stack.pop()!;
      if (frame.unwind === undefined) continue;
      try {
        return frame.unwind(this, current);
      } catch (next) {
        current = next;
      }
    }
    throw current;
  }
}

class ThunkFrame implements Frame {
  declare readonly thunk: Thunk;
  declare readonly code: Code;
  constructor(thunk: Thunk, code: Code) {
    this.thunk = thunk;
    this.code = code;
  }
  resume(_machine: Machine, value: Value): Outcome {
    settle(this.thunk, value);
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    failThunk(this.thunk, this.code, thrown);
    throw thrown;
  }
}

/** The end of a counted call. Stateless; errors restore the count where they are caught. */
const leaveCall: Frame = {
  resume(_machine, value) {
    runtime.calls--;
    return value;
  },
};

class ApplyFrame implements Frame {
  declare readonly args: readonly Slot[];
  declare readonly used: number;
  declare readonly pos: Pos | undefined;
  constructor(args: readonly Slot[], used: number, pos: Pos | undefined) {
    this.args = args;
    this.used = used;
    this.pos = pos;
  }
  resume(machine: Machine, value: Value): Outcome {
    return machine.apply(value, this.args, this.used, this.pos);
  }
}

class LambdaFrame implements Frame {
  declare readonly lambda: Lambda;
  declare readonly pos: Pos | undefined;
  constructor(lambda: Lambda, pos: Pos | undefined) {
    this.lambda = lambda;
    this.pos = pos;
  }
  resume(_machine: Machine, value: Value): Outcome {
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw lambdaTrace(thrown, this.lambda.code, this.pos);
  }
}

/** A counted call whose last argument is a lambda's. */
class CallFrame extends LambdaFrame {
  override resume(_machine: Machine, value: Value): Outcome {
    runtime.calls--;
    return value;
  }
}

/** A counted call of which some arguments are left. */
class CurriedFrame extends LambdaFrame {
  declare readonly args: readonly Slot[];
  declare readonly used: number;
  constructor(lambda: Lambda, args: readonly Slot[], used: number, pos: Pos | undefined) {
    super(lambda, pos);
    this.args = args;
    this.used = used;
  }
  override resume(machine: Machine, value: Value): Outcome {
    machine.push(leaveCall);
    return machine.apply(value, this.args, this.used, this.pos);
  }
}

/** Waits for the set that a lambda with formals takes apart. */
class FormalsFrame implements Frame {
  declare readonly lambda: Lambda;
  declare readonly argument: Slot;
  declare readonly pos: Pos | undefined;
  constructor(lambda: Lambda, argument: Slot, pos: Pos | undefined) {
    this.lambda = lambda;
    this.argument = argument;
    this.pos = pos;
  }
  resume(machine: Machine, value: Value): Outcome {
    const { lambda, argument, pos } = this;
    const env = bindFormals(lambda, argument, checkFormalsArgument(lambda, value, pos), pos);
    machine.push(new LambdaFrame(lambda, pos));
    return machine.eval(lambda.code.body, env);
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw formalsTrace(thrown, this.pos);
  }
}

class BuiltinFrame implements Frame {
  declare readonly builtin: Builtin;
  declare readonly pos: Pos | undefined;
  constructor(builtin: Builtin, pos: Pos | undefined) {
    this.builtin = builtin;
    this.pos = pos;
  }
  resume(_machine: Machine, value: Value): Outcome {
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw this.builtin.traced ? builtinTrace(thrown, this.builtin, this.pos) : thrown;
  }
}

class FunctorFrame implements Frame {
  declare readonly pos: Pos | undefined;
  constructor(pos: Pos | undefined) {
    this.pos = pos;
  }
  resume(_machine: Machine, value: Value): Outcome {
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw addTrace(thrown, functorTrace, this.pos);
  }
}

class RoutineFrame implements Frame {
  private readonly routine: Routine<Slot>;
  private readonly calls = runtime.calls;
  constructor(routine: Routine<Slot>) {
    this.routine = routine;
  }

  resume(machine: Machine, value: Value): Outcome {
    return this.advance(machine, this.routine.next(value));
  }

  unwind(machine: Machine, thrown: unknown): Outcome {
    runtime.calls = this.calls;
    return this.advance(machine, this.routine.throw(thrown));
  }

  advance(machine: Machine, first: IteratorResult<Request, Slot>): Outcome {
    let next = first;
    while (next.done !== true) {
      const request = next.value;
      if (
        request instanceof Thunk ||
        request instanceof Call ||
        request instanceof Evaluate ||
        request instanceof ForceAt
      ) {
        machine.push(this);
        return this.perform(machine, request);
      }
      next = this.routine.next(request);
    }
    return machine.force(next.value);
  }

  private perform(machine: Machine, request: Thunk | Call | Evaluate | ForceAt): Outcome {
    if (request instanceof Thunk) return machine.force(request);
    if (request instanceof Evaluate) return machine.eval(request.code, request.env);
    if (request instanceof ForceAt) return machine.force(request.thunk, request.pos);
    if (!(request.fn instanceof Thunk)) return machine.call(request.fn, request.args, request.pos);
    machine.push(new CallForcedFrame(request));
    return machine.force(request.fn);
  }
}

/** Waits for the function of a call. */
class CallForcedFrame implements Frame {
  declare readonly request: Call;
  constructor(request: Call) {
    this.request = request;
  }
  resume(machine: Machine, value: Value): Outcome {
    return machine.call(value, this.request.args, this.request.pos);
  }
}

function* callFunctor(functor: Slot, args: readonly Slot[], pos: Pos | undefined): Routine<Slot> {
  return yield new Call(functor, args, pos);
}

/** What `runBuiltin` does, as a routine. */
function* builtinRoutine(builtin: Builtin, slots: Slot[], pos: Pos | undefined): Routine<Slot> {
  const { args, impl, routine } = builtin;
  for (let turn = 0; turn < args.length; turn++) {
    const i = builtin.reversed === true ? args.length - 1 - turn : turn;
    const arg = args[i]!;
    if (arg.type === "lazy") continue;
    let value: Value;
    try {
      value = yield slots[i]!;
    } catch (thrown) {
      throw arg.type === "list" || arg.type === "attrs" ? thrown : argTrace(thrown, builtin, arg, i);
    }
    try {
      slots[i] = checkArg(value, arg.type);
    } catch (thrown) {
      throw argTrace(thrown, builtin, arg, i);
    }
  }
  if (impl !== undefined) return impl(slots as never, evalContext(), pos);
  return yield* routine!(slots as never, evalContext(), pos);
}

/** Makes the machine available to the direct evaluator. Each entry runs on a machine of its own. */
export function installMachine(): void {
  runtime.deep = {
    force(thunk, pos) {
      const machine = new Machine();
      return machine.finish(() => machine.force(thunk, pos));
    },
    run(code, env) {
      const machine = new Machine();
      return machine.finish(() => machine.eval(code, env));
    },
    call(fn, args, pos) {
      const machine = new Machine();
      return machine.finish(() => machine.call(fn, args, pos));
    },
  };
}
