/**
 * The language against goldens recorded from C++ Nix (scripts/record-lang.mjs): output, error text and exit code of each case.
 */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { NodeIo } from "#workers/node/io.ts";
import { instantiate } from "./instantiate.ts";

const root = path.resolve(import.meta.dirname, "../testdata/lang");
const files = path.join(root, "files");

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Cases of a file, as the recording script reads them. */
function parseCases(text: string): { flags: string[]; expression: string }[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("##"))
    .map((line) => {
      const at = line.indexOf(" :: ");
      const flags = at < 0 ? [] : line.slice(0, at).split(" ");
      return { flags, expression: (at < 0 ? line : line.slice(at + 4)).replaceAll("\\n", "\n") };
    });
}

function evaluate(flags: readonly string[], expression: string, directDepth: number): Answer {
  let out = "";
  let err = "";
  const env = (name: string): string | undefined => (name === "HOME" ? "/homeless" : undefined);
  const io = new NodeIo({
    storeDir: "/nix/store",
    root: undefined,
    readOnly: () => true,
    info: () => undefined,
    env,
    log: (line) => (err += `${line}\n`),
  });
  const status = instantiate(["--eval", ...flags, "-E", expression], {
    io,
    cwd: files,
    env,
    stdin: () => "",
    settings: { system: "i686-linux", directDepth },
    print: (text) => (out += text),
    error: (text) => (err += text),
  });
  const clean = (text: string): string => text.replaceAll(files, "$DIR");
  return { status, out: clean(out), err: clean(err) };
}

for (const name of fs.readdirSync(root).filter((file) => file.endsWith(".txt"))) {
  const cases = parseCases(fs.readFileSync(path.join(root, name), "latin1"));
  const golden = JSON.parse(fs.readFileSync(path.join(root, name.replace(/\.txt$/, ".json")), "latin1")) as Answer[];
  describe.each([
    ["direct", 250],
    ["on the explicit-stack machine", 0],
  ])(`${name} %s`, (_title, depth) => {
    test.each(
      cases.map(({ flags, expression }, i) => [[...flags, expression].join(" "), flags, expression, i] as const),
    )("%s", (_name, flags, expression, i) => {
      expect(evaluate(flags, expression, depth)).toEqual(golden[i]);
    });
  });
}
