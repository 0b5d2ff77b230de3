/**
 * A guest for tests: the agent's end of the control channel in TypeScript, with a few programs of its own. It keeps to the protocol's
 * credit exactly and complains when the host does not.
 */
import { concatBytes } from "#engine/store/format/bytes.ts";
import { FrameDecoder, decodeList, encodeFrame, encodeList, fromGuest, toGuest, type Frame } from "./frames.ts";
import type { Handle9p, LoadedImages, VirtualMachine } from "./vm.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a stream of the fake guest knows. */
interface FakeStream {
  argv: string[];
  input: Uint8Array[];
  /** Bytes it may still send. */
  credit: number;
  /** Bytes the host may still send. */
  granted: number;
}

export class FakeGuest implements VirtualMachine {
  readonly restored: boolean;
  /** Host to guest frames, as `type stream list`. */
  readonly heard: string[] = [];
  /** What the host did against the protocol. */
  readonly complaints: string[] = [];
  readonly images: LoadedImages;
  readonly handle9p: Handle9p;
  destroyed = false;
  /** How a boot goes: the events it sends. */
  bootEvents: [phase: string, text: string][] = [
    ["clock", ""],
    ["mount", ""],
    ["stage2", ""],
    ["activate", ""],
    ["supervisor", ""],
    ["running", "running"],
  ];
  readonly #decoder = new FrameDecoder();
  readonly #streams = new Map<number, FakeStream>();
  #onBytes: (bytes: Uint8Array) => void = () => undefined;
  #onConsole: (text: string) => void = () => undefined;
  #acks: ((name: string) => void)[] = [];

  constructor(images: LoadedImages, handle9p: Handle9p) {
    this.images = images;
    this.handle9p = handle9p;
    this.restored = images.state !== undefined;
  }

  async start(): Promise<void> {
    if (!this.restored) setTimeout(() => this.say(fromGuest.HELLO, 0, ["1", "stage1", "credit"]), 1);
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
  }

  onConsole(listener: (text: string) => void): void {
    this.#onConsole = listener;
  }

  instructions(): number {
    return 1000;
  }

  async destroy(): Promise<void> {
    this.destroyed = true;
  }

  send(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) setTimeout(() => !this.destroyed && this.#hear(frame), 0);
  }

  print(text: string): void {
    this.#onConsole(text);
  }

  /** A frame to the host, in three pieces. */
  say(type: number, stream: number, payload: (string | number)[] | Uint8Array): void {
    if (this.destroyed) return;
    const bytes = payload instanceof Uint8Array ? payload : encodeList(payload);
    const frame = encodeFrame({ type, stream, payload: bytes });
    for (const [from, to] of [
      [0, 3],
      [3, 7],
      [7, frame.length],
    ] as const) {
      if (to > from) this.#onBytes(frame.slice(from, to));
    }
  }

  /** Bytes that need not be frames. */
  babble(bytes: Uint8Array): void {
    this.#onBytes(bytes);
  }

  event(...fields: string[]): void {
    this.say(fromGuest.EVENT, 0, fields);
  }

  /** As `terrarium-step`: resolves with the host's ACK. */
  step(name: string, text: string): Promise<string> {
    const acknowledged = new Promise<string>((resolve) => this.#acks.push(resolve));
    this.say(fromGuest.STEP, 0, [name, text]);
    return acknowledged;
  }

  /** As a command typed in the guest; what the host answers is heard as frames of the stream. */
  shim(stream: number, argv: string[], stdin: string): void {
    this.#streams.set(stream, { argv: [], input: [], credit: 262_144, granted: 262_144 });
    this.say(fromGuest.SHIM, stream, ["/root", "root", 1, "TERM=linux", ...argv]);
    this.say(fromGuest.DATA, stream, encode(stdin));
    this.say(fromGuest.EOF, stream, []);
  }

  #hear(frame: Frame): void {
    const list =
      frame.type === toGuest.DATA || frame.type === toGuest.STDERR
        ? decode(frame.payload)
        : decodeList(frame.payload).join(" ");
    this.heard.push(`${frame.type} ${frame.stream} ${list}`);
    switch (frame.type) {
      case toGuest.HELLO:
        this.say(fromGuest.HELLO, 0, ["1", "stage1", "credit"]);
        return;
      case toGuest.BOOT:
        for (const [phase, text] of this.bootEvents) this.event("boot", phase, text);
        return;
      case toGuest.EXEC:
        this.#exec(frame);
        return;
      case toGuest.CONNECT:
        this.#connect(frame);
        return;
      case toGuest.ACK:
        this.#acks.shift()?.(decodeList(frame.payload)[0]!);
        return;
      default:
        this.#streamFrame(frame);
    }
  }

