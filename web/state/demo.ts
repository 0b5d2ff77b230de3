/** A stand-in for the session while the page is being designed: `npm run dev`, then `/?demo`. Never part of a build. */
import type {
  Actions,
  Change,
  ClosurePath,
  Evaluated,
  Generation,
  Language,
  PageStore,
  Session,
  State,
} from "./model.ts";
import { switchSteps } from "./steps.ts";

const file = `{ pkgs, ... }:

let
  colour = "seagreen";
  text = "Hello from my own NixOS!";
in
{
  networking.hostName = "moss";
  users.motd = "Welcome to moss. Everything here was declared.\\n";

  environment.systemPackages = [ pkgs.hello pkgs.cowsay ];
  environment.etc."greeting".text = "This file exists because the configuration says so.\\n";

  users.users.alice = {
    isNormalUser = true;
    description = "Alice";
  };

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <body style="background: \${colour}; color: white; font: 2em system-ui; text-align: center; padding: 3em">
      <h1>\${text}</h1>
      <p>served by moss</p>
    '';
  };
}
`;

const hashes = [
  "r4kq0w8z1xn5c7v9b2m6dphs3fjl0aiy",
  "9g7zx2cl5k8dq1n4w6b0vm3hsfpjr0ia",
  "3hsfpjr0ia9g7zx2cl5k8dq1n4w6b0vm",
  "w6b0vm3hsfpjr0ia9g7zx2cl5k8dq1n4",
];
const top = (index: number): string => `/nix/store/${hashes[index % 4]}-nixos-system-moss-26.05`;
const p = (seed: number, name: string): string =>
  `/nix/store/${[...Array(32)].map((_, i) => "0123456789abcdfghijklmnpqrsvwxyz"[(seed * 7 + i * (seed + 3) + 11) % 32]).join("")}-${name}`;

const evaluated: Evaluated = {
  hostName: "moss",
  label: "26.05",
  drvPath: p(90, "nixos-system-moss-26.05.drv"),
  outPath: top(0),
  web: { unit: "static-web-server.service", port: 80 },
  units: ["static-web-server", "serial-getty@ttyS0", "systemd-tmpfiles-setup", "nscd", "klogd", "syslogd"].map(
    (name) => ({
      name: `${name}.service`,
      description: name,
    }),
  ),
  etcFiles: ["hosts", "hostname", "motd", "passwd", "group", "profile", "colour", "os-release", "fstab"],
  users: ["root", "ada", "nobody"],
  packages: [
    { name: "busybox", version: "1.36.1" },
    { name: "hello", version: "2.12.1" },
  ],
  warnings: [],
};

const change: Change = {
  count: 3,
  newBytes: 40_120,
  closureDelta: 16,
  units: [{ name: "static-web-server.service", action: "restart", reason: "ExecStart changed" }],
  etc: [
    {
      path: "systemd/system/static-web-server.service",
      kind: "changed",
      before: "ExecStart=/nix/store/a…-busybox/bin/httpd -f -h /nix/store/1…-index\nRestart=always\n",
      after: "ExecStart=/nix/store/a…-busybox/bin/httpd -f -h /nix/store/2…-index\nRestart=always\n",
    },
  ],
  packages: [{ name: "index.html", before: "", after: "", sizeDelta: 16 }],
  users: [],
  others: [],
};

const names = [
  "nixos-system-moss-26.05",
  "etc",
  "system-path",
  "busybox-1.36.1",
  "hello-2.12.1",
  "linux-6.12.48",
  "initrd",
  "supervisor-0.1",
  "unit-static-web-server.service",
  "unit-serial-getty.service",
  "index.html",
  "activate",
  "users-groups.json",
  "etc-os-release",
  "etc-profile",
];
const closure: ClosurePath[] = names.map((name, index) => {
  const path = index === 0 ? top(0) : p(index, name);
  const size =
    [4200, 1800, 2100, 1_104_000, 52_000, 1_640_000, 980_000, 310_000, 620, 540, 410, 5200, 380, 260, 900][index] ??
    100;
  return { path, name, narSize: size, closureSize: size * (index === 0 ? 900 : 1), references: [], referrers: [] };
});
const link = (from: number, to: number): void => {
  closure[from]!.references.push(closure[to]!.path);
  closure[to]!.referrers.push(closure[from]!.path);
};
for (const [from, to] of [
  [0, 1],
  [0, 2],
  [0, 5],
  [0, 6],
  [0, 7],
  [0, 11],
  [1, 8],
  [1, 9],
  [1, 13],
  [1, 14],
  [2, 3],
  [2, 4],
  [4, 3],
  [8, 3],
  [8, 10],
  [9, 3],
  [11, 3],
  [11, 12],
  [7, 3],
])
  link(from!, to!);
