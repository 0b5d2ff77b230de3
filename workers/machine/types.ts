/**
 * The machine as the page and the other workers see it: every type that crosses the machine worker's boundary. Plain data that
 * survives structured cloning, and callbacks that the caller wraps in `Comlink.proxy`. One worker holds one virtual machine, so
 * `worker.terminate()` is a power cut too.
 */
import type { FileTree } from "#engine/store/format/tree.ts";

/** Where the bytes of an image come from: a URL that the worker fetches before it gives fetch up, or the bytes themselves. */
export type ImageSource = string | Uint8Array;

/** What a virtual machine is made of. `state` is a zstd-compressed v86 state saved in stage 1; without it the machine starts cold. */
export interface MachineImages {
  /** v86.wasm. */
  wasm: ImageSource;
  bios: ImageSource;
  vgaBios: ImageSource;
  kernel: ImageSource;
  initrd: ImageSource;
  state?: ImageSource;
}

/** Which of the two instances: the user's NixOS, or the sandbox that runs derivations. */
export type MachineMode = "machine" | "builder";

export interface MachineOptions {
  mode: MachineMode;
  /** Names the persistent tree (`/var`, `/home`, `/root`, `/etc/nixos`); one machine at a time may hold it. */
  workspaceId: string;
  /** The IndexedDB database of the Nix store that `/nix/store` shows. */
  storeDatabase: string;
  images: MachineImages;
  /** Content bytes the persistent tree may hold before the guest gets ENOSPC; without it, the browser's quota decides. */
  stateCapacity?: number;
}

/** A profile as `/nix/var/nix/profiles` shows it: link names with their targets, the profile's own link among them. */
export interface ProfileLinks {
  /** The profile's name, `system`. */
  profile: string;
  /** For instance `["system", "system-2-link"]`, `["system-2-link", "/nix/store/…"]`. */
  links: [name: string, target: string][];
}

export interface BootRequest {
  /** The system's top level, a store path. */
  topLevel: string;
  profiles: ProfileLinks[];
  /** Settings for stage 1, such as a specialisation's name; see PROTOCOL.md. */
  settings?: Record<string, string>;
}

/**
 * Where the machine is. `off` → `starting` (images, restore or cold boot) → `ready` (stage 1 waits) → `booting` → `running` →
 * `stopping` → `off`. A cut and a dead guest lead to `off` at once; the reason tells which.
 */
export type PowerState = "off" | "starting" | "ready" | "booting" | "running" | "stopping";

export type PowerReason = "cut" | "poweroff" | "reboot" | "crashed" | "boot-failed";

export interface UnitState {
  /** With its suffix: `nginx.service`. */
  name: string;
  /** `loaded`, `not-found`, `masked`, `bad-setting`. */
  load: string;
  /** `active`, `inactive`, `activating`, `deactivating`, `failed`, `reloading`. */
  active: string;
  /** systemd's finer word: `running`, `exited`, `dead`, `auto-restart`, `waiting`… */
  sub: string;
  /** `success`, `exit-code`, `signal`, `timeout`, `start-limit-hit`… */
  result: string;
}

export type MachineEvent =
  | { kind: "power"; state: PowerState; reason?: PowerReason; text?: string }
  /** A step of the way to the prompt. `progress` is 0…1 over the whole start; `text` is for people. */
  | { kind: "phase"; phase: string; text: string; progress: number }
  | { kind: "unit"; unit: UnitState }
  /** Activation changed `/run/current-system`. */
  | { kind: "current"; topLevel: string }
  /** A line of a unit's log; priority as syslog's, 0 (emergency) … 7 (debug). */
  | { kind: "log"; unit: string; priority: number; text: string }
  /** What the kernel and stage 1 print on the serial line. */
  | { kind: "console"; text: string }
  /** The persistent tree: bytes held, whether the last commit was refused for want of room, and commits so far. */
  | { kind: "storage"; bytes: number; full: boolean; commits: number };

/** What comes out of a process or a terminal. `stderr` only for a process without a terminal. */
export type StreamEvent =
  { kind: "stdout"; bytes: Uint8Array } | { kind: "stderr"; bytes: Uint8Array } | { kind: "exit"; status: ExitStatus };

/** Called in order; the next call comes after the promise of the last resolved, and the guest is held back meanwhile. */
export type StreamSink = (event: StreamEvent) => void | Promise<void>;

/** How a process ended: its exit code, or 128 + the signal that killed it (and the signal). */
export interface ExitStatus {
  code: number;
  signal?: number;
}

export interface ExecRequest {
  /** Empty: the user's login shell. */
  argv: string[];
  /** Default root. */
  user?: string;
  /** Default the user's home. */
  cwd?: string;
  /** Added to the user's login environment. */
  env?: Record<string, string>;
  /** A terminal of this size; without it, pipes. */
  terminal?: { columns: number; rows: number };
}

/** The whole of a short command. */
export interface ExecResult extends ExitStatus {
  stdout: Uint8Array;
  stderr: Uint8Array;
}

export interface HttpRequest {
  port: number;
  /** Default GET. */
  method?: string;
  /** With its query: `/a?b=c`. */
  path: string;
  headers?: [name: string, value: string][];
  body?: Uint8Array;
  /** Most bytes of the body to take; more is the error `too-large`. Default 16 MiB. */
  limit?: number;
  /** Milliseconds to the end of the response; default 20,000. */
  timeout?: number;
}

export interface HttpResponse {
  status: number;
  statusText: string;
  /** As sent, in order; names in lower case. */
  headers: [name: string, value: string][];
  body: Uint8Array;
}

/** A named step of activation or a switch, held until the listener's promise resolves. */
interface StepEvent {
  name: string;
  text: string;
}

