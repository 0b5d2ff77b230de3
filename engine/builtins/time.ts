/**
 * What the evaluator knows of its surroundings: time, platform, version, environment.
 */
import { attrsOf } from "./json-parse.ts";
import { arg, builtin, constant } from "./record.ts";
import type { BuiltinFamily } from "./record.ts";

/** The version of C++ Nix whose behaviour this is. */
export const NIX_VERSION = "2.34.8";
export const LANGUAGE_VERSION = 6;

/** `builtins.nixPath` element: "prefix=path" or a bare path. */
function searchPathEntry(element: string): ReturnType<typeof attrsOf> {
  const equals = element.indexOf("=");
  const prefix = equals < 0 ? "" : element.slice(0, equals);
  return attrsOf(
    new Map([
      ["path", element.slice(equals + 1)],
      ["prefix", prefix],
    ]),
  );
}

export const environmentBuiltins: BuiltinFamily = [
  constant({
    name: "currentTime",
    impure: true,
    doc: "The Unix time at which the evaluation began. It stays the same during one evaluation. Absent under pure evaluation.",
    constant: ({ io }) => io.currentTime(),
  }),
  constant({
    name: "currentSystem",
    impure: true,
    doc: 'The platform of this machine, for instance `"i686-linux"`. Absent under pure evaluation.',
    constant: ({ settings }) => settings.system,
  }),
  constant({
    name: "nixVersion",
    doc: "The version of Nix as a string.",
    constant: () => NIX_VERSION,
  }),
  constant({
    name: "langVersion",
    doc: "The version of the Nix language as an integer.",
    constant: () => LANGUAGE_VERSION,
  }),
  constant({
    name: "storeDir",
    doc: "The directory of the store, usually `/nix/store`.",
    constant: ({ settings }) => settings.storeDir,
  }),
  constant({
    name: "nixPath",
    doc: "The search path in which `<name>` is looked up: a list of sets with `prefix` and `path`. Empty under pure evaluation.",
    constant: ({ settings }) => (settings.pureEval ? [] : settings.nixPath.map(searchPathEntry)),
  }),
  builtin({
    name: "getEnv",
    args: [arg("s", "plain")],
    doc: "The value of the environment variable *s*, or an empty string if it is not set or evaluation is pure or restricted.",
    impl: ([name], { io, settings }) => (settings.pureEval || settings.restrictEval ? "" : (io.getEnv(name) ?? "")),
  }),
];
