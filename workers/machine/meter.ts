/** What the machine costs, measured: instructions, guest memory, and how long the last start took. */
import { memorySize } from "./drivers/v86-options.ts";
import type { ExecResult } from "./types.ts";

/** Milliseconds a reading of the guest's memory is good for: it costs a process in the guest. */
const memoryAge = 5_000;

export class Meter {
  memory = { total: memorySize, used: 0 };
  instructions = 0;
  instructionsPerSecond = 0;
  timings = { ready: 0, boot: 0 };
  readonly #now: () => number;
  #began = 0;
  #lastCounter = 0;
  #lastSample = 0;
  #lastMemory = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  starting(): void {
    this.#began = this.#now();
    this.instructions = 0;
    this.instructionsPerSecond = 0;
    this.#lastCounter = 0;
    this.#lastSample = this.#began;
    this.memory.used = 0;
    this.timings = { ready: 0, boot: 0 };
  }

  ready(): void {
    this.timings.ready = this.#now() - this.#began;
  }

  booting(): void {
    this.#began = this.#now();
  }

  booted(): void {
    this.timings.boot = this.#now() - this.#began;
  }

  /** `counter` is modulo 2^32; sampled at least every few seconds it is unambiguous. */
  sample(counter: number): void {
    const executed = (counter - this.#lastCounter) >>> 0;
    const seconds = (this.#now() - this.#lastSample) / 1000;
    this.instructions += executed;
    if (seconds > 0) this.instructionsPerSecond = Math.round(executed / seconds);
    this.#lastCounter = counter;
    this.#lastSample = this.#now();
  }

  async sampleMemory(read: () => Promise<ExecResult>): Promise<void> {
    if (this.#now() - this.#lastMemory < memoryAge) return;
    this.#lastMemory = this.#now();
    const text = new TextDecoder().decode((await read()).stdout);
    const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
    const used = kibibytes("MemTotal") - kibibytes("MemAvailable");
    this.memory = { total: memorySize, used: used * 1024 };
  }
}