/** A Nix command typed in the guest. Its output goes by `shimWrite`, its input comes by `shimRead`. */
export interface ShimCall {
  id: number;
  /** argv[0] is the name it was called by: `nix-store`. */
  argv: string[];
  cwd: string;
  user: string;
  env: Record<string, string>;
}

/** What the page gives the machine to call; each member wrapped as one `Comlink.proxy` object. */
export interface MachineListener {
  onEvent(event: MachineEvent): void;
  /** The step goes on when the promise resolves. */
  onStep(step: StepEvent): void | Promise<void>;
  /** Runs the command; resolves to its exit code. */
  onShim(call: ShimCall): number | Promise<number>;
}

export interface MachineStats {
  power: PowerState;
  /** Bytes of guest memory, and what the guest says is used (0 when unknown). */
  memory: { total: number; used: number };
  /** x86 instructions executed since the last start, and in the last second. */
  instructions: number;
  instructionsPerSecond: number;
  /** 9P requests answered, by message name, with the bytes read and written. */
  ninep: { requests: Record<string, number>; bytesRead: number; bytesWritten: number };
  /** Store content fetched lazily. */
  store: { trees: number; blobs: number; bytes: number };
  /** Milliseconds of the last start: to `ready`, and from BOOT to `running`. */
  timings: { ready: number; boot: number };
}

/** The machine, the same for every driver. Errors are `MachineError` (errors.ts): `code` says which. */
export interface Machine {
  /** Loads the images and brings the guest to `ready`. Resolves at once when it is there already. */
  start(): Promise<void>;
  /** Starts if needed, then boots this top level. Resolves when `running` is reached; `degraded` when a unit failed. */
  boot(request: BootRequest): Promise<{ degraded: boolean }>;
  /** Pulls the plug: nothing more is answered, what was not committed is lost. The machine is `off` when this resolves. */
  cut(): Promise<void>;
  /** Asks the guest to stop its services, sync and power off; cuts after `timeout` milliseconds (default 15,000). */
  poweroff(timeout?: number): Promise<void>;
  /** Runs a command to its end; output over 8 MiB is the error `too-large`. `stdin` is given whole. */
  exec(request: ExecRequest, stdin?: Uint8Array): Promise<ExecResult>;
  /** Starts a process or a terminal; resolves to its stream number. */
  openStream(request: ExecRequest, sink: StreamSink): Promise<number>;
  /** Resolves when the guest has room for more. */
  writeStream(stream: number, bytes: Uint8Array): Promise<void>;
  endStream(stream: number): Promise<void>;
  resizeStream(stream: number, columns: number, rows: number): Promise<void>;
  /** Sends the signal to the stream's process group. */
  signalStream(stream: number, signal: number): Promise<void>;
  http(request: HttpRequest): Promise<HttpResponse>;
  setProfileLinks(profile: ProfileLinks): Promise<void>;
  /** The host's file `path` in the guest, replaced by rename; `mode` default 0644. */
  writeFile(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
  /** Makes paths registered meanwhile visible. The guest sees them without this too, a lookup later. */
  storeChanged(): Promise<void>;
  /** Up to 64 KiB of the shim's standard input; an empty array at its end. */
  shimRead(id: number): Promise<Uint8Array>;
  shimWrite(id: number, output: "stdout" | "stderr", bytes: Uint8Array): Promise<void>;
  stats(): Promise<MachineStats>;
}

/** What the machine worker exposes by Comlink: one call to create, then the machine and (in builder mode) the builder. */
export interface MachineWorker extends Machine {
  create(options: MachineOptions, listener: MachineListener): Promise<void>;
  /** Runs one derivation in a fresh sandbox; `builder.ts` makes an engine `Builder` of this. Builder mode only, one at a time. */
  build(request: SandboxRequest, onLog: (bytes: Uint8Array) => void): Promise<SandboxResult>;
  /** Ends the running build by cutting the builder's power; the next build starts a new one. */
  cancelBuild(): Promise<void>;
  /** Gives up the workspace: cuts the power and lets another tab have it. */
  close(): Promise<void>;
}

/** One derivation to run, nothing left to decide: the engine's BuildRequest as plain data. Strings are byte strings. */
export interface SandboxRequest {
  program: string;
  argv: string[];
  env: [name: string, value: string][];
  /** Files to lay in the build directory before the start: name and content. */
  files: [name: string, content: string][];
  /** Every store path of the input closure; nothing else of the store is visible. */
  closure: string[];
  outputs: [name: string, path: string][];
  /** Varies what a host may vary: the clock, and the order of directories. */
  again?: boolean;
  /** Seconds for the whole build, and of silence; 0: no limit. */
  timeout: number;
  maxSilent: number;
}

/** What a build made, by output name, with every blob of the trees; or why it made nothing. */
export type SandboxResult =
  | { ok: true; trees: Map<string, FileTree>; blobs: Map<string, Uint8Array>; milliseconds: number }
  | { ok: false; failure: SandboxFailure; milliseconds: number };

/** Why a build gave no output. A derivation's own failure is data, not an exception. */
export type SandboxFailure =
  | { kind: "exit"; status: ExitStatus }
  | { kind: "timeout" | "silent"; seconds: number }
  | { kind: "cancelled" }
  /** An output that no store may hold: others may write to it, or `path` below it is a device, a socket or a pipe. */
  | { kind: "output"; output: string; problem: "permissions" | "type"; path: string }
  /** The kernel killed a process of the build for want of memory. */
  | { kind: "memory" }
  /** The virtual machine stopped answering, or could not make the sandbox. */
  | { kind: "machine"; text: string };
