/**
 * The host's end of the control channel: the handshake, streams with credit in both directions, and what the guest sends by itself.
 * It knows frames and streams, not what they are for; machine.ts and builder.ts do. Everything that waits is rejected when the
 * channel is closed, with the reason of the close.
 */
import { concatBytes } from "#engine/store/format/bytes.ts";
import { MachineError, errorText } from "./errors.ts";
import { FrameDecoder, decodeList, encodeFrame, encodeList, fromGuest, toGuest, type Frame } from "./frames.ts";
import type { ExitStatus } from "./types.ts";

/** The console's two directions. `send` keeps order and queues without limit; credit keeps the queue short. */
export interface BytePort {
  send(bytes: Uint8Array): void;
  onBytes(listener: (bytes: Uint8Array) => void): void;
}

export interface Hello {
  version: number;
  /** `stage1`, `stage2` or `builder`. */
  state: string;
  capabilities: string[];
}

/** Where a stream's output goes. The guest is given room again when the promise resolves. */
export type OutputListener = (kind: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>;

export interface ControlHandlers {
  /** Each HELLO, asked for or not. */
  onHello(hello: Hello): void;
  onEvent(topic: string, fields: string[]): void;
  /** The guest waits until the promise resolves. */
  onStep(name: string, text: string): Promise<void>;
  onShim(stream: GuestStream, fields: string[]): void;
  /** The guest does not keep to the protocol; nothing more can be understood. */
  onProtocolError(error: MachineError): void;
}

/** Bytes each direction of a stream begins with. */
const initialCredit = 262_144;
/** Consumed bytes are told back in portions of this, far below what the other side holds. */
const creditPortion = 65_536;
/** Payload of one DATA frame: small, so that streams take turns. */
const dataPortion = 16_384;

export class ControlChannel {
  readonly #port: BytePort;
  readonly #handlers: ControlHandlers;
  readonly #decoder = new FrameDecoder();
  readonly #streams = new Map<number, GuestStream>();
  readonly #helloWaiters: ((hello: Hello) => void)[] = [];
  readonly #rejections = new Set<(error: MachineError) => void>();
  #nextStream = 1;
  #closed: MachineError | undefined;
  #counting = false;

  constructor(port: BytePort, handlers: ControlHandlers) {
    this.#port = port;
    this.#handlers = handlers;
    port.onBytes((bytes) => this.#receive(bytes));
  }

  /** The next HELLO of the guest, asked for when `ask` is set (a restored guest waits for the question). */
  hello(ask: boolean, timeout: number): Promise<Hello> {
    const answer = this.#withTimeout<Hello>(timeout, (resolve) => this.#helloWaiters.push(resolve));
    if (ask) this.send(toGuest.HELLO, 0, []);
    return answer;
  }

  send(type: number, stream: number, payload: readonly (string | number)[] | Uint8Array): void {
    if (this.#closed !== undefined) throw this.#closed;
    const bytes = payload instanceof Uint8Array ? payload : encodeList(payload);
    this.#port.send(encodeFrame({ type, stream, payload: bytes }));
  }

  /** Begins a stream of the host's with its first frame: EXEC, CONNECT or BUILD. */
  open(type: number, payload: readonly (string | number)[], onOutput: OutputListener): GuestStream {
    const stream = new GuestStream(this, this.#nextStream, onOutput, this.#counting);
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    this.send(type, stream.id, payload);
    return stream;
  }

  /** Ends everything: what waits is rejected with this error, what comes later is not heard. */
  close(error: MachineError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const reject of this.#rejections) reject(error);
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#streams.clear();
  }

  forget(stream: GuestStream): void {
    this.#streams.delete(stream.id);
  }

  /** A promise that the channel's close rejects too. */
  #withTimeout<T>(timeout: number, start: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: MachineError): void => settle(() => reject(error));
      const timer = setTimeout(() => fail(new MachineError("no-answer", "the guest does not answer")), timeout);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#rejections.delete(fail);
        then();
      };
      this.#rejections.add(fail);
      if (this.#closed !== undefined) fail(this.#closed);
      else start((value) => settle(() => resolve(value)));
    });
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed !== undefined) return;
    try {
      for (const frame of this.#decoder.push(bytes)) this.#dispatch(frame);
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      this.#handlers.onProtocolError(error);
    }
  }

  #dispatch(frame: Frame): void {
    switch (frame.type) {
      case fromGuest.HELLO:
        this.#hello(decodeList(frame.payload));
        return;
      case fromGuest.EVENT: {
        const [topic = "", ...fields] = decodeList(frame.payload);
        this.#handlers.onEvent(topic, fields);
        return;
      }
      case fromGuest.STEP:
        void this.#step(decodeList(frame.payload));
        return;
      case fromGuest.SHIM: {
        const stream = new GuestStream(this, frame.stream, () => undefined, this.#counting);
        this.#streams.set(frame.stream, stream);
        this.#handlers.onShim(stream, decodeList(frame.payload));
        return;
      }
      default:
        this.#streams.get(frame.stream)?.receive(frame);
    }
  }

  #hello([version = "", state = "", ...capabilities]: string[]): void {
    const hello = { version: Number(version), state, capabilities };
    if (hello.version !== 1) throw new MachineError("protocol", `the guest speaks version '${version}'`);
    this.#counting = capabilities.includes("credit");
    this.#handlers.onHello(hello);
    for (const resolve of this.#helloWaiters.splice(0)) resolve(hello);
  }

  async #step([name = "", text = ""]: string[]): Promise<void> {
    await this.#handlers.onStep(name, text);
    if (this.#closed === undefined) this.send(toGuest.ACK, 0, [name]);
  }
}

/** One stream: a process, a TCP connection, a build, or a command typed in the guest. */
export class GuestStream {
  readonly id: number;
  /** Resolves with the guest's EXIT; rejects when the channel closes. */
  readonly exit: Promise<ExitStatus>;
  /** Resolves when a CONNECT succeeded; rejects when it was refused. */
  readonly opened: Promise<void>;
  /** Resolves when all output was taken and no more comes: a TCP peer closes its side before the stream exits. */
  readonly ended: Promise<void>;
  readonly #channel: ControlChannel;
  readonly #onOutput: OutputListener;
  readonly #counting: boolean;
  /** What was received and not yet taken, in order; undefined is the end of the output. */
  readonly #input: Uint8Array[] = [];
  #inputEnded = false;
  #inputWaiter: (() => void) | undefined;
  /** Output the listener has not taken yet, and the delivery under way: it resolves when all is taken. */
  readonly #pending: { kind: "stdout" | "stderr"; bytes: Uint8Array }[] = [];
  #output: Promise<void> = Promise.resolve();
  #delivering = false;
  #credit = initialCredit;
  #creditWaiter: (() => void) | undefined;
  #consumed = 0;
  #error: MachineError | undefined;
  #resolveExit!: (status: ExitStatus) => void;
  #rejectExit!: (error: MachineError) => void;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: MachineError) => void;
  #resolveEnded!: (after: Promise<void>) => void;
  #writes: Promise<void> = Promise.resolve();

  constructor(channel: ControlChannel, id: number, onOutput: OutputListener, counting: boolean) {
    this.id = id;
    this.#channel = channel;
    this.#onOutput = onOutput;
    this.#counting = counting;
    this.exit = new Promise((resolve, reject) => {
      this.#resolveExit = resolve;
      this.#rejectExit = reject;
    });
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    // Callers need not wait for all; an unheard rejection is no bug.
    this.exit.catch(() => undefined);
    this.opened.catch(() => undefined);
  }

  /** Sends bytes, in order, as the guest has room. Resolves when the last went out. */
  write(bytes: Uint8Array, type: number = toGuest.DATA): Promise<void> {
    const owned = bytes.slice();
    this.#writes = this.#writes.then(() => this.#send(owned, type));
    const sent = this.#writes;
    this.#writes = sent.catch(() => undefined);
    return sent;
  }

  async end(): Promise<void> {
    await this.#writes;
    this.#control(toGuest.EOF, []);
  }

  resize(columns: number, rows: number): void {
    this.#control(toGuest.RESIZE, [columns, rows]);
  }

  signal(number: number): void {
    this.#control(toGuest.SIGNAL, [number]);
  }

  /** Ends a SHIM stream, after what was written to it. */
  async finish(code: number): Promise<void> {
    await this.#writes;
    this.#control(toGuest.EXIT, [code]);
    this.#channel.forget(this);
    this.#inputEnded = true;
    this.#inputWaiter?.();
  }

  /** The next bytes of a stream without a listener (SHIM): its standard input. Empty at the end. */
  async read(): Promise<Uint8Array> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const bytes = this.#input.shift();
      if (bytes !== undefined) {
        this.#giveCredit(bytes.length);
        return bytes;
      }
      if (this.#inputEnded) return new Uint8Array(0);
      await new Promise<void>((resolve) => (this.#inputWaiter = resolve));
    }
  }

  receive({ type, payload }: Frame): void {
    switch (type) {
      case fromGuest.DATA:
        this.#take("stdout", payload);
        return;
      case fromGuest.STDERR:
        this.#take("stderr", payload);
        return;
      case fromGuest.EOF:
        this.#inputEnded = true;
        this.#inputWaiter?.();
        this.#resolveEnded(this.#output);
        return;
      case fromGuest.OPEN:
        this.#resolveOpened();
        return;
      case fromGuest.CREDIT:
        this.#credit += Number(decodeList(payload)[0]);
        this.#creditWaiter?.();
        return;
      case fromGuest.EXIT:
        this.#exited(decodeList(payload));
    }
  }

  fail(error: MachineError): void {
    this.#error ??= error;
    this.#rejectExit(error);
    this.#rejectOpened(error);
    this.#inputWaiter?.();
    this.#creditWaiter?.();
  }

  /** Host's streams hand output to their listener, one call after the other; SHIM streams queue it for `read`. */
  #take(kind: "stdout" | "stderr", bytes: Uint8Array): void {
    if (this.id % 2 === 0) {
      this.#input.push(bytes);
      this.#inputWaiter?.();
      return;
    }
    this.#pending.push({ kind, bytes });
    if (!this.#delivering) this.#output = this.#deliver();
  }

  /** A terminal's output comes in drops; what gathered while the listener was busy is given as one piece. */
  async #deliver(): Promise<void> {
    this.#delivering = true;
    while (this.#pending.length > 0) {
      const { kind } = this.#pending[0]!;
      const other = this.#pending.findIndex((piece) => piece.kind !== kind);
      const pieces = this.#pending.splice(0, other < 0 ? this.#pending.length : other);
      const bytes = concatBytes(pieces.map((piece) => piece.bytes));
      try {
        await this.#onOutput(kind, bytes);
      } catch (error) {
        this.fail(error instanceof MachineError ? error : new MachineError("protocol", errorText(error)));
      }
      this.#giveCredit(bytes.length);
    }
    this.#delivering = false;
  }

  /** The exit is told after the output before it was taken. */
  #exited([how = "", number = "0"]: string[]): void {
    this.#channel.forget(this);
    if (how === "refused") {
      const error = new MachineError("refused", "the guest refuses the connection", { errno: Number(number) });
      this.#rejectOpened(error);
      this.#rejectExit(error);
      return;
    }
    if (how === "error") {
      this.#rejectExit(new MachineError("refused", number));
      return;
    }
    const value = Number(number);
    const status = how === "signal" ? { code: 128 + value, signal: value } : { code: value };
    this.#error ??= new MachineError("wrong-state", "the process has ended");
    this.#creditWaiter?.();
    void this.#output.then(() => this.#resolveExit(status));
  }

  async #send(bytes: Uint8Array, type: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const room = this.#counting ? Math.min(this.#credit, dataPortion) : dataPortion;
      if (this.#error !== undefined) throw this.#error;
      if (room <= 0) {
        await new Promise<void>((resolve) => (this.#creditWaiter = resolve));
        continue;
      }
      const piece = bytes.subarray(at, at + room);
      this.#channel.send(type, this.id, piece);
      this.#credit -= piece.length;
      at += piece.length;
    }
  }

  #giveCredit(bytes: number): void {
    this.#consumed += bytes;
    if (!this.#counting || this.#consumed < creditPortion || this.#error !== undefined) return;
    this.#control(toGuest.CREDIT, [this.#consumed]);
    this.#consumed = 0;
  }

  /** Said to a stream that has ended meanwhile, a word is not an error. */
  #control(type: number, payload: number[]): void {
    if (this.#error === undefined) this.#channel.send(type, this.id, payload);
  }
}
