/**
 * `nixos-rebuild`: from a configuration to a running generation, as nixos-rebuild(8) has it. What starts next is decided by one atomic
 * change, the profile; activating the running machine comes after it and is not atomic, as in NixOS. The page's buttons run this too.
 */
import type { Profile } from "../store/profile.ts";
import { currentGeneration, currentPath, previousGeneration, setPath, switchGeneration } from "../store/profile.ts";

/** What the command needs from where it runs. */
export interface RebuildHost {
  /** Standard output and standard error, whole lines. */
  print(text: string): void;
  error(text: string): void;
  /** Seconds since the epoch. */
  now(): number;
  /** A named moment at which the plug may be pulled; the command goes on when it resolves and dies when it rejects. */
  step(name: "build" | "register" | "profile"): Promise<void>;
  /** Instantiates the configuration. An error is the user's: its text has been printed already. */
  evaluate(): Promise<{ readonly drvPath: string; readonly label: string } | undefined>;
  /** Realises the top level; undefined when a build failed (printed already). */
  build(drvPath: string): Promise<string | undefined>;
  profile(): Promise<Profile>;
  /** Replaces the profile in one transaction. */
  updateProfile(change: (profile: Profile) => Profile): Promise<Profile>;
  /** Runs the top level's `bin/switch-to-configuration ACTION` on the machine; its exit code. Without a machine: 0 for `boot`. */
  activate(topLevel: string, action: SwitchAction): Promise<number>;
  /** A small text file of the store, undefined when it is not there. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a directory of the store, empty when it is not there. */
  list(path: string): Promise<readonly string[]>;
}

export type SwitchAction = "switch" | "boot" | "test" | "dry-activate";

const ACTIONS = ["switch", "boot", "test", "build", "dry-activate", "dry-build", "list-generations"] as const;
type Action = (typeof ACTIONS)[number];

interface Request {
  readonly action: Action;
  readonly rollback: boolean;
  /** Terrarium's own: switch to this generation, as `nix-env -p … --switch-generation N` and an activation would. */
  readonly generation: number | undefined;
  readonly specialisation: string | undefined;
  readonly json: boolean;
}

export const REBUILD_USAGE =
  "usage: nixos-rebuild {switch|boot|test|build|dry-activate|dry-build|list-generations} [--rollback] [--generation N] [--specialisation NAME] [--json]";

/** Runs the command; argv without the program's name. The exit code is nixos-rebuild's. */
export async function nixosRebuild(argv: readonly string[], host: RebuildHost): Promise<number> {
  const request = parseRequest(argv);
  if (typeof request === "string") {
    host.error(`nixos-rebuild: error: ${request}\n${REBUILD_USAGE}`);
    return 2;
  }
  if (request.action === "list-generations") return listGenerations(request.json, host);
  if (request.rollback || request.generation !== undefined) return goBack(request, host);
  return rebuild(request, host);
}

function parseRequest(argv: readonly string[]): Request | string {
  let action: Action | undefined;
  let rollback = false;
  let generation: number | undefined;
  let specialisation: string | undefined;
  let json = false;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--rollback") rollback = true;
    else if (word === "--json") json = true;
    else if (word === "--specialisation" || word === "-c") specialisation = rest.shift();
    else if (word === "--generation") generation = Number(rest.shift());
    else if (IGNORED.has(word)) continue;
    else if (word.startsWith("-")) return `unrecognized arguments: ${word}`;
    else if (action !== undefined) return `unrecognized arguments: ${word}`;
    else if ((ACTIONS as readonly string[]).includes(word)) action = word as Action;
    else return `argument {${ACTIONS.join(",")}}: invalid choice: '${word}'`;
  }
  if (action === undefined) return "the following arguments are required: action";
  if (generation !== undefined && !Number.isSafeInteger(generation)) return "--generation takes a generation's number";
  return { action, rollback, generation, specialisation, json };
}

/** Options of nixos-rebuild that make no difference here. */
const IGNORED = new Set([
  "--fast",
  "--no-reexec",
  "--sudo",
  "--use-remote-sudo",
  "--verbose",
  "-v",
  "--quiet",
  "--show-trace",
  "-L",
]);

async function rebuild(request: Request, host: RebuildHost): Promise<number> {
  host.error("building the system configuration...");
  const evaluated = await host.evaluate();
  if (evaluated === undefined) return 1;
  if (request.action === "dry-build") return 0;
  await host.step("build");
  const topLevel = await host.build(evaluated.drvPath);
  if (topLevel === undefined) return 1;
  await host.step("register");
  if (request.action === "build") {
    host.print(`${topLevel}`);
    return 0;
  }
  if (request.action === "switch" || request.action === "boot") {
    await host.step("profile");
    await host.updateProfile((profile) => setPath(profile, topLevel, host.now(), evaluated.label));
  }
  return activate(topLevel, request, host);
}

