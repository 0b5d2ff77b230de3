/** The machine against a fake guest: power, boot, streams with credit, ports, steps, shims, files, and every way to go dark. */
import { describe, expect, it } from "vitest";
import { toBytes } from "#engine/store/format/bytes.ts";
import { FakeGuest } from "./fake-guest.ts";
import { FrameDecoder, encodeFrame } from "./frames.ts";
import { LinuxMachine } from "./machine.ts";
import { MemoryStateBacking } from "./p9/state-backing.ts";
import { MemoryStoreSource } from "./p9/store-tree.ts";
import type { ExecRequest, MachineEvent, ShimCall, StreamEvent } from "./types.ts";

/** A module with nothing in it. */
const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
const nothing = new Uint8Array(0);
const boot = { topLevel: "/nix/store/x-system", profiles: [] };

function make(onShim: (call: ShimCall, machine: LinuxMachine) => number | Promise<number> = () => 0) {
  const guests: FakeGuest[] = [];
  const events: MachineEvent[] = [];
  const steps: (() => void)[] = [];
  const backing = new MemoryStateBacking();
  const images = { wasm, bios: nothing, vgaBios: nothing, kernel: nothing, initrd: nothing };
  const machine: LinuxMachine = new LinuxMachine(
    { mode: "machine", workspaceId: "w", storeDatabase: "s", images },
    {
      onEvent: (event) => void events.push(event),
      onStep: () => new Promise((resolve) => steps.push(resolve)),
      onShim: (call) => onShim(call, machine),
    },
    {
      createVm: async (loaded, handle9p) => {
        guests.push(new FakeGuest(loaded, handle9p));
        return guests.at(-1)!;
      },
      fetchImage: async () => nothing,
      store: new MemoryStoreSource(),
      openState: async () => backing,
      now: Date.now,
      random: (bytes) => new Uint8Array(bytes).fill(7),
      onBug: (error) => {
        throw error;
      },
    },
  );
  const powers = () => events.flatMap((event) => (event.kind === "power" ? [event.reason ?? event.state] : []));
  return { machine, guests, events, steps, powers, guest: () => guests.at(-1)! };
}

