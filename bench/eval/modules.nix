# evalModules with a thousand options of several types, some defined more than once, some with priorities or conditions.
let
  lib = import ../../samples/channel/lib;
  inherit (lib) mkOption types;
  numbers = lib.range 1 200;
  options = prefix: make: lib.listToAttrs (map (i: lib.nameValuePair "${prefix}${toString i}" (make i)) numbers);
  declarations = {
    options.test =
      options "int" (i: mkOption { type = types.int; default = i; })
      // options "str" (i: mkOption { type = types.str; default = "value ${toString i}"; description = "A string."; })
      // options "bool" (_: mkOption { type = types.bool; default = false; })
      // options "list" (_: mkOption { type = types.listOf types.str; default = [ ]; })
      // options "sub" (i: mkOption {
        default = { };
        type = types.attrsOf (types.submodule ({ name, ... }: {
          options.name = mkOption { type = types.str; default = name; };
          options.port = mkOption { type = types.nullOr types.int; default = null; };
        }));
      });
  };
  definitions = { config, lib, ... }: {
    config.test =
      lib.listToAttrs (map (i: lib.nameValuePair "int${toString i}" (lib.mkForce (i * 2))) (lib.range 1 100))
      // lib.listToAttrs (map (i: lib.nameValuePair "list${toString i}" [ "a${toString i}" config.test.str1 ]) (lib.range 1 100))
      // lib.listToAttrs (map (i: lib.nameValuePair "bool${toString i}" (lib.mkIf (config.test.int1 == 2) true)) (lib.range 1 100))
      // lib.listToAttrs (map (i: lib.nameValuePair "sub${toString i}" { web.port = 80 + i; db = { }; }) (lib.range 1 50));
  };
  more = { lib, ... }: {
    config.test = lib.listToAttrs (map (i: lib.nameValuePair "list${toString i}" (lib.mkBefore [ "first" ])) (lib.range 1 50));
  };
in
builtins.hashString "sha256" (builtins.toJSON (lib.evalModules { modules = [ declarations definitions more ]; }).config.test)
