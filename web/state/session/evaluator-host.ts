/**
 * The evaluator worker with a time limit and a way to stop: a stopped evaluation ends its worker, and the next request starts another.
 * Invariant: at most one request runs; a newer evaluation of the system replaces one that waits.
 */
import type {
  CommandOutcome,
  EvaluationOutcome,
  EvaluationRequest,
  EvaluatorServices,
  SourcePin,
  StoreItem,
} from "#workers/api.ts";
import { type Client, startEvaluator } from "#workers/client.ts";
import type { EvaluatorWorker } from "#workers/api.ts";

/** Thrown to whoever waits when the evaluation was stopped. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly afterSeconds: number | null;
  constructor(afterSeconds: number | null) {
    super(afterSeconds === null ? "Stopped." : `Stopped after ${afterSeconds} s.`);
    this.afterSeconds = afterSeconds;
  }
}

export interface EvaluatorHost {
  evaluateSystem(request: EvaluationRequest, limitSeconds: number): Promise<EvaluationOutcome>;
  instantiation(drvPath: string): Promise<StoreItem[]>;
  run(argv: readonly string[], files: Readonly<Record<string, string>>, limitSeconds: number): Promise<CommandOutcome>;
  /** Any other request to the worker. */
  request<T>(work: (api: Client<EvaluatorWorker>["api"]) => Promise<T>, limitSeconds: number): Promise<T>;
  /** The package sets that every request from now on sees. */
  setSources(pins: readonly SourcePin[]): void;
  /** The worker's remaining interface (the language service). */
  worker(): Promise<Client<EvaluatorWorker>["api"]>;
  stop(): void;
}

export function createEvaluatorHost(archive: Promise<Uint8Array>, services: EvaluatorServices): EvaluatorHost {
  let current: Promise<Client<EvaluatorWorker>> | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let interrupt: ((reason: Stopped) => void) | undefined;
  let sources: readonly SourcePin[] = [];
  /** Which sets each worker was told of. */
  const told = new WeakMap<Client<EvaluatorWorker>, readonly SourcePin[]>();

  const client = () => {
    current ??= startEvaluator(archive, services).catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  };

  const end = (reason: Stopped) => {
    const ended = current;
    current = undefined;
    ended?.then((worker) => worker.terminate()).catch(() => undefined);
    interrupt?.(reason);
  };

  /** One request at a time, each with its limit; the limit counts while the worker works, not while the request waits. */
  const request = <T>(work: (api: Client<EvaluatorWorker>["api"]) => Promise<T>, limitSeconds: number): Promise<T> => {
    const run = async () => {
      const worker = await client();
      const { api } = worker;
      if ((told.get(worker) ?? []) !== sources && (told.has(worker) || sources.length > 0)) {
        told.set(worker, sources);
        await api.setSources(sources);
      }
      const stopped = new Promise<never>((_, reject) => (interrupt = reject));
      const timer = setTimeout(() => end(new Stopped(limitSeconds)), limitSeconds * 1000);
      try {
        return await Promise.race([work(api), stopped]);
      } finally {
        clearTimeout(timer);
        interrupt = undefined;
      }
    };
    const result = queue.then(run, run);
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    evaluateSystem: (what, limit) => request<EvaluationOutcome>((api) => api.evaluateSystem(what), limit),
    instantiation: (drvPath) => request((api) => api.instantiation(drvPath), 30),
    run: (argv, files, limit) => request((api) => api.run(argv, files), limit),
    request,
    setSources: (pins) => void (sources = pins),
    worker: async () => (await client()).api,
    stop: () => end(new Stopped(null)),
  };
}
