# Assertions that say what went wrong.
{ lib }:
rec {
  # For `assert assertMsg condition "why";`: throws the message where a bare assert would only show the source.
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: allowed:
    assertMsg (builtins.elem value allowed)
      "${name} must be one of ${lib.generators.toPretty { multiline = false; } allowed}, but is ${lib.generators.toPretty { multiline = false; } value}";
  assertEachOneOf =
    name: values: allowed:
    builtins.all (value: assertOneOf name value allowed) values;
}