closure[0]!.closureSize = closure.reduce((sum, each) => sum + each.narSize, 0);

function page(colour: string): string {
  return `<!doctype html><title>moss</title><style>body{margin:0;height:100vh;display:grid;place-content:center;background:${colour};color:#fff;font:500 22px system-ui;text-align:center}h1{margin:0;font-size:44px}p{opacity:.8}a{color:inherit}</style><h1>Hello from moss</h1><p>served by a real Linux, in this tab</p><a href="/next">next page</a>`;
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export function startDemo(store: PageStore): Session {
  const set = (part: Partial<State>): void => store.setState(part);
  const get = store.getState;
  const generation = (number: number, files: State["workspace"]["files"]): Generation => ({
    number,
    date: Date.now() - (10 - number) * 3_600_000,
    label: "26.05",
    outPath: top(number - 1),
    booted: false,
    current: false,
    isDefault: false,
    note: "",
    pinned: false,
    files,
  });
  const colourOf = (text: string): string => /colour = "([^"]*)"/.exec(text)?.[1] ?? "seagreen";
  const text = (): string => get().workspace.files[0]?.text ?? "";
  const serve = (source: string): void => {
    const broken = source.includes("/nowhere");
    set({
      preview: {
        ...get().preview,
        loading: false,
        status: broken ? null : 200,
        contentType: "text/html",
        text: broken ? null : page(colourOf(source)),
        error: broken ? "Nothing answers on port 80." : null,
        revision: get().preview.revision + 1,
      },
    });
  };
  const mark = (number: number, boot = false): void => {
    const list = get().generations.list.map((each) => ({
      ...each,
      isDefault: each.number === number,
      current: each.number === number,
      booted: boot ? each.number === number : each.booted,
    }));
    set({
      generations: { ...get().generations, list, fileAhead: null },
      machine: { ...get().machine, generation: number },
    });
  };
  const boot = async (number: number): Promise<void> => {
    for (const [textLine, fraction] of [
      ["Restoring the machine", 0.2],
      ["Mounting /nix/store", 0.5],
      ["Activating", 0.7],
      ["Starting services", 0.9],
    ] as const) {
      set({ machine: { ...get().machine, phase: "booting", progress: { text: textLine, fraction } } });
      await wait(350);
    }
    set({
      machine: {
        ...get().machine,
        phase: "running",
        hostName: "moss",
        units: evaluated.units.map((unit) => ({ ...unit, load: "loaded", active: "active", sub: "running" })),
        stats: { memoryUsed: 31e6, memoryTotal: 128e6, filesRead: 212, bytesRead: 4e6, uptimeMs: 4000 },
      },
    });
    mark(number, true);
    serve(get().generations.list.find((each) => each.number === number)?.files?.[0]?.text ?? text());
  };
  const actions: Actions = {
    ...silent(),
    editFile(path, changed) {
      set({
        workspace: {
          ...get().workspace,
          files: get().workspace.files.map((each) => (each.path === path ? { path, text: changed } : each)),
        },
      });
      const open = (changed.match(/\{/g) ?? []).length - (changed.match(/\}/g) ?? []).length;
      const lines = changed.split("\n").length;
      const running = get().generations.list.find((each) => each.isDefault)?.files?.[0]?.text;
      set({
        diagnostics:
          open === 0
            ? {}
            : {
                [path]: [
                  {
                    severity: "error",
                    message: "syntax error, unexpected end of file, expecting INHERIT",
                    range: { start: { line: lines - 1, column: 1 }, end: { line: lines - 1, column: 4 } },
                    explanation: "A brace that was opened is never closed.",
                    fixes: [],
                    trace: [],
                  },
                ],
              },
        pending: changed === running ? { status: "none", change: null } : { status: "ready", change },
        evaluation: { ...get().evaluation, lastMs: 34, stale: open !== 0 },
      });
    },
    async switch(action, plugBefore) {
      const source = text();
      const steps = switchSteps.map((step) => ({
        id: step.id,
        state: "waiting" as State["switching"]["steps"][number]["state"],
        text: "",
      }));
      set({
        verdict: null,
        switching: {
          phase: "running",
          action,
          command: `nixos-rebuild ${action}`,
          steps,
          log: ["building the system configuration..."],
          exitCode: null,
          failedUnits: [],
        },
      });
      const number = (get().generations.list.at(-1)?.number ?? 0) + 1;
      for (const [index, step] of steps.entries()) {
        if (step.id === plugBefore) return cut(number);
        step.state = "running";
        set({ switching: { ...get().switching, steps: [...steps] } });
        await wait(240);
        step.state = "done";
        if (step.id === "profile") {
          const added = { ...generation(number, [{ path: "configuration.nix", text: source }]), isDefault: true };
          set({
            generations: {
              ...get().generations,
              list: [...get().generations.list.map((each) => ({ ...each, isDefault: false })), added],
            },
          });
        }
        if (index === 3)
          set({
            switching: {
              ...get().switching,
              log: [...get().switching.log, "stopping the following units: static-web-server.service"],
            },
          });
      }
      mark(number);
      serve(source);
      const broken = source.includes("/nowhere");
      set({
        pending: { status: "none", change: null },
        switching: {
          ...get().switching,
          phase: broken ? "failed" : "done",
          exitCode: broken ? 4 : 0,
          failedUnits: broken ? ["static-web-server.service"] : [],
        },
        verdict: broken
          ? {
              tone: "bad",
              text: "static-web-server does not start.",
              detail: "Generation 3 stays. Roll back, or mend the file.",
            }
          : {
              tone: "good",
              text: `Generation ${number} runs.`,
              detail: "Only the arrow moved; generation 1 is still there.",
            },
      });
    },
    async rollback() {
      const list = get().generations.list;
      const from = list.find((each) => each.isDefault)?.number ?? 1;
      const to = list.findLast((each) => each.number < from);
      if (to) await actions.switchGeneration(to.number);
    },
    async switchGeneration(number) {
      set({
        switching: {
          ...get().switching,
          phase: "running",
          action: "rollback",
          command: "nixos-rebuild switch --rollback",
          steps: switchSteps.slice(2).map((step) => ({ id: step.id, state: "running", text: "" })),
        },
      });
      await wait(400);
      mark(number);
      const source = get().generations.list.find((each) => each.number === number)?.files?.[0]?.text ?? "";
      serve(source);
      set({
        switching: { ...get().switching, phase: "done", failedUnits: [] },
        generations: { ...get().generations, fileAhead: source === text() ? null : { generation: number } },
        pending: source === text() ? { status: "none", change: null } : { status: "ready", change },
        verdict: {
          tone: "good",
          text: `Generation ${number} again, the same store path as before.`,
          detail: "Nothing was rebuilt. That is why it was instant.",
        },
      });
    },
    async cut() {
      await cut(null);
    },
    async boot(number) {
      await boot(number ?? get().generations.list.find((each) => each.isDefault)?.number ?? 1);
    },
    async buildAndBoot() {
      await actions.switch("switch", null);
    },
    async powerOff() {
      set({ machine: { ...get().machine, phase: "off" } });
    },
    async reboot() {
      await boot(get().machine.generation ?? 1);
    },
    async share() {
      set({
        share: { busy: false, url: `${location.origin}/#1/${"a7Rk_".repeat(60)}`, expected: top(1), error: null },
      });
    },
    async loadClosure(root) {
      set({ closure: { root, loading: false, paths: closure, totalSize: closure[0]!.closureSize } });
    },
    async explainPath(path) {
      const found = closure.find((each) => each.path === path) ?? closure[0]!;
      return {
        ...found,
        narHash: "sha256-2bC7Qm0oZt1h3vJv2s7mC8x1oY0bQ5pUu6d5bqg0JtM=",
        deriver: p(50, `${found.name}.drv`),
        contentAddress: null,
        signatures: [],
        registered: Date.now(),
        keptBy: ["system-2-link", top(1)],
        entries: [
          { name: "bin", kind: "folder", size: 0, target: null },
          { name: "init", kind: "executable", size: 812, target: null },
          { name: "etc", kind: "link", size: 0, target: closure[1]!.path },
        ],
      };
    },
    async whyDepends(from, to) {
      const via = closure.find((each) => each.references.includes(to));
      return via
        ? [
            [
              { path: from, next: via.path, file: "etc", excerpt: "…/etc → …" },
              { path: via.path, next: to, file: "bin/hello", excerpt: "#!/nix/store/…-busybox/bin/sh" },
            ],
          ]
        : [];
    },
    async derivation(drvPath) {
      return {
        drvPath,
        name: "nixos-system-moss-26.05",
        system: "i686-linux",
        builder: `${closure[3]!.path}/bin/busybox`,
        args: ["sh", p(60, "system.sh")],
        env: [
          { name: "name", value: "nixos-system-moss-26.05" },
          { name: "out", value: top(0) },
          { name: "system", value: "i686-linux" },
        ],
        outputs: [{ name: "out", path: top(0) }],
        inputDrvs: closure.slice(1, 6).map((each) => ({ drvPath: `${each.path}.drv`, outputs: ["out"] })),
        inputSrcs: [p(60, "system.sh")],
        text: 'Derive([("out","/nix/store/…","","")],…)',
      };
    },
    async diffGenerations() {
      return change;
    },
    async gcPlan() {
      return {
        dead: closure.slice(8, 11),
        bytes: 1570,
        kept: closure.slice(0, 4).map((each) => ({ ...each, because: "system-2-link" })),
      };
    },
    async runCommand(line) {
      set({
        console: [
          ...get().console,
          { id: get().console.length, command: line, output: [{ stream: "out", text: `${top(0)}\n` }], exitCode: 0 },
        ],
      });
    },
    dismissNotice(id) {
      set({ notices: get().notices.filter((each) => each.id !== id) });
    },
    async openTerminal(_, __, onData) {
      onData(new TextEncoder().encode("\x1b[32mmoss\x1b[0m login: ada\r\nWelcome to a small world.\r\n$ "));
      return { write: (bytes) => onData(bytes), resize: () => undefined, close: () => undefined };
    },
    async fetchGuest() {
      return null;
    },
    predict(id, step, option) {
      set({
        lessons: get().lessons.map((each) =>
          each.id === id ? { ...each, predicted: each.predicted.map((old, at) => (at === step ? option : old)) } : each,
        ),
      });
    },
    async startLesson(id) {
      set({ lessons: get().lessons.map((each) => ({ ...each, started: each.id === id })) });
    },
    async checkStep(id, step) {
      set({
        lessons: get().lessons.map((each) =>
          each.id === id
            ? {
                ...each,
                at: step + 1,
                steps: each.steps.map((old, at) =>
                  at === step
                    ? { ...old, checks: old.checks.map((check) => ({ ...check, state: "passed" as const })) }
                    : old,
                ),
              }
            : each,
        ),
      });
    },
  };
  async function cut(prepared: number | null): Promise<void> {
    set({
      machine: { ...get().machine, phase: "cut" },
      switching: { ...get().switching, phase: "cut" },
      ui: { ...get().ui, plugBefore: null },
    });
    await wait(1300);
    const number = get().generations.list.find((each) => each.isDefault)?.number ?? 1;
    await boot(number);
    set({
      verdict: {
        tone: "good",
        text: `Generation ${number}, whole.`,
        detail:
          prepared === null
            ? "The profile pointed at it when the power went."
            : "The arrow had moved before the power went, so this start took the new one.",
      },
      pending: { status: "none", change: null },
    });
  }
  void begin();
  async function begin(): Promise<void> {
    const files = [{ path: "configuration.nix", text: file }];
    set({
      workspace: {
        id: "1",
        title: "First machine",
        kind: "own",
        entry: "configuration.nix",
        files,
        origin: "first",
        modified: Date.now(),
      },
      workspaces: [{ id: "1", title: "First machine", kind: "own", modified: Date.now() }],
      examples: [
        { id: "first", title: "First machine", summary: "" },
        { id: "broken", title: "A service that breaks", summary: "" },
      ],
    });
    set({
      generations: { list: [{ ...generation(1, files), isDefault: true }], runningUnsaved: null, fileAhead: null },
      start: { phase: "ready", text: "" },
      pending: { status: "none", change: null },
      evaluation: { runningSince: null, lastMs: 34, result: evaluated, stale: false, failure: null },
    });
    set({
      store: {
        ...get().store,
        paths: 43,
        bytes: 4.1e6,
        deadPaths: 3,
        deadBytes: 1570,
        usage: 9e6,
        quota: 6e9,
        persisted: false,
        roots: [{ name: "profiles/system-1-link", path: top(0) }],
      },
    });
    set({
      lessons: [
        {
          id: "01",
          title: "Back in one click",
          summary: "Break a machine and bring it back.",
          minutes: 3,
          at: 0,
          started: false,
          predicted: [null, null],
          steps: [
            {
              title: "Break it",
              body: 'The file says where the **page** lies. Point it at a folder that is not there:\n\n```nix\nroot = "/nowhere";\n```\n\nThen switch.',
              prediction: {
                question: "What happens when you switch?",
                options: ["The build fails", "It builds, and the service fails", "Nothing"],
                answer: 1,
                because: "Nix builds what the file says; whether a service likes it shows only when it starts.",
              },
              action: { label: "Switch", command: "nixos-rebuild switch" },
              solution: null,
              nixos: "warning: the following units failed: static-web-server.service",
              checks: [{ label: "The web page does not answer", state: "unknown", detail: null }],
            },
            {
              title: "Roll back",
              body: "Now go back.",
              prediction: null,
              action: { label: "Roll back", command: "nixos-rebuild switch --rollback" },
              solution: null,
              nixos: null,
              checks: [{ label: "Generation 1 is current", state: "unknown", detail: null }],
            },
          ],
        },
      ],
    });
    if (location.search.includes("notice"))
      set({
        notices: [
          {
            id: "n",
            kind: "other-tab",
            text: "Terrarium is open in another tab.",
            detail: "Both share one store; edits here do not show there.",
            command: null,
            transient: false,
          },
        ],
      });
    if (location.search.includes("opened"))
      set({
        opened: {
          status: "reproduced",
          title: "Fern",
          expected: top(1),
          actual: top(1),
          message: null,
          generations: [],
        },
      });
    await boot(1);
  }
  return { actions, language: quiet() };
}

