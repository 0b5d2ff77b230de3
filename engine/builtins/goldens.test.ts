/**
 * Replays what C++ Nix answered to the one-line expressions of testdata/builtins (scripts/record-builtins.mjs): value or error message,
 * its position, its trace, and what was printed on the way. A case listed in known-differences.json must still differ.
 */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NixError } from "../eval/error.ts";
import type { TraceFrame } from "../eval/error.ts";
import { createEvaluator } from "../eval/evaluator.ts";
import type { Evaluator } from "../eval/evaluator.ts";
import { IoError } from "../eval/io.ts";
import type { FileStatus, Io, SourceTree as IoTree } from "../eval/io.ts";
import { printAmbiguous } from "../eval/print.ts";
import type { Settings } from "../eval/settings.ts";
import { textOf } from "../eval/value.ts";
import { fromBytes } from "../store/format/bytes.ts";
import { hashOf } from "../store/format/hash.ts";
import { hashNar } from "../store/format/nar.ts";
import { makeContentPath, makeSourcePath, makeTextPath } from "../store/format/store-path.ts";
import { directory, regularFile, symlink } from "../store/format/tree.ts";
import type { SourceTree } from "../store/format/tree.ts";
import { positionAt, stringSource } from "../syntax/source.ts";
import { toJson } from "./json.ts";
import { XmlPrinter } from "./xml.ts";

interface Golden {
  readonly expr: string;
  readonly flags?: string;
  readonly out?: string;
  readonly error?: string;
  readonly pos?: string;
  readonly trace?: readonly string[];
  readonly log?: readonly string[];
  readonly died?: true;
}

type Outcome = Omit<Golden, "expr" | "flags">;

const data = new URL("../testdata/builtins/", import.meta.url);
const FIXTURES = "/tmp/terrarium";

/** The fixture files as they lie at /tmp/terrarium while goldens are recorded; undefined for a directory. */
function readFixtures(): ReadonlyMap<string, string | undefined> {
  const files = new Map<string, string | undefined>([
    ["/", undefined],
    ["/tmp", undefined],
    [FIXTURES, undefined],
  ]);
  for (const name of readdirSync(new URL("files/", data), { recursive: true, encoding: "utf8" })) {
    const url = new URL(`files/${name}`, data);
    files.set(`${FIXTURES}/${name}`, statSync(url).isDirectory() ? undefined : readFileSync(url, "latin1"));
  }
  return files;
}

const files = readFixtures();
const LINK = `${FIXTURES}/link`;
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, "latin1"));

function statusOf(path: string): FileStatus | undefined {
  if (path === LINK) return { type: "symlink", executable: false, size: 9 };
  if (!files.has(path)) return undefined;
  const text = files.get(path);
  return { type: text === undefined ? "directory" : "regular", executable: false, size: text?.length ?? 0 };
}

function loadTree(tree: IoTree): SourceTree {
  if (tree.type === "symlink") return symlink(tree.target);
  if (tree.type === "regular") return regularFile(bytes(files.get(tree.path) ?? ""), tree.executable);
  return directory(tree.entries.map(([name, child]) => [name, loadTree(child)] as const));
}

function fixtureIo(lines: string[]): Io {
  const environment: Readonly<Record<string, string>> = { TERRARIUM: "glass", EMPTY: "", HOME: FIXTURES };
  const refuse = (path: string): never => {
    throw new IoError("ENOENT", path);
  };
  return {
    readFile: (path) => files.get(path === LINK ? `${FIXTURES}/hello.txt` : path) ?? refuse(path),
    readDir: (path) => {
      const inside = [...files.keys(), LINK].filter((name) => name.slice(0, name.lastIndexOf("/")) === path);
      return inside.map((name) => [name.slice(path.length + 1), statusOf(name)!.type] as const);
    },
    lstat: statusOf,
    readLink: () => "hello.txt",
    getEnv: (name) => environment[name],
    currentTime: () => 1_700_000_000,
    addSource: ({ name, method, tree }) => {
      const source = loadTree(tree);
      if (method === "nar") return makeSourcePath(name, hashNar(source).hash);
      const contents = source.type === "regular" ? source.contents : bytes("");
      if (method === "text") return makeTextPath(name, fromBytes(contents), []);
      return makeContentPath({ method: "flat", hash: hashOf("sha256", contents) }, name);
    },
    addText: (name, text, references) => makeTextPath(name, text, references),
    writeDerivation: () => undefined,
    readDerivation: refuse,
    isValidPath: () => false,
    references: () => undefined,
    realise: refuse,
    fetch: ({ url }) => refuse(url),
    log: (line) => void lines.push(...line.split("\n")),
  };
}