  #exec({ stream, payload }: Frame): void {
    const [, , , , , count = "0", ...rest] = decodeList(payload);
    const argv = rest.slice(Number(count));
    const state = { argv, input: [], credit: 262_144, granted: 262_144 };
    this.#streams.set(stream, state);
    this.#run(stream, state);
  }

  /** Programs that need no input; the others wait for EOF. */
  #run(stream: number, { argv }: FakeStream): void {
    const [program = "", argument = ""] = argv;
    if (program === "true") this.#exit(stream, 0);
    if (program === "false") this.#exit(stream, 1);
    if (program === "killed") this.say(fromGuest.EXIT, stream, ["signal", 9]);
    if (program === "fill") this.#fill(stream, Number(argument));
    if (program.endsWith("systemctl")) this.event("power", argument);
  }

  /** Output as far as credit goes; the rest when the host gives more. */
  #fill(stream: number, bytes: number): void {
    const state = this.#streams.get(stream)!;
    let left = bytes;
    while (left > 0 && state.credit > 0) {
      const size = Math.min(left, state.credit, 10_000);
      this.say(fromGuest.DATA, stream, new Uint8Array(size).fill(120));
      state.credit -= size;
      left -= size;
    }
    state.argv = ["fill", `${left}`];
    if (left === 0) this.#exit(stream, 0);
  }

  #connect({ stream, payload }: Frame): void {
    const port = decodeList(payload)[0];
    if (port === "81") {
      this.say(fromGuest.EXIT, stream, ["refused", 111]);
      return;
    }
    this.#streams.set(stream, { argv: ["http", port ?? ""], input: [], credit: 262_144, granted: 262_144 });
    this.say(fromGuest.OPEN, stream, []);
  }

  #streamFrame({ type, stream, payload }: Frame): void {
    const state = this.#streams.get(stream);
    if (state === undefined) return;
    if (type === toGuest.CREDIT) {
      state.credit += Number(decodeList(payload)[0]);
      if (state.argv[0] === "fill") this.#fill(stream, Number(state.argv[1]));
    }
    if (type === toGuest.DATA) this.#input(stream, state, payload);
    if (type === toGuest.EOF) this.#ended(stream, state);
    if (type === toGuest.SIGNAL) this.say(fromGuest.EXIT, stream, ["signal", Number(decodeList(payload)[0])]);
  }

  #input(stream: number, state: FakeStream, payload: Uint8Array): void {
    state.granted -= payload.length;
    if (state.granted < 0) this.complaints.push(`stream ${stream} is over its credit`);
    state.input.push(payload);
    if (state.argv[0] === "deaf") return;
    state.granted += payload.length;
    this.say(fromGuest.CREDIT, stream, [payload.length]);
    if (state.argv[0] !== "http" || !decode(concatBytes(state.input)).includes("\r\n\r\n")) return;
    this.say(fromGuest.DATA, stream, encode("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"));
    if (state.argv[1] === "82") return; // never answers the rest
    this.say(fromGuest.DATA, stream, encode(`port ${state.argv[1]}`));
    this.say(fromGuest.EOF, stream, []); // the exit waits for the host's EOF
  }

  #ended(stream: number, { argv, input }: FakeStream): void {
    if (argv[0] === "cat") this.say(fromGuest.DATA, stream, concatBytes(input));
    if (argv[0] === "warn") this.say(fromGuest.STDERR, stream, concatBytes(input));
    if (argv[0] === "cat" || argv[0] === "warn" || argv[0] === "http" || argv[0] === "/bin/sh") this.#exit(stream, 0);
  }

  #exit(stream: number, code: number): void {
    this.say(fromGuest.EOF, stream, []);
    this.say(fromGuest.EXIT, stream, ["exit", code]);
  }
}
