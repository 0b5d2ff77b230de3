/** `nix-store`: the store's classic command, with Nix's operations, output and exit codes. */
import { type ByteString, fromBytes } from "../store/format/bytes.ts";
import { decodeNar } from "../store/format/nar.ts";
import { parseHash, parseHashAlgorithm, printHash } from "../store/format/hash.ts";
import { printPublicKey, printSecretKey, publicKeyOf } from "../store/format/signature.ts";
import { type StorePath, isDerivationPath, makeContentPath, parseStorePath } from "../store/format/store-path.ts";
import type { PathInfo } from "../store/path-info.ts";
import { closure, sortPaths } from "../store/graph.ts";
import type { LooseInfo, VerifyProblem } from "../store/store.ts";
import { exportPaths, importPaths } from "../store/transfer.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { collectGarbage, deletePaths } from "./garbage.ts";
import { queryStore } from "./nix-store-query.ts";
import { goalOf, isPossible, realiseAll } from "./nix-store-realise.ts";
import { addFile, dumpArgument } from "./add.ts";
import { FEATURES, takeValues } from "./subcommand.ts";
import {
  NIX_VERSION,
  UsageError,
  absolutePath,
  algorithmNamed,
  guard,
  parseCount,
  printLines,
  printPieces,
  renderSize,
  storePathOf,
  storePathsOf,
} from "./support.ts";

type Operation = (
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
  common: Common,
) => Promise<number>;

/** Flags that Nix takes before it knows the operation. */
interface Common {
  addRoot: ByteString | undefined;
  dryRun: boolean;
  keepGoing: boolean;
  noOutput: boolean;
  /** Leave out what is neither there nor to be had. */
  ignoreUnknown: boolean;
  /** Experimental features that are turned on. */
  features: string;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "--realise": realiseOperation,
  "--realize": realiseOperation,
  "-r": realiseOperation,
  "--add": addOperation,
  "-A": addOperation,
  "--add-fixed": addFixedOperation,
  "--print-fixed-path": printFixedPathOperation,
  "--delete": deleteOperation,
  "--query": queryStore,
  "-q": queryStore,
  "--print-env": printEnvironmentOperation,
  "--read-log": readLogOperation,
  "-l": readLogOperation,
  "--dump-db": dumpDatabaseOperation,
  "--load-db": loadDatabaseOperation,
  "--register-validity": registerOperation,
  "--check-validity": checkValidityOperation,
  "--gc": collectOperation,
  "--dump": dumpOperation,
  "--restore": restoreOperation,
  "--export": exportOperation,
  "--import": importOperation,
  "--verify": verifyOperation,
  "--verify-path": verifyPathOperation,
  "--repair-path": repairPathOperation,
  "--optimise": optimiseOperation,
  "--optimize": optimiseOperation,
  "--generate-binary-cache-key": generateKeyOperation,
};

/** Flags with one or two values that mean nothing here but must not be taken for arguments. */
const IGNORED_VALUES: Readonly<Record<string, number>> = {
  "--option": 2,
  "--max-jobs": 1,
  "-j": 1,
  "--cores": 1,
  "--timeout": 1,
  "--max-silent-time": 1,
  "--store": 1,
};

const IGNORED = new Set(["--indirect", "--verbose", "-v", "-Q", "--no-build-output", "--quiet", "--fallback"]);
const OWN_VALUES = new Set(["--max-freed", "--max-links", "--max-atime"]);

export const nixStore: Command = {
  name: "nix-store",
  doc: "query and change the store",
  run: (argv, context) => guard("nix-store", context, () => runNixStore(argv, context)),
};

async function runNixStore(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const common: Common = {
    addRoot: undefined,
    dryRun: false,
    keepGoing: false,
    noOutput: false,
    ignoreUnknown: false,
    features: "",
  };
  const flags: string[] = [];
  const args: ByteString[] = [];
  let operation: Operation | undefined;
  const words = expandShortFlags(argv);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--version") {
      context.print(`nix-store (Nix) ${NIX_VERSION}\n`);
      return 0;
    }
    // After -q, -d asks for the deriver, -r and -R are its own.
    const found = Object.hasOwn(OPERATIONS, word) ? OPERATIONS[word] : undefined;
    if (found !== undefined && operation !== undefined) throw new UsageError("only one operation may be specified");
    if (found !== undefined) operation = found;
    else if (word === "--add-root") common.addRoot = required(words, word);
    else if (word === "--dry-run") common.dryRun = true;
    else if (word === "--keep-going" || word === "-k") common.keepGoing = true;
    else if (word === "--no-output") common.noOutput = true;
    else if (word === "--ignore-unknown") common.ignoreUnknown = true;
    else if (word === FEATURES) common.features += ` ${takeValues(words, word, 1).join("")}`;
    else if (Object.hasOwn(IGNORED_VALUES, word)) takeValues(words, word, IGNORED_VALUES[word] as number);
    else if (OWN_VALUES.has(word)) flags.push(word, required(words, word));
    else if (word.startsWith("-")) flags.push(...(IGNORED.has(word) ? [] : [word]));
    else args.push(word);
  }
  if (operation === undefined) throw new UsageError("no operation specified");
  return operation(context, flags, args, common);
}

