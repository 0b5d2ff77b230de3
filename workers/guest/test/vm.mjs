/**
 * The guest in Node: v86 with the committed kernel and initramfs, and the host's end of PROTOCOL.md in its simplest form (credit is given
 * back at once). For the tests and measurements of this folder and for make-state.mjs; the product's own end is workers/machine.
 */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";

const folder = new URL("../", import.meta.url);
const seeds = new URL("../../samples/channel/seeds/", folder);

/** Where the parts of the machine lie; each may be replaced for a trial. */
export const images = {
  wasm: fileURLToPath(new URL("../../node_modules/v86/build/v86.wasm", folder)),
  bios: fileURLToPath(new URL("bios/seabios.bin", folder)),
  vgaBios: fileURLToPath(new URL("bios/vgabios.bin", folder)),
  kernel: process.env.GUEST_KERNEL ?? fileURLToPath(new URL("linux/bzImage", seeds)),
  initrd: process.env.GUEST_INITRD ?? fileURLToPath(new URL("initrd/initrd", seeds)),
};

/** What workers/machine/drivers/v86-options.ts says: a saved state restores only into the same (machine.test.ts restores it). */
export const fixedOptions = {
  memory_size: 128 * 1024 * 1024,
  vga_memory_size: 2 * 1024 * 1024,
  cmdline: "console=ttyS0 quiet",
  fastboot: true,
  autostart: false,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  virtio_console: true,
  net_device: { type: "none" },
};

export const toGuest = {
  hello: 1,
  boot: 2,
  exec: 3,
  data: 4,
  eof: 5,
  resize: 6,
  signal: 7,
  connect: 8,
  profile: 9,
  build: 10,
  ack: 11,
  exit: 12,
  stderr: 13,
  mount: 14,
  credit: 15,
};
export const toHost = {
  hello: 0x81,
  data: 0x84,
  stderr: 0x85,
  eof: 0x86,
  exit: 0x87,
  open: 0x88,
  event: 0x89,
  step: 0x8a,
  shim: 0x8b,
  credit: 0x8f,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const bufferOf = (path) => {
  const bytes = fs.readFileSync(path);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
};

export const list = (...words) => encoder.encode(words.map((word) => `${word}\0`).join(""));
export const words = (payload) => decoder.decode(payload).split("\0").slice(0, -1);

function frame(type, stream, payload) {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 5 + payload.length, true);
  bytes[4] = type;
  view.setUint32(5, stream, true);
  bytes.set(payload, 9);
  return bytes;
}

/** One running guest. */
export class Guest {
  constructor({ handle9p, state, echo = false, kernel = images.kernel, initrd = images.initrd } = {}) {
    this.console = "";
    this.incoming = new Uint8Array(0);
    this.streams = new Map();
    this.events = [];
    this.steps = [];
    this.waiters = [];
    this.nextStream = 1;
    this.onStep = (step) => this.send(toGuest.ack, 0, list(step.name));
    this.onShim = (call) => this.send(toGuest.exit, call.stream, list("0"));
    this.started = performance.now();
    this.emulator = new V86({
      ...fixedOptions,
      wasm_path: images.wasm,
      bios: bufferOf(images.bios),
      vga_bios: bufferOf(images.vgaBios),
      bzimage: bufferOf(kernel),
      initrd: bufferOf(initrd),
      autostart: !state,
      // The device must be there when the state is saved, so that a restored machine finds it.
      filesystem: { handle9p: handle9p ?? (() => undefined) },
    });
    this.emulator.add_listener("serial0-output-byte", (byte) => {
      this.console += String.fromCharCode(byte);
      if (echo) process.stdout.write(Uint8Array.of(byte));
    });
    this.emulator.add_listener("virtio-console0-output-bytes", (bytes) => this.receive(bytes));
    if (state) {
      this.emulator.add_listener("emulator-ready", async () => {
        await this.emulator.restore_state(state.buffer.slice(state.byteOffset, state.byteOffset + state.byteLength));
        this.emulator.run();
        this.send(toGuest.hello, 0, new Uint8Array(0));
      });
    }
  }

  send(type, stream, payload) {
    const bytes = frame(type, stream, payload);
    this.queue = (this.queue ?? Promise.resolve()).then(() => this.push(bytes));
  }

  /** The console has 16 receive buffers of 4,096 bytes and drops what finds none free. */
  async push(bytes) {
    const queue = this.emulator.v86.cpu.devices.virtio_console.virtio.queues[0];
    for (let at = 0; at < bytes.length; at += 4096) {
      while (!queue.has_request()) await new Promise((resolve) => setTimeout(resolve, 1));
      this.emulator.bus.send("virtio-console0-input-bytes", bytes.subarray(at, at + 4096));
    }
  }

