/**
 * `builtins.fromTOML`.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { Keys } from "#engine/eval/keys.ts";
import { Attrs, NixFloat, normalInt } from "#engine/eval/value.ts";
import type { Value } from "#engine/eval/value.ts";
import { attrsOf } from "./json-parse.ts";
import { arg, builtin } from "./record.ts";
import type { BuiltinFamily } from "./record.ts";
import { TomlError, TomlFloat, parseToml } from "./toml-parse.ts";
import type { TomlNode, TomlScalar, TomlTable } from "./toml-parse.ts";

const timestampKeys = new Keys(["_type", "value"]);

function valueOf(node: TomlNode, withTimes: boolean): Value {
  if (node.kind === "array") return node.items.map((item) => valueOf(item, withTimes));
  if (node.kind === "scalar") return scalarOf(node.value, withTimes);
  return attrsOf(new Map([...node.entries].map(([name, entry]) => [plainText(name), valueOf(entry, withTimes)])));
}

function scalarOf(value: TomlScalar, withTimes: boolean): Value {
  if (typeof value === "string") return plainText(value);
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return normalInt(value)!;
  if (value instanceof TomlFloat) return new NixFloat(value.value);
  if (withTimes) return new Attrs(timestampKeys, ["timestamp", value.text]);
  throw new NixError("eval", "while parsing TOML: Dates and times are not supported");
}

function plainText(text: string): string {
  if (!text.includes("\0")) return text;
  const shown = text.replaceAll("\0", "\xe2\x90\x80");
  const message = `input string '${shown}' cannot be represented as Nix string because it contains null bytes`;
  throw new NixError("eval", `while parsing TOML: error: ${message}`);
}

function parse(text: string): TomlTable {
  try {
    return parseToml(text);
  } catch (thrown) {
    throw thrown instanceof TomlError ? new NixError("eval", `while parsing TOML: ${thrown.message}`) : thrown;
  }
}

export const tomlBuiltins: BuiltinFamily = [
  builtin({
    name: "fromTOML",
    global: true,
    args: [arg("e", "plain", "while evaluating the argument passed to builtins.fromTOML")],
    doc: 'The value of a TOML document: `fromTOML "x = 1"` is `{ x = 1; }`. Dates and times are refused unless the experimental feature `parse-toml-timestamps` is on.',
    impl: ([text], { settings }: EvalContext) =>
      valueOf(parse(text), settings.experimentalFeatures.has("parse-toml-timestamps")),
  }),
];
