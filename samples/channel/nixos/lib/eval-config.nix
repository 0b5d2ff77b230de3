# Evaluates a list of NixOS modules together with the channel's own: { config, options, pkgs, extendModules, … }.
{
  modules,
  system ? "i686-linux",
  lib ? import ../../lib,
  pkgs ? null,
  specialArgs ? { },
  baseModules ? import ../modules/module-list.nix,
  extraModules ? [ ],
  modulesLocation ? null,
  prefix ? [ ],
  check ? true,
}:
let
  locate = module: if modulesLocation == null then module else lib.setDefaultModuleLocation modulesLocation module;
  # Facts of this evaluation, as a module: where packages come from.
  setting = {
    _file = "lib/eval-config.nix";
    config = {
      nixpkgs = if pkgs == null then { system = lib.mkDefault system; } else { pkgs = lib.mkDefault pkgs; };
      _module.check = check;
      _module.args = {
        inherit baseModules extraModules modules;
      };
    };
  };
  eval = lib.evalModules {
    inherit prefix;
    class = "nixos";
    modules = baseModules ++ extraModules ++ [ setting ] ++ map locate modules;
    specialArgs = {
      modulesPath = toString ../modules;
    }
    // specialArgs;
  };
in
eval
// {
  inherit (eval._module.args) pkgs;
  inherit lib;
}
