# The system as one store path: scripts, files and links to everything it consists of.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  failed = map (x: x.message) (lib.filter (x: !x.assertion) config.assertions);
  checked =
    system:
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      lib.showWarnings config.warnings system;

  name = "nixos-system-${if config.networking.hostName == "" then "unnamed" else config.networking.hostName}-${config.system.nixos.label}";
  kernel = "${pkgs.seeds.linux}/bzImage";
  initrd = "${pkgs.seeds.initrd}/initrd";
  specialisations = lib.mapAttrs (_: s: s.configuration.system.build.toplevel) config.specialisation;

  # The bootspec of this system; those of its specialisations stand beside it.
  bootSpec =
    {
      toplevel,
      label,
      params,
    }:
    {
      system = config.nixpkgs.system;
      init = "${toplevel}/init";
      inherit initrd kernel label toplevel;
      kernelParams = params;
    };
  bootJson = builtins.toJSON {
    "org.nixos.bootspec.v1" = bootSpec {
      toplevel = "@out@";
      label = "${config.system.nixos.distroName} ${config.system.nixos.codeName} ${config.system.nixos.label} (Linux ${pkgs.seeds.linux.version})";
      params = config.boot.kernelParams;
    };
    "org.nixos.specialisation.v1" = lib.mapAttrs (name: _: {
      "org.nixos.bootspec.v1" =
        let
          variant = config.specialisation.${name}.configuration;
        in
        bootSpec {
          toplevel = "${variant.system.build.toplevel}";
          label = "${config.system.nixos.distroName} ${config.system.nixos.codeName} ${variant.system.nixos.label} (Linux ${pkgs.seeds.linux.version})";
          params = variant.boot.kernelParams;
        };
    }) config.specialisation;
  };

  init = ''
    #!${pkgs.runtimeShell}
    # Stage 2: the first program of this system. Activates it and hands over to the service manager.
    export PATH=${config.systemd.package}/bin:${pkgs.busybox}/bin
    set-link @out@ /run/booted-system
    @out@/activate
    exec @out@/systemd/bin/systemd
  '';
  switch = ''
    #!${pkgs.runtimeShell}
    # switch-to-configuration ACTION: makes this system the running one (`switch`, `test`), or shows what that would
    # change (`dry-activate`). `boot` and the profile are the business of nixos-rebuild.
    case "''${1:-}" in
      switch | test | dry-activate)
        exec @out@/systemd/bin/systemd-switch /run/current-system @out@ "$1"
        ;;
      boot) exit 0 ;;
      *)
        echo "Usage: $0 [switch|boot|test|dry-activate]" >&2
        exit 1
        ;;
    esac
  '';
in
{
  options.system.extraSystemBuilderLinks = mkOption {
    type = types.attrsOf types.path;
    default = { };
    internal = true;
    description = "Further links in the system's directory.";
  };

  config.system.build.toplevel = checked (
    pkgs.makeSystem {
      inherit name;
      files = [
        {
          name = "activate";
          text = config.system.build.activate;
          executable = true;
        }
        {
          name = "dry-activate";
          text = config.system.build.dryActivate;
          executable = true;
        }
        {
          name = "init";
          text = init;
          executable = true;
        }
        {
          name = "bin/switch-to-configuration";
          text = switch;
          executable = true;
        }
        {
          name = "boot.json";
          text = bootJson;
        }
        {
          name = "kernel-params";
          text = lib.concatStringsSep " " config.boot.kernelParams;
        }
        {
          name = "nixos-version";
          text = config.system.nixos.label;
        }
        {
          name = "system";
          text = config.nixpkgs.system;
        }
        {
          name = "init-interface-version";
          text = "systemd 1\n";
        }
      ];
      links =
        lib.mapAttrsToList (name: path: { inherit name path; }) (
          {
            etc = "${config.system.build.etc}/etc";
            sw = config.system.path;
            systemd = config.systemd.package;
          }
          // lib.optionalAttrs (!config.boot.isContainer) { inherit kernel initrd; }
          // config.system.extraSystemBuilderLinks
        )
        ++ lib.mapAttrsToList (name: path: {
          name = "specialisation/${name}";
          inherit path;
        }) specialisations;
      passthru.config = config;
    }
  );
}
