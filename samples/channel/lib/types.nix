# Types of options: what values they accept, and how several definitions become one value.
#
# A type is { name; description; check; merge; emptyValue; getSubOptions; getSubModules; substSubModules; typeMerge;
# functor; nestedTypes; }. `merge loc defs` gets definitions { file; value; } that `check` has accepted already.
# Where a type holds other types it builds their locations (`loc ++ [ name ]`), so that messages name the exact place.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatLists
    elem
    elemAt
    filter
    head
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    length
    mapAttrs
    tail
    typeOf
    zipAttrsWith
    ;
  inherit (lib) isFunction showOption;
  inherit (lib.options)
    getValues
    mergeDefaultOption
    mergeEqualOption
    mergeOneOption
    mergeUniqueOption
    ;

  outer = type: isType "option-type" type;
  isType = name: value: value._type or null == name;

  noSub = _: { };
  noSubst = _: null;

  mkOptionType =
    {
      name,
      description ? name,
      descriptionClass ? null,
      check ? (_: true),
      merge ? mergeDefaultOption,
      emptyValue ? { },
      getSubOptions ? noSub,
      getSubModules ? null,
      substSubModules ? noSubst,
      functor ? defaultFunctor name,
      typeMerge ? defaultTypeMerge functor,
      deprecationMessage ? null,
      nestedTypes ? { },
    }:
    {
      _type = "option-type";
      inherit
        name
        description
        descriptionClass
        check
        merge
        emptyValue
        getSubOptions
        getSubModules
        substSubModules
        typeMerge
        deprecationMessage
        nestedTypes
        ;
      functor = functor // {
        type = functor.type or types.${name} or null;
      };
    };

  # How two declarations of one option find a common type: same name, and payloads that can be joined.
  defaultFunctor = name: {
    inherit name;
    payload = null;
    wrapped = null;
    binOp = _: _: null;
  };
  defaultTypeMerge =
    f: f':
    if f.name != f'.name then
      null
    else if f.payload or null == null && f'.payload or null == null then
      f'.type or f.type or null
    else if f.payload or null == null || f'.payload or null == null then
      null
    else
      let
        joined = f.binOp f.payload f'.payload;
      in
      if joined == null then null else f.type joined;

  # The functor of a type with one inner type.
  elemTypeFunctor =
    name: type: elemType:
    {
      inherit name;
      type = payload: type payload.elemType;
      payload = { inherit elemType; };
      wrapped = elemType;
      binOp =
        a: b:
        let
          joined = a.elemType.typeMerge b.elemType.functor;
        in
        if joined == null then null else { elemType = joined; };
    };

  # Phrases inside phrases: `list of (a or b)`.
  phrase =
    accepts: type: if type.descriptionClass == null || elem type.descriptionClass accepts then type.description else "(${type.description})";
  noun = phrase [
    "noun"
    "composite"
  ];

  # A member of a container as { present; value; }: its definitions may carry mkIf and priorities of their own.
  member = lib.modules.mergeMember;

  between =
    name: low: high: whole:
    mkOptionType {
      inherit name;
      description = "${whole} between ${toString low} and ${toString high} (both inclusive)";
      descriptionClass = "noun";
      check = x: (if whole == "integer" then isInt x else isInt x || isFloat x) && x >= low && x <= high;
      merge = mergeEqualOption;
    };
  bits =
    name: count: signed:
    let
      pow = n: if n == 0 then 1 else 2 * pow (n - 1);
      low = if signed then -(pow (count - 1)) else 0;
      high = (if signed then pow (count - 1) else pow count) - 1;
    in
    mkOptionType {
      inherit name;
      description = "${toString count} bit ${if signed then "" else "un"}signed integer; between ${toString low} and ${toString high} (both inclusive)";
      descriptionClass = "nonRestrictiveClause";
      check = x: isInt x && x >= low && x <= high;
      merge = mergeEqualOption;
    };

  text =
    name: description: check:
    mkOptionType {
      inherit name description check;
      descriptionClass = "noun";
      merge = mergeEqualOption;
    };

  types = rec {
    inherit mkOptionType defaultFunctor defaultTypeMerge;
    isOptionType = outer;
    optionDescriptionPhrase = pred: type: if pred type.descriptionClass type.description then type.description else "(${type.description})";

    # ------------------------------------------------------------------------------------------------- anything

    raw = mkOptionType {
      name = "raw";
      description = "raw value";
      descriptionClass = "noun";
      merge = mergeOneOption;
    };
    unspecified = mkOptionType {
      name = "unspecified";
      description = "unspecified value";
      descriptionClass = "noun";
    };
    # Sets are merged member by member, lists joined, functions merged by their results; the rest has to be equal.
    anything = mkOptionType {
      name = "anything";
      description = "anything";
      descriptionClass = "noun";
      merge =
        loc: defs:
        let
          kinds = lib.unique (map (def: kind def.value) defs);
          kind = v: if isAttrs v && lib.isStringLike v then "stringCoercibleSet" else typeOf v;
          only = head kinds;
        in
        if length kinds != 1 then
          throw "The option `${showOption loc}' has conflicting definition types:${lib.showDefs defs}"
        else if only == "set" then
          (lazyAttrsOf anything).merge loc defs
        else if only == "list" then
          if length defs > 1 then mergeEqualOption loc defs else (listOf anything).merge loc defs
        else if only == "stringCoercibleSet" then
          mergeOneOption loc defs
        else if only == "lambda" then
          x:
          anything.merge (loc ++ [ "<function body>" ]) (
            map (def: {
              inherit (def) file;
              value = def.value x;
            }) defs
          )
        else
          mergeEqualOption loc defs;
    };

    # ------------------------------------------------------------------------------------------------- scalars

    bool = mkOptionType {
      name = "bool";
      description = "boolean";
      descriptionClass = "noun";
      check = isBool;
      merge = mergeEqualOption;
    };
    boolByOr = mkOptionType {
      name = "boolByOr";
      description = "boolean (merged using or)";
      descriptionClass = "noun";
      check = isBool;
      merge = _: defs: lib.any (def: def.value) defs;
    };
    int = mkOptionType {
      name = "int";
      description = "signed integer";
      descriptionClass = "noun";
      check = isInt;
      merge = mergeEqualOption;
    };
    ints = {
      between =
        low: high:
        assert lib.assertMsg (low <= high) "ints.between: the lower bound is above the upper one";
        between "intBetween" low high "integer";
      unsigned = addCheck int (x: x >= 0) // {
        name = "unsignedInt";
        description = "unsigned integer, meaning >=0";
        descriptionClass = "nonRestrictiveClause";
      };
      positive = addCheck int (x: x > 0) // {
        name = "positiveInt";
        description = "positive integer, meaning >0";
        descriptionClass = "nonRestrictiveClause";
      };
      u8 = bits "unsignedInt8" 8 false;
      u16 = bits "unsignedInt16" 16 false;
      u32 = bits "unsignedInt32" 32 false;
      s8 = bits "signedInt8" 8 true;
      s16 = bits "signedInt16" 16 true;
      s32 = bits "signedInt32" 32 true;
    };
    port = ints.u16;
    float = mkOptionType {
      name = "float";
      description = "floating point number";
      descriptionClass = "noun";
      check = isFloat;
      merge = mergeEqualOption;
    };
    number = either int float;
    numbers = {
      between = low: high: between "numberBetween" low high "number";
      nonnegative = addCheck number (x: x >= 0) // {
        name = "numberNonnegative";
        description = "nonnegative integer or floating point number, meaning >=0";
      };
      positive = addCheck number (x: x > 0) // {
        name = "numberPositive";
        description = "positive integer or floating point number, meaning >0";
      };
    };

    str = text "str" "string" isString;
    string = str;
    nonEmptyStr = text "nonEmptyStr" "non-empty string" (x: isString x && builtins.match "[ \t\n]*" x == null);
    singleLineStr = mkOptionType {
      name = "singleLineStr";
      description = "(optionally newline-terminated) single-line string";
      descriptionClass = "noun";
      check = x: isString x && builtins.match "[^\n\r]*\n?" x != null;
      merge = loc: defs: lib.removeSuffix "\n" (mergeEqualOption loc defs);
    };
    strMatching = pattern: text "strMatching ${lib.strings.escapeNixString pattern}" "string matching the pattern ${pattern}" (
      x: isString x && builtins.match pattern x != null
    );
    separatedString =
      sep:
      mkOptionType rec {
        name = "separatedString";
        description = if sep == "" then "Concatenated string" else "strings concatenated with ${builtins.toJSON sep}";
        descriptionClass = "noun";
        check = isString;
        merge = _: defs: lib.concatStringsSep sep (getValues defs);
        functor = defaultFunctor name // {
          payload = { inherit sep; };
          type = payload: separatedString payload.sep;
          binOp = a: b: if a.sep == b.sep then a else null;
        };
      };
    lines = separatedString "\n";
    commas = separatedString ",";
    envVar = separatedString ":";
    passwdEntry =
      type:
      addCheck type (x: !(lib.hasInfix ":" x || lib.hasInfix "\n" x))
      // {
        name = "passwdEntry ${type.name}";
        description = "${phrase [ "noun" ] type}, not containing newlines or colons";
        descriptionClass = "nonRestrictiveClause";
      };

    # ------------------------------------------------------------------------------------------------- paths, packages

    path = pathWith {
      absolute = true;
    } // { name = "path"; };
    pathInStore = pathWith { inStore = true; } // { name = "pathInStore"; };
    externalPath = pathWith {
      absolute = true;
      inStore = false;
    } // { name = "externalPath"; };
    pathWith =
      {
        inStore ? null,
        absolute ? null,
      }@payload:
      mkOptionType {
        name = "pathWith";
        description =
          (if absolute == null then "" else if absolute then "absolute " else "relative ")
          + "path"
          + (if inStore == null then "" else if inStore then " in the Nix store" else " not in the Nix store");
        descriptionClass = "noun";
        check =
          x:
          let
            value = toString x;
          in
          lib.isStringLike x
          && (absolute == null || (lib.hasPrefix "/" value) == absolute)
          && (inStore == null || (lib.hasPrefix (builtins.storeDir + "/") value) == inStore);
        merge = mergeEqualOption;
        functor = defaultFunctor "pathWith" // {
          inherit payload;
          type = pathWith;
          binOp = a: b: if a == b then a else null;
        };
      };
    package = mkOptionType {
      name = "package";
      description = "package";
      descriptionClass = "noun";
      check = x: lib.isDerivation x || lib.isStorePath x;
      merge =
        loc: defs:
        let
          value = mergeOneOption loc defs;
        in
        if isPath value || isString value && !builtins.hasContext value then lib.toDerivation value else value;
    };
    shellPackage = package // {
      check = x: lib.isDerivation x && x ? shellPath;
    };
    pkgs = addCheck (
      unique { message = "A package set cannot be merged with another one."; } attrs
      // {
        name = "pkgs";
        description = "Nixpkgs package set";
        descriptionClass = "noun";
      }
    ) (x: x._type or null == "pkgs");
    fileset = mkOptionType {
      name = "fileset";
      description = "fileset";
      descriptionClass = "noun";
      check = lib.fileset.isFileset;
      merge = _: defs: lib.fileset.unions (getValues defs);
    };

    # ------------------------------------------------------------------------------------------------- containers

    attrs = mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      merge = _: defs: lib.foldl' (acc: def: acc // def.value) { } defs;
      emptyValue.value = { };
    };
    listOf =
      elemType:
      mkOptionType {
        name = "listOf";
        description = "list of ${noun elemType}";
        descriptionClass = "composite";
        check = isList;
        merge =
          loc: defs:
          map (x: x.value) (
            filter (x: x.present) (
              concatLists (
                lib.imap1 (
                  n: def:
                  lib.imap1 (
                    m: value: member (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType [ (def // { inherit value; }) ]
                  ) def.value
                ) defs
              )
            )
          );
        emptyValue.value = [ ];
        getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "*" ]);
        getSubModules = elemType.getSubModules;
        substSubModules = m: listOf (elemType.substSubModules m);
        functor = elemTypeFunctor "listOf" listOf elemType;
        nestedTypes = { inherit elemType; };
      };
    nonEmptyListOf =
      elemType:
      let
        list = addCheck (listOf elemType) (x: x != [ ]);
      in
      list
      // {
        description = "non-empty ${list.description}";
        emptyValue = { };
        substSubModules = m: nonEmptyListOf (elemType.substSubModules m);
      };
    attrsOf = elemType: attrsWith { inherit elemType; };
    lazyAttrsOf =
      elemType:
      attrsWith {
        inherit elemType;
        lazy = true;
      };
    # `lazy`: names are known without looking at the values, at the price that a member under mkIf false still shows.
    attrsWith =
      {
        elemType,
        lazy ? false,
        placeholder ? "name",
      }@payload:
      let
        gather =
          loc: defs:
          zipAttrsWith (
            name: members:
            member (loc ++ [ name ]) elemType members
          ) (map (def: mapAttrs (name: value: {
            inherit (def) file;
            inherit value;
            pos = builtins.unsafeGetAttrPos name def.value;
          }) def.value) defs);
      in
      mkOptionType rec {
        name = if lazy then "lazyAttrsOf" else "attrsOf";
        description = (if lazy then "lazy " else "") + "attribute set of ${noun elemType}";
        descriptionClass = "composite";
        check = isAttrs;
        merge =
          if lazy then
            loc: defs: mapAttrs (name: m: if m.present then m.value else elemType.emptyValue.value or m.value) (gather loc defs)
          else
            loc: defs:
            let
              members = gather loc defs;
              absent = filter (name: !members.${name}.present) (attrNames members);
            in
            mapAttrs (_: m: m.value) (if absent == [ ] then members else removeAttrs members absent);
        emptyValue.value = { };
        getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<${placeholder}>" ]);
        getSubModules = elemType.getSubModules;
        substSubModules = m: attrsWith (payload // { elemType = elemType.substSubModules m; });
        functor = {
          inherit name;
          payload = {
            inherit elemType lazy placeholder;
          };
          wrapped = elemType;
          type = attrsWith;
          binOp =
            a: b:
            let
              joined = a.elemType.typeMerge b.elemType.functor;
            in
            if joined == null || a.lazy != b.lazy then null else a // { elemType = joined; };
        };
        nestedTypes = { inherit elemType; };
      };
    # Exactly one of the named members, each with an option of its own.
    attrTag =
      tags:
      mkOptionType {
        name = "attrTag";
        description = "attribute-tagged union with choices: ${lib.concatStringsSep ", " (attrNames tags)}";
        descriptionClass = "noun";
        check = x: isAttrs x && length (attrNames x) == 1 && tags ? ${head (attrNames x)};
        merge =
          loc: defs:
          let
            choices = lib.unique (lib.concatMap (def: attrNames def.value) defs);
            choice = head choices;
          in
          if length choices != 1 then
            throw "The option `${showOption loc}' chooses several of its alternatives:${lib.showDefs defs}"
          else
            {
              ${choice} =
                (member (loc ++ [ choice ]) tags.${choice}.type (map (def: def // { value = def.value.${choice}; }) defs)).value;
            };
        nestedTypes = mapAttrs (_: option: option.type) tags;
        getSubOptions = prefix: mapAttrs (name: option: option // { loc = prefix ++ [ name ]; declarations = option.declarations or [ ]; }) tags;
      };
    functionTo =
      elemType:
      mkOptionType {
        name = "functionTo";
        description = "function that evaluates to a(n) ${phrase [ "noun" "composite" ] elemType}";
        descriptionClass = "composite";
        check = isFunction;
        merge =
          loc: defs: x:
          (member (loc ++ [ "<function body>" ]) elemType (map (def: def // { value = def.value x; }) defs)).value;
        getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<function body>" ]);
        getSubModules = elemType.getSubModules;
        substSubModules = m: functionTo (elemType.substSubModules m);
        functor = elemTypeFunctor "functionTo" functionTo elemType;
        nestedTypes = { inherit elemType; };
      };

    # ------------------------------------------------------------------------------------------------- alternatives

    nullOr =
      elemType:
      mkOptionType {
        name = "nullOr";
        description = "null or ${phrase [ "noun" "conjunction" ] elemType}";
        descriptionClass = "conjunction";
        check = x: x == null || elemType.check x;
        merge =
          loc: defs:
          let
            nulls = lib.count (def: def.value == null) defs;
          in
          if nulls == length defs then
            null
          else if nulls != 0 then
            throw "The option `${showOption loc}' is defined both null and not null, in:${lib.showDefs defs}"
          else
            elemType.merge loc defs;
        emptyValue.value = null;
        getSubOptions = elemType.getSubOptions;
        getSubModules = elemType.getSubModules;
        substSubModules = m: nullOr (elemType.substSubModules m);
        functor = elemTypeFunctor "nullOr" nullOr elemType;
        nestedTypes = { inherit elemType; };
      };
    enum =
      values:
      let
        show = v: if isString v then ''"${v}"'' else if isInt v then toString v else if isBool v then lib.boolToString v else "<${typeOf v}>";
        shown = map show values;
      in
      mkOptionType rec {
        name = "enum";
        description =
          if values == [ ] then
            "impossible (empty enum)"
          else if length values == 1 then
            "value ${head shown} (singular enum)"
          else
            "one of ${lib.concatStringsSep ", " shown}";
        descriptionClass = if length values < 2 then "noun" else "conjunction";
        check = x: elem x values;
        merge = mergeEqualOption;
        functor = defaultFunctor name // {
          payload = { inherit values; };
          type = payload: enum payload.values;
          binOp = a: b: { values = lib.unique (a.values ++ b.values); };
        };
      };
    either =
      a: b:
      mkOptionType rec {
        name = "either";
        description = "${phrase [ "noun" "conjunction" ] a} or ${phrase [ "noun" "conjunction" "composite" ] b}";
        descriptionClass = "conjunction";
        check = x: a.check x || b.check x;
        merge =
          loc: defs:
          if lib.all (def: a.check def.value) defs then
            a.merge loc defs
          else if lib.all (def: b.check def.value) defs then
            b.merge loc defs
          else
            mergeOneOption loc defs;
        typeMerge =
          f':
          let
            first = a.typeMerge (elemAt f'.payload.elemType 0).functor;
            second = b.typeMerge (elemAt f'.payload.elemType 1).functor;
          in
          if f'.name == "either" && first != null && second != null then either first second else null;
        functor = defaultFunctor name // {
          type = payload: either (elemAt payload.elemType 0) (elemAt payload.elemType 1);
          payload.elemType = [
            a
            b
          ];
        };
        nestedTypes = {
          left = a;
          right = b;
        };
      };
    oneOf =
      list:
      if list == [ ] then
        throw "types.oneOf: at least one type is needed"
      else
        lib.foldl' either (head list) (tail list);
    coercedTo =
      from: coerce: to:
      assert lib.assertMsg (from.getSubModules == null) "types.coercedTo: the type to convert from may not be a submodule";
      mkOptionType {
        name = "coercedTo";
        description = "${phrase [ "noun" ] to} or ${phrase [ "noun" ] from} convertible to it";
        descriptionClass = "conjunction";
        check = x: (from.check x && to.check (coerce x)) || to.check x;
        merge = loc: defs: to.merge loc (map (def: if from.check def.value then def // { value = coerce def.value; } else def) defs);
        emptyValue = to.emptyValue;
        getSubOptions = to.getSubOptions;
        getSubModules = to.getSubModules;
        substSubModules = m: coercedTo from coerce (to.substSubModules m);
        typeMerge = _: null;
        functor = defaultFunctor "coercedTo" // { wrapped = to; };
        nestedTypes = {
          coercedType = from;
          finalType = to;
        };
      };
    unique =
      { message }:
      type:
      type
      // {
        name = "unique";
        merge = mergeUniqueOption {
          inherit message;
          inherit (type) merge;
        };
        typeMerge = _: null;
        nestedTypes.elemType = type;
      };
    uniq = unique { message = ""; };
    addCheck = type: extra: type // { check = x: type.check x && extra x; };

    # ------------------------------------------------------------------------------------------------- modules

    submodule = modules: submoduleWith {
      modules = lib.toList modules;
      shorthandOnlyDefinesConfig = true;
    };
    submoduleWith =
      {
        modules,
        specialArgs ? { },
        shorthandOnlyDefinesConfig ? false,
        description ? null,
        class ? null,
      }@payload:
      let
        evaluate =
          name: prefix: more:
          lib.modules.evalLocated {
            modules = map (module: {
              file = lib.unknownModule;
              inherit module;
            }) modules ++ more;
            inherit prefix specialArgs class;
            extraArgs = { inherit name; };
          };
        toModule =
          def:
          if isAttrs def.value && shorthandOnlyDefinesConfig then
            {
              inherit (def) file;
              module.config = def.value;
            }
          else
            {
              inherit (def) file;
              module = def.value;
            };
      in
      mkOptionType {
        name = "submodule";
        description = if description != null then description else "submodule";
        descriptionClass = "noun";
        check = x: isAttrs x || isFunction x || isPath x;
        merge = loc: defs: (evaluate (lib.last loc) loc (map toModule defs)).config;
        emptyValue.value = { };
        getSubOptions = prefix: removeAttrs (evaluate (if prefix == [ ] then "<name>" else lib.last prefix) prefix [ ]).options [ "_module" ];
        getSubModules = modules;
        substSubModules = m: submoduleWith (payload // { modules = m; });
        functor = defaultFunctor "submodule" // {
          type = submoduleWith;
          payload = {
            inherit modules specialArgs shorthandOnlyDefinesConfig description class;
          };
          binOp = a: b: {
            modules = a.modules ++ b.modules;
            specialArgs =
              if builtins.intersectAttrs a.specialArgs b.specialArgs == { } then
                a.specialArgs // b.specialArgs
              else
                throw "Two submodule types with the same special arguments cannot be merged";
            shorthandOnlyDefinesConfig = a.shorthandOnlyDefinesConfig || b.shorthandOnlyDefinesConfig;
            description = if a.description == null then b.description else a.description;
            class = if a.class == null then b.class else a.class;
          };
        };
      };
    deferredModule = deferredModuleWith { };
    deferredModuleWith =
      {
        staticModules ? [ ],
      }@payload:
      mkOptionType {
        name = "deferredModule";
        description = "module";
        descriptionClass = "noun";
        check = x: isAttrs x || isFunction x || isPath x;
        merge = loc: defs: {
          imports = staticModules ++ map (def: lib.setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value) defs;
        };
        getSubOptions = prefix: (submodule staticModules).getSubOptions prefix;
        getSubModules = if staticModules == [ ] then null else staticModules;
        substSubModules = m: deferredModuleWith { staticModules = m; };
        functor = defaultFunctor "deferredModule" // {
          type = deferredModuleWith;
          payload = { inherit staticModules; };
          binOp = a: b: { staticModules = lib.unique (a.staticModules ++ b.staticModules); };
        };
      };
    optionType = mkOptionType {
      name = "optionType";
      description = "optionType";
      descriptionClass = "noun";
      check = outer;
      merge =
        loc: defs:
        let
          joined = lib.foldl' (
            a: b:
            let
              both = a.typeMerge b.functor;
            in
            if both == null then throw "The types of the option `${showOption loc}' cannot be merged" else both
          ) (head defs).value (map (def: def.value) (tail defs));
        in
        if length defs == 1 then (head defs).value else joined;
    };
  };
in
types // { inherit types isType; }
