# Nix on the machine itself: its configuration file and the timed collection of garbage.
{
  config,
  lib,
  ...
}:
let
  cfg = config.nix;
  inherit (lib) mkOption types;
  atom = types.oneOf [
    types.bool
    types.int
    types.float
    types.str
    types.path
    types.package
  ];
  show = value: if builtins.isList value then lib.concatMapStringsSep " " show value else if builtins.isBool value then lib.boolToString value else toString value;
in
{
  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether Nix is there.";
    };
    settings = mkOption {
      type = types.submodule { freeformType = types.attrsOf (types.either atom (types.listOf atom)); };
      default = { };
      example = {
        sandbox = true;
      };
      description = "Settings of Nix, written to /etc/nix/nix.conf.";
    };
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      description = "Lines added to /etc/nix/nix.conf.";
    };
    gc = {
      automatic = mkOption {
        type = types.bool;
        default = false;
        description = "Whether garbage is collected by a timer.";
      };
      dates = mkOption {
        type = types.coercedTo types.str lib.singleton (types.listOf types.str);
        default = [ "03:15" ];
        example = "weekly";
        description = "When, as systemd's calendar events.";
      };
      options = mkOption {
        type = types.str;
        default = "";
        example = "--delete-older-than 30d";
        description = "Options given to nix-collect-garbage.";
      };
    };
  };
  config = lib.mkIf cfg.enable {
    nix.settings = {
      sandbox = lib.mkDefault true;
      trusted-users = [ "root" ];
      allowed-users = lib.mkDefault [ "*" ];
    };
    environment.etc."nix/nix.conf".text =
      lib.concatStrings (lib.mapAttrsToList (name: value: "${name} = ${show value}\n") cfg.settings)
      + lib.optionalString (cfg.extraOptions != "") "${cfg.extraOptions}\n";
    systemd.services = lib.mkIf cfg.gc.automatic {
      nix-gc = {
        description = "Nix Garbage Collector";
        script = "exec nix-collect-garbage ${cfg.gc.options}";
        serviceConfig.Type = "oneshot";
        startAt = cfg.gc.dates;
      };
    };
  };
}