/** "-qR" is "-q" "-R". */
export function expandShortFlags(argv: readonly ByteString[]): ByteString[] {
  return argv.flatMap((word) => {
    return /^-[A-Za-z]{2,}$/.test(word) && !word.startsWith("-j")
      ? Array.from(word.slice(1), (flag) => `-${flag}`)
      : [word];
  });
}

function required(words: ByteString[], flag: string): ByteString {
  const value = words.shift();
  if (value === undefined) throw new UsageError(`'${flag}' requires an argument`);
  return value;
}

function noFlags(flags: readonly string[]): void {
  if (flags[0] !== undefined) throw new UsageError("unknown flag");
}

function noArguments(args: readonly ByteString[]): void {
  if (args.length > 0) throw new UsageError("no arguments expected");
}

async function realiseOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
  common: Common,
): Promise<number> {
  const unknown = flags.find((flag) => flag !== "--check" && flag !== "--repair");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  const goals = [];
  for (const argument of args) {
    const goal = await goalOf(context, argument, "!");
    if (!common.ignoreUnknown || isPossible(context, goal)) goals.push(goal);
  }
  const settings = { check: flags.includes("--check"), keepGoing: common.keepGoing, dryRun: common.dryRun };
  const paths = await realiseAll(context, goals, settings);
  if (paths === undefined) return 0;
  if (common.addRoot === undefined) {
    if (goals.length > 0) {
      context.error(
        "warning: you did not specify '--add-root'; the result might be removed by the garbage collector\n",
      );
    }
  } else {
    await addRoots(context, common.addRoot, paths);
  }
  if (!common.noOutput)
    printLines(
      context,
      common.addRoot === undefined ? paths : paths.map((_, index) => rootName(common.addRoot as string, index)),
    );
  return 0;
}

async function addRoots(context: CommandContext, root: ByteString, paths: readonly string[]): Promise<void> {
  for (const [index, path] of paths.entries()) {
    const link = absolutePath(context, rootName(root, index));
    await context.files.makeLink(link, path);
    await context.store.addRoot(link, path);
  }
}

function rootName(root: ByteString, index: number): ByteString {
  return index === 0 ? root : `${root}-${index + 1}`;
}

async function addOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  for (const argument of args) context.print(`${await addFile(context, argument, "nar", "sha256")}\n`);
  return 0;
}

async function addFixedOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
  common: Common,
): Promise<number> {
  const method = fixedMethod(flags);
  const [algorithm, ...files] = args;
  if (algorithm === undefined) throw new UsageError("first argument must be hash algorithm");
  const parsed = algorithmNamed(context, common.features, algorithm);
  for (const argument of files) context.print(`${await addFile(context, argument, method, parsed)}\n`);
  return 0;
}

function fixedMethod(flags: readonly string[]): "nar" | "flat" {
  const unknown = flags.find((flag) => flag !== "--recursive");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  return flags.length > 0 ? "nar" : "flat";
}

async function printFixedPathOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  const method = fixedMethod(flags);
  const [algorithm, hash, name] = args;
  if (algorithm === undefined || hash === undefined || name === undefined || args.length !== 3) {
    throw new UsageError("'--print-fixed-path' requires three arguments");
  }
  const address = { method, hash: parseHash(hash, parseHashAlgorithm(algorithm)) };
  context.print(`${makeContentPath(address, name, undefined, context.store.storeDir)}\n`);
  return 0;
}

async function deleteOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  const unknown = flags.find((flag) => flag !== "--ignore-liveness");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  return deletePaths(context, await storePathsOf(context, args));
}

async function printEnvironmentOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const [argument] = args;
  if (argument === undefined || args.length !== 1)
    throw new UsageError("'--print-env' requires one derivation store path");
  const { env, args: builderArgs } = await context.store.derivation(await storePathOf(context, argument));
  const names = [...env.keys()].sort();
  for (const name of names) context.print(`export ${name}; ${name}=${shellQuote(env.get(name) as string)}\n\n`);
  context.print(`export _args; _args='${builderArgs.map((word) => shellQuote(word).slice(1, -1)).join(" ")}'\n`);
  return 0;
}

