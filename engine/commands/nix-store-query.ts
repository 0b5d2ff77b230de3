/** `nix-store --query`: every form, with Nix's orders and texts. */
import { type ByteString, encodeUtf8 } from "../store/format/bytes.ts";
import { type StorePath, baseNameOf, isDerivationPath, nameOf } from "../store/format/store-path.ts";
import { closure, referrersClosure, sortPaths, topologicalOrder } from "../store/graph.ts";
import { type Realised, realiseDerivation } from "./nix-store-realise.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { UsageError, printLines, storePathOf } from "./support.ts";

const QUERIES: Readonly<Record<string, QueryKind>> = {
  "--outputs": "outputs",
  "--requisites": "requisites",
  "-R": "requisites",
  "--references": "references",
  "--referrers": "referrers",
  "--referers": "referrers",
  "--referrers-closure": "referrers-closure",
  "--referers-closure": "referrers-closure",
  "--deriver": "deriver",
  "-d": "deriver",
  "--valid-derivers": "valid-derivers",
  "--graph": "graph",
  "--graphml": "graphml",
  "--tree": "tree",
  "--binding": "binding",
  "-b": "binding",
  "--hash": "hash",
  "--size": "size",
  "--roots": "roots",
  "--resolve": "resolve",
};

type QueryKind =
  | "outputs"
  | "requisites"
  | "references"
  | "referrers"
  | "referrers-closure"
  | "deriver"
  | "valid-derivers"
  | "graph"
  | "graphml"
  | "tree"
  | "binding"
  | "hash"
  | "size"
  | "roots"
  | "resolve";

interface Query {
  readonly kind: QueryKind;
  readonly useOutput: boolean;
  readonly forceRealise: boolean;
  readonly includeOutputs: boolean;
}

export async function queryStore(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  const query = parseQuery(flags);
  if (query.kind === "binding") return printBinding(context, args);
  const paths: StorePath[] = [];
  for (const argument of args) {
    const path = await storePathOf(context, argument);
    // These four speak of derivations, or of paths that may be anything.
    if (query.kind === "outputs") paths.push(...(await outputsOf(context, path, query.forceRealise)));
    else if (query.kind === "deriver" || query.kind === "resolve" || query.kind === "valid-derivers") paths.push(path);
    else paths.push(...(await useOutputs(context, path, query)));
  }
  await answer(context, query, paths);
  return 0;
}

function parseQuery(flags: readonly string[]): Query {
  let kind: QueryKind | undefined;
  const seen = new Set<string>();
  for (const flag of flags) {
    const asked = Object.hasOwn(QUERIES, flag) ? QUERIES[flag] : undefined;
    if (asked !== undefined) {
      if (kind !== undefined && kind !== asked)
        throw new UsageError(`query type '${flag}' conflicts with earlier flag`);
      kind = asked;
    } else if (MODIFIERS.has(flag)) {
      seen.add(flag);
    } else {
      throw new UsageError(`unknown flag '${flag}'`);
    }
  }
  return {
    kind: kind ?? "outputs",
    useOutput: seen.has("--use-output") || seen.has("-u"),
    forceRealise: seen.has("--force-realise") || seen.has("--force-realize") || seen.has("-f"),
    includeOutputs: seen.has("--include-outputs"),
  };
}

const MODIFIERS = new Set(["--use-output", "-u", "--force-realise", "--force-realize", "-f", "--include-outputs"]);

async function useOutputs(context: CommandContext, path: StorePath, query: Query): Promise<StorePath[]> {
  if (query.forceRealise && isDerivationPath(path)) await realiseDerivation(context, { drvPath: path, outputs: [] });
  if (!query.useOutput || !isDerivationPath(path)) return [path];
  return outputsOf(context, path, false);
}

async function outputsOf(
  { store, ...rest }: CommandContext,
  path: StorePath,
  realiseFirst: boolean,
): Promise<StorePath[]> {
  if (!isDerivationPath(path)) return [path];
  if (realiseFirst) {
    const realised: Realised = await realiseDerivation({ store, ...rest }, { drvPath: path, outputs: [] });
    return realised.paths;
  }
  store.requireInfo(path);
  const { outputs } = await store.derivation(path);
  return sortPaths(Array.from(outputs.values(), (output) => output.path).filter((out) => out !== ""));
}

async function answer(context: CommandContext, query: Query, paths: readonly StorePath[]): Promise<void> {
  const { store } = context;
  switch (query.kind) {
    case "outputs":
    case "resolve":
      return printLines(context, paths);
    case "requisites":
    case "references":
    case "referrers":
    case "referrers-closure":
      return printLines(context, topologicalOrder(store.index, await related(context, query, paths)));
    case "deriver":
      return printLines(
        context,
        paths.map((path) => store.requireInfo(path).deriver ?? "unknown-deriver"),
      );
    case "valid-derivers":
      for (const path of paths) printLines(context, await store.validDerivers(path));
      return undefined;
    case "hash":
      return printLines(
        context,
        paths.map((path) => store.requireInfo(path).narHash),
      );
    case "size":
      return printLines(
        context,
        paths.map((path) => String(store.requireInfo(path).narSize)),
      );
    case "roots":
      return printRoots(context, paths);
    case "tree": {
      const done = new Set<StorePath>();
      for (const path of paths) printTree(context, path, "", "", done);
      return undefined;
    }
    case "graph":
      return printDot(context, paths);
    case "graphml":
      return printGraphMl(context, paths);
  }
}

