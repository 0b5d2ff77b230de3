# Where the packages of a system come from.
{
  config,
  lib,
  ...
}:
let
  cfg = config.nixpkgs;
in
{
  options.nixpkgs = {
    pkgs = lib.mkOption {
      type = lib.types.nullOr lib.types.raw;
      default = null;
      description = "A package set to use instead of one made from the other options here.";
    };
    config = lib.mkOption {
      type = lib.types.attrs;
      default = { };
      example = {
        allowUnfree = true;
      };
      description = "Configuration of the package set.";
    };
    overlays = lib.mkOption {
      type = lib.types.listOf lib.types.raw;
      default = [ ];
      description = "Functions that change the package set, applied in this order.";
    };
    system = lib.mkOption {
      type = lib.types.str;
      default = "i686-linux";
      description = "The system to build for.";
    };
    hostPlatform = lib.mkOption {
      type = lib.types.either lib.types.str lib.types.attrs;
      default = cfg.system;
      apply = lib.systems.elaborate;
      description = "The platform the configuration is for.";
    };
  };
  config._module.args.pkgs =
    if cfg.pkgs != null then
      (if cfg.overlays == [ ] then cfg.pkgs else cfg.pkgs.appendOverlays cfg.overlays)
    else
      import ../../.. {
        inherit (cfg) config overlays;
        system = cfg.hostPlatform.system;
      };
}
