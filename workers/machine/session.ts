/**
 * One power-on of a virtual machine: the VM, its file system and its control channel, from the first instruction to the cut. A session
 * ends once, for one reason; everything that waits on it is rejected with that reason.
 */
import { ControlChannel, type ControlHandlers } from "./control.ts";
import { MachineError } from "./errors.ts";
import { toGuest } from "./frames.ts";
import { openHostTree, type HostTree, type HostTreeOptions } from "./host-tree.ts";
import type { StateBacking } from "./p9/state-backing.ts";
import type { MachineMode } from "./types.ts";
import type { CreateVirtualMachine, LoadedImages, VirtualMachine } from "./vm.ts";

export interface SessionOptions extends HostTreeOptions {
  mode: MachineMode;
  images: LoadedImages;
  backing: StateBacking;
  createVm: CreateVirtualMachine;
  handlers: Omit<ControlHandlers, "onHello" | "onProtocolError">;
  /** Each HELLO, also those that only say that the guest is alive. */
  onHello: () => void;
  onConsole: (text: string) => void;
  /** The host slept (a closed laptop), and the guest's clock with it. */
  onSleep: () => void;
  /** The session ended by itself: the guest's kernel stopped, or the channel broke. */
  onDead: (error: MachineError) => void;
}

/** Milliseconds to the first HELLO: a restored guest answers within one, a cold one boots first. */
const helloTimeout = { restored: 20_000, cold: 120_000 };
/** Milliseconds between two questions whether the guest is alive, and how many may stay unanswered until it counts as dead. */
const pulse = { interval: 15_000, patience: 6 };

export class Session {
  readonly tree: HostTree;
  readonly control: ControlChannel;
  readonly #vm: VirtualMachine;
  readonly #options: SessionOptions;
  #ended: Promise<void> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #unanswered = 0;
  #lastPulse = 0;
  #consoleTail = "";

  private constructor(tree: HostTree, vm: VirtualMachine, options: SessionOptions) {
    this.tree = tree;
    this.#vm = vm;
    this.#options = options;
    this.control = new ControlChannel(vm, {
      ...options.handlers,
      onHello: () => this.#hello(),
      onProtocolError: (error) => options.onDead(error),
    });
    vm.onConsole((text) => this.#console(text));
  }

  /** Makes the VM and its file system; nothing runs yet, but `end` ends it from here on. */
  static async create(options: SessionOptions): Promise<Session> {
    const tree = await openHostTree(options.mode, options.backing, options);
    return new Session(tree, await options.createVm(options.images, tree.server.handle), options);
  }

  /** Switches on and waits for the guest's HELLO. */
  async begin(): Promise<void> {
    const { restored } = this.#vm;
    await this.#vm.start();
    await this.control.hello(restored, restored ? helloTimeout.restored : helloTimeout.cold);
    this.#lastPulse = this.#options.now();
    this.#pulse = setInterval(() => this.#checkPulse(), pulse.interval);
  }

  instructions(): number {
    return this.#vm.instructions();
  }

  /** The cut: from this call on the guest is answered nothing and nothing more is stored. */
  end(reason: MachineError): Promise<void> {
    this.#ended ??= this.#end(reason);
    return this.#ended;
  }

  async #end(reason: MachineError): Promise<void> {
    clearInterval(this.#pulse);
    this.tree.kill();
    this.control.close(reason);
    await this.#vm.destroy();
  }

  #hello(): void {
    this.#unanswered = 0;
    this.#options.onHello();
  }

  /** Questions are counted, not time: a guest that slept together with its host (a closed laptop) is not dead. */
  #checkPulse(): void {
    if (this.#unanswered >= pulse.patience) {
      this.#options.onDead(new MachineError("died", "the guest no longer answers"));
      return;
    }
    this.#unanswered++;
    this.control.send(toGuest.HELLO, 0, []);
    const now = this.#options.now();
    if (now - this.#lastPulse > 3 * pulse.interval) this.#options.onSleep();
    this.#lastPulse = now;
  }

  #console(text: string): void {
    this.#options.onConsole(text);
    this.#consoleTail = (this.#consoleTail + text).slice(-400);
    if (!this.#consoleTail.includes("Kernel panic")) return;
    const line = /Kernel panic[^\n]*/.exec(this.#consoleTail)![0];
    this.#options.onDead(new MachineError("died", line.trim()));
  }
}
