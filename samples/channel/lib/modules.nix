# The module system: many files that declare options and define values, merged into one configuration.
#
# A module is loaded into a record { key, file, imports, disabledModules, options, config }; declarations and
# definitions are then zipped level by level into a tree whose leaves are evaluated options. Everything is lazy: an
# option nobody reads is never merged, and a definition's condition is looked at only when its option is read.
#
# A definition travels as { file; value; pos; }: `pos` is where the attribute stands, so that a message can name the line.
{ lib }:
let
  inherit (builtins)
    addErrorContext
    all
    attrNames
    concatMap
    elem
    filter
    genericClosure
    head
    isAttrs
    isList
    isPath
    isString
    length
    mapAttrs
    removeAttrs
    tail
    typeOf
    unsafeGetAttrPos
    zipAttrsWith
    ;
  inherit (lib)
    isFunction
    isOption
    showDefs
    showFiles
    showOption
    types
    ;
  imap1 = lib.lists.imap1;

  unknownModule = "<unknown-file>";
  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;

  # Attributes that a module with `config` or `options` may have at its top.
  structural = [
    "_class"
    "_file"
    "config"
    "disabledModules"
    "freeformType"
    "imports"
    "key"
    "meta"
    "options"
    "require"
  ];
  # Attributes of a short-hand module that are not definitions.
  notDefinitions = [
    "_class"
    "_file"
    "disabledModules"
    "freeformType"
    "imports"
    "key"
    "require"
  ];

  # ---------------------------------------------------------------------------------------------------- loading

  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
      # Arguments with the lowest precedence; submodules get their `name` this way.
      extraArgs ? { },
      check ? null,
      args ? { },
    }:
    let
      located = map (module: {
        file = unknownModule;
        inherit module;
      }) modules;
    in
    evalLocated {
      modules = located ++ lib.optional (check != null) {
        file = "lib/modules.nix";
        module.config._module.check = check;
      };
      inherit prefix specialArgs class;
      extraArgs = extraArgs // args;
    };

  # As evalModules, with modules that already know the file they come from: [ { file; module; } … ].
  evalLocated =
    {
      modules,
      prefix,
      specialArgs,
      class,
      extraArgs,
    }@call:
    let
      moduleArgs = {
        inherit lib options config specialArgs extendModules;
        moduleType = type;
        _class = class;
        _prefix = prefix;
      }
      // specialArgs;

      loaded = collectModules {
        inherit class modules moduleArgs;
        argument = name: configured.args.${name} or (throw "The module argument `${name}' is not defined: neither a special argument nor in `_module.args'");
      };
      tree = mergeTree prefix (map declarationsOf loaded ++ [ internalDeclarations ]) (map definitionsOf loaded);
      options = tree.options;

      # What the modules say about the evaluation itself; reading it costs nothing when they say nothing.
      configured =
        if tree.defined ? _module then
          tree.values._module // { args = extraArgs // tree.values._module.args; }
        else
          {
            args = extraArgs;
            check = true;
            freeformType = null;
          };
      internalDeclarations = {
        file = "lib/modules.nix";
        options = { inherit (internalOptions) _module; };
      };

      declared = tree.values // { _module = configured // { inherit specialArgs; }; };
      config =
        if configured.freeformType == null then
          declared
        else
          let
            free = map (def: def // { value = lib.setAttrByPath (lib.drop (length prefix) def.loc) def.value; }) tree.unmatched;
          in
          lib.recursiveUpdate (if free == [ ] then configured.freeformType.emptyValue.value or { } else configured.freeformType.merge prefix free) declared;

      checked =
        if configured.check && configured.freeformType == null && tree.unmatched != [ ] then
          throw (unknownOption prefix options (head tree.unmatched))
        else
          x: x;

      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? call.prefix,
        }:
        evalLocated (
          call
          // {
            inherit prefix;
            modules =
              call.modules
              ++ map (module: {
                file = unknownModule;
                inherit module;
              }) modules;
            specialArgs = call.specialArgs // specialArgs;
          }
        );
      type = types.submoduleWith {
        modules = map (m: setDefaultModuleLocation m.file m.module) call.modules;
        inherit specialArgs class;
      };
    in
    {
      _type = "configuration";
      options = checked options;
      config = checked (removeAttrs config [ "_module" ]);
      _module = checked config._module;
      inherit class extendModules;
      inherit type;
      graph = map (module: {
        inherit (module) key file;
        imports = map (child: child.key) module.children;
        disabled = false;
      }) loaded;
    };

  # Loads modules and all they import, each key once, without the disabled ones: in the order in which they are met.
  collectModules =
    {
      modules,
      moduleArgs,
      argument,
      class,
    }:
    let
      load =
        parentFile: parentKey: position: module:
        let
          fallbackKey = "${parentKey}:anon-${toString position}";
        in
        if isFunction module then
          normalise parentFile fallbackKey (apply fallbackKey module)
        else if isAttrs module then
          if module._type or "" == "configuration" then
            throw "A whole evaluated configuration is used as a module in `${parentFile}'. Import its modules instead, or read its `config`."
          else if module ? _type && (module._type == "if" || module._type == "override") && parentFile != unknownModule then
            throw "`mkIf' or `mkOverride' is used around a module in the `imports` of `${parentFile}'. Imports cannot depend on conditions: put the condition inside the module."
          else if module ? outPath && !(module ? config || module ? options || module ? imports) then
            fromFile "${module}"
          else
            normalise parentFile fallbackKey module
        else if isPath module || isString module then
          fromFile module
        else if isList module then
          throw "A list stands where a module is expected, in `${parentFile}'. Write its elements straight into `imports`."
        else
          throw "A module must be a set, a function or a path, but in `${parentFile}' there is a ${typeOf module}.";

      fromFile =
        path:
        let
          name = toString path;
          content = import path;
        in
        normalise name name (if isFunction content then apply name content else content);

      # Calls a module function with what its formals ask for; each argument is looked up only when it is used.
      apply =
        key: f:
        let
          wanted = removeAttrs (lib.functionArgs f) (attrNames moduleArgs);
        in
        if wanted == { } then
          f moduleArgs
        else
          f (
            moduleArgs
            // mapAttrs (
              name: _: addErrorContext "while looking up the module argument `${name}' of ${key}" (argument name)
            ) wanted
          );

      normalise =
        fallbackFile: fallbackKey: m:
        let
          file = if m ? _file then toString m._file else fallbackFile;
          key = if m ? key then toString m.key else fallbackKey;
          spelled = m ? config || m ? options;
          stray = removeAttrs m structural;
          freeform = { _module.freeformType = m.freeformType; };
          imports = if m ? require then m.require ++ (m.imports or [ ]) else m.imports or [ ];
          config = if spelled then m.config or { } else removeAttrs m notDefinitions;
        in
        if !isAttrs m then
          throw "The module `${file}' is not a set, nor a function that returns a set, but a ${typeOf m}."
        else if m ? _class && m._class != null && class != null && m._class != class then
          throw "The module `${file}' is of class `${m._class}' and is used in a configuration of class `${class}'."
        else if spelled && stray != { } then
          throw "The module `${file}' has the attribute `${head (attrNames stray)}' beside `config' or `options'. Where one of these two is present, all definitions belong inside `config': ${lib.concatStringsSep ", " (attrNames stray)}."
        else
          {
            inherit file key;
            disabled = if m ? disabledModules then map (disabledKey file) m.disabledModules else [ ];
            children = if imports == [ ] then [ ] else imap1 (load file key) imports;
            options = m.options or { };
            configs = (if m ? freeformType then [ freeform ] else [ ]) ++ [ config ];
          };

      disabledKey =
        file: m:
        if isPath m then
          toString m
        else if isString m then
          if lib.hasPrefix "/" m then m else toString (moduleArgs.modulesPath or "") + "/" + m
        else if isAttrs m && m ? key then
          toString m.key
        else
          throw "`disabledModules` in `${file}' takes paths, names or sets with a `key`, not a ${typeOf m}.";

      roots = imap1 (position: root: load root.file "" position root.module) modules;
      all = genericClosure {
        startSet = roots;
        operator = module: module.children;
      };
      disabled = concatMap (module: module.disabled) all;
      allowed = filter (module: !elem module.key disabled);
    in
    if disabled == [ ] then
      all
    else
      genericClosure {
        startSet = allowed roots;
        operator = module: allowed module.children;
      };

  declarationsOf = module: { inherit (module) file options; };
  definitionsOf = module: {
    inherit (module) file;
    value = if length module.configs == 1 then head module.configs else mkMerge module.configs;
    pos = null;
  };

  internalOptions = {
    _module = {
      args = lib.mkOption {
        type = types.lazyAttrsOf types.raw;
        internal = true;
        description = "Arguments that every module gets when it asks for them by name.";
      };
      check = lib.mkOption {
        type = types.bool;
        internal = true;
        default = true;
        description = "Whether definitions of options that nobody declares are an error.";
      };
      freeformType = lib.mkOption {
        type = types.nullOr types.optionType;
        internal = true;
        default = null;
        description = "The type that merges definitions of options that nobody declares.";
      };
      specialArgs = lib.mkOption {
        type = types.raw;
        internal = true;
        readOnly = true;
        description = "Arguments given from outside; they may be used in `imports`.";
      };
    };
  };

  # ---------------------------------------------------------------------------------------------------- merging

  # One level of the tree: `decls` are [ { file; options; } … ], `defs` are definitions whose values are sets.
  #   options    evaluated options, nested as they are declared
  #   values     their values, nested the same way
  #   defined    names that have definitions on this level
  #   unmatched  definitions below this level that no declaration takes: [ { loc; file; value; pos; } … ]
  mergeTree =
    loc: decls: defs:
    let
      declared = zipAttrsWith (_: all: all) (map (decl: mapAttrs (name: options: {
        inherit (decl) file;
        inherit options;
        pos = unsafeGetAttrPos name decl.options;
      }) (optionSet loc decl)) decls);
      defined = zipAttrsWith (_: all: all) (concatMap (def: map (piecesOf def.file) (pieces loc def def.value)) defs);
      nodes = mapAttrs (name: decls: mergeNode (loc ++ [ name ]) decls (defined.${name} or [ ])) declared;
      strangers = removeAttrs defined (attrNames declared);
    in
    {
      options = mapAttrs (_: node: node.options) nodes;
      values = mapAttrs (_: node: node.values) nodes;
      inherit defined;
      unmatched =
        if defs == [ ] then
          [ ]
        else
          concatMap (name: map (def: def // { loc = loc ++ [ name ]; }) strangers.${name}) (attrNames strangers)
          ++ concatMap (name: if nodes ? ${name} then nodes.${name}.unmatched else [ ]) (attrNames defined);
    };

  optionSet =
    loc: decl:
    if isAttrs decl.options then
      decl.options
    else
      throw "The module `${decl.file}' declares `${showOption loc}' as a ${typeOf decl.options} where options are expected.";

  # A declared name is an option, or a set of further names; both at once only where the option is a submodule.
  mergeNode =
    loc: decls: defs:
    if length decls == 1 then
      if isOption (head decls).options then evalOption loc decls defs else mergeTree loc decls defs
    else
      let
        options = filter (decl: isOption decl.options) decls;
        others = filter (decl: !isOption decl.options) decls;
        first = head options;
      in
      if others == [ ] then
        evalOption loc decls defs
      else if options == [ ] then
        mergeTree loc decls defs
      else if length options == 1 && (first.options.type or types.unspecified).getSubModules or null != null then
        evalOption loc (
          [ first ]
          ++ map (decl: {
            inherit (decl) file pos;
            options = lib.mkOption {
              type = types.submoduleWith {
                modules = [
                  {
                    _file = decl.file;
                    options = decl.options;
                  }
                ];
              };
            };
          }) others
        ) defs
      else
        throw "The option `${showOption loc}' of `${first.file}' cannot hold the options that `${(head others).file}' declares inside it.";

  # A definition of a set of options, as sets without properties: mkIf, mkMerge and mkOverride around the set are put
  # around each of its members, so that the names are known without looking at a condition.
  pieces =
    loc: def: value:
    if !isAttrs value then
      throw "`${showOption loc}' is a set of options, but its definition is of type ${typeOf value}:${showDefs [ def ]}"
    else if !(value ? _type) then
      [
        {
          inherit value;
          wrap = null;
        }
      ]
    else if value._type == "merge" then
      concatMap (pieces loc def) value.contents
    else if value._type == "if" then
      map (piece: piece // { wrap = wrapped (mkIf value.condition) piece.wrap; }) (pieces loc def value.content)
    else if value._type == "override" then
      map (piece: piece // { wrap = wrapped (mkOverride value.priority) piece.wrap; }) (pieces loc def value.content)
    else if value._type == "option" then
      throw "An option is declared inside `config' at `${showOption loc}' in `${def.file}'. Declarations belong inside `options'."
    else
      [
        {
          inherit value;
          wrap = null;
        }
      ];
  wrapped = outer: inner: if inner == null then outer else value: outer (inner value);
  piecesOf =
    file: piece:
    mapAttrs (name: value: {
      inherit file;
      value = if piece.wrap == null then value else piece.wrap value;
      pos = unsafeGetAttrPos name piece.value;
    }) piece.value;

  # One option: its declarations merged, its definitions discharged, filtered by priority, ordered, checked, merged.
  # Most options have no definition at all, and of most options only the value is ever read: what the option tells of
  # itself is made apart from the value.
  evalOption =
    loc: decls: defs:
    let
      declaration = if length decls == 1 then (head decls).options else mergeDeclarations loc decls;
      type = declaration.type or types.unspecified;
      # The default is the definition with the weakest priority: it counts when nothing stronger is there.
      default = {
        inherit (head decls) file;
        value = declaration.default;
        pos = null;
      };
      given =
        if defs == [ ] then
          undefined
        else
          addErrorContext "while evaluating the definitions of the option `${showOption loc}'" (discharge loc defs);
      final =
        if declaration ? default && given.priority >= optionDefaultPriority then
          if given.priority == optionDefaultPriority then [ default ] ++ given.values else [ default ]
        else
          given.values;
      checkedReadOnly =
        if declaration.readOnly or false == true && defs != [ ] && (declaration ? default || length defs > 1) then
          throw "The option `${showOption loc}' is read-only and is set ${
            if declaration ? default then "although it has a value already" else "several times"
          }:${showDefs defs}"
        else
          final;
      merged = mergeDefinitions loc type (if defs == [ ] && declaration ? default then [ default ] else checkedReadOnly);
      value = addErrorContext "while evaluating the option `${showOption loc}':" (
        if declaration ? apply && declaration.apply != null then declaration.apply merged else merged
      );
    in
    {
      values = value;
      unmatched = [ ];
      options = declaration // {
        _type = "option";
        inherit loc type value;
        declarations = map (decl: decl.file) decls;
        declarationPositions = map (
          decl:
          if decl.pos or null != null then
            decl.pos
          else
            {
              inherit (decl) file;
              line = null;
              column = null;
            }
        ) decls;
        definitions = map (def: def.value) given.values;
        definitionsWithLocations = map (def: { inherit (def) file value; }) given.values;
        definitionPositions = map (def: def.pos) given.values;
        files = map (def: def.file) given.values;
        highestPrio = lib.min given.priority (if declaration ? default then optionDefaultPriority else noPriority);
        isDefined = final != [ ];
        options = type.getSubOptions loc;
        __toString = _: showOption loc;
      };
    };
  undefined = {
    values = [ ];
    priority = noPriority;
  };

  # Checks every definition against the type, then lets the type merge them.
  mergeDefinitions =
    loc: type: defs:
    if defs == [ ] then
      type.emptyValue.value or (throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.")
    else if all (def: type.check def.value) defs then
      type.merge loc defs
    else
      throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${
        showDefs (filter (def: !type.check def.value) defs)
      }";

  # One member of a list or a set of type `type`: present unless all its definitions are switched off.
  mergeMember =
    loc: type: defs:
    let
      given = discharge loc defs;
    in
    {
      present = given.values != [ ];
      value = addErrorContext "while evaluating the option `${showOption loc}':" (mergeDefinitions loc type given.values);
    };

  # Several declarations of one option: types merge, any other attribute may be given once.
  mergeDeclarations =
    loc: decls:
    (lib.foldl' (
      merged: decl:
      let
        new = decl.options;
        old = merged.options;
        clash = filter (name: old ? ${name} && new ? ${name} && new.${name} != null) [
          "default"
          "example"
          "description"
          "apply"
        ];
        joined = if old ? type && new ? type then old.type.typeMerge new.type.functor else null;
      in
      if clash != [ ] then
        throw "The option `${showOption loc}' in `${decl.file}' is already declared in `${merged.file}'."
      else if old ? type && new ? type && joined == null then
        throw "The option `${showOption loc}' is declared with different types: `${old.type.description}' in `${merged.file}' and `${new.type.description}' in `${decl.file}'."
      else
        {
          inherit (decl) file;
          options =
            old
            // lib.filterAttrs (_: v: v != null) (removeAttrs new [ "type" ])
            // (if joined != null then { type = joined; } else lib.optionalAttrs (new ? type) { inherit (new) type; });
        }
    ) (head decls) (tail decls)).options;

  optionDefaultPriority = 1500;
  noPriority = 9999;

  # Definitions without their properties: { values; priority; } where only those of the strongest priority are kept,
  # sorted by mkOrder.
  discharge =
    loc: defs:
    let
      plain = def: {
        inherit def;
        inherit (def) value;
        priority = defaultOverridePriority;
        order = defaultOrderPriority;
      };
      unwrap =
        item:
        let
          v = item.value;
          kind = v._type or null;
        in
        if kind == "if" then
          if builtins.isBool v.condition then
            if v.condition then unwrap (item // { value = v.content; }) else [ ]
          else
            throw "The condition of a `mkIf' for the option `${showOption loc}' in `${item.def.file}' is a ${typeOf v.condition}, not a Boolean."
        else if kind == "merge" then
          concatMap (content: unwrap (item // { value = content; })) v.contents
        else if kind == "override" then
          unwrap (item // { value = v.content; priority = if item ? overridden then item.priority else v.priority; overridden = true; })
        else if kind == "order" then
          unwrap (item // { value = v.content; order = v.priority; })
        else if kind == "definition" then
          unwrap (item // { value = v.value; def = item.def // { inherit (v) file; pos = null; }; })
        else
          [ item ];
      simple = all (def: !(def.value ? _type)) defs;
      items = concatMap (def: if def.value ? _type then unwrap (plain def) else [ (plain def) ]) defs;
      strongest = lib.foldl' (least: item: if item.priority < least then item.priority else least) noPriority items;
      kept = filter (item: item.priority == strongest) items;
      ordered =
        if all (item: item.order == defaultOrderPriority) kept then kept else lib.sort (a: b: a.order < b.order) kept;
    in
    if simple then
      {
        values = defs;
        priority = defaultOverridePriority;
      }
    else
      {
        values = map (item: item.def // { inherit (item) value; }) ordered;
        priority = strongest;
      };

  # ---------------------------------------------------------------------------------------------------- messages

  unknownOption =
    prefix: options: def:
    let
      parent = lib.init def.loc;
      siblings = lib.attrByPath (lib.drop (length prefix) parent) { } options;
      name = lib.last def.loc;
      near = suggestions name (filter (n: n != "_module") (attrNames siblings));
      declares = def.value._type or "" == "option";
    in
    "The option `${showOption def.loc}' does not exist. Definition values:${showDefs [ def ]}"
    + lib.optionalString (near != [ ]) "\n\nDid you mean ${lib.concatMapStringsSep ", " (n: "`${showOption (parent ++ [ n ])}'") (lib.init near)}${
      lib.optionalString (length near > 1) " or "
    }`${showOption (parent ++ [ (lib.last near) ])}'?"
    + lib.optionalString (near == [ ] && parent != [ ] && !declares && length (attrNames siblings) <= 12)
      "\n\n`${showOption parent}' has: ${lib.concatStringsSep ", " (attrNames siblings)}."
    + lib.optionalString declares "\n\nThis is a declaration: it belongs inside `options', not inside `config'.";

  # Names that a person may have meant: few edits away, the same but for case, or one a beginning of the other.
  suggestions =
    name: candidates:
    let
      simple = lib.toLower name;
      limit = lib.max 1 (builtins.stringLength name / 3);
      distance =
        candidate:
        let
          other = lib.toLower candidate;
        in
        if other == simple then
          0
        else if builtins.stringLength name > 2 && (lib.hasPrefix simple other || lib.hasPrefix other simple) then
          1
        else if lib.strings.levenshteinAtMost limit simple other then
          lib.strings.levenshtein simple other
        else
          null;
      rated = map (candidate: {
        inherit candidate;
        rating = distance candidate;
      }) candidates;
    in
    map (r: r.candidate) (lib.take 3 (lib.sortOn (r: r.rating) (filter (r: r.rating != null) rated)));

  # ---------------------------------------------------------------------------------------------------- properties

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkAssert = assertion: message: content: mkIf (if assertion then true else throw "Assertion failed: ${message}") content;
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOptionDefault = mkOverride optionDefaultPriority;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkDefinition = args: args // { _type = "definition"; };
  mkFixStrictness = x: x;

  # The definitions of one option as a definition of another one.
  mkAliasDefinitions = mkAliasAndWrapDefinitions (x: x);
  mkAliasAndWrapDefinitions = wrap: option: mkAliasIfDef option (wrap (mkMerge option.definitions));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    let
      priority = option.highestPrio or defaultOverridePriority;
    in
    mkAliasIfDef option (wrap (mkOverride priority (mkMerge option.definitions)));
  mkAliasIfDef = option: mkIf (isOption option && option.isDefined);
  mkDerivedConfig = option: f: mkMerge (map (def: mkIf option.isDefined (mkOverride option.highestPrio (f def))) option.definitions);

  # ---------------------------------------------------------------------------------------------------- old names

  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
      condition ? true,
    }:
    {
      config,
      options,
      ...
    }:
    let
      fromOption = lib.getAttrFromPath from options;
      toOf = lib.attrByPath to (throw "Renaming: the option `${showOption to}' does not exist.");
      toType = (lib.attrByPath to { } options).type or (types.submodule { });
    in
    {
      options = lib.setAttrByPath from (
        lib.mkOption (
          {
            inherit visible;
            description = "Alias of `${showOption to}`.";
            apply = _: use (toOf config);
          }
          // lib.optionalAttrs (toType != null) { type = toType; }
        )
      );
      config = mkIf condition (mkMerge [
        (lib.optionalAttrs (options ? warnings) {
          warnings = lib.optional (warn && fromOption.isDefined) "The option `${showOption from}' defined in${showFiles fromOption.files} has been renamed to `${showOption to}'.";
        })
        (
          if withPriority then
            mkAliasAndWrapDefsWithPriority (lib.setAttrByPath to) fromOption
          else
            mkAliasAndWrapDefinitions (lib.setAttrByPath to) fromOption
        )
      ]);
    };
  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };
  mkRenamedOptionModuleWith =
    {
      from,
      to,
      sinceRelease,
    }:
    doRename {
      inherit from to;
      visible = false;
      warn = lib.oldestSupportedReleaseIsAtLeast sinceRelease;
      use = x: x;
    };
  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = x: x;
    };
  mkAliasOptionModuleMD = mkAliasOptionModule;
  mkRemovedOptionModule =
    name: replacement:
    { options, ... }:
    {
      options = lib.setAttrByPath name (
        lib.mkOption {
          visible = false;
          apply = _: throw "The option `${showOption name}' can no longer be used since it's been removed. ${replacement}";
        }
      );
      config.assertions =
        let
          option = lib.getAttrFromPath name options;
        in
        [
          {
            assertion = !option.isDefined;
            message = "The option definition `${showOption name}' in${showFiles option.files} no longer has any effect; please remove it.\n${replacement}";
          }
        ];
    };
  mkMergedOptionModule =
    froms: to: merge:
    { config, options, ... }:
    {
      options = lib.foldl' lib.recursiveUpdate { } (
        map (
          path:
          lib.setAttrByPath path (
            lib.mkOption {
              visible = false;
              # A value that tells "not set" apart from every real one.
              default = "_mkMergedOptionModule";
            }
          )
        ) froms
      );
      config =
        let
          isSet = path: lib.getAttrFromPath path config != "_mkMergedOptionModule";
        in
        {
          warnings = filter (x: x != "") (
            map (
              path:
              lib.optionalString (isSet path)
                "The option `${showOption path}' defined in${showFiles (lib.getAttrFromPath path options).files} has been changed to `${showOption to}' that has a different type. Please read `${showOption to}' documentation and update your configuration accordingly."
            ) froms
          );
        }
        // lib.setAttrByPath to (mkMerge (lib.optional (lib.any isSet froms) (merge config)));
    };
  mkChangedOptionModule =
    from: to: change:
    mkMergedOptionModule [ from ] to change;

  # ---------------------------------------------------------------------------------------------------- locations

  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };
  importApply = path: args: setDefaultModuleLocation path (import path args);
  importJSON = file: {
    _file = file;
    config = lib.trivial.importJSON file;
  };
  importTOML = file: {
    _file = file;
    config = lib.trivial.importTOML file;
  };
in
{
  inherit
    defaultOrderPriority
    defaultOverridePriority
    doRename
    evalModules
    evalLocated
    importApply
    importJSON
    importTOML
    mergeDefinitions
    mergeMember
    mkAfter
    mkAliasAndWrapDefinitions
    mkAliasAndWrapDefsWithPriority
    mkAliasDefinitions
    mkAliasOptionModule
    mkAliasOptionModuleMD
    mkAssert
    mkBefore
    mkChangedOptionModule
    mkDefault
    mkDefinition
    mkDerivedConfig
    mkFixStrictness
    mkForce
    mkIf
    mkImageMediaOverride
    mkMerge
    mkMergedOptionModule
    mkOptionDefault
    mkOrder
    mkOverride
    mkRemovedOptionModule
    mkRenamedOptionModule
    mkRenamedOptionModuleWith
    mkVMOverride
    setDefaultModuleLocation
    unknownModule
    ;
  dischargeProperties = def: map (d: d.value) (discharge [ ] [ { file = unknownModule; value = def; pos = null; } ]).values;
}
