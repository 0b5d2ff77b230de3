/** The simulation on a stand-in for WebContainer: Node's own processes run the two programs. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystemTree } from "@webcontainer/api";
import { afterEach, describe, expect, it } from "vitest";
import { makeStore, path, type Recipe, service } from "#engine/system/made-systems.ts";
import type { MachineEvent, StreamEvent } from "../../types.ts";
import { type Container, type ContainerProcess, inTime } from "./container.ts";
import { programOf } from "./programs.ts";
import { SimulatedMachine } from "./simulation.ts";

/** WebContainer's interface over a folder and the processes of the Node that runs the tests. */
class StandInContainer implements Container {
  readonly folder = mkdtempSync(join(tmpdir(), "terrarium-container-"));
  readonly #processes = new Set<{ kill(): void }>();
  tornDown = false;

  readonly fs = {
    readFile: async (name: string) => new Uint8Array(readFileSync(join(this.folder, name))),
    writeFile: async (name: string, data: string | Uint8Array) => writeFileSync(join(this.folder, name), data),
    mkdir: async (name: string) => mkdirSync(join(this.folder, name), { recursive: true }),
  } as Container["fs"];

  async mount(tree: FileSystemTree | Uint8Array | ArrayBuffer): Promise<void> {
    lay(tree as FileSystemTree, this.folder);
  }

  async spawn(command: string, args: string[]): Promise<ContainerProcess> {
    const program = command === "node" ? process.execPath : command;
    const child = spawn(program, args, { cwd: this.folder, stdio: ["pipe", "pipe", "pipe"] });
    this.#processes.add(child);
    const exit = new Promise<number>((resolve) => {
      child.once("error", () => resolve(127));
      child.once("close", (code) => resolve(code ?? 137));
    });
    const output = new ReadableStream<string>({
      start(controller) {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (bytes: Buffer) => controller.enqueue(bytes.toString()));
        }
        void exit.then(() => controller.close());
      },
    });
    const input = new WritableStream<string>({
      write: (text) => void child.stdin.write(text),
      close: () => void child.stdin.end(),
    });
    return { exit, input, output, kill: () => void child.kill("SIGKILL"), resize: () => undefined };
  }

  teardown(): void {
    this.tornDown = true;
    for (const child of this.#processes) child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function lay(tree: FileSystemTree, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, node] of Object.entries(tree)) {
    const place = join(folder, name);
    if ("directory" in node) lay(node.directory, place);
    else if ("symlink" in node.file) symlinkSync(node.file.symlink, place);
    else writeFileSync(place, node.file.contents);
  }
}

const containers: StandInContainer[] = [];
afterEach(() => {
  for (const container of containers.splice(0)) if (!container.tornDown) container.teardown();
});

/** Ports that no other test takes. */
let port = 34_000 + (process.pid % 1000);
const serving = (root: string, at: number): string => service(`${path("busybox")}/bin/httpd -f -p ${at} -h ${root}`);
/** A system whose web server shows /etc's own folder, with an index page. */
const web = (text: string, at: number, more: Record<string, string> = {}): Recipe => ({
  units: { "web.service": serving(path("www", text), at), ...more },
  pages: { www: text },
});