function silent(): Actions {
  return new Proxy({} as Actions, {
    get: () => () => Promise.resolve(null),
    ownKeys: () => actionNames,
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

const actionNames = [
  "editFile",
  "newFile",
  "renameFile",
  "deleteFile",
  "setEntry",
  "openWorkspace",
  "newWorkspace",
  "renameWorkspace",
  "deleteWorkspace",
  "exportWorkspace",
  "importFiles",
  "stopEvaluation",
  "build",
  "buildAndBoot",
  "switch",
  "cancel",
  "rollback",
  "switchGeneration",
  "deleteGenerations",
  "setNote",
  "setPinned",
  "restoreFiles",
  "keepFiles",
  "diffGenerations",
  "boot",
  "powerOff",
  "reboot",
  "cut",
  "openTerminal",
  "openPreview",
  "fetchGuest",
  "unitLog",
  "loadClosure",
  "explainPath",
  "whyDepends",
  "derivation",
  "refreshStore",
  "gcPlan",
  "gc",
  "verifyStore",
  "askPersistence",
  "runCommand",
  "completeCommand",
  "clearConsole",
  "share",
  "openLink",
  "keepCopy",
  "discardCopy",
  "startLesson",
  "resetLesson",
  "leaveLesson",
  "predict",
  "checkStep",
  "applySolution",
  "dismissNotice",
];

function quiet(): Language {
  return {
    complete: async () => [],
    hover: async () => null,
    definition: async () => [],
    references: async () => [],
    prepareRename: async () => null,
    rename: async () => [],
    codeActions: async () => [],
    format: async () => null,
    outline: async () => [],
    folds: async () => [],
  };
}
