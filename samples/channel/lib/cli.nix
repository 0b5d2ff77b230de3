# Command lines from attribute sets: `{ verbose = true; X = "PUT"; }` to `--verbose -X PUT`.
{ lib }:
rec {
  toGNUCommandLineShell = options: attrs: lib.escapeShellArgs (toGNUCommandLine options attrs);
  toGNUCommandLine =
    {
      mkOptionName ? name: if builtins.stringLength name == 1 then "-${name}" else "--${name}",
      mkBool ? name: value: lib.optional value (mkOptionName name),
      mkList ? name: value: lib.concatMap (mkOption name) value,
      mkOption ?
        name: value:
        if value == null then
          [ ]
        else if optionValueSeparator == null then
          [
            (mkOptionName name)
            (lib.generators.mkValueStringDefault { } value)
          ]
        else
          [ "${mkOptionName name}${optionValueSeparator}${lib.generators.mkValueStringDefault { } value}" ],
      optionValueSeparator ? null,
    }:
    attrs:
    let
      render = name: value: if lib.isBool value then mkBool name value else if lib.isList value then mkList name value else mkOption name value;
    in
    lib.concatLists (lib.mapAttrsToList render attrs);
}
