# The version of the system: its label, and the files that tell it.
{
  config,
  lib,
  ...
}:
let
  cfg = config.system.nixos;
in
{
  options.system = {
    stateVersion = lib.mkOption {
      type = lib.types.str;
      default = cfg.release;
      description = "The release this machine was first installed with. Services keep the data layout of that release.";
    };
    nixos = {
      version = lib.mkOption {
        type = lib.types.str;
        internal = true;
        default = cfg.release + cfg.versionSuffix;
        description = "The full version.";
      };
      release = lib.mkOption {
        readOnly = true;
        type = lib.types.str;
        default = lib.trivial.release;
        description = "The release.";
      };
      versionSuffix = lib.mkOption {
        internal = true;
        type = lib.types.str;
        default = lib.trivial.versionSuffix;
        description = "What follows the release in the version.";
      };
      codeName = lib.mkOption {
        readOnly = true;
        type = lib.types.str;
        default = lib.trivial.codeName;
        description = "The name of the release.";
      };
      distroId = lib.mkOption {
        internal = true;
        type = lib.types.str;
        default = "nixos";
        description = "ID in os-release.";
      };
      distroName = lib.mkOption {
        internal = true;
        type = lib.types.str;
        default = "NixOS";
        description = "NAME in os-release.";
      };
      tags = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        example = [ "with-web" ];
        description = "Words at the start of the default label.";
      };
      label = lib.mkOption {
        type = lib.types.strMatching "[a-zA-Z0-9:_\\.-]*";
        default = lib.concatStringsSep "-" (lib.sort (a: b: a < b) cfg.tags ++ [ cfg.version ]);
        description = "The label of this system in its name and in the boot menu.";
      };
    };
  };

  config.environment.etc."os-release".text = ''
    NAME="${cfg.distroName}"
    ID=${cfg.distroId}
    PRETTY_NAME="${cfg.distroName} ${cfg.release} (${cfg.codeName})"
    VERSION="${cfg.release} (${cfg.codeName})"
    VERSION_CODENAME=${lib.toLower cfg.codeName}
    VERSION_ID="${cfg.release}"
    BUILD_ID="${cfg.version}"
    HOME_URL="https://nixos.org/"
    DOCUMENTATION_URL="https://nixos.org/learn.html"
  '';
}