function shellQuote(text: ByteString): ByteString {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function readLogOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  for (const argument of args) {
    const path = await storePathOf(context, argument);
    const log = await findLog(context, path);
    if (log === undefined) throw new CommandError(`build log of derivation '${path}' is not available`);
    context.print(fromBytes(log));
  }
  return 0;
}

/** A build that printed nothing has an empty log: it was made here, so there is nothing to miss. */
export async function findLog({ store }: CommandContext, path: string): Promise<Uint8Array | undefined> {
  const info = store.info(path);
  const drvPath = isDerivationPath(path) ? path : info?.deriver;
  const log = drvPath === undefined ? undefined : await store.log(drvPath);
  return log ?? (info?.ultimate === true ? new Uint8Array(0) : undefined);
}

async function dumpDatabaseOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const paths = args.length > 0 ? await storePathsOf(context, args) : context.store.paths();
  for (const path of paths) context.print(registrationText(context.store.requireInfo(path)));
  return 0;
}

/** A path as `--load-db` and `--register-validity` read it. */
function registrationText(info: PathInfo): ByteString {
  const digest = printHash(parseHash(info.narHash), "base16");
  const lines = [
    info.path,
    digest,
    String(info.narSize),
    info.deriver ?? "",
    String(info.references.length),
    ...info.references,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** `--load-db`: what `--dump-db` wrote, hashes and all. */
async function loadDatabaseOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  noArguments(args);
  return registerListed(context, true);
}

async function registerOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  const unknown = flags.find((flag) => flag !== "--reregister" && flag !== "--hash-given");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  noArguments(args);
  return registerListed(context, flags.includes("--hash-given"));
}

/**
 * Registers the paths that standard input lists, whose files lie in the store already: path, hash and size if they are given,
 * deriver, number of references, references; a line each.
 */
async function registerListed(context: CommandContext, withHash: boolean): Promise<number> {
  const { store } = context;
  const lines = fromBytes(await context.input()).split("\n");
  const listed: LooseInfo[] = [];
  for (let line = lines.shift(); line !== undefined && line !== ""; line = lines.shift()) {
    const path = parseStorePath(line, store.storeDir);
    const narHash = withHash
      ? printHash(parseHash((lines.shift() ?? "").replace(/^sha256:/, ""), "sha256"), "nix32", true)
      : undefined;
    const narSize = withHash ? Number(lines.shift()) : undefined;
    const deriver = lines.shift() ?? "";
    const count = Number(lines.shift());
    if (!Number.isInteger(count)) throw new CommandError("number expected");
    const references = lines.splice(0, count).map((reference) => parseStorePath(reference, store.storeDir));
    if (references.length < count) throw new CommandError("missing input");
    listed.push({ path, narHash, narSize, references, deriver: deriver === "" ? undefined : deriver });
  }
  await store.registerLaidOut(listed);
  return 0;
}

async function checkValidityOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  const unknown = flags.find((flag) => flag !== "--print-invalid");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  for (const argument of args) {
    const path = await storePathOf(context, argument);
    if (context.store.isValid(path)) continue;
    if (flags.length === 0) throw new CommandError(`path '${path}' is not valid`);
    context.print(`${path}\n`);
  }
  return 0;
}

async function collectOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  let show: "roots" | "live" | "dead" | undefined;
  let maxFreed: number | undefined;
  const words = [...flags];
  for (let flag = words.shift(); flag !== undefined; flag = words.shift()) {
    if (flag === "--print-roots") show = "roots";
    else if (flag === "--print-live") show = "live";
    else if (flag === "--print-dead") show = "dead";
    else if (flag === "--max-freed") maxFreed = parseCount(required(words, flag));
    else throw new UsageError(`bad sub-operation '${flag}' in GC`);
  }
  noArguments(args);
  return collectGarbage(context, { show, maxFreed });
}

async function dumpOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const [path] = args;
  if (path === undefined || args.length !== 1) throw new UsageError("only one argument allowed");
  await dumpArgument(context, path);
  return 0;
}

async function restoreOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const [path] = args;
  if (path === undefined || args.length !== 1) throw new UsageError("only one argument allowed");
  await context.files.writeTree(absolutePath(context, path), decodeNar(await context.input()));
  return 0;
}

async function exportOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const paths = await storePathsOf(context, args);
  for (const path of paths) context.store.requireInfo(path);
  await printPieces(context, exportPaths(context.store, paths));
  return 0;
}

async function importOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  noArguments(args);
  printLines(context, await importPaths(context.store, [await context.input()]));
  return 0;
}

