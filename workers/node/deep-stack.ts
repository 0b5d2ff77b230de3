/**
 * A thread with a deep stack and much room for young values: the command line evaluates on one. On the first thread the stack is a
 * megabyte, and what nests deeper goes on in the engine's explicit-stack machine, which is slower.
 */
import { Worker, workerData } from "node:worker_threads";

const MARK = "terrarium.deep-stack";

/** Megabytes of stack, and the nesting that fits in it. */
const stackSizeMb = 64;
export const DEEP_STACK_DEPTH = 40_000;
/** Megabytes for young values: most die at once, and a deep stack is searched at each collection. */
const maxYoungGenerationSizeMb = 128;

/** Whether this is such a thread. */
export const hasDeepStack = (): boolean => workerData === MARK;

/** Runs this program once more with these arguments, on a thread of its own; gives its exit code. */
export function onDeepStack(argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(process.argv[1]!, {
      argv: [...argv],
      workerData: MARK,
      resourceLimits: { stackSizeMb, maxYoungGenerationSizeMb },
    });
    worker.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ERR_WORKER_OUT_OF_MEMORY") return reject(error);
      process.stderr.write("error: out of memory\n");
      resolve(1);
    });
    worker.on("exit", resolve);
  });
}
