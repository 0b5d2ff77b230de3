# The packages that everybody on the machine has: /run/current-system/sw.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  options.environment = {
    systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = lib.literalExpression "[ pkgs.hello ]";
      description = "Packages that every user finds on the path. A package here is there as soon as the system is, and gone with it.";
    };
    defaultPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages that are there unless this list is replaced.";
    };
    pathsToLink = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "/" ];
      description = "Directories of packages that are linked into the system path.";
    };
    extraOutputsToInstall = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further outputs of packages to include, such as `doc`.";
    };
  };
  config = {
    environment = {
      systemPackages = [
        pkgs.busybox
        config.systemd.package
      ]
      ++ config.environment.defaultPackages;
      pathsToLink = [
        "/bin"
        "/etc"
        "/share"
      ];
    };
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = config.environment.systemPackages;
      inherit (config.environment) pathsToLink extraOutputsToInstall;
      ignoreCollisions = true;
    };
  };
  options.system.path = mkOption {
    type = types.package;
    internal = true;
    description = "The union of the system's packages.";
  };
}
