# A workspace of two hundred modules. Warm runs have one more character in one of them each time, as if somebody typed.
let
  lib = import ../../samples/channel/lib;
  folder = /. + builtins.getEnv "WORKSPACE";
  modules = map (name: folder + "/${name}") (builtins.attrNames (builtins.readDir folder));
in
builtins.hashString "sha256" (builtins.toJSON (lib.evalModules { inherit modules; }).config)
