/**
 * The real thing: v86 with the committed kernel and initramfs, our file system below it, our control channel beside it. A system of
 * one shell script stands in for NixOS, so that what is tested is the machine.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { BuildError, BuildRequest } from "#engine/build/builder.ts";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { sha256Hex } from "#engine/store/format/hash.ts";
import { regularFile, storeTree, symlink, directory, type SourceTree } from "#engine/store/format/tree.ts";
import { MemoryStoreSource } from "#workers/machine/p9/store-tree.ts";
import type { MachineEvent } from "#workers/machine/types.ts";
import { createNodeBuilder, createNodeMachine, readImages, repositoryImages } from "./machine.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const images = readImages(repositoryImages(root));
const busybox = `${"a".repeat(32)}-busybox`;
const system = `${"b".repeat(32)}-system`;
const bin = `/nix/store/${busybox}/bin`;

const busyboxTree = directory([
  [
    "bin",
    directory([
      ["busybox", regularFile(new Uint8Array(readFileSync(`${root}/samples/channel/seeds/busybox/bin/busybox`)), true)],
      ["sh", symlink("busybox")],
    ]),
  ],
]);

function add(source: MemoryStoreSource, name: string, tree: SourceTree): void {
  source.add(
    name,
    storeTree(tree, (sha256, bytes) => source.addBlob(sha256, bytes)),
  );
}

function store(): MemoryStoreSource {
  const source = new MemoryStoreSource();
  add(source, busybox, busyboxTree);
  const init = `#!${bin}/sh\n${bin}/busybox mkdir -p /bin\n${bin}/busybox --install -s /bin\nexport PATH=/bin\n: > /run/up\nexec sleep 100000\n`;
  add(source, system, directory([["init", regularFile(toBytes(init), true)]]));
  return source;
}

describe("a machine", { timeout: 120_000 }, () => {
  const source = store();
  const events: MachineEvent[] = [];
  const machine = createNodeMachine(
    { mode: "machine", images, store: source },
    { onEvent: (event) => void events.push(event), onStep: () => undefined, onShim: () => 0 },
  );
  afterAll(() => machine.cut());

  /** Boots as far as this system goes: it has no supervisor that would report `running`. */
  async function boot(): Promise<void> {
    const links: [string, string][] = [
      ["system", "system-1-link"],
      ["system-1-link", `/nix/store/${system}`],
    ];
    machine.boot({ topLevel: `/nix/store/${system}`, profiles: [{ profile: "system", links }] }).catch(() => undefined);
    while ((await run("test -e /run/up").catch(() => "")) !== "0||")
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Runs a shell script in the guest: `code|stdout|stderr`. */
  async function run(script: string): Promise<string> {
    const argv = [`${bin}/sh`, "-c", `PATH=/bin:${bin}; ${script}`];
    const { code, stdout, stderr } = await machine.exec({ argv });
    return `${code}|${fromBytes(stdout)}|${fromBytes(stderr)}`;
  }

  function check(name: string, script: string, expected: string): void {
    it(name, async () => expect(await run(script)).toBe(expected));
  }

  it("boots", boot);

  check("is Linux on i686", "uname -sm", "0|Linux i686\n|");
  check("has the profile's links", "readlink /nix/var/nix/profiles/system", "0|system-1-link\n|");
  check(
    "has the store, read-only",
    `ls /nix/store; echo x > /nix/store/x`,
    `1|${busybox}\n${system}\n|/nix/store/${busybox}/bin/sh: can't create /nix/store/x: Read-only file system\n`,
  );

  it("sees a path as soon as it is registered, also when it asked before", async () => {
    expect(await run("cat /nix/store/late")).toMatch(/^1\|\|.*No such file/);
    add(source, "late", regularFile(toBytes("here")));
    expect(await run("cat /nix/store/late; ls /nix/store | grep late")).toBe("0|herelate\n|");
  });

  check(
    "keeps hard links, renames and modes",
    "cd /var; mkdir -p d/e; echo one > d/a; ln d/a d/b; echo two >> d/b; mv d/a d/e/c; chmod 640 d/b; cat d/e/c; stat -c '%a %h' d/b",
    "0|one\ntwo\n640 2\n|",
  );
  check(
    "replaces by rename",
    "cd /var; echo old > x; echo new > y; mv y x; cat x; ls y",
    "1|new\n|ls: y: No such file or directory\n",
  );
  check(
    "reads a file that is unlinked and open",
    "cd /var; exec 3<>open; echo data >&3; rm open; cat /proc/self/fd/3",
    "0|data\n|",
  );
  check(
    "makes fifos, devices and links",
    "cd /var; mkfifo p; mknod n c 1 3; ln -s d l; stat -c '%F' p n l",
    "0|fifo\ncharacter special file\nsymbolic link\n|",
  );
  check("sets times", "cd /var; touch -d '2001-02-03 04:05:06' t; stat -c %Y t", "0|981173106\n|");
  check(
    "grows and shrinks files",
    "cd /var; truncate -s 100000 s; echo tail >> s; wc -c < s; truncate -s 5 s; wc -c < s",
    "0|100005\n5\n|",
  );
  check("locks", "cd /var; flock lock echo locked", "0|locked\n|");
  check(
    "moves a megabyte both ways",
    "cd /var; head -c 1000000 /dev/urandom > big; cp big big2; cmp big big2 && rm big2; wc -c < big",
    "0|1000000\n|",
  );
  check("knows how much room there is", "df -k /var | tail -1 | awk '{print $2}'", "0|524288\n|");
  check("belongs to whoever makes it", "mkdir -p /home/u; chown 1000 /home/u; stat -c %u /home/u", "0|1000\n|");

  it("gives a terminal", async () => {
    let text = "";
    const ended = new Promise<number>((resolve) => {
      void machine
        .openStream({ argv: [`${bin}/sh`], terminal: { columns: 93, rows: 31 } }, (event) => {
          if (event.kind === "exit") resolve(event.status.code);
          else text += fromBytes(event.bytes);
        })
        .then((stream) => machine.writeStream(stream, toBytes(`PATH=/bin; stty size; tty; exit 7\n`)));
    });
    expect(await ended).toBe(7);
    expect(text).toMatch(/31 93\r\n\/dev\/pts\/\d+\r\n/);
  });

  it("answers half a megabyte each way", async () => {
    const bytes = new Uint8Array(500_000).map((_, index) => index * 7);
    const { stdout } = await machine.exec({ argv: [`${bin}/busybox`, "cat"] }, bytes);
    expect(sha256Hex(stdout)).toBe(sha256Hex(bytes));
  });

  it("serves its ports", async () => {
    await run("mkdir -p /tmp/w; echo hello > /tmp/w/index.html; httpd -p 127.0.0.1:8080 -h /tmp/w");
    const page = await machine.http({ port: 8080, path: "/" });
    expect([page.status, fromBytes(page.body)]).toEqual([200, "hello\n"]);
    expect((await machine.http({ port: 8080, path: "/none" })).status).toBe(404);
    await expect(machine.http({ port: 9, path: "/" })).rejects.toMatchObject({ code: "refused" });
  });

  it("keeps what was synced through a cut, and nothing half", async () => {
    expect(await run("echo durable > /var/a; sync; echo volatile > /var/b")).toBe("0||");
    await machine.cut();
    await boot();
    expect(await run("cat /var/a; cat /var/big | wc -c; test -s /var/b && cat /var/b")).toMatch(
      /^[01]\|durable\n1000000\n(volatile\n)?\|$/,
    );
  });

  it("keeps what was written two seconds ago", async () => {
    await run("echo later > /var/c");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await machine.cut();
    await boot();
    expect(await run("cat /var/c")).toBe("0|later\n|");
  });

  it("holds every line that was synced before a cut, whole and in order", async () => {
    for (let round = 0; round < 3; round++) {
      let said = "";
      const script = `export PATH=/bin; : > /var/log; i=0; while i=$((i+1)); do echo "line $i $i" | dd of=/var/log oflag=append conv=fsync,notrunc 2>/dev/null; echo $i > /var/n.new; mv /var/n.new /var/n; echo $i; done`;
      await machine.openStream({ argv: [`${bin}/sh`, "-c", script] }, (event) => {
        if (event.kind === "stdout") said += fromBytes(event.bytes);
      });
      while (said.length < 20) await new Promise((resolve) => setTimeout(resolve, 7));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
      await machine.cut();
      const heard = said.trimEnd().split("\n").length;
      const lines = fromBytes(await machine.readFile("/var/log"))
        .trimEnd()
        .split("\n");
      expect(lines).toEqual(lines.map((_, index) => `line ${index + 1} ${index + 1}`));
      expect(lines.length).toBeGreaterThanOrEqual(heard);
      // Renamed without a sync: the name is there, the bytes may not have left the guest's cache. Never half a line.
      expect(fromBytes(await machine.readFile("/var/n"))).toMatch(/^(\d+\n)?$/);
      await boot();
    }
  });

  it("shows the host a file after the cut, and takes one before the boot", async () => {
    await run("echo 'from the guest' > /etc/nixos/f; sync");
    await machine.cut();
    expect(fromBytes(await machine.readFile("/etc/nixos/f"))).toBe("from the guest\n");
    await machine.writeFile("/etc/nixos/f", toBytes("from the host\n"));
    await boot();
    expect(await run("cat /etc/nixos/f")).toBe("0|from the host\n|");
  });
});