  receive(bytes) {
    const joined = new Uint8Array(this.incoming.length + bytes.length);
    joined.set(this.incoming);
    joined.set(bytes, this.incoming.length);
    let at = 0;
    const view = new DataView(joined.buffer);
    while (joined.length - at >= 9 && joined.length - at >= 4 + view.getUint32(at, true)) {
      const length = view.getUint32(at, true);
      this.take(joined[at + 4], view.getUint32(at + 5, true), joined.slice(at + 9, at + 4 + length));
      at += 4 + length;
    }
    this.incoming = joined.slice(at);
    this.wake();
  }

  take(type, id, payload) {
    const stream = this.streams.get(id);
    switch (type) {
      case toHost.hello:
        this.hello = words(payload);
        break;
      case toHost.event:
        this.events.push({ at: performance.now(), words: words(payload) });
        break;
      case toHost.step: {
        const [name, text] = words(payload);
        this.steps.push(name);
        this.stepTimes = [...(this.stepTimes ?? []), performance.now()];
        this.onStep({ name, text });
        break;
      }
      case toHost.shim: {
        const [cwd, user, count, ...rest] = words(payload);
        const call = { stream: id, cwd, user, env: rest.slice(0, +count), argv: rest.slice(+count), stdin: "" };
        this.streams.set(id, { stdout: [], stderr: [], call });
        this.onShim(call);
        break;
      }
      case toHost.data:
      case toHost.stderr:
        stream?.[type === toHost.data ? "stdout" : "stderr"].push(payload);
        if (stream && !stream.hold) this.send(toGuest.credit, id, list(payload.length));
        break;
      case toHost.open:
        stream.open = true;
        break;
      case toHost.eof:
        if (stream) stream.eof = true;
        break;
      case toHost.exit:
        if (stream) stream.exit = words(payload);
        break;
    }
  }

  wake() {
    this.waiters = this.waiters.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }

  /** Resolves when `condition` holds; looked at after everything the guest says. */
  until(condition, what, milliseconds = 30000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what} in ${milliseconds} ms; console:\n${this.console.slice(-3000)}`)),
        milliseconds,
      );
      this.waiters.push({
        condition,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
      this.wake();
    });
  }

  ready(state = "stage1") {
    return this.until(() => this.hello?.[1] === state, `HELLO ${state}`);
  }

  open() {
    const id = this.nextStream;
    this.nextStream += 2;
    const stream = { id, stdout: [], stderr: [] };
    this.streams.set(id, stream);
    return stream;
  }

  /** Starts a process; `flags` is `p` for a terminal. */
  spawn(argv, { flags = "-", columns = 80, rows = 24, user = "", cwd = "", env = [] } = {}) {
    const stream = this.open();
    this.send(toGuest.exec, stream.id, list(flags, columns, rows, user, cwd, env.length, ...env, ...argv));
    return stream;
  }

  async finish(stream, milliseconds = 30000) {
    await this.until(() => stream.exit !== undefined, `EXIT of stream ${stream.id}`, milliseconds);
    return { exit: stream.exit, stdout: text(stream.stdout), stderr: text(stream.stderr) };
  }

  async exec(argv, options = {}, stdin = "") {
    const stream = this.spawn(argv, options);
    if (stdin) this.send(toGuest.data, stream.id, encoder.encode(stdin));
    this.send(toGuest.eof, stream.id, new Uint8Array(0));
    return this.finish(stream);
  }

  shell(script, options) {
    return this.exec(["/bin/sh", "-c", script], options);
  }

  async connect(port, request) {
    const stream = this.open();
    this.send(toGuest.connect, stream.id, list(port));
    if (request) this.send(toGuest.data, stream.id, encoder.encode(request));
    this.send(toGuest.eof, stream.id, new Uint8Array(0));
    return this.finish(stream);
  }

  boot(topLevel, ...settings) {
    this.send(toGuest.boot, 0, list(Math.floor(Date.now() / 1000), topLevel, ...settings));
  }

  build(...settings) {
    const stream = this.open();
    this.send(toGuest.build, stream.id, list(Math.floor(Date.now() / 1000), 0, ...settings));
    return stream;
  }

  event(topic, ...fields) {
    return this.events.find((event) => [topic, ...fields].every((word, index) => event.words[index] === word));
  }

  since(moment = this.started) {
    return Math.round(performance.now() - moment);
  }

  destroy() {
    return this.emulator.destroy();
  }
}

/** The bytes of a stream's chunks as text. */
export function text(chunks) {
  return decoder.decode(Buffer.concat(chunks));
}
