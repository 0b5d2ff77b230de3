/** `nix why-depends`: the chain (or all chains) of references from one path to another, with the bytes that make them. */
import { encodeUtf8, fromBytes } from "../store/format/bytes.ts";
import { type StorePath, hashPartOf } from "../store/format/store-path.ts";
import { type FileTree, walkTree } from "../store/format/tree.ts";
import { distancesTo } from "../store/graph.ts";
import type { CommandContext } from "./command.ts";
import { INSTALLABLE_FLAGS, INSTALLABLE_SHORT, installablePaths, validInstallables } from "./store-installables.ts";
import type { Options, Subcommand } from "./subcommand.ts";

export const WHY_DEPENDS_VERBS: readonly Subcommand[] = [
  {
    verb: "why-depends",
    doc: "show why a path needs another",
    flags: { "--all": 0, "--precise": 0, ...INSTALLABLE_FLAGS },
    short: { "-a": "--all", ...INSTALLABLE_SHORT },
    args: [2, 2],
    run: runWhyDepends,
  },
];

const NORMAL = "\x1b[0m";
const GREEN = "\x1b[32;1m";
const BLUE = "\x1b[34;1m";
const GREY = "\x1b[38;5;244m";
const BRANCH = encodeUtf8("├───");
const LAST = encodeUtf8("└───");
const LINE = encodeUtf8("│   ");
const SPACE = "    ";
const ARROW = encodeUtf8("→ ");
const DOTS = encodeUtf8("…");

/** Bytes shown on either side of a hash. */
const MARGIN = 32;

interface Search {
  readonly context: CommandContext;
  readonly from: StorePath;
  readonly to: StorePath;
  readonly all: boolean;
  readonly precise: boolean;
  readonly distance: ReadonlyMap<StorePath, number>;
  readonly visited: Set<StorePath>;
}

async function runWhyDepends(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const [from] = (await validInstallables(context, [args[0] as string], options)) as [StorePath];
  const [to] = (await installablePaths(context, [args[1] as string], options)) as [StorePath];
  const distance = distancesTo(context.store.index, from, to);
  if (!distance.has(from)) {
    context.error(`'${from}' does not depend on '${to}'\n`);
    return 0;
  }
  const flags = { all: options.has("--all"), precise: options.has("--precise") };
  const search: Search = { context, from, to, ...flags, distance, visited: new Set() };
  if (!search.precise) context.print(`${from}\n`);
  await printNode(search, from, "", "");
  return 0;
}

/** False when the goal is reached and nothing more is to be shown. */
async function printNode(search: Search, path: StorePath, first: string, rest: string): Promise<boolean> {
  const { context, to, all, precise, visited } = search;
  if (precise) {
    const grey = visited.has(path) ? GREY : "";
    context.print(`${first}${grey}${first === "" ? "" : ARROW}${path}${NORMAL}\n`);
    if (path === to && !all && search.from !== to) return false;
    if (visited.has(path)) return true;
    visited.add(path);
  }
  const references = nextSteps(search, path);
  const hits = precise ? await findHits(search, path, references) : new Map<StorePath, string[]>();
  for (const [index, reference] of references.entries()) {
    const last = !all || index === references.length - 1;
    if (!(await printStep(search, reference, hits.get(reference) ?? [], last, rest))) return false;
  }
  return true;
}

async function printStep(
  search: Search,
  reference: StorePath,
  hits: string[],
  last: boolean,
  rest: string,
): Promise<boolean> {
  const { context, to, all, precise } = search;
  for (const [index, hit] of hits.entries()) {
    const lead = index === 0 ? (last ? LAST : BRANCH) : last ? SPACE : LINE;
    context.print(`${rest}${lead}${hit}\n`);
    if (!all) break;
  }
  const below = rest + (last ? SPACE : LINE);
  if (!precise) {
    context.print(`${rest}${last ? LAST : BRANCH}${reference}${NORMAL}\n`);
    if (reference === to) return all;
  }
  return printNode(search, reference, below, below);
}

/** References that lead to the goal, nearest first. */
function nextSteps({ context, from, to, distance }: Search, path: StorePath): StorePath[] {
  const leading = context.store
    .requireInfo(path)
    .references.filter((reference) => distance.has(reference) && (reference !== path || from === to));
  return leading.sort((left, right) => (distance.get(left) as number) - (distance.get(right) as number));
}

/** Where the path's files mention each reference, as lines. */
async function findHits(
  search: Search,
  path: StorePath,
  references: readonly StorePath[],
): Promise<Map<StorePath, string[]>> {
  const { store } = search.context;
  const hits = new Map<StorePath, string[]>(references.map((reference) => [reference, []]));
  for (const [below, node] of walkTree(await store.tree(path))) {
    const text = await textOf(search.context, node);
    if (text === undefined) continue;
    for (const reference of references) {
      const at = text.indexOf(hashPartOf(reference));
      if (at < 0) continue;
      const colour = reference === search.to ? GREEN : BLUE;
      hits.get(reference)?.push(`${below === "" ? "." : below.slice(1)}${describeHit(node, text, at, colour)}`);
    }
  }
  return hits;
}

async function textOf({ store }: CommandContext, node: FileTree): Promise<string | undefined> {
  if (node.type === "symlink") return node.target;
  return node.type === "regular" ? fromBytes(await store.blob(node.blob)) : undefined;
}

function describeHit(node: FileTree, text: string, at: number, colour: string): string {
  if (node.type === "symlink") return ` -> ${highlight(text, at, colour)}`;
  const start = Math.max(0, at - MARGIN);
  const excerpt = text.slice(start, at + 32 + MARGIN).replace(/[^\x20-\x7e]/g, ".");
  return `: ${DOTS}${highlight(excerpt, at - start, colour)}${DOTS}`;
}

function highlight(text: string, at: number, colour: string): string {
  return `${text.slice(0, at)}${colour}${text.slice(at, at + 32)}${NORMAL}${text.slice(at + 32)}`;
}
