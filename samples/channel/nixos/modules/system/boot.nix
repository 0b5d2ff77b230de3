# What is started before the services: kernel, initial ram disk, boot loader. The machine has one kernel, a seed.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption mkEnableOption types;
  cfg = config.boot;
  sysctl = lib.filterAttrs (_: value: value != null) cfg.kernel.sysctl;
in
{
  options = {
    boot = {
      kernelParams = mkOption {
        type = types.listOf (types.strMatching "([^\"[:space:]]|\"[^\"]*\")+" // { description = "string, with spaces inside double quotes"; });
        default = [ ];
        example = [ "loglevel=4" ];
        description = "Words on the kernel's command line.";
      };
      kernelPackages = mkOption {
        type = types.raw;
        default = {
          kernel = pkgs.seeds.linux;
        };
        description = "The kernel.";
      };
      consoleLogLevel = mkOption {
        type = types.int;
        default = 4;
        description = "How grave a kernel message has to be to reach the console.";
      };
      kernel.sysctl = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.str types.int ]));
        default = { };
        example = {
          "vm.swappiness" = 10;
        };
        description = "Settings of the running kernel.";
      };
      kernelModules = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Kernel modules to load. Everything is built into the kernel here.";
      };
      tmp.cleanOnBoot = mkOption {
        type = types.bool;
        default = false;
        description = "Whether /tmp is emptied when the machine starts. Here it always is.";
      };
      isContainer = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the system runs in a container, without a kernel of its own.";
      };
      loader = {
        timeout = mkOption {
          type = types.nullOr types.int;
          default = 5;
          description = "Seconds that the boot menu waits.";
        };
        grub.enable = mkEnableOption "the GRUB boot loader, which the page's own boot menu stands for";
        grub.device = mkOption {
          type = types.str;
          default = "";
          description = "The disk GRUB is installed on. The machine has none.";
        };
        systemd-boot.enable = mkEnableOption "the systemd-boot boot loader, which the page's own boot menu stands for";
        efi.canTouchEfiVariables = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the firmware's boot entries may be changed. The machine has none.";
        };
      };
    };
    fileSystems = mkOption {
      type = types.attrsOf (
        types.submodule {
          freeformType = types.attrsOf types.anything;
          options = {
            device = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "What is mounted.";
            };
            fsType = mkOption {
              type = types.str;
              default = "auto";
              description = "The kind of file system.";
            };
            options = mkOption {
              type = types.listOf types.str;
              default = [ "defaults" ];
              description = "Mount options.";
            };
          };
        }
      );
      default = { };
      description = "File systems, by mount point. The page mounts those the machine has.";
    };
    swapDevices = mkOption {
      type = types.listOf types.anything;
      default = [ ];
      description = "Swap space. The machine has none.";
    };
  };

  config = {
    boot.kernelParams = [ "loglevel=${toString cfg.consoleLogLevel}" ];
    environment.etc.fstab.text =
      "# Made from fileSystems.\n"
      + lib.concatStrings (
        lib.mapAttrsToList (
          place: fs:
          "${if fs.device == null then "none" else fs.device} ${place} ${fs.fsType} ${lib.concatStringsSep "," fs.options} 0 0\n"
        ) config.fileSystems
      );
    environment.etc."sysctl.d/60-nixos.conf" = lib.mkIf (sysctl != { }) {
      text = lib.concatStrings (
        lib.mapAttrsToList (name: value: "${name}=${if builtins.isBool value then (if value then "1" else "0") else toString value}\n") sysctl
      );
    };
    systemd.services.systemd-sysctl = lib.mkIf (sysctl != { }) {
      description = "Apply Kernel Variables";
      wantedBy = [ "sysinit.target" ];
      before = [ "sysinit.target" ];
      restartTriggers = [ config.environment.etc."sysctl.d/60-nixos.conf".source ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${pkgs.busybox}/bin/sysctl -p /etc/sysctl.d/60-nixos.conf";
      };
    };
    warnings =
      lib.optional (cfg.kernelModules != [ ]) "The kernel loads no modules: `boot.kernelModules' has no effect."
      ++ lib.optional (config.swapDevices != [ ]) "The machine has no swap: `swapDevices' has no effect.";
  };
}
