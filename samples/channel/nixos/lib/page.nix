# What the page wants to know of a configuration, in one evaluation of plain data.
#
#   import <nixpkgs/nixos/lib/page.nix> { configuration = ./configuration.nix; }
#
# `drvPath`, `outPath` and `summary` are what is evaluated at every key press, or `json`, all of it as one JSON object (a set
# with an `outPath` cannot be given to toJSON: that prints the path alone). Everything else costs nothing until it is asked
# for: `toplevel`, `tree` (the configuration as the user set it), `optionDocs`, `config`, `options`, `failedAssertions`.
{
  configuration,
  system ? "i686-linux",
}:
let
  nixos = import ../default.nix { inherit configuration system; };
  inherit (nixos) config options pkgs;
  inherit (pkgs) lib;

  toplevel = config.system.build.toplevel;
  names = lib.filterAttrs (_: x: x.enable or true);

  # Units that exist on every machine say nothing about this one.
  units = lib.filter (unit: unit.unit.enable) config.system.build.units;

  describe = pkg: {
    name = pkg.pname or (lib.getName pkg);
    version = pkg.version or (lib.getVersion pkg);
  };
  basic = [
    pkgs.busybox.outPath
    config.systemd.package.outPath
  ];

  # Values that a person can read: derivations as names, functions as such, depth bounded.
  plain =
    depth: value:
    if lib.isDerivation value then
      "«derivation ${value.name}»"
    else if lib.isFunction value then
      "«function»"
    else if builtins.isAttrs value then
      (if depth == 0 then "{…}" else lib.mapAttrs (_: plain (depth - 1)) value)
    else if builtins.isList value then
      (if depth == 0 then "[…]" else map (plain (depth - 1)) value)
    else if builtins.isPath value then
      toString value
    else if builtins.isString value then
      builtins.unsafeDiscardStringContext value
    else
      value;
  # The options that the user's own files define, each with its value and where it is set.
  channel = toString ../..;
  own = file: !lib.hasPrefix channel (toString file) && !lib.hasPrefix "lib/" (toString file);
  defined = lib.filter (option: option.isDefined && lib.any own option.files) (lib.collect lib.isOption (removeAttrs options [ "_module" ]));

  summary = {
    inherit (config.networking) hostName;
    inherit (config.system.nixos) label;
    web = config.terrarium.preview;
    units = map (unit: {
      inherit (unit) name;
      inherit (unit.unit) description;
    }) units;
    etcFiles = lib.attrNames (names config.environment.etc);
    users = lib.attrNames (lib.filterAttrs (name: user: user.isNormalUser || name == "root") config.users.users);
    packages = map describe (lib.filter (pkg: !lib.elem pkg.outPath basic) config.environment.systemPackages);
    ports = config.networking.firewall.allowedTCPPorts;
    specialisations = lib.attrNames config.specialisation;
    inherit (config) warnings;
  };

  # A JSON object from a set, attribute by attribute.
  object = set: "{${lib.concatStringsSep "," (lib.mapAttrsToList (name: value: "${builtins.toJSON name}:${builtins.toJSON value}") set)}}";
in
summary
// {
  inherit (toplevel) drvPath outPath;
  inherit summary;
  json = object (summary // { inherit (toplevel) drvPath outPath; });

  inherit toplevel config options;
  failedAssertions = map (x: x.message) (lib.filter (x: !x.assertion) config.assertions);
  tree = map (option: {
    name = lib.showOption option.loc;
    value = plain 4 option.value;
    type = option.type.description;
    description = option.description or "";
    definitions = lib.filter (def: own def.file) (
      lib.imap0 (n: def: {
        inherit (def) file;
        value = plain 4 def.value;
        position = lib.elemAt option.definitionPositions n;
      }) option.definitionsWithLocations
    );
  }) defined;
  optionDocs = map (doc: doc // { declarations = map toString doc.declarations; }) (
    lib.optionAttrSetToDocList (removeAttrs options [ "_module" ])
  );
}