async function related(context: CommandContext, query: Query, paths: readonly StorePath[]): Promise<Set<StorePath>> {
  const { store } = context;
  if (query.kind === "referrers-closure") return referrersClosure(store.index, paths);
  if (query.kind === "referrers") return new Set(paths.flatMap((path) => store.index.referrers(path)));
  for (const path of paths) store.requireInfo(path);
  if (query.kind === "references") return new Set(paths.flatMap((path) => store.requireInfo(path).references));
  const found = closure(store.index, paths);
  if (!query.includeOutputs) return found;
  for (const path of found) {
    if (!isDerivationPath(path)) continue;
    for (const output of await outputsOf(context, path, false)) {
      if (store.isValid(output)) for (const member of closure(store.index, [output])) found.add(member);
    }
  }
  return found;
}

async function printBinding(context: CommandContext, args: readonly ByteString[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("expected binding name");
  for (const argument of rest) {
    const path = await storePathOf(context, argument);
    context.store.requireInfo(path);
    const value = (await context.store.derivation(path)).env.get(name);
    if (value === undefined) {
      throw new CommandError(`derivation '${path}' has no environment binding named '${name}'`);
    }
    context.print(`${value}\n`);
  }
  return 0;
}

async function printRoots(context: CommandContext, paths: readonly StorePath[]): Promise<void> {
  const users = referrersClosure(context.store.index, paths);
  const roots = [...context.store.roots(), ...((await context.extraRoots?.()) ?? [])];
  const lines = roots.filter(({ path }) => users.has(path)).map(({ name, path }) => `${name} -> ${path}`);
  printLines(context, [...new Set(lines)].sort());
}

const TREE_BRANCH = encodeUtf8("├───");
const TREE_LAST = encodeUtf8("└───");
const TREE_LINE = encodeUtf8("│   ");
const TREE_SPACE = "    ";

/** References that lead to others of the list come first, so that the tree stays shallow. */
function printTree(context: CommandContext, path: StorePath, first: string, rest: string, done: Set<StorePath>): void {
  if (done.has(path)) return context.print(`${first}${path} [...]\n`);
  done.add(path);
  context.print(`${first}${path}\n`);
  const { references } = context.store.requireInfo(path);
  const order = topologicalOrder(context.store.index, references);
  order.forEach((reference, index) => {
    const last = index === order.length - 1;
    printTree(
      context,
      reference,
      rest + (last ? TREE_LAST : TREE_BRANCH),
      rest + (last ? TREE_SPACE : TREE_LINE),
      done,
    );
  });
}

const COLOURS = ["black", "red", "green", "blue", "magenta", "burlywood"];

function printDot(context: CommandContext, roots: readonly StorePath[]): void {
  let colour = 0;
  context.print("digraph G {\n");
  for (const [path, references] of breadth(context, roots)) {
    const name = baseNameOf(path);
    context.print(`"${name}" [label = "${nameOf(path)}", shape = box, style = filled, fillcolor = "#ff0000"];\n`);
    for (const reference of references) {
      context.print(
        `"${baseNameOf(reference)}" -> "${name}" [color = "${COLOURS[colour++ % COLOURS.length] ?? ""}"];\n`,
      );
    }
  }
  context.print("}\n");
}

const GRAPHML_HEAD = `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns='http://graphml.graphdrawing.org/xmlns'
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'
    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>
<key id='narSize' for='node' attr.name='narSize' attr.type='long'/><key id='name' for='node' attr.name='name' attr.type='string'/><key id='type' for='node' attr.name='type' attr.type='string'/><graph id='G' edgedefault='directed'>
`;

function printGraphMl(context: CommandContext, roots: readonly StorePath[]): void {
  context.print(GRAPHML_HEAD);
  for (const [path, references] of breadth(context, roots)) {
    const name = nameOf(path);
    context.print(`  <node id="${baseNameOf(path)}">
    <data key="narSize">${context.store.requireInfo(path).narSize}</data>
    <data key="name">${name.slice(0, name.indexOf("-") + 1)}</data>
    <data key="type">${isDerivationPath(path) ? "derivation" : "output-path"}</data>
  </node>
`);
    for (const reference of references) {
      context.print(`  <edge source="${baseNameOf(path)}" target="${baseNameOf(reference)}"/>\n`);
    }
  }
  context.print("</graph>\n</graphml>\n");
}

/** Paths with their references to others, always the smallest of those waiting next. */
function* breadth(context: CommandContext, roots: readonly StorePath[]): Generator<[StorePath, StorePath[]]> {
  const waiting = new Set(roots);
  const done = new Set<StorePath>();
  while (waiting.size > 0) {
    const [path] = sortPaths(waiting) as [StorePath];
    waiting.delete(path);
    if (done.has(path)) continue;
    done.add(path);
    const references = context.store.requireInfo(path).references.filter((reference) => reference !== path);
    for (const reference of references) waiting.add(reference);
    yield [path, references];
  }
}
