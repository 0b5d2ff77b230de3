/**
 * Records what C++ Nix answers to the one-line expressions of engine/testdata/builtins/*.txt, beside each as *.jsonl.
 *
 *   NIX_ORACLE=DIR/bin node scripts/record-builtins.mjs [--all] [family…]
 *
 * A line `@ flags` sets further flags for the lines after it, `# …` is a comment. Only lines that have no answer yet are asked,
 * unless --all is given. Fixture files are laid out at /tmp/terrarium, where the replaying test has them too.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ask, fixtures, parseError } from "./oracle.mjs";

const data = new URL("../engine/testdata/builtins/", import.meta.url).pathname;
const words = process.argv.slice(2);
const everything = words.includes("--all");
const wanted = words.filter((argument) => !argument.startsWith("--"));

/** The lines of a case file with the flags that hold for each. */
function readCases(path) {
  let flags = "";
  const cases = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line.startsWith("@")) flags = line.slice(1).trim();
    else if (line.trim() !== "" && !line.startsWith("# ")) cases.push({ expr: line, flags });
  }
  return cases;
}

const keyOf = ({ expr, flags }) => `${flags ?? ""}\n${expr}`;

function record({ expr, flags }, { code, out, err }) {
  const entry = { expr };
  if (flags !== "") entry.flags = flags;
  if (code === 0) {
    entry.out = out.replace(/\n$/, "");
    const log = err.replace(/\n$/, "");
    if (log !== "") entry.log = log.split("\n");
    return entry;
  }
  if (!/^error:/m.test(err)) return { ...entry, died: true };
  const { log, trace, message, pos } = parseError(err);
  entry.error = message;
  if (pos !== undefined) entry.pos = pos;
  if (trace.length > 0) entry.trace = trace;
  if (log.length > 0) entry.log = log;
  return entry;
}

/** One JSON object a line; bytes above ASCII are escaped so that the file is UTF-8 whatever they are. */
const print = (entry) => JSON.stringify(entry).replace(/[\x80-\xff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);

async function recordFamily(file) {
  const target = join(data, file.replace(/\.txt$/, ".jsonl"));
  const known = new Map();
  if (!everything && existsSync(target)) {
    for (const line of readFileSync(target, "utf8").split("\n").filter(Boolean)) {
      const entry = JSON.parse(line);
      known.set(keyOf({ ...entry, expr: Buffer.from(entry.expr, "latin1").toString("utf8") }), entry);
    }
  }
  const cases = readCases(join(data, file));
  const entries = [];
  let next = 0;
  let asked = 0;
  const work = async () => {
    while (next < cases.length) {
      const index = next++;
      const item = cases[index];
      entries[index] = known.get(keyOf(item));
      if (entries[index] !== undefined) continue;
      asked++;
      const bytes = Buffer.from(item.expr, "utf8").toString("latin1");
      entries[index] = record({ ...item, expr: bytes }, await ask(item));
    }
  };
  await Promise.all([work(), work()]);
  writeFileSync(target, entries.map((entry) => `${print(entry)}\n`).join(""));
  console.log(`${basename(file, ".txt")}: ${entries.length} cases, ${asked} asked`);
}

rmSync(fixtures, { recursive: true, force: true });
mkdirSync(fixtures, { recursive: true });
cpSync(join(data, "files"), fixtures, { recursive: true });
symlinkSync("hello.txt", join(fixtures, "link"));
for (const file of readdirSync(data)
  .filter((name) => name.endsWith(".txt"))
  .sort()) {
  if (wanted.length === 0 || wanted.includes(basename(file, ".txt"))) await recordFamily(file);
}
