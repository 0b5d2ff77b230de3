# Options as values: declaring them, reading their definitions, listing them for documentation.
{ lib }:
let
  inherit (builtins)
    concatMap
    filter
    isAttrs
    isFunction
    isString
    length
    ;
in
rec {
  # An option is a set marked `_type = "option"`; `opt ? value` and so on are added when modules are evaluated.
  isOption = value: value._type or null == "option";
  mkOption =
    {
      default ? null,
      defaultText ? null,
      example ? null,
      description ? null,
      relatedPackages ? null,
      type ? null,
      apply ? null,
      internal ? null,
      visible ? null,
      readOnly ? null,
    }@attrs:
    attrs // { _type = "option"; };
  mkEnableOption =
    name:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = if name ? _type && name._type == "mdDoc" then "Whether to enable ${name.text}." else "Whether to enable ${name}.";
    };
  # An option for a package: `mkPackageOption pkgs "hello" { }`.
  mkPackageOption =
    pkgs: name:
    {
      nullable ? false,
      default ? name,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      name' = if lib.isList name then lib.last name else name;
      path = lib.toList default;
      shown = "${pkgsText}.${lib.concatStringsSep "." path}";
    in
    mkOption (
      {
        type = (if nullable then lib.types.nullOr else lib.id) lib.types.package;
        description = "The ${name'} package to use.${lib.optionalString (extraDescription != "") " ${extraDescription}"}";
      }
      // lib.optionalAttrs (default != null) {
        default = lib.attrByPath path (throw "mkPackageOption: `${shown}' does not exist") pkgs;
        defaultText = literalExpression shown;
      }
      // lib.optionalAttrs (nullable && default == null) { default = null; }
      // lib.optionalAttrs (example != null) {
        example = if isString example then literalExpression "${pkgsText}.${example}" else example;
      }
    );
  mkPackageOptionMD = mkPackageOption;
  mkSinkUndeclaredOptions =
    attrs:
    mkOption (
      {
        internal = true;
        visible = false;
        default = false;
        description = "Takes everything that no other option declares.";
        type = lib.mkOptionType {
          name = "sink";
          check = _: true;
          merge = _: _: false;
        };
        apply = _: throw "the value of a sink option is never read";
      }
      // attrs
    );
  literalExpression =
    text:
    if isString text then
      {
        _type = "literalExpression";
        inherit text;
      }
    else
      throw "literalExpression: expected a text";
  literalExample = literalExpression;
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  literalDocBook = literalMD;
  mdDoc = text: text;
  # Documentation of a value: as Nix source.
  renderOptionValue = value: if value ? _type && value ? text then value else literalExpression (lib.generators.toPretty { allowPrettyValues = true; } value);

  # Ways of merging definitions `[ { file; value; } … ]` of the option at `loc`.
  mergeDefaultOption =
    loc: defs:
    let
      values = getValues defs;
    in
    if length values == 1 then
      builtins.head values
    else if lib.all isFunction values then
      x: mergeDefaultOption loc (map (f: { file = "?"; value = f x; }) values)
    else if lib.all lib.isList values then
      lib.concatLists values
    else if lib.all isAttrs values then
      lib.foldl' lib.mergeAttrs { } values
    else if lib.all lib.isBool values then
      lib.foldl' lib.or false values
    else if lib.all isString values then
      lib.concatStrings values
    else if lib.all lib.isInt values && lib.all (x: x == builtins.head values) values then
      builtins.head values
    else
      throw "The definitions of the option `${showOption loc}' cannot be merged:${showDefs defs}";
  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? null,
    }:
    loc: defs:
    if length defs == 1 then
      if merge == null then (builtins.head defs).value else merge loc defs
    else
      throw "The option `${showOption loc}' can be defined only once, but is defined ${toString (length defs)} times.${
        lib.optionalString (message != "") " ${message}"
      } It is defined in:${showDefs defs}${prioritySuggestion}";
  mergeEqualOption =
    loc: defs:
    if defs == [ ] then
      throw "The option `${showOption loc}' has no definition"
    else if length defs == 1 then
      (builtins.head defs).value
    else
      (lib.foldl' (
        first: def:
        if def.value != first.value then
          throw "The option `${showOption loc}' has conflicting definitions:${
            showDefs [
              first
              def
            ]
          }${prioritySuggestion}"
        else
          first
      ) (builtins.head defs) (builtins.tail defs)).value;
  prioritySuggestion = "\nUse `lib.mkForce value' or `lib.mkDefault value' to say which of them wins.";

  getValues = map (def: def.value);
  getFiles = map (def: def.file);

  # The options of an evaluated tree as plain documentation records, hidden ones left out.
  optionAttrSetToDocList = optionAttrSetToDocList' [ ];
  optionAttrSetToDocList' =
    _: options:
    concatMap (
      option:
      let
        name = showOption option.loc;
        visible = option.visible or true;
        record = {
          inherit name;
          inherit (option) loc;
          description = option.description or null;
          declarations = filter (file: file != lib.unknownModule) option.declarations;
          internal = option.internal or false;
          visible = if visible == "shallow" then true else visible;
          readOnly = option.readOnly or false;
          type = option.type.description or "unspecified";
        }
        // lib.optionalAttrs (option ? example) { example = renderOptionValue option.example; }
        // lib.optionalAttrs (option ? defaultText || option ? default) {
          default = builtins.addErrorContext "while documenting the default of `${name}'" (
            renderOptionValue (option.defaultText or option.default)
          );
        }
        // lib.optionalAttrs (option.relatedPackages or null != null) { inherit (option) relatedPackages; };
        inside =
          let
            sub = option.type.getSubOptions option.loc;
          in
          if sub != { } && visible != "shallow" then optionAttrSetToDocList' option.loc sub else [ ];
      in
      if record.visible == false || record.internal then [ ] else [ record ] ++ inside
    ) (lib.collect isOption options);

  # An option's name as it is written in a configuration; placeholders such as <name> stay bare.
  showOption =
    parts:
    let
      part =
        text:
        if builtins.match "<.*>|\\*|\\[definition .*]" text != null then
          text
        else if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*" text != null then
          text
        else
          lib.strings.escapeNixString text;
    in
    lib.concatMapStringsSep "." part parts;
  showOptionWithDefLocs = option: showOption option.loc + ", with values defined in:${showFiles option.files}";
  showFiles = files: lib.concatMapStrings (file: "\n- In `${file}'") files;
  # Where each definition stands, and its value cut to a few lines.
  showDefs =
    defs:
    lib.concatMapStrings (
      def:
      let
        pretty = builtins.tryEval (
          lib.generators.toPretty { allowPrettyValues = true; } (
            lib.generators.withRecursion {
              depthLimit = 10;
              throwOnDepthLimit = false;
            } def.value
          )
        );
        lines = lib.splitString "\n" pretty.value;
        cut = lib.take 5 lines;
        shown = lib.concatStringsSep "\n    " (cut ++ lib.optional (length lines > 5) "...");
      in
      "\n- In `${place def}'${if pretty.success then ": ${shown}" else ""}"
    ) defs;
  # The file of a definition, with line and column where they are known and belong to that file.
  place =
    def:
    let
      pos = def.pos or null;
    in
    if pos != null && pos.file == toString def.file then
      "${def.file}:${toString pos.line}:${toString pos.column}"
    else
      toString def.file;
  showDefsSep = sep: defs: lib.concatStringsSep sep (map (def: showDefs [ def ]) defs);
  unknownModule = "<unknown-file>";
}
