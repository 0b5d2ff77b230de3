# Packages as functions: filling in their arguments from a set, and changing arguments or attributes afterwards.
{ lib }:
let
  inherit (builtins)
    attrNames
    filter
    intersectAttrs
    isAttrs
    removeAttrs
    ;
  inherit (lib) functionArgs isFunction mirrorFunctionArgs;
in
rec {
  # The derivation of the same attributes after `f` changed them.
  overrideDerivation =
    drv: f:
    let
      new = derivation (drv.drvAttrs // f drv);
    in
    lib.flip (extendDerivation (builtins.seq drv.drvPath true)) new (
      {
        meta = drv.meta or { };
        passthru = drv.passthru or { };
      }
      // (drv.passthru or { })
      // {
        overrideDerivation = overrideDerivation new;
      }
    );

  # `f` with memory: its result can be computed again with other arguments by `.override`.
  makeOverridable =
    f:
    mirrorFunctionArgs f (
      args:
      let
        result = f args;
        newArgs = change: args // (if isFunction change then change args else change);
        override = mirrorFunctionArgs f (change: makeOverridable f (newArgs change));
        again = g: makeOverridable (mirrorFunctionArgs f (a: g (f a))) args;
      in
      if isAttrs result then
        result
        // {
          inherit override;
          overrideDerivation = change: again (x: overrideDerivation x change);
        }
        // lib.optionalAttrs (result ? overrideAttrs) {
          overrideAttrs = change: again (x: x.overrideAttrs change);
        }
      else if isFunction result then
        lib.setFunctionArgs result (functionArgs result) // { inherit override; }
      else
        result
    );

  # Calls a package function (or file) with what it asks for from `autoArgs`, and with `args` on top.
  callPackageWith =
    autoArgs: fn: args:
    let
      f = if isFunction fn then fn else import fn;
      formals = functionArgs f;
      given = intersectAttrs formals autoArgs // args;
      missing = filter (name: !formals.${name} && !(given ? ${name})) (attrNames formals);
      suggestions =
        name:
        let
          near = lib.take 3 (
            lib.sortOn (lib.strings.levenshtein name) (filter (lib.strings.levenshteinAtMost 2 name) (attrNames (autoArgs // args)))
          );
        in
        lib.optionalString (near != [ ]) ", did you mean ${lib.concatMapStringsSep " or " (n: "`${n}'") near}?";
      where = if builtins.isPath fn then " of ${toString fn}" else "";
    in
    if missing == [ ] then
      makeOverridable f given
    else
      throw "callPackage: no value for the argument `${builtins.head missing}'${where}${suggestions (builtins.head missing)}";

  # As callPackageWith, for a function that returns a set of packages: each of them can be overridden.
  callPackagesWith =
    autoArgs: fn: args:
    let
      f = if isFunction fn then fn else import fn;
      given = intersectAttrs (functionArgs f) autoArgs // args;
      pkgs = f given;
    in
    if isAttrs pkgs && !lib.isDerivation pkgs then
      lib.mapAttrs (name: _: makeOverridable (a: (f a).${name}) given) pkgs
    else
      throw "callPackages: expected a set of packages";

  # Adds attributes to a derivation and to each of its outputs; `condition` is checked when it is instantiated.
  extendDerivation =
    condition: passthru: drv:
    let
      outputs = drv.outputs or [ "out" ];
      common =
        drv
        // lib.listToAttrs outputsList
        // {
          all = map (o: o.value) outputsList;
        }
        // passthru;
      outputsList = map (name: {
        inherit name;
        value =
          common
          // {
            inherit (drv.${name}) type outputName;
            outputSpecified = true;
            outPath =
              assert condition;
              drv.${name}.outPath;
            drvPath =
              assert condition;
              drv.${name}.drvPath;
          };
      }) outputs;
    in
    common
    // {
      drvPath =
        assert condition;
        drv.drvPath;
      outPath =
        assert condition;
        drv.outPath;
    };

  # Only what a build farm needs of a derivation.
  hydraJob =
    drv:
    if drv == null then
      null
    else
      lib.getAttrs (filter (name: drv ? ${name}) [
        "name"
        "system"
        "meta"
        "drvPath"
        "outPath"
        "outputName"
        "type"
      ]) drv;

  # A set of packages that may use each other, with its own callPackage and overlays.
  makeScope =
    newScope: f:
    let
      self = f self // {
        newScope = extra: newScope (self // extra);
        callPackage = self.newScope { };
        overrideScope = overlay: makeScope newScope (lib.extends overlay f);
        packages = f;
      };
    in
    self;

  extendMkDerivation =
    {
      constructDrv,
      excludeDrvArgNames ? [ ],
      extendDrvArgs,
      inheritFunctionArgs ? true,
      transformDrv ? (drv: drv),
    }:
    lib.setFunctionArgs (
      argsOrFunction:
      transformDrv (
        constructDrv (
          final:
          let
            args = (lib.toFunction argsOrFunction) final;
          in
          removeAttrs args excludeDrvArgNames // extendDrvArgs final args
        )
      )
    ) (if inheritFunctionArgs then functionArgs (extendDrvArgs { }) else { });
}
