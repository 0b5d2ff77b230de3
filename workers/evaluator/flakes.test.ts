/** The workspace as a flake: its folder is an input like any other, also in the page. */
import { expect, test } from "vitest";
import { newLanguageSession, runLanguage } from "#engine/commands/language.ts";
import { CONFIGURATION, createVirtualFiles } from "./files.ts";
import { createPageIo } from "./io.ts";

function run(flake: string, argv: readonly string[]): { status: number; stdout: string; stderr: string } {
  const files = createVirtualFiles([], []);
  files.setWorkspace({ "flake.nix": flake });
  let stdout = "";
  let stderr = "";
  const status = runLanguage(
    argv,
    {
      io: createPageIo(files, []),
      cwd: CONFIGURATION,
      env: () => undefined,
      stdin: () => "",
      print: (text) => void (stdout += text),
      error: (text) => void (stderr += text),
    },
    newLanguageSession(),
  );
  return { status, stdout, stderr };
}

const cases: readonly (readonly [flake: string, argv: readonly string[], stdout: string])[] = [
  ["{ outputs = { self }: { x = 1; }; }", ["nix", "eval", ".#x"], "1\n"],
  ["{ outputs = { self }: { x.y = [ 1 ]; }; }", ["nix", "eval", "--json", ".#x"], '{"y":[1]}\n'],
  ["{ outputs = { self }: { x = builtins.substring 0 7 self.narHash; }; }", ["nix", "eval", "--raw", ".#x"], "sha256-"],
];

test.each(cases)("%s %s", (flake, argv, stdout) => {
  expect(run(flake, argv).stdout).toBe(stdout);
});
