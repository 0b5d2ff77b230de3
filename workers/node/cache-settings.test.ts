/** Where caches and keys are named. */
import { expect, it } from "vitest";
import { cacheSettings } from "./cache-settings.ts";

const env: Record<string, string> = { NIX_SUBSTITUTERS: "file:///env", NIX_TRUSTED_PUBLIC_KEYS: "a:1 b:2" };

/** A command line, and "caches | keys". */
function check(line: string, expected: string, variables = env): void {
  it(line || "nothing", () => {
    const { substituters, trustedPublicKeys } = cacheSettings(
      JSON.parse(line || "[]") as string[],
      (name) => variables[name],
    );
    expect(`${substituters.join(" ")} | ${trustedPublicKeys.join(" ")}`).toBe(expected);
  });
}

check("", "file:///env | a:1 b:2");
check('["nix-build"]', " | ", {});
check('["x", "--option", "substituters", "file:///a  https://b"]', "file:///a https://b | a:1 b:2");
check('["x", "--option", "extra-substituters", "file:///a"]', "file:///env file:///a | a:1 b:2");
check('["x", "--substituters", "file:///a", "--trusted-public-keys", "k:3"]', "file:///a | k:3");
check('["x", "--extra-trusted-public-keys", "k:3"]', "file:///env | a:1 b:2 k:3");
check('["x", "--option", "substituters", ""]', " | a:1 b:2");
check('["x", "--option", "substitute", "false"]', " | a:1 b:2");
check('["x", "--no-substitute"]', " | a:1 b:2");
check('["x", "--option", "substituters"]', "file:///env | a:1 b:2");