async function verifyOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noArguments(args);
  const unknown = flags.find((flag) => flag !== "--check-contents" && flag !== "--repair");
  if (unknown !== undefined) throw new UsageError(`unknown flag '${unknown}'`);
  const { store } = context;
  context.error("reading the Nix store...\nchecking path existence...\n");
  const missing = await store.verify(false);
  for (const { message } of missing) context.error(`${message}\n`);
  await store.forget(missing.filter(({ kind }) => kind === "removed").map(({ path }) => path));
  const problems = missing.filter(({ kind }) => kind !== "removed");
  if (flags.includes("--check-contents")) problems.push(...(await checkContents(context, problems)));
  const repaired = flags.includes("--repair")
    ? await repairPaths(context, new Set(problems.map(({ path }) => path)))
    : 0;
  if (problems.length === repaired) return 0;
  context.error("warning: not all store errors were fixed\n");
  return 1;
}

/** Looks at the contents of every path that is there. */
async function checkContents(context: CommandContext, known: readonly VerifyProblem[]): Promise<VerifyProblem[]> {
  context.error("checking link hashes...\nchecking store hashes...\n");
  const gone = new Set(known.map(({ path }) => path));
  const problems: VerifyProblem[] = [];
  for (const path of context.store.paths()) {
    if (!gone.has(path)) problems.push(...(await context.store.verifyPath(path, true)));
  }
  for (const { message } of problems) context.error(`${message}\n`);
  return problems;
}

/** What is wrong with one path, as the verbs about single paths say it. */
export function problemText({ kind, message, path }: VerifyProblem): string {
  return kind === "missing-tree" || kind === "removed" ? `error: path '${path}/' does not exist` : message;
}

async function verifyPathOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  if (flags.length > 0) throw new UsageError("no flags expected");
  let status = 0;
  for (const path of await storePathsOf(context, args)) {
    for (const problem of await context.store.verifyPath(path, true)) {
      context.error(`${problemText(problem)}\n`);
      status = 1;
    }
  }
  return status;
}

async function repairPathOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  if (flags.length > 0) throw new UsageError("no flags expected");
  await repairClosures(context, await storePathsOf(context, args));
  return 0;
}

/** Looks at every path of the closures, and gets those anew that are not as they should be. */
export async function repairClosures(context: CommandContext, paths: readonly StorePath[]): Promise<void> {
  const { store } = context;
  for (const path of paths) {
    for (const member of sortPaths(closure(store.index, [path]))) {
      context.error(`checking path '${member}'...\n`);
      if ((await store.verifyPath(member, true)).length === 0) continue;
      context.error(`path '${member}' is corrupted or missing!\n`);
      if ((await repairPaths(context, new Set([member]))) === 0)
        throw new CommandError(`cannot repair path '${member}'`);
    }
  }
}

/** Gets damaged paths anew from whoever has them with the same hash; gives how many were. */
async function repairPaths({ store, substituters }: CommandContext, paths: ReadonlySet<string>): Promise<number> {
  let repaired = 0;
  for (const path of sortPaths(paths)) {
    const wanted = store.requireInfo(path).narHash;
    for (const substituter of substituters) {
      const offer = await substituter.offer(path);
      if (offer?.info.narHash !== wanted) continue;
      await store.repairFromNar(path, substituter.nar(path));
      repaired++;
      break;
    }
  }
  return repaired;
}

/** Nothing is left to do: content is stored once from the start. What it saves is the answer. */
async function optimiseOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  noArguments(args);
  return reportOptimisation(context);
}

export async function reportOptimisation(context: CommandContext): Promise<number> {
  const { files, blobs, bytesWithout, bytesStored } = await context.store.optimiseReport();
  context.error(`${renderSize(bytesWithout - bytesStored)} freed by hard-linking ${files - blobs} files\n`);
  return 0;
}

async function generateKeyOperation(
  context: CommandContext,
  flags: readonly string[],
  args: readonly ByteString[],
): Promise<number> {
  noFlags(flags);
  const [name, secretFile, publicFile] = args;
  if (name === undefined || secretFile === undefined || publicFile === undefined || args.length !== 3) {
    throw new UsageError("three arguments expected");
  }
  const key = { name, seed: context.random(32) };
  const write = (file: ByteString, text: string) => {
    return context.files.writeFile(
      absolutePath(context, file),
      Uint8Array.from(text, (char) => char.charCodeAt(0)),
    );
  };
  await write(publicFile, printPublicKey(publicKeyOf(key)));
  await write(secretFile, printSecretKey(key));
  return 0;
}
