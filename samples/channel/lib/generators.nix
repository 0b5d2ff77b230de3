# Texts of configuration formats from Nix values.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    functionArgs
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    match
    toJSON
    ;
in
rec {
  # How plain values are written in key-value formats; lists and sets need a format of their own.
  mkValueStringDefault =
    { }:
    value:
    if isString value then
      value
    else if isInt value || isPath value || isFloat value then
      toString value
    else if value == true then
      "true"
    else if value == false then
      "false"
    else if value == null then
      "null"
    else if lib.isDerivation value then
      toString value
    else
      throw "generators: a ${builtins.typeOf value} cannot be written as a plain value: ${toPretty { } value}";
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    sep: key: value:
    "${lib.escape [ sep ] key}${sep}${mkValueString value}";

  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    let
      line = key: value: indent + mkKeyValue key value + "\n";
      lines = key: value: if listsAsDuplicateKeys && isList value then lib.concatMapStrings (line key) value else line key value;
    in
    set: lib.concatStrings (lib.mapAttrsToList lines set);
  toINI =
    {
      mkSectionName ? lib.escape [ "[" "]" ],
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    set:
    lib.concatStringsSep "\n" (
      lib.mapAttrsToList (
        name: section: "[${mkSectionName name}]\n${toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } section}"
      ) set
    );
  toINIWithGlobalSection =
    args:
    {
      globalSection,
      sections ? { },
    }:
    let
      global = if globalSection == { } then "" else toKeyValue (removeAttrs args [ "mkSectionName" ]) globalSection + "\n";
    in
    global + toINI args sections;
  toGitINI =
    set:
    let
      header =
        path:
        let
          section = builtins.head path;
          sub = lib.tail path;
        in
        if sub == [ ] then "[${section}]" else ''[${section} "${concatStringsSep "." sub}"]'';
      line = key: value: "\t${key} = ${mkValueStringDefault { } value}\n";
      lines = key: value: if isList value then lib.concatMapStrings (line key) value else line key value;
      go =
        path: v:
        let
          plain = lib.filterAttrs (_: x: !isAttrs x) v;
          nested = lib.filterAttrs (_: isAttrs) v;
        in
        lib.optional (plain != { } && path != [ ]) (header path + "\n" + lib.concatStrings (lib.mapAttrsToList lines plain))
        ++ lib.concatLists (lib.mapAttrsToList (name: go (path ++ [ name ])) nested);
    in
    concatStringsSep "\n" (go [ ] set);
  toJSON = { }: builtins.toJSON;
  toYAML = toJSON;
  toXML = { }: builtins.toXML;

  # Replaces what lies deeper than `depthLimit`, or throws there.
  withRecursion =
    {
      depthLimit,
      throwOnDepthLimit ? true,
    }:
    assert isInt depthLimit;
    let
      go =
        depth: v:
        if depth > depthLimit then
          if throwOnDepthLimit then throw "generators.withRecursion: deeper than ${toString depthLimit}" else "<unevaluated>"
        else if isAttrs v && !lib.isDerivation v then
          lib.mapAttrs (name: x: if name == "__functor" || name == "__toString" || name == "__pretty" then x else go (depth + 1) x) v
        else if isList v then
          map (go (depth + 1)) v
        else
          v;
    in
    go 0;

  # A value as a person would write it in Nix.
  toPretty =
    {
      allowPrettyValues ? false,
      multiline ? true,
      indent ? "",
    }:
    let
      go =
        indent: v:
        let
          inner = indent + "  ";
          open = if multiline then "\n${inner}" else " ";
          close = if multiline then "\n${indent}" else " ";
          wrap = left: items: right: left + open + concatStringsSep open items + close + right;
          attr = name: value: "${lib.strings.escapeNixIdentifier name} = ${builtins.addErrorContext "while showing the attribute `${name}'" (go inner value)};";
        in
        if isInt v then
          toString v
        else if isFloat v then
          toString v
        else if isString v then
          string indent v
        else if v == true then
          "true"
        else if v == false then
          "false"
        else if v == null then
          "null"
        else if isPath v then
          toString v
        else if isList v then
          if v == [ ] then "[ ]" else wrap "[" (map (go inner) v) "]"
        else if isFunction v then
          let
            formals = lib.mapAttrsToList (name: optional: if optional then name + "?" else name) (functionArgs v);
          in
          if formals == [ ] then "<function>" else "<function, args: {${concatStringsSep ", " formals}}>"
        else if isAttrs v then
          if allowPrettyValues && v ? __pretty && v ? val then
            v.__pretty v.val
          else if v == { } then
            "{ }"
          else if lib.isDerivation v then
            "<derivation ${v.name or "???"}>"
          else
            wrap "{" (lib.mapAttrsToList attr v) "}"
        else
          "<${builtins.typeOf v}>";
      string =
        indent: text:
        let
          lines = lib.splitString "\n" text;
          inner = indent + "  ";
          escaped = map (lib.replaceStrings [ "\${" "''" ] [ "''\${" "'''" ]) lines;
          last = lib.last escaped;
        in
        if builtins.length lines > 1 && multiline then
          "''\n" + lib.concatMapStrings (line: inner + line + "\n") (lib.init escaped) + (if last == "" then indent else inner + last) + "''"
        else
          lib.strings.escapeNixString text;
    in
    go indent;

  toPlist =
    {
      escape ? true,
    }:
    v:
    let
      text = if escape then lib.escapeXML else x: x;
      go =
        ind: x:
        if x == null then
          ""
        else if isBool x then
          ind + (if x then "<true/>" else "<false/>")
        else if isInt x then
          "${ind}<integer>${toString x}</integer>"
        else if isFloat x then
          "${ind}<real>${toString x}</real>"
        else if isString x || isPath x then
          "${ind}<string>${text (toString x)}</string>"
        else if isList x then
          concatStringsSep "\n" ([ "${ind}<array>" ] ++ map (go (ind + "\t")) x ++ [ "${ind}</array>" ])
        else
          concatStringsSep "\n" (
            [ "${ind}<dict>" ]
            ++ lib.concatMap (
              name:
              lib.optionals (x.${name} != null) [
                "${ind}\t<key>${text name}</key>"
                (go (ind + "\t") x.${name})
              ]
            ) (attrNames x)
            ++ [ "${ind}</dict>" ]
          );
    in
    ''
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
      <plist version="1.0">
      ${go "" v}
      </plist>'';

  toLua =
    {
      multiline ? true,
      indent ? "",
      asBindings ? false,
    }@args:
    v:
    let
      inner = args // {
        indent = indent + "  ";
        asBindings = false;
      };
      open = if multiline then "\n${inner.indent}" else " ";
      close = if multiline then "\n${indent}" else " ";
      key = name: if match "[a-zA-Z_][a-zA-Z0-9_]*" name != null then name else "[${builtins.toJSON name}]";
      items = sep: list: concatStringsSep "${sep}${open}" list;
    in
    if asBindings then
      lib.concatStrings (lib.mapAttrsToList (name: x: "${indent}${name} = ${toLua (args // { asBindings = false; }) x}\n") v)
    else if v == null then
      "nil"
    else if isInt v || isFloat v || isString v || isBool v then
      builtins.toJSON v
    else if isPath v || lib.isDerivation v then
      builtins.toJSON "${v}"
    else if isList v then
      if v == [ ] then "{}" else "{${open}${items "," (map (toLua inner) v)}${close}}"
    else if v._type or null == "lua-inline" then
      "(${v.expr})"
    else if v == { } then
      "{}"
    else
      "{${open}${items "," (lib.mapAttrsToList (name: x: "${if match "[a-zA-Z_][a-zA-Z0-9_]*" name != null then "[\"${name}\"]" else key name} = ${toLua inner x}") v)}${close}}";
  mkLuaInline = expr: {
    _type = "lua-inline";
    inherit expr;
  };

  toDhall =
    { }@args:
    v:
    if isAttrs v then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList (name: x: "${name} = ${toDhall args x}") v)} }"
    else if isList v then
      "[ ${lib.concatMapStringsSep ", " (toDhall args) v} ]"
    else if isInt v then
      (if v < 0 then "" else "+") + toString v
    else if isBool v then
      (if v then "True" else "False")
    else if isFunction v then
      throw "generators.toDhall: a function has no Dhall form"
    else if v == null then
      throw "generators.toDhall: null has no Dhall form"
    else
      builtins.toJSON v;
}
