/**
 * The supervisor as a user of a NixOS machine meets it: two hand-made systems with unit files of every kind, booted in the real virtual
 * machine. A line is a command typed in the guest and what it prints; the order of the lines is a story, since services have states.
 */
import { readFileSync, readlinkSync, lstatSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { directory, regularFile, storeTree, symlink, type SourceTree } from "#engine/store/format/tree.ts";
import { MemoryStoreSource } from "#workers/machine/p9/store-tree.ts";
import type { MachineEvent, ShimCall } from "#workers/machine/types.ts";
import { createNodeMachine, readImages, repositoryImages } from "#workers/node/machine.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const seeds = `${root}samples/channel/seeds`;
const path = (letter: string, name: string): string => `/nix/store/${letter.repeat(32)}-${name}`;
const supervisor = path("a", "supervisor");
const busybox = path("b", "busybox");
const one = path("c", "nixos-system-one");
const two = path("d", "nixos-system-two");

/** A folder of the repository as a store object. */
function folderTree(folder: string): SourceTree {
  return directory(
    readdirSync(folder).map((name) => {
      const file = `${folder}/${name}`;
      const status = lstatSync(file);
      if (status.isSymbolicLink()) return [name, symlink(readlinkSync(file))];
      if (status.isDirectory()) return [name, folderTree(file)];
      return [name, regularFile(new Uint8Array(readFileSync(file)), (status.mode & 0o100) !== 0)];
    }),
  );
}

const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const text = (content: string, executable = false): SourceTree => regularFile(toBytes(content), executable);

interface Units {
  [name: string]: string;
}

const service = (lines: string, unit = ""): string => `[Unit]\n${unit}\n[Service]\n${lines}\n`;
const shell = (script: string): string => `${busybox}/bin/sh -c '${script}'`;

/** The unit files both systems have. */
const shared: Units = {
  "web.service": service(
    `ExecStart=${busybox}/bin/httpd -f -p 127.0.0.1:80 -h /etc/web\nUser=www\nAmbientCapabilities=CAP_NET_BIND_SERVICE`,
    "Description=Web Server",
  ),
  "setup.service": service(
    `Type=oneshot\nRemainAfterExit=yes\nStateDirectory=setup\nEnvironment="WORD=two words" OTHER=x\nExecStart=${shell('echo "$WORD" ${OTHER} %n > $STATE_DIRECTORY/out')}`,
  ),
  "reader.service": service(
    `ExecStart=${shell("cat /var/lib/setup/out; exec sleep 1000")}\nExecStartPre=${shell("echo before")}\nExecStopPost=${shell("echo after $SERVICE_RESULT")}`,
    "Requires=setup.service\nAfter=setup.service",
  ),
  "flaky.service": service(`ExecStart=${shell("exit 7")}\nRestart=on-failure\nRestartSec=20ms`, "StartLimitBurst=3"),
  "broken.service": service(`Type=oneshot\nExecStart=${shell("exit 3")}`),
  "needs-broken.service": service(`ExecStart=${shell("sleep 1000")}`, "Requires=broken.service\nAfter=broken.service"),
  "missing.service": service("Type=exec\nExecStart=/no/such/program"),
  "notifier.service": service(`Type=notify\nTimeoutStartSec=1\nExecStart=${shell("sleep 1000")}`),
  "forker.service": service(`Type=forking\nExecStart=${shell("sleep 1000 & echo forked")}`),
  "stubborn.service": service(
    `TimeoutStopSec=200ms\nExecStart=${shell('trap "" TERM; : > /run/trapped; while :; do sleep 1; done')}`,
  ),
  "conditional.service": service(`ExecStart=${shell("sleep 1000")}`, "ConditionPathExists=/no/such/file"),
  "strange.service": service(`ExecStart=${shell("sleep 1000")}\nPrivateTmp=yes\nNoSuchKey=1`),
  "manual.service": service(`ExecStart=${shell("sleep 1000")}`, "X-RestartIfChanged=false"),
  "tick.timer": "[Timer]\nOnActiveSec=100ms\nOnUnitActiveSec=1h\n",
  "tick.service": service(`Type=oneshot\nExecStart=${shell("echo tick")}`),
  "night.timer": "[Timer]\nOnCalendar=*-*-* 03:00:00\nUnit=tick.service\n",
  "greeter@.service": service(`Type=oneshot\nRemainAfterExit=yes\nExecStart=${shell("echo hello %i")}`),
  "echo.socket": "[Socket]\nListenStream=127.0.0.1:7\n",
  "echo.service": service(`ExecStart=${shell("echo called with $LISTEN_FDS; sleep 1000")}`),
};

const wanted = [
  "web.service",
  "reader.service",
  "conditional.service",
  "strange.service",
  "manual.service",
  "tick.timer",
  "night.timer",
];

/** In the second system the reader changes, the old unit is gone, a new one is there, and the manual one changes but stays. */
const changed: Units = {
  ...shared,
  "reader.service": (shared["reader.service"] ?? "").replace("before", "before the second"),
  "manual.service": (shared["manual.service"] ?? "").replace("1000", "2000"),
  "web.service": (shared["web.service"] ?? "").replace("Web Server", "Another Description"),
  "fresh.service": service(`ExecStart=${shell("sleep 1000")}`),
};

function system(name: string, units: Units, wants: string[]): SourceTree {
  const files = Object.entries(units).map(([unit, content]): [string, SourceTree] => [unit, text(content)]);
  const links = wants.map((unit): [string, SourceTree] => [unit, symlink(`../${unit}`)]);
  const environment = `#!${busybox}/bin/sh\nexport PATH=${busybox}/bin:${supervisor}/bin\n`;
  return directory([
    [
      "init",
      text(
        `${environment}mkdir -p /run\nln -sfn ${name} /run/booted-system\n${name}/activate\nexec ${name}/systemd/bin/systemd\n`,
        true,
      ),
    ],
    [
      "activate",
      text(
        `${environment}terrarium-step etc "setting up /etc"\nsetup-etc ${name}/etc\nmkdir -p /bin /var/lib\nln -sfn ${busybox}/bin/sh /bin/sh\nln -sfn ${name} /run/.current\nmv -T /run/.current /run/current-system\n`,
        true,
      ),
    ],
    ["systemd", symlink(supervisor)],
    ["sw", directory([["bin", symlink(`${busybox}/bin`)]])],
    [
      "etc",
      directory([
        ["passwd", text("root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n")],
        ["group", text("root:x:0:\nwww:x:33:\n")],
        ["name", text(`${name}\n`)],
        ["copied", text("copied\n")],
        ["copied.mode", text("0600\n")],
        ["copied.uid", text("+33\n")],
        ["copied.gid", text("root\n")],
        ["web", directory([["index.html", text("<h1>page</h1>\n")]])],
        ...(name === one ? [["only-one", text("1\n")] as [string, SourceTree]] : []),
        ["systemd", directory([["system", directory([...files, ["multi-user.target.wants", directory(links)]])]])],
      ]),
    ],
  ]);
}

function store(): MemoryStoreSource {
  const source = new MemoryStoreSource();
  const add = (name: string, tree: SourceTree): void =>
    source.add(
      name.slice("/nix/store/".length),
      storeTree(tree, (sha256, bytes) => source.addBlob(sha256, bytes)),
    );
  const applets =
    "awk cat chmod cp cut date dd echo env find grep head httpd id ln ls mkdir mv nc printf ps readlink rm sed sh sleep sort stat tail test touch true wc wget".split(
      " ",
    );
  const binary = readFileSync(`${seeds}/busybox/bin/busybox`);
  add(
    busybox,
    directory([
      [
        "bin",
        directory([
          ["busybox", regularFile(new Uint8Array(binary), true)],
          ...applets.map((name): [string, SourceTree] => [name, symlink("busybox")]),
        ]),
      ],
    ]),
  );
  add(supervisor, folderTree(`${seeds}/supervisor`));
  add(one, system(one, shared, wanted));
  add(two, system(two, changed, [...wanted.filter((unit) => unit !== "conditional.service"), "fresh.service"]));
  return source;
}

describe("the supervisor", { timeout: 120_000 }, () => {
  const events: MachineEvent[] = [];
  const steps: string[] = [];
  const machine = createNodeMachine(
    { mode: "machine", images: readImages(repositoryImages(root)), store: store() },
    {
      onEvent: (event) => void events.push(event),
      onStep: ({ name }) => void steps.push(name),
      async onShim({ id, argv, cwd }: ShimCall) {
        const input = fromBytes(await machine.shimRead(id));
        await machine.shimWrite(id, "stdout", toBytes(`${argv.join(" ")} in ${cwd} with ${input}`));
        return 9;
      },
    },
  );
  afterAll(() => machine.cut());

  /** Runs a shell script in the guest: its output, then `[code]` when that is not 0. Times and process numbers are blotted out. */
  async function run(script: string): Promise<string> {
    const { code, stdout, stderr } = await machine.exec({
      argv: [`${busybox}/bin/sh`, "-c", `export PATH=${busybox}/bin:${supervisor}/bin; ${script}`],
    });
    const output = `${utf8(stdout)}${utf8(stderr)}${code ? `[${code}]` : ""}`;
    return output.replace(/\[\d{2,}\]/g, "[N]").replace(/^\w{3} \d\d \d\d:\d\d:\d\d \S+ /gm, "");
  }

  function check(name: string, script: string, expected: string | RegExp): void {
    it(name, async () => {
      const output = await run(script);
      if (typeof expected === "string") expect(output).toBe(expected);
      else expect(output).toMatch(expected);
    });
  }

  /** Waits until a unit shows this `SubState`. */
  const until = (unit: string, sub: string): string =>
    `i=0; while [ "$(systemctl show -p SubState --value ${unit})" != ${sub} ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; `;

  it("boots to multi-user.target and says so", async () => {
    const { degraded } = await machine.boot({ topLevel: one, profiles: [] });
    expect(degraded).toBe(false);
    expect(steps).toEqual(["etc"]);
    expect(events.some((event) => event.kind === "current" && event.topLevel === one)).toBe(true);
    expect(
      events.some(
        (event) => event.kind === "unit" && event.unit.name === "web.service" && event.unit.sub === "running",
      ),
    ).toBe(true);
  });

  check(
    "is running",
    "systemctl is-system-running; systemctl is-active web reader conditional",
    "running\nactive\nactive\ninactive\n",
  );
  check(
    "serves as another user on a low port",
    "wget -qO- http://127.0.0.1/; ps -o user,comm | grep httpd",
    "<h1>page</h1>\nwww      httpd\n",
  );
  check(
    "gives services their environment and state directory",
    "cat /var/lib/setup/out",
    "two words x setup.service\n",
  );
  check(
    "keeps a journal by unit",
    // Sorted: as in systemd, a line and the end of the process that wrote it race each other to the journal.
    "journalctl -u reader -o cat | head -5 | sort",
    "Started reader.service.\nStarting reader.service...\nbefore\ntwo words x setup.service\n",
  );
  check(
    "says why a unit was skipped",
    "journalctl -u conditional -o cat",
    "conditional.service was skipped because of an unmet condition check (ConditionPathExists=/no/such/file).\n",
  );
  check(
    "warns about keys it does not obey",
    "journalctl -u strange -p warning -o cat",
    "strange.service: PrivateTmp= is accepted but not enforced by this supervisor.\nstrange.service: Unknown key 'NoSuchKey' in section [Service], ignoring.\n",
  );
  check(
    "shows a unit's files",
    "systemctl cat tick.timer",
    "# /etc/systemd/system/tick.timer\n[Timer]\nOnActiveSec=100ms\nOnUnitActiveSec=1h\n",
  );
  check(
    "shows a status",
    "systemctl status web",
    /^● web\.service - Web Server\n     Loaded: loaded \(\/etc\/systemd\/system\/web\.service; enabled; preset: ignored\)\n     Active: active \(running\) since .*\n   Main PID: \d+ \(httpd\)\n      Tasks: 1\n/,
  );

  check(
    "stops",
    "systemctl stop reader; systemctl is-active reader; journalctl -u reader -o cat | tail -4",
    /^inactive\nreader\.service: Main process exited, code=killed, status=15\/TERM\nafter success\nreader\.service: Deactivated successfully\.\nStopped reader\.service\.\n/,
  );
  check("starts", "systemctl start reader; systemctl is-active reader", "active\n");
  check(
    "restarts with another process",
    "a=$(systemctl show -p MainPID --value web); systemctl restart web; b=$(systemctl show -p MainPID --value web); test $a != $b && echo other",
    "other\n",
  );
  check(
    "stops what requires it, too",
    "systemctl stop setup; systemctl is-active setup reader; systemctl start reader; systemctl is-active setup reader",
    "inactive\ninactive\nactive\nactive\n",
  );

  check(
    "tells of a failed start",
    "systemctl start broken",
    'Job for broken.service failed because the control process exited with error code.\nSee "systemctl status broken.service" and "journalctl -xeu broken.service" for details.\n[1]',
  );
  check(
    "fails what depends on it",
    "systemctl start needs-broken; systemctl is-active needs-broken",
    "inactive\nA dependency job for needs-broken.service failed. See 'journalctl -xe' for details.\n[3]",
  );
  check(
    "knows a program that is not there",
    "systemctl start missing; journalctl -u missing -o cat",
    /missing\.service: Failed at step EXEC spawning \/no\/such\/program: No such file or directory\n[^]*status=203\/EXEC/,
  );
  check(
    "gives up on a service that never gets ready",
    "systemctl start notifier; systemctl show -p Result notifier",
    /^Result=timeout\n/,
  );
  check(
    "restarts a failing service until its limit",
    `systemctl start flaky; ${until("flaky", "failed")}systemctl show -p Result --value flaky; journalctl -u flaky -o cat | grep -c 'Scheduled restart'`,
    "start-limit-hit\n3\n",
  );
  check(
    "is degraded then, and forgives",
    "systemctl is-system-running; systemctl --failed --no-legend | wc -l; systemctl reset-failed; systemctl is-system-running",
    /^degraded\n[4-6]\nrunning\n$/,
  );
  check(
    "follows a forking service",
    "systemctl start forker; systemctl is-active forker; systemctl stop forker; ps | grep -c '[s]leep 1000'",
    /^active\n\d\n$/,
  );
  check(
    "kills what does not stop",
    "systemctl start stubborn; until [ -e /run/trapped ]; do sleep 0.1; done; systemctl stop stubborn; systemctl show -p Result stubborn",
    "Result=timeout\n",
  );
  check(
    "does not know every unit",
    "systemctl start nothing; systemctl status nothing",
    "Failed to start nothing.service: Unit nothing.service not found.\nUnit nothing.service could not be found.\n[4]",
  );
  check(
    "starts instances of templates",
    "systemctl start greeter@you; journalctl -u greeter@you.service -o cat | head -2",
    "Starting greeter@you.service...\nhello you\n",
  );
  check(
    "runs timers",
    `${until("tick.timer", "waiting")}journalctl -u tick -o cat | grep -c '^tick$'; systemctl list-timers --no-legend | awk '{print $NF}'`,
    "1\ntick.service\ntick.service\n",
  );
  check(
    "starts a service when its socket is called",
    `systemctl start echo.socket; systemctl is-active echo; nc 127.0.0.1 7 < /dev/null & ${until("echo", "running")}sleep 0.2; journalctl -u echo -o cat | tail -1; systemctl stop echo.socket echo; kill %1`,
    /^inactive\nStarted echo\.service\.\n|called with 1\n/,
  );
  check(
    "lets nobody but root change anything",
    `${busybox}/bin/busybox su www -c 'systemctl is-active web; systemctl stop web'`,
    "active\nFailed to stop web: Access denied\n[1]",
  );

  check(
    "copies and links in /etc",
    "readlink /etc/name; stat -c '%a %u %g %F' /etc/copied; cat /etc/copied",
    "/etc/static/name\n600 33 0 regular file\ncopied\n",
  );
  check(
    "passes Nix commands to the host",
    "cd /tmp; echo input | nix-store -q --references /x",
    "nix-store -q --references /x in /tmp with input\n[9]",
  );

  it("says what a switch would do", async () => {
    expect(await run(`systemd-switch ${one} ${two} dry-activate`)).toBe(
      "would stop the following units: reader.service\nwould NOT restart the following changed units: manual.service\nwould activate the configuration...\nwould start the following units: reader.service\n",
    );
  });

  it("switches", async () => {
    steps.length = 0;
    const output = await run(`systemd-switch ${one} ${two} switch`);
    expect(output).toContain(
      "stopping the following units: reader.service\nNOT restarting the following changed units: manual.service\nactivating the configuration...\n",
    );
    expect(output).toContain(
      "starting the following units: reader.service\nthe following new units were started: fresh.service\n",
    );
    expect(steps).toEqual(["stop-units", "etc", "reload", "start-units", "done"]);
    expect(
      await run(
        "readlink /run/current-system; cat /etc/name; ls /etc/only-one; systemctl is-active fresh reader; journalctl -u reader -o cat | grep second",
      ),
    ).toBe(`${two}\n${two}\nactive\nactive\nbefore the second\nls: /etc/only-one: No such file or directory\n`);
  });

  it("switches back, and stops what is gone", async () => {
    expect(await run(`systemd-switch ${two} ${one} switch`)).toContain(
      "stopping the following units: fresh.service, reader.service\n",
    );
    expect(await run("cat /etc/only-one; systemctl is-active fresh")).toBe("1\ninactive\n[3]");
  });

  it("powers off after stopping its services", async () => {
    await machine.poweroff();
    expect(events.findLast((event) => event.kind === "power")).toMatchObject({ state: "off" });
  });

  it("finds the journal of the boot before", async () => {
    await machine.boot({ topLevel: one, profiles: [] });
    expect(await run("journalctl -b -1 -o cat | tail -1; journalctl -u reader -b -o cat | head -1")).toBe(
      "Powering off.\nStarting reader.service...\n",
    );
  });
});
