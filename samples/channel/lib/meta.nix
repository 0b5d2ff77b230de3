# What packages say about themselves: changing `meta`, finding the main program, platforms, licences.
{ lib }:
rec {
  addMetaAttrs = attrs: drv: drv // { meta = drv.meta or { } // attrs; };
  dontDistribute = addMetaAttrs { hydraPlatforms = [ ]; };
  setName = name: drv: drv // { inherit name; };
  updateName = f: drv: setName (f drv.name) drv;
  appendToName = suffix: updateName (name: let parts = builtins.parseDrvName name; in "${parts.name}-${suffix}-${parts.version}");
  mapDerivationAttrset = f: lib.mapAttrs (_: value: if lib.isDerivation value then f value else value);

  # A smaller number wins when two packages put the same file into an environment; 5 is the usual one.
  defaultPriority = 5;
  setPrio = priority: addMetaAttrs { inherit priority; };
  lowPrio = setPrio 10;
  lowPrioSet = mapDerivationAttrset lowPrio;
  hiPrio = setPrio (-10);
  hiPrioSet = mapDerivationAttrset hiPrio;

  platformMatch = platform: pattern: if builtins.isString pattern then pattern == platform.system else lib.matchAttrs pattern platform;
  availableOn =
    platform: pkg:
    (!(pkg ? meta.platforms) || lib.any (platformMatch platform) pkg.meta.platforms)
    && !lib.any (platformMatch platform) (pkg.meta.badPlatforms or [ ]);

  getLicenseFromSpdxId = id: getLicenseFromSpdxIdOr id (throw "no licence has the SPDX identifier `${id}'");
  getLicenseFromSpdxIdOr =
    id: default:
    lib.findFirst (license: lib.toLower (license.spdxId or "") == lib.toLower id) default (lib.attrValues lib.licenses);

  # The path of the program that gives the package its name.
  getExe =
    pkg:
    getExe' pkg (
      pkg.meta.mainProgram or (lib.warn "getExe: `${pkg.name}' names no main program (meta.mainProgram)" (lib.getName pkg))
    );
  getExe' =
    pkg: program:
    assert lib.assertMsg (builtins.isString program && !lib.hasInfix "/" program) "getExe': a program is a name, not a path";
    "${lib.getBin pkg}/bin/${program}";
}