/** The settings that command-line flags mean. */
function settingsOf(flags: string): Partial<Settings> {
  const words = flags.split(/\s+/);
  const settings: { -readonly [K in keyof Settings]?: Settings[K] } = { system: "i686-linux" };
  const nixPath: string[] = [];
  const apply = (name: string, value: string): void => {
    if (name.endsWith("experimental-features")) settings.experimentalFeatures = new Set(value.split(","));
    else if (name === "abort-on-warn") settings.abortOnWarn = value === "true";
    else if (name === "restrict-eval") settings.restrictEval = value === "true";
    else if (name === "max-call-depth") settings.maxCallDepth = Number(value);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "-I") nixPath.push(words[++i]!);
    else if (word === "--pure-eval") settings.pureEval = true;
    else if (word === "--trace-verbose") settings.traceVerbose = true;
    else if (word === "--option") apply(words[++i]!, words[++i]!);
    else if (word.startsWith("--extra-")) apply(word.slice(8), words[++i]!);
  }
  return { ...settings, nixPath };
}

function print(evaluator: Evaluator, expr: string, flags: string): string {
  const slot = evaluator.expression({ ...stringSource(expr), basePath: FIXTURES });
  if (flags.includes("--xml")) {
    const options = { strict: true, location: !flags.includes("--no-location") };
    return textOf(evaluator.run(() => new XmlPrinter(options).print(slot))).trimEnd();
  }
  if (flags.includes("--json")) return textOf(evaluator.run(() => toJson(slot, true)));
  evaluator.forceDeep(slot);
  return printAmbiguous(slot);
}

/** The frames Nix shows, outermost first: of more than five in a row that were shown before, none. */
function shownTrace(frames: readonly TraceFrame[]): string[] {
  const shown: string[] = [];
  const seen = new Set<string>();
  let again: string[] = [];
  const flush = (): void => {
    if (again.length <= 5) shown.push(...again);
    else seen.clear();
    again = [];
  };
  for (const { message: text, pos } of frames) {
    const message = text.split("\n")[0]!;
    const key = `${message}@${pos?.offset ?? ""}`;
    if (seen.has(key)) {
      again.push(message);
      continue;
    }
    seen.add(key);
    flush();
    shown.push(message);
  }
  flush();
  return shown;
}

/** What the engine makes of a golden, with a budget of so many JavaScript frames; with none everything runs on the machine. */
function outcomeOf({ expr, flags = "" }: Golden, directDepth: number): Outcome {
  const log: string[] = [];
  const logged = (): Outcome => (log.length > 0 ? { log } : {});
  try {
    const evaluator = createEvaluator({ io: fixtureIo(log), settings: { ...settingsOf(flags), directDepth } });
    return { out: print(evaluator, expr, flags), ...logged() };
  } catch (thrown) {
    if (!(thrown instanceof NixError)) throw thrown;
    const trace = shownTrace(thrown.trace.toReversed());
    const at = thrown.pos === undefined ? undefined : positionAt(thrown.pos.source, thrown.pos.offset);
    return {
      error: thrown.message.trimEnd(),
      ...(at !== undefined && { pos: `${at.line}:${at.column}` }),
      ...(trace.length > 0 && { trace }),
      ...logged(),
    };
  }
}

const known = JSON.parse(readFileSync(new URL("known-differences.json", data), "utf8")) as Readonly<
  Record<string, string>
>;

function readGoldens(file: string): Golden[] {
  const lines = readFileSync(new URL(file, data), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Golden);
}

for (const file of readdirSync(data).filter((name) => name.endsWith(".jsonl"))) {
  describe(file, () => {
    for (const golden of readGoldens(file)) {
      if (golden.died) continue;
      const { expr, flags, ...expected } = golden;
      const isKnown = Object.hasOwn(known, expr);
      test(flags === undefined ? expr : `${flags} ${expr}`, () => {
        for (const directDepth of [400, 0]) {
          const outcome = outcomeOf(golden, directDepth);
          if (isKnown) expect(outcome, known[expr]!).not.toEqual(expected);
          else expect(outcome).toEqual(expected);
        }
      });
    }
  });
}
