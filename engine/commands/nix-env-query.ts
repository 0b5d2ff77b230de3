/**
 * `nix-env --query`: what a file's expression offers (`-qa -f FILE`), as a table or as JSON. What is installed (`-q`) is nothing:
 * profiles here hold whole systems, which have no manifest of packages, and of such a profile Nix lists nothing either.
 */
import { type ByteString, decodeUtf8, encodeUtf8 } from "../store/format/bytes.ts";
import { type Json, printJson } from "../store/format/json.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { evaluated } from "./language-verbs.ts";
import { takeValues } from "./subcommand.ts";
import { ToldError, UsageError, absolutePath, printLines } from "./support.ts";

interface Offered {
  readonly attrPath: string;
  readonly name: string;
  readonly system: string;
  readonly outputName: string;
  readonly outputs: readonly { readonly name: string; readonly path: string | null }[];
  readonly drvPath: string | null;
  readonly description: string;
  readonly meta: Json;
}

/** Columns of the table in their order, by the flags that ask for them. */
const COLUMNS: readonly (readonly [flag: string, cell: (item: Offered, context: CommandContext) => string])[] = [
  ["--status", statusOf],
  ["--attr-path", ({ attrPath }) => attrPath],
  ["--name", ({ name }) => name],
  ["--system", ({ system }) => system],
  ["--drv-path", ({ drvPath }) => drvPath ?? "-"],
  ["--out-path", ({ outputs }) => outputs.map(outputCell).join(";")],
  ["--description", ({ description }) => description],
];

const SHORT: Readonly<Record<string, string>> = { "-a": "--available", "-P": "--attr-path", "-s": "--status" };

const KNOWN = new Set([
  ...COLUMNS.map(([flag]) => flag),
  "--available",
  "--installed",
  "--no-name",
  "--json",
  "--meta",
]);

/** `words` are those after `--query`, the profile's flag taken out. */
export async function queryPackages(context: CommandContext, argv: readonly ByteString[]): Promise<number> {
  const flags = new Set<string>();
  const selectors: ByteString[] = [];
  let file: ByteString | undefined;
  let attribute: ByteString | undefined;
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const flag = SHORT[word] ?? word;
    if (flag === "-f" || flag === "--file") file = takeValues(words, flag, 1)[0];
    else if (flag === "-A" || flag === "--attr") attribute = takeValues(words, flag, 1)[0];
    else if (KNOWN.has(flag)) flags.add(flag);
    else if (flag.startsWith("-")) throw new UsageError(`unknown flag '${flag}'`);
    else selectors.push(word);
  }
  const items = flags.has("--available") ? await available(context, file, attribute, flags) : [];
  printItems(context, selected(items, selectors), flags);
  return 0;
}

/** Walks a set as Nix does: derivations, and sets that say `recurseForDerivations`. What fails to evaluate is left out. */
const WALK = `
let
  inherit (builtins) attrNames concatLists concatStringsSep isAttrs isFunction isString tryEval;
  root = if isFunction top then top { } else top;
  start = builtins.foldl' (set: name: set.\${name}) root path;
  outputsOf = drv: map (name: { inherit name; path = if outPaths then drv.\${name}.outPath else null; }) (builtins.sort builtins.lessThan (drv.outputs or [ "out" ]));
  describe = path: drv: {
    attrPath = concatStringsSep "." path;
    inherit (drv) name;
    system = drv.system or "unknown";
    outputName = drv.outputName or "";
    outputs = outputsOf drv;
    drvPath = if drvPaths then drv.drvPath else null;
    description = let text = drv.meta.description or ""; in if isString text then text else "";
    meta = if metas then drv.meta or { } else null;
  };
  walk = path: value:
    let
      tried = tryEval value;
      set = tried.value;
    in
    if !tried.success || !isAttrs set then [ ]
    else if set.type or "" == "derivation" then [ (describe path set) ]
    else if path == begin || set.recurseForDerivations or false == true
    then concatLists (map (name: walk (path ++ [ name ]) set.\${name}) (attrNames set))
    else [ ];
  begin = path;
in walk path start`;

