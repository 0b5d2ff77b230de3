/** `nix repl`, line by line: what each session prints, as C++ Nix does (colours left out). */
import { expect, test } from "vitest";
import { createRepl } from "#engine/commands/repl.ts";
import { CONFIGURATION, createVirtualFiles } from "./files.ts";
import { createPageIo } from "./io.ts";

const COLOR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

function session(lines: readonly string[]): string {
  const files = createVirtualFiles([], []);
  files.setWorkspace({ "f.nix": "{ a = 1; b = 2; }" });
  let out = "";
  const print = (text: string) => void (out += text);
  const io = createPageIo(files, []);
  const world = { io, cwd: CONFIGURATION, env: () => undefined, stdin: () => "", print, error: print };
  const repl = createRepl([], world);
  for (const line of lines) repl.line(line);
  return out.replaceAll(COLOR, "");
}

const cases: readonly (readonly [lines: readonly string[], printed: string])[] = [
  [["1 + 1"], "2\n"],
  [["x = 5", "x + 1"], "6\n"],
  [["{ a = 1; b = { c = 2; }; }"], "{\n  a = 1;\n  b = { ... };\n}\n"],
  [["{ a = { b = 1; }; }"], "{\n  a = { ... };\n}\n"],
  [["[ 1 ]"], "[ 1 ]\n"],
  [[":p { a.b = [ 1 2 ]; }"], "{\n  a = {\n    b = [\n      1\n      2\n    ];\n  };\n}\n"],
  [[':p "a\\nb"'], "a\nb\n"],
  [[":t builtins.add 1"], "the partially applied built-in function 'add'\n"],
  [[":t true"], "a Boolean\n"],
  [[":l f.nix", "a + b"], "Added 2 variables.\na, b\n3\n"],
  [[":a { zz = 1; }", "zz"], "Added 1 variables.\nzz\n1\n"],
  [["inherit (builtins) add", "add 1 2"], "3\n"],
  [[":te", ":te"], "showing error traces\nnot showing error traces\n"],
  [[":frob"], "error: unknown command ':frob'\n"],
  [[":b 1"], "error: expression does not evaluate to a derivation, so I can't build it\n"],
];

test.each(cases)("%s", (lines, printed) => {
  expect(session(lines)).toBe(printed);
});
