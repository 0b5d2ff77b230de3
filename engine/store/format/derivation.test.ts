import { expect, test } from "vitest";
import {
  type Derivation,
  createModuloCache,
  derivationPath,
  fillOutputPaths,
  hashDerivationModulo,
  hashPlaceholder,
  parseDerivation,
  printDerivation,
} from "./derivation.ts";

const UNKNOWN = { path: "", hashAlgorithm: "", hash: "" };
const N_OUT = "/nix/store/n3nyq25dxrfgms5bv2p1cvjny5pm1sgf-n";
const N_DRV = "/nix/store/74qwm6i4mc5wqairwsm87b0hkfgz9gc2-n.drv";

function blank(name: string, builder: string, outputs: readonly string[]): Derivation {
  return {
    outputs: new Map(outputs.map((output) => [output, UNKNOWN])),
    inputDerivations: new Map(),
    inputSources: [],
    system: "x",
    builder,
    args: [],
    env: new Map([["name", name], ["system", "x"], ["builder", builder], ...outputs.map((o) => [o, ""] as const)]),
  };
}

function fill(derivation: Derivation, name: string, inputs: ReadonlyMap<string, Derivation> = new Map()): Derivation {
  const resolve = createModuloCache((path) => inputs.get(path) as Derivation);
  return fillOutputPaths(derivation, name, hashDerivationModulo(derivation, true, resolve));
}

const n = fill(blank("n", "b", ["out"]), "n");
const fixed: Derivation = {
  ...blank("n", "b", ["out"]),
  outputs: new Map([
    [
      "out",
      {
        path: "/nix/store/sqfqwal2rr559hnjxbns9zz67h9yq8va-n",
        hashAlgorithm: "sha256",
        hash: "0".repeat(64),
      },
    ],
  ]),
};

/** A derivation `m` with outputs out and dev whose builder is an output of `input`. */
function consumer(drvPath: string, input: Derivation, builder: string): Derivation {
  const bare = blank("m", builder, ["out", "dev"]);
  const env = new Map([...bare.env, ["outputs", "out dev"] as const]);
  const inputDerivations = new Map([[drvPath, { outputs: ["out"] }]]);
  return fill({ ...bare, env, inputDerivations }, "m", new Map([[drvPath, input]]));
}

// Every path here is what C++ Nix prints for the same derivation.
test("input-addressed paths", () => {
  expect(n.outputs.get("out")?.path).toBe(N_OUT);
  expect(derivationPath(n, "n")).toBe(N_DRV);
  const m = consumer(N_DRV, n, N_OUT);
  expect(derivationPath(m, "m")).toBe("/nix/store/3a4yx84gi911w4r6pppfs42q9bxhixl8-m.drv");
  expect(m.env.get("dev")).toBe("/nix/store/fffyjxh3z1zcv89ldqsksa81pfy6y5v9-m-dev");
});

test("a fixed-output input counts by its content only", () => {
  const drvPath = "/nix/store/zspv0l2jcxncy6vn3z985c72qq1xv06w-n.drv";
  const out = "/nix/store/sqfqwal2rr559hnjxbns9zz67h9yq8va-n";
  const m = consumer(drvPath, fixed, out);
  expect(m.outputs.get("dev")?.path).toBe("/nix/store/3qwys00wv02czrj6hx0cm76pqxb8i1ad-m-dev");
  expect(derivationPath(m, "m")).toBe("/nix/store/j32jgimiscz53fx78bldjd761sjzp8sl-m.drv");
});

test("placeholder", () => {
  expect(hashPlaceholder("out")).toBe("/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
});

test.each([
  printDerivation(n),
  printDerivation({ ...n, env: new Map([['a\n\r\t"\\', "\\n\xff\0"]]), args: ["", "\\"] }),
  printDerivation({
    ...n,
    inputDerivations: new Map([[N_DRV, { outputs: [], dynamic: new Map([["out", { outputs: ["out"] }]]) }]]),
  }),
])("text %#", (text) => expect(printDerivation(parseDerivation(text))).toBe(text));

test.each([
  ["", "file is empty (possible filesystem corruption)"],
  ["X", "expected string 'D'"],
  ["Dx", "derivation does not start with 'Derive' or 'DrvWithVersion'"],
  ["Drv", "expected string 'rvWithVersion('"],
  ["Derive[", "expected string 'erive('"],
  ['Derive([("out","x","","")],[],[]', "bad path 'x' in derivation"],
  ['Derive([("out","/x","sha256","")],[],[]', "content-addressing derivation output should not specify output path"],
  ['Derive([("out","/x","","")][]', "expected string ',['"],
  ['Derive([],[("y.drv",["out"])],[]', "bad path 'y.drv' in derivation"],
  ['Derive([],[],["y"]', "bad path 'y' in derivation"],
  ["Derive(]", "expected string '['"],
  ['Derive([("out', "unterminated string"],
  [`${printDerivation(n).slice(0, -1)}`, "expected string ')'"],
  ['DrvWithVersion("v9",[]', "Unknown derivation ATerm format version 'v9'"],
])("refused %j", (text, message) => expect(() => parseDerivation(text)).toThrow(message));