/** Another generation: nothing is evaluated and nothing is built. */
async function goBack(request: Request, host: RebuildHost): Promise<number> {
  const profile = await host.profile();
  const target = request.generation ?? findPrevious(profile, host);
  if (target === undefined) return 1;
  const chosen = profile.generations.find(({ number }) => number === target);
  if (chosen === undefined) {
    host.error(`error: generation ${target} does not exist`);
    return 1;
  }
  if (request.action === "build" || request.action === "dry-build") {
    host.print(chosen.path);
    return 0;
  }
  if (request.action === "switch" || request.action === "boot") {
    host.error(`switching profile from version ${profile.current ?? 0} to ${target}`);
    await host.step("profile");
    await host.updateProfile((now) => switchGeneration(now, target));
  }
  return activate(chosen.path, request, host);
}

function findPrevious(profile: Profile, host: RebuildHost): number | undefined {
  try {
    return previousGeneration(profile).number;
  } catch (error) {
    host.error(`error: ${(error as Error).message}`);
    return undefined;
  }
}

async function activate(topLevel: string, request: Request, host: RebuildHost): Promise<number> {
  const target =
    request.specialisation === undefined ? topLevel : `${topLevel}/specialisation/${request.specialisation}`;
  if (
    request.specialisation !== undefined &&
    (await host.list(`${topLevel}/specialisation`)).includes(request.specialisation) === false
  ) {
    host.error(`error: specialisation '${request.specialisation}' does not exist in ${topLevel}`);
    return 1;
  }
  const code = await host.activate(target, request.action as SwitchAction);
  if (code !== 0) host.error("warning: error(s) occurred while switching to the new configuration");
  else if (request.action !== "dry-activate") host.error(`Done. The new configuration is ${target}`);
  return code;
}

interface Row {
  readonly generation: number;
  readonly date: string;
  readonly nixosVersion: string;
  readonly kernelVersion: string;
  readonly configurationRevision: string;
  readonly specialisations: readonly string[];
  readonly current: boolean;
}

const COLUMNS: readonly (readonly [title: string, value: (row: Row) => string])[] = [
  ["Generation", (row) => String(row.generation)],
  ["Build-date", (row) => row.date],
  ["NixOS version", (row) => row.nixosVersion],
  ["Kernel", (row) => row.kernelVersion],
  ["Configuration Revision", (row) => row.configurationRevision],
  ["Specialisation", (row) => row.specialisations.join(" ")],
  ["Current", (row) => (row.current ? "True" : "False")],
];

/** Newest first, as nixos-rebuild lists them. */
async function listGenerations(json: boolean, host: RebuildHost): Promise<number> {
  const profile = await host.profile();
  const current = currentGeneration(profile)?.number;
  const rows = await Promise.all(
    profile.generations.toReversed().map(async ({ number, path, created }): Promise<Row> => ({
      generation: number,
      date: printDate(created),
      nixosVersion: (await host.readText(`${path}/nixos-version`)) ?? "Unknown",
      kernelVersion: kernelVersion(await host.readText(`${path}/boot.json`)),
      configurationRevision: "",
      specialisations: await host.list(`${path}/specialisation`),
      current: number === current,
    })),
  );
  host.print(json ? JSON.stringify(rows, null, 2) : printTable(rows));
  return 0;
}

function printTable(rows: readonly Row[]): string {
  const widths = COLUMNS.map(([title, value]) => Math.max(title.length, ...rows.map((row) => value(row).length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd();
  return [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, value]) => value(row)))]
    .map(line)
    .join("\n");
}

/** "…/linux-6.1.158/bzImage" in the bootspec names the version. */
function kernelVersion(bootspec: string | undefined): string {
  return /\/nix\/store\/[0-9a-z]{32}-linux-([0-9][^/"]*)/.exec(bootspec ?? "")?.[1] ?? "Unknown";
}

/** UTC, "2026-01-31 23:59:59". */
function printDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** Where a profile leads, for callers that show it: `system`, `system-2-link` and their targets. */
export function profileLinks(profile: Profile, name = "system"): [link: string, target: string][] {
  const links = profile.generations.map(({ number, path }): [string, string] => [`${name}-${number}-link`, path]);
  return currentPath(profile) === undefined ? links : [[name, `${name}-${profile.current}-link`], ...links];
}
