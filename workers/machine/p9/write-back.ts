/**
 * When changes go to the backing: at latest `delay` milliseconds after they were made, and at once when somebody waits for it. One
 * commit runs at a time and takes everything changed when it starts, so what is stored is always the tree after some prefix of the
 * operations. A commit that fails puts its changes back; they go with the next.
 */

export interface WriteBackClient {
  /** Whether there is anything to store. */
  dirty(): boolean;
  /** Takes all changes, synchronously, and stores them atomically. On failure the changes count as dirty again. */
  commit(): Promise<void>;
}

export class WriteBack {
  readonly #client: WriteBackClient;
  readonly #delay: number;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(client: WriteBackClient, delay: number) {
    this.#client = client;
    this.#delay = delay;
  }

  /** Something changed. */
  touch(): void {
    this.#schedule(this.#delay);
  }

  /** Resolves when everything changed before this call is stored. Rejects with the commit's error. */
  flush(): Promise<void> {
    if (this.#stopped) return Promise.reject(new Error("the tree is closed"));
    if (this.#running === undefined) return this.#client.dirty() ? this.#start() : Promise.resolve();
    if (!this.#client.dirty()) return this.#running;
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /** Nothing more is started; a commit that runs may still succeed. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** A failed commit is tried again more slowly: a full disk does not get room by asking. */
  #schedule(delay: number): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch(() => this.#schedule(this.#delay * 10));
    }, delay);
  }

  #start(): Promise<void> {
    if (this.#stopped) return Promise.reject(new Error("the tree is closed"));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const running = this.#client.commit().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