async function running(...args: Parameters<typeof make>) {
  const made = make(...args);
  await made.machine.boot(boot);
  return made;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("power", () => {
  it("goes from off to running", async () => {
    const { powers, guest, events } = await running();
    expect(powers()).toEqual(["starting", "ready", "booting", "running"]);
    expect(guest().heard[0]).toMatch(/^2 0 \d+ \/nix\/store\/x-system seed=(07){32}$/);
    const phases = events.flatMap((event) => (event.kind === "phase" ? [event] : []));
    expect(phases.map(({ phase }) => phase)).toEqual([
      "images",
      "power",
      "ready",
      "clock",
      "mount",
      "stage2",
      "activate",
      "supervisor",
      "running",
    ]);
    expect(phases.map(({ progress }) => progress)).toEqual(
      phases.map(({ progress }) => progress).sort((a, b) => a - b),
    );
  });

  it("tells the profiles before the boot", async () => {
    const { machine, guest } = make();
    await machine.boot({
      ...boot,
      profiles: [
        {
          profile: "system",
          links: [
            ["system", "system-1-link"],
            ["system-1-link", "/nix/store/x"],
          ],
        },
      ],
    });
    expect(guest().heard[0]).toBe("9 0 system system system-1-link system-1-link /nix/store/x");
  });

  it("is degraded when a unit failed", async () => {
    const { machine, guest } = make();
    await machine.start();
    guest().bootEvents = [["running", "degraded"]];
    expect(await machine.boot(boot)).toEqual({ degraded: true });
  });

  it("gives up a boot that cannot go on", async () => {
    const { machine, guest, powers } = make();
    await machine.start();
    guest().bootEvents = [["failed", "no init"]];
    await expect(machine.boot(boot)).rejects.toMatchObject({ code: "boot-failed", message: "no init" });
    expect(powers().at(-1)).toBe("boot-failed");
    expect(guest().destroyed).toBe(true);
  });

  it("is cut in the middle of anything, and starts again", async () => {
    const { machine, guests, powers } = await running();
    const call = machine.exec({ argv: ["cat"] }, toBytes("x".repeat(10)));
    const deaf = machine.exec({ argv: ["deaf"] });
    await machine.cut();
    await expect(deaf).rejects.toMatchObject({ code: "cut" });
    await expect(call).rejects.toMatchObject({ code: "cut" });
    await machine.boot(boot);
    expect(guests.map(({ destroyed }) => destroyed)).toEqual([true, false]);
    expect(powers().slice(-5)).toEqual(["cut", "starting", "ready", "booting", "running"]);
  });

  it("is cut during a boot", async () => {
    const { machine, guest } = make();
    await machine.start();
    guest().bootEvents = [["clock", ""]];
    const booting = machine.boot(boot);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await machine.cut();
    await expect(booting).rejects.toMatchObject({ code: "cut" });
  });

  it("is cut before the guest has said a word", async () => {
    const { machine, guest, powers } = make();
    const start = machine.start();
    while (guest() === undefined) await new Promise((resolve) => setTimeout(resolve, 0));
    await machine.cut();
    await expect(start).rejects.toMatchObject({ code: "cut" });
    expect(powers()).toEqual(["starting", "cut"]);
  });

  it("goes off as the guest asks", async () => {
    const { machine, powers } = await running();
    await machine.poweroff();
    expect(powers().slice(-2)).toEqual(["stopping", "poweroff"]);
  });

  it("reboots as the guest asks: off, with that reason", async () => {
    const { guest, powers } = await running();
    guest().event("power", "reboot");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(powers().at(-1)).toBe("reboot");
  });

  it("crashes with the kernel", async () => {
    const { machine, guest, powers } = await running();
    const call = machine.exec({ argv: ["deaf"] });
    guest().print("Kernel pa");
    guest().print("nic - not syncing: no init\n");
    await expect(call).rejects.toMatchObject({ code: "died", message: "Kernel panic - not syncing: no init" });
    expect(powers().at(-1)).toBe("crashed");
  });

  it("refuses calls while it is off", async () => {
    const { machine } = make();
    await expect(machine.exec({ argv: ["true"] })).rejects.toMatchObject({ code: "wrong-state" });
    await expect(machine.http({ port: 80, path: "/" })).rejects.toMatchObject({ code: "wrong-state" });
    await expect(machine.poweroff()).rejects.toMatchObject({ code: "wrong-state" });
  });

  it("refuses a second boot", async () => {
    const { machine } = await running();
    await expect(machine.boot(boot)).rejects.toMatchObject({ code: "wrong-state" });
  });
});

describe("a process", () => {
  /** Runs it and expects `code|stdout|stderr`. */
  function check(name: string, request: ExecRequest, stdin: string, expected: string): void {
    it(name, async () => {
      const { machine, guest } = await running();
      const { code, stdout, stderr } = await machine.exec(request, toBytes(stdin));
      expect(`${code}|${text(stdout)}|${text(stderr)}`).toBe(expected);
      expect(guest().complaints).toEqual([]);
    });
  }

  check("succeeds", { argv: ["true"] }, "", "0||");
  check("fails", { argv: ["false"] }, "", "1||");
  check("is killed", { argv: ["killed"] }, "", "137||");
  check("reads and writes", { argv: ["cat"] }, "abc", "0|abc|");
  check("warns", { argv: ["warn"] }, "abc", "0||abc");
  check("gets more than the credit", { argv: ["cat"] }, "x".repeat(200_000), `0|${"x".repeat(200_000)}|`);
  check("gives more than the credit", { argv: ["fill", "1000000"] }, "", `0|${"x".repeat(1_000_000)}|`);

  it("is told its size, user, place and environment", async () => {
    const { machine, guest } = await running();
    await machine.exec({
      argv: ["true"],
      user: "alice",
      cwd: "/tmp",
      env: { A: "b" },
      terminal: { columns: 100, rows: 30 },
    });
    expect(guest().heard.find((line) => line.startsWith("3"))).toBe("3 1 p 100 30 alice /tmp 1 A=b true");
  });

  it("that floods is stopped", async () => {
    const { machine } = await running();
    await expect(machine.exec({ argv: ["fill", "20000000"] })).rejects.toMatchObject({ code: "too-large" });
  });

  it("that never reads holds back its writer only", async () => {
    const { machine, guest } = await running();
    const id = await machine.openStream({ argv: ["deaf"] }, () => undefined);
    let written = false;
    const writing = machine.writeStream(id, new Uint8Array(300_000)).then(() => (written = true));
    expect(await machine.exec({ argv: ["true"] })).toMatchObject({ code: 0 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([written, guest().complaints]).toEqual([false, []]);
    await machine.signalStream(id, 9);
    await expect(writing).rejects.toMatchObject({ code: "wrong-state" });
  });

  it("waits for a sink that is slow", async () => {
    const { machine } = await running();
    const seen: StreamEvent[] = [];
    let release: () => void = () => undefined;
    await machine.openStream({ argv: ["fill", "1000000"] }, (event) => {
      seen.push(event);
      return new Promise<void>((resolve) => (release = resolve));
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toHaveLength(1);
    while (seen.at(-1)!.kind !== "exit") {
      release();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const bytes = seen.reduce((sum, event) => sum + (event.kind === "stdout" ? event.bytes.length : 0), 0);
    expect(bytes).toBe(1_000_000);
  });

  it("takes a NUL in no argument", async () => {
    const { machine } = await running();
    await expect(machine.exec({ argv: ["a\0b"] })).rejects.toMatchObject({ code: "protocol" });
  });
});

describe("a port", () => {
  it("answers", async () => {
    const { machine } = await running();
    const response = await machine.http({ port: 80, path: "/" });
    expect([response.status, text(response.body)]).toEqual([200, "port 80"]);
  });
  it("refuses", async () => {
    const { machine } = await running();
    await expect(machine.http({ port: 81, path: "/" })).rejects.toMatchObject({ code: "refused" });
  });
  it("does not answer in time", async () => {
    const { machine } = await running();
    await expect(machine.http({ port: 82, path: "/", timeout: 20 })).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("the guest's own words", () => {
  it("a step waits for the page", async () => {
    const { guest, steps } = await running();
    let went = "";
    const step = guest()
      .step("etc", "setting up /etc")
      .then((name) => (went = name));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(went).toBe("");
    steps[0]!();
    await step;
    expect(went).toBe("etc");
  });

  it("events reach the page", async () => {
    const { guest, events } = await running();
    guest().event("unit", "nginx.service", "loaded", "failed", "failed", "exit-code");
    guest().event("current", "/nix/store/y");
    guest().event("log", "nginx.service", "6", "hello");
    expect(events.slice(-3)).toEqual([
      {
        kind: "unit",
        unit: { name: "nginx.service", load: "loaded", active: "failed", sub: "failed", result: "exit-code" },
      },
      { kind: "current", topLevel: "/nix/store/y" },
      { kind: "log", unit: "nginx.service", priority: 6, text: "hello" },
    ]);
  });

  it("a typed command gets its input, output and exit code", async () => {
    const { guest } = await running(async (call, machine) => {
      const input = text(await machine.shimRead(call.id));
      expect((await machine.shimRead(call.id)).length).toBe(0);
      await machine.shimWrite(call.id, "stdout", toBytes(`${call.argv.join(" ")} in ${call.cwd}: ${input}`));
      await machine.shimWrite(call.id, "stderr", toBytes("warned"));
      return 3;
    });
    guest().shim(2, ["nix-store", "-q"], "input");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(guest().heard.slice(-3)).toEqual(["4 2 nix-store -q in /root: input", "13 2 warned", "12 2 3"]);
  });

  it("a typed command that throws says so", async () => {
    const { guest } = await running(() => {
      throw new Error("broken");
    });
    guest().shim(2, ["nix"], "");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(guest().heard.slice(-2)).toEqual(["13 2 error: broken\n", "12 2 1"]);
  });
});

describe("files", () => {
  it("are written and read while the machine is off, and stay", async () => {
    const { machine } = make();
    await machine.writeFile("/etc/nixos/configuration.nix", toBytes("one"));
    await machine.writeFile("/etc/nixos/configuration.nix", toBytes("two"));
    await machine.writeFile("/home/alice/deep/note", toBytes("n"));
    expect(text(await machine.readFile("/etc/nixos/configuration.nix"))).toBe("two");
    await machine.start();
    await machine.cut();
    expect(text(await machine.readFile("/home/alice/deep/note"))).toBe("n");
  });
  it("that are not persistent are refused while it is off", async () => {
    const { machine } = make();
    await expect(machine.writeFile("/etc/passwd", nothing)).rejects.toMatchObject({ code: "wrong-state" });
    await expect(machine.readFile("/var/../etc/passwd")).rejects.toMatchObject({ code: "wrong-state" });
    await expect(machine.readFile("/var/none")).rejects.toMatchObject({ code: "refused" });
  });
  it("go through the agent while it runs", async () => {
    const { machine, guest } = await running();
    await machine.writeFile("/etc/nixos/a b", toBytes("text"), 0o600);
    const heard = guest().heard.filter((line) => !line.startsWith("5"));
    expect(heard.at(-2)).toMatch(/^3 1 - 80 24 {3}0 \/bin\/sh -c .* sh \/etc\/nixos\/a b 600$/s);
    expect(heard.at(-1)).toBe("4 1 text");
  });
});

describe("frames", () => {
  it("come whole from any pieces", () => {
    const frames = [0, 1, 5000].map((length, stream) => ({
      type: 4,
      stream,
      payload: new Uint8Array(length).fill(stream),
    }));
    const bytes = new Uint8Array(frames.flatMap((frame) => [...encodeFrame(frame)]));
    for (const size of [1, 2, 3, 7, 1000, 100_000]) {
      const decoder = new FrameDecoder();
      const got = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...decoder.push(bytes.slice(at, at + size)));
      expect(got).toEqual(frames);
    }
  });
  it("of an impossible length end the session", async () => {
    const { machine, guest, powers } = await running();
    const call = machine.exec({ argv: ["deaf"] });
    guest().babble(Uint8Array.of(1, 0, 0, 0));
    await expect(call).rejects.toMatchObject({ code: "protocol" });
    expect(powers().at(-1)).toBe("crashed");
  });
});