function make(...recipes: readonly Recipe[]) {
  const { tops, trees, blobs } = makeStore(recipes);
  const events: MachineEvent[] = [];
  const steps: string[] = [];
  const held: { name: string; go: () => void }[] = [];
  let holding = "";
  const names = [...trees.keys()];
  const machine = new SimulatedMachine(
    {
      startContainer: async () => {
        containers.push(new StandInContainer());
        return containers.at(-1)!;
      },
      store: {
        tree: async (name) => trees.get(`/nix/store/${name}`)!,
        blob: async (sha256) => blobs.get(sha256)!,
        infos: async () =>
          names.map((name) => ({
            path: name,
            narHash: "",
            narSize: 1,
            references: tops.includes(name) ? names : [],
            registrationTime: 0,
            signatures: [],
            ultimate: true,
          })),
      },
      now: Date.now,
    },
    {
      onEvent: (event) => void events.push(event),
      onStep: ({ name }) => {
        steps.push(name);
        return name === holding ? new Promise<void>((go) => held.push({ name, go })) : undefined;
      },
      onShim: () => 1,
    },
  );
  const unit = (name: string) =>
    events.flatMap((event) => (event.kind === "unit" && event.unit.name === name ? [event.unit] : [])).at(-1);
  const powers = () => events.flatMap((event) => (event.kind === "power" ? [event.reason ?? event.state] : []));
  const boot = (index = 0) => machine.boot({ topLevel: tops[index]!, profiles: [] });
  return { machine, tops, events, steps, held, unit, powers, boot, hold: (name: string) => (holding = name) };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Runs a program to its end; what it printed, and its exit code. */
async function run(machine: SimulatedMachine, argv: string[]): Promise<{ printed: string; code: number }> {
  let printed = "";
  return new Promise((resolve) => {
    void machine.openStream({ argv }, (event: StreamEvent) => {
      if (event.kind === "exit") resolve({ printed, code: event.status.code });
      else printed += text(event.bytes);
    });
  });
}

describe("what a command line stands for", () => {
  it.each([
    ["/nix/store/x-busybox/bin/httpd -f -p 8080 -h /www", { kind: "serve", port: 8080, root: "/www" }],
    ["@/bin/busybox httpd -p 0.0.0.0:81 -h '/a b'", { kind: "serve", port: 81, root: "/a b" }],
    ["httpd", { kind: "serve", port: 80, root: "/" }],
    ["-/bin/sleep infinity", { kind: "wait" }],
    ["/nix/store/x-nginx/bin/nginx -c x", { kind: "native", name: "nginx" }],
    ["", { kind: "native", name: "" }],
  ])("%s", (line, program) => expect(programOf(line)).toEqual(program));
});

describe("power", () => {
  it("goes from off to running, and its page answers", async () => {
    const { boot, machine, powers, unit } = make(web("hello", ++port));
    expect(await boot()).toEqual({ degraded: false });
    expect(powers()).toEqual(["starting", "ready", "booting", "running"]);
    expect(unit("web.service")).toMatchObject({ active: "active", sub: "running" });
    const { status, body } = await machine.http({ port, path: "/" });
    expect([status, text(body)]).toEqual([200, "hello"]);
    expect(await machine.http({ port, path: "/none" })).toMatchObject({ status: 404 });
    await expect(machine.http({ port: 1, path: "/" })).rejects.toMatchObject({ code: "refused" });
  });

  it("is degraded when a server cannot run, and its log says why", async () => {
    const { boot, machine, unit } = make({ units: { "web.service": serving("/nowhere", ++port) } });
    expect(await boot()).toEqual({ degraded: true });
    expect(unit("web.service")).toMatchObject({ active: "failed", result: "exit-code" });
    const log = await machine.exec({ argv: ["journalctl", "--no-pager", "-u", "web.service"] });
    expect(text(log.stdout)).toContain("httpd: can't change directory to '/nowhere'");
  });

  it("says what it does not run", async () => {
    const { boot, unit, events } = make({ units: { "db.service": service("/nix/store/x/bin/postgres") } });
    expect(await boot()).toEqual({ degraded: false });
    expect(unit("db.service")).toMatchObject({ active: "inactive", sub: "not-simulated" });
    expect(events).toContainEqual(expect.objectContaining({ kind: "log", unit: "db.service" }));
  });

  it("is cut, and starts again", async () => {
    const { boot, machine, powers } = make(web("again", ++port));
    await boot();
    await machine.cut();
    await expect(machine.http({ port, path: "/" })).rejects.toMatchObject({ code: "wrong-state" });
    await boot();
    expect(text((await machine.http({ port, path: "/" })).body)).toBe("again");
    expect(powers().slice(4)).toEqual(["cut", "starting", "ready", "booting", "running"]);
    expect(containers.map(({ tornDown }) => tornDown)).toEqual([true, false]);
  });

  it("goes off when asked", async () => {
    const { boot, machine, powers } = make(web("x", ++port));
    await boot();
    await machine.poweroff();
    expect(powers().slice(-2)).toEqual(["stopping", "poweroff"]);
  });

  it("refuses calls while it is off, and a second boot", async () => {
    const { boot, machine } = make(web("x", ++port));
    await expect(machine.exec({ argv: ["true"] })).rejects.toMatchObject({ code: "wrong-state" });
    await boot();
    await expect(boot()).rejects.toMatchObject({ code: "wrong-state" });
  });

  it("gives up a boot that cannot go on", async () => {
    const { machine, powers } = make({});
    await expect(machine.boot({ topLevel: path("none"), profiles: [] })).rejects.toMatchObject({ code: "boot-failed" });
    expect(powers().at(-1)).toBe("boot-failed");
  });
});

describe("a switch", () => {
  it("goes through its steps, and only what changed starts again", async () => {
    const at = ++port;
    const idle = { "idle.service": service("/bin/sleep infinity") };
    const { boot, machine, tops, steps, events } = make(web("red", at, idle), web("blue", at, idle));
    await boot();
    const { printed, code } = await run(machine, [`${tops[1]}/bin/switch-to-configuration`, "switch"]);
    expect(code).toBe(0);
    expect(steps).toEqual(["stop-units", "current-system", "reload", "start-units", "done"]);
    expect(printed).toBe(
      "stopping the following units: web.service\nactivating the configuration...\nstarting the following units: web.service\n",
    );
    expect(text((await machine.http({ port: at, path: "/" })).body)).toBe("blue");
    expect(events.findLast(({ kind }) => kind === "current")).toMatchObject({ topLevel: tops[1] });
  });

  it("says what it would do", async () => {
    const at = ++port;
    const { boot, machine, tops, steps } = make(web("red", at), web("blue", at));
    await boot();
    const { printed } = await run(machine, [`${tops[1]}/bin/switch-to-configuration`, "dry-activate"]);
    expect(printed).toBe("would stop the following units: web.service\nwould start the following units: web.service\n");
    expect(steps).toEqual([]);
  });

  it("ends with 4 when a unit fails", async () => {
    const at = ++port;
    const { boot, machine, tops } = make(web("red", at), { units: { "web.service": serving("/nowhere", at) } });
    await boot();
    const { printed, code } = await run(machine, [`${tops[1]}/bin/switch-to-configuration`, "switch"]);
    expect([code, printed.split("\n").at(-2)]).toEqual([4, "warning: the following units failed: web.service"]);
  });

  it("is cut at a step", async () => {
    const at = ++port;
    const { boot, machine, tops, hold, held, powers } = make(web("red", at), web("blue", at));
    await boot();
    hold("start-units");
    const ended = run(machine, [`${tops[1]}/bin/switch-to-configuration`, "switch"]);
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await machine.cut();
    held[0]?.go();
    expect((await ended).code).toBe(1);
    expect(powers().at(-1)).toBe("cut");
  });
});

describe("processes and files", () => {
  it("run in the container", async () => {
    const { boot, machine } = make(web("x", ++port));
    await boot();
    expect(await run(machine, ["echo", "hello"])).toEqual({ printed: "hello\n", code: 0 });
    const stream = await machine.openStream({ argv: ["cat"] }, () => undefined);
    await machine.writeStream(stream, new TextEncoder().encode("x"));
    await machine.endStream(stream);
  });

  it("are written and read", async () => {
    const { boot, machine } = make(web("x", ++port));
    await boot();
    await machine.writeFile("/etc/nixos/configuration.nix", new TextEncoder().encode("{ }"));
    expect(text(await machine.readFile("/etc/nixos/configuration.nix"))).toBe("{ }");
    await expect(machine.readFile("/etc/none")).rejects.toMatchObject({ code: "refused" });
  });
});

describe("a container that does not come", () => {
  it("is given up, and taken down when it comes after all", async () => {
    let come: (container: StandInContainer) => void = () => undefined;
    const late = new Promise<StandInContainer>((resolve) => (come = resolve));
    await expect(inTime(late, 5)).rejects.toMatchObject({ code: "no-answer" });
    const container = new StandInContainer();
    come(container);
    await late;
    await Promise.resolve();
    expect(container.tornDown).toBe(true);
  });

  it("fails the start", async () => {
    await expect(inTime(Promise.reject(new Error("blocked")), 1000)).rejects.toMatchObject({
      code: "no-answer",
      message: "blocked",
    });
  });
});