async function available(
  context: CommandContext,
  file: ByteString | undefined,
  attribute: ByteString | undefined,
  flags: ReadonlySet<string>,
): Promise<Offered[]> {
  if (file === undefined) throw new CommandError("there is no default expression here: name a file with '--file'");
  // By itself first: what is wrong with the file is said without a word of the walk.
  const alone = await evaluated(context, ["nix-instantiate", "--eval", absolutePath(context, file)]);
  if (alone.exitCode !== 0) throw new ToldError(alone.exitCode);
  const names = (attribute ?? "").split(".").filter(Boolean);
  const switches = [
    ["outPaths", flags.has("--out-path") || flags.has("--status")],
    ["drvPaths", flags.has("--drv-path")],
    ["metas", flags.has("--meta")],
  ].map(([name, on]) => `${String(name)} = ${String(on)};`);
  const given = `top = import ${JSON.stringify(absolutePath(context, file))}; path = [ ${names.map((name) => JSON.stringify(name)).join(" ")} ];`;
  const expression = `let ${given} ${switches.join(" ")} in ${WALK}`;
  const run = await evaluated(context, ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression]);
  if (run.exitCode !== 0) throw new ToldError(run.exitCode);
  return JSON.parse(decodeUtf8(run.stdout)) as Offered[];
}

/** By name, whatever the case. @throws CommandError when a selector matches nothing */
function selected(items: readonly Offered[], selectors: readonly ByteString[]): Offered[] {
  const key = ({ name }: Offered) => name.toUpperCase();
  const sorted = [...items].sort((left, right) => (key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0));
  if (selectors.length === 0) return sorted;
  const wanted = new Set<Offered>();
  for (const selector of selectors) {
    const matching = sorted.filter((item) => matches(selector, item.name));
    if (matching.length === 0) throw new CommandError(`selector '${selector}' matches no derivations`);
    for (const item of matching) wanted.add(item);
  }
  return sorted.filter((item) => wanted.has(item));
}

/** A name and its version: that begins at the first dash which no letter follows. */
function splitName(whole: string): readonly [name: string, version: string] {
  const dash = /-(?![A-Za-z])/.exec(whole)?.index ?? whole.length;
  return [whole.slice(0, dash), whole.slice(dash + 1)];
}

function matches(selector: string, whole: string): boolean {
  const [pattern, version] = splitName(selector);
  const [name, has] = splitName(whole);
  return (pattern === "*" || new RegExp(`^(?:${pattern})$`).test(name)) && (version === "" || version === has);
}

function printItems(context: CommandContext, items: readonly Offered[], flags: ReadonlySet<string>): void {
  if (flags.has("--json")) {
    const members = items.map((item) => [item.attrPath, itemJson(item, flags)] as const);
    return context.print(`${encodeUtf8(printJson(Object.fromEntries(members), 2))}\n`);
  }
  const columns = COLUMNS.filter(([flag]) => (flag === "--name" ? !flags.has("--no-name") : flags.has(flag)));
  const rows = items.map((item) => columns.map(([, cell]) => cell(item, context)));
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => (row[index] as string).length)));
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd((widths[index] as number) + 2))).join("");
  return printLines(
    context,
    rows.map((row) => encodeUtf8(line(row))),
  );
}

function itemJson(item: Offered, flags: ReadonlySet<string>): Json {
  const [pname, version] = splitName(item.name);
  return {
    ...(flags.has("--drv-path") ? { drvPath: item.drvPath } : {}),
    ...(flags.has("--meta") ? { meta: item.meta } : {}),
    name: item.name,
    outputName: item.outputName,
    outputs: Object.fromEntries(item.outputs.map(({ name, path }) => [name, path])),
    pname,
    system: item.system,
    version,
  };
}

/** Installed, there, to be had: "-" for what it is not. */
function statusOf({ outputs }: Offered, { store }: CommandContext): string {
  const there = outputs.some(({ path }) => path !== null && store.isValid(path));
  return `-${there ? "P" : "-"}-`;
}

function outputCell({ name, path }: Offered["outputs"][number]): string {
  return name === "out" ? (path ?? "-") : `${name}=${path ?? "-"}`;
}
