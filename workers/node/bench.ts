/**
 * `terrarium bench --eval [-E EXPR | FILE] --runs N [--fresh] [--edit FILE]`: wall milliseconds a run, in one process, as JSON. With
 * `--edit` that file has another character at its end in each run, as if somebody typed.
 */
import path from "node:path";
import { createEvaluator } from "#engine/eval/evaluator.ts";
import { printAmbiguous } from "#engine/eval/print.ts";
import { fileSource, stringSource, type Source } from "#engine/syntax/source.ts";
import { splitNixPath } from "#engine/builtins/search-path.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import { NodeIo } from "./io.ts";
import { hostSettings, toByteString } from "./language.ts";

interface BenchArguments {
  expression: string | undefined;
  file: string | undefined;
  attribute: string;
  runs: number;
  fresh: boolean;
  edit: string | undefined;
  includes: string[];
}

function parseArguments(argv: readonly string[]): BenchArguments {
  const result: BenchArguments = {
    expression: undefined,
    file: undefined,
    attribute: "",
    runs: 5,
    fresh: false,
    edit: undefined,
    includes: [],
  };
  const rest = [...argv];
  for (let flag = rest.shift(); flag !== undefined; flag = rest.shift()) {
    if (flag === "-E" || flag === "--expr") result.expression = rest.shift();
    else if (flag === "-A" || flag === "--attr") result.attribute = rest.shift() ?? "";
    else if (flag === "-I") result.includes.push(rest.shift() ?? "");
    else if (flag === "--runs") result.runs = Number(rest.shift());
    else if (flag === "--fresh") result.fresh = true;
    else if (flag === "--edit") result.edit = path.resolve(rest.shift() ?? "");
    else if (flag !== "--eval") result.file = flag;
  }
  return result;
}

/** Real files, of which one has something more at its end. */
class EditedIo extends NodeIo {
  edited: string | undefined;
  typed = "";

  override readFile(file: string): string {
    const text = super.readFile(file);
    return file === this.edited ? text + this.typed : text;
  }
}

export async function bench(argv: readonly string[]): Promise<number> {
  const options = parseArguments(argv);
  const io = new EditedIo({
    storeDir: DEFAULT_STORE_DIR,
    root: undefined,
    readOnly: () => true,
    info: () => undefined,
    env: (name) => process.env[name],
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const nixPath = [...options.includes, ...splitNixPath(process.env["NIX_PATH"] ?? "")];
  const evaluator = createEvaluator({ io, settings: { ...hostSettings(), nixPath } });
  const cwd = toByteString(process.cwd());
  const file = toByteString(path.resolve(options.file ?? "default.nix"));
  // The program itself is evaluated anew in each run; what it imports is kept, as in an editor.
  const source = (): Source =>
    options.expression === undefined
      ? fileSource(file, io.readFile(file))
      : stringSource(toByteString(options.expression), cwd);
  const times: number[] = [];
  let result = "";
  for (let run = 0; run < options.runs; run++) {
    if (options.fresh) evaluator.reset();
    if (options.edit !== undefined) {
      io.edited = toByteString(options.edit);
      io.typed = `\n#${run}`;
      evaluator.invalidate([io.edited]);
    }
    const start = performance.now();
    const whole = evaluator.expression(source());
    const value = evaluator.autoCall(evaluator.select(whole, options.attribute, new Map()), new Map());
    evaluator.forceDeep(value);
    times.push(performance.now() - start);
    result = printAmbiguous(value);
  }
  const sorted = [...times].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  process.stdout.write(`${JSON.stringify({ runs: times, median, first: times[0], result: result.slice(0, 200) })}\n`);
  return 0;
}