describe("a damaged state image", () => {
  /** Starts with this state image: the error's code. */
  function check(name: string, state: Uint8Array): void {
    it(name, async () => {
      const listener = { onEvent: () => undefined, onStep: () => undefined, onShim: () => 0 };
      const options = { mode: "machine" as const, images: { ...images, state }, store: store() };
      await expect(createNodeMachine(options, listener).start()).rejects.toMatchObject({ code: "bad-image" });
    });
  }
  check("that is no zstd", toBytes("not zstd"));
  // A zstd frame of one raw block: sixteen bytes that are no state of v86.
  check(
    "that is no state",
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 16, 0x81, 0, 0, ...toBytes("sixteen bytes...")),
  );
});

describe("a builder", { timeout: 120_000 }, () => {
  const blobs = new Map<string, Uint8Array>();
  const tree = storeTree(busyboxTree, (sha256, bytes) => blobs.set(sha256, bytes));
  const builder = createNodeBuilder(images);
  const out = `/nix/store/${"c".repeat(32)}-out`;
  afterAll(() => builder.close());

  /** Builds a shell script: `tree of $out|log`, or `error code|log`. */
  async function build(
    script: string,
    options: Partial<BuildRequest> = {},
    signal = new AbortController().signal,
  ): Promise<string> {
    let log = "";
    const request: BuildRequest = {
      drvPath: "/nix/store/x.drv",
      name: "x",
      system: "i686-linux",
      program: `${bin}/sh`,
      argv: ["sh", "-c", script],
      env: new Map([
        ["PATH", bin],
        ["out", out],
      ]),
      files: new Map(),
      inputs: {
        closure: [`/nix/store/${busybox}`],
        tree: async () => tree,
        blob: async (sha256) => blobs.get(sha256)!,
      },
      outputs: new Map([["out", out]]),
      fixedOutput: false,
      timeout: 0,
      maxSilent: 0,
      ...options,
    };
    try {
      const built = await builder.build(request, (bytes) => (log += fromBytes(bytes)), signal);
      const made = built.trees.get("out");
      if (made?.type === "regular")
        return `${made.executable ? "x" : "-"} ${fromBytes(await built.blob(made.blob))}|${log}`;
      return `${JSON.stringify(made, (_, value) => (value instanceof Map ? [...value.keys()] : value))}|${log}`;
    } catch (error) {
      return `error ${(error as BuildError).code}|${log}`;
    }
  }

  function check(name: string, script: string, expected: string, options?: Partial<BuildRequest>): void {
    it(name, async () => expect(await build(script, options)).toBe(expected));
  }

  check("makes a file", "echo text > $out; echo said", "- text\n|said\n");
  check("makes a program", "echo text > $out; busybox chmod +x $out", "x text\n|");
  check(
    "makes a directory",
    "busybox mkdir $out; echo a > $out/a; busybox ln -s a $out/l",
    '{"type":"directory","entries":["a","l"]}|',
  );
  check("makes a link", "busybox ln -s /x $out", '{"type":"symlink","target":"/x"}|');
  check("makes nothing", "true", "undefined|");
  check("fails", "echo why; exit 3", "error exit|why\n");
  check("finds its files", "busybox cat /build/f > $out", "- content|", { files: new Map([["f", "content"]]) });
  check(
    "is user nixbld without a network",
    "busybox id -u; busybox hostname; busybox ls /sys/class/net 2>&1; : > $out",
    "- |1000\nlocalhost\nls: /sys/class/net: No such file or directory\n",
  );
  check("sees its inputs only", "busybox ls --color=never /nix/store; : > $out", `- |${busybox}\n`);
  check("knows nothing of the last build", "busybox ls /build /tmp; : > $out", "- |/build:\n\n/tmp:\n");
  // Whether a script gets to say a word within the second depends on how busy the host is.
  it("takes too long", async () => expect(await build("busybox sleep 60", { timeout: 1 })).toBe("error timeout|"));
  it("is silent too long", async () => expect(await build("busybox sleep 60", { maxSilent: 1 })).toBe("error silent|"));
  it("runs out of memory, and the next build does not know of it", async () => {
    expect(await build("busybox dd if=/dev/zero of=/tmp/full bs=1048576 count=2000 2> /dev/null")).toBe(
      "error memory|",
    );
    expect(await build("echo fine > $out")).toBe("- fine\n|");
  });
  it("varies the order of directories in a second build", async () => {
    const names = async (again: boolean): Promise<string[]> => {
      const made = await build("busybox find /nix/store/*/bin -type f -o -type l > $out", { again });
      return made.match(/[^/]+(?=\n)/g) ?? [];
    };
    expect(await names(true)).toEqual((await names(false)).toReversed());
  });
  check(
    "has a clock that is ahead in a second build",
    "test $(busybox date +%s) -gt $((now + 30000000)) && echo ahead > $out",
    "- ahead\n|",
    {
      again: true,
      env: new Map([
        ["PATH", bin],
        ["out", out],
        ["now", String(Math.floor(Date.now() / 1000))],
      ]),
    },
  );
  check(
    "gives up when there is no program",
    "true",
    "error exit|error: executing '/nix/store/none': No such file or directory\n",
    { program: "/nix/store/none" },
  );

  it("is cancelled, and the next build begins anew", async () => {
    const abort = new AbortController();
    const result = build("echo begun; busybox sleep 60", {}, abort.signal);
    const waiting = build("echo never > $out", {}, abort.signal);
    setTimeout(() => abort.abort(), 1500);
    expect(await result).toMatch(/^error cancelled\|/);
    expect(await waiting).toBe("error cancelled|");
    expect(await build("echo again > $out")).toBe("- again\n|");
  });
});
