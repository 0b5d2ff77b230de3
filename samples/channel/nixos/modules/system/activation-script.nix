# The script that makes the machine be what the system says: snippets in the order of their dependencies.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  snippet = types.coercedTo types.str lib.noDepEntry (
    types.submodule {
      options = {
        text = mkOption {
          type = types.lines;
          description = "Shell code. It may run any number of times.";
        };
        deps = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Snippets that come before this one.";
        };
        supportsDryActivation = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the code looks at $NIXOS_ACTION and changes nothing when that is `dry-activate`.";
        };
      };
    }
  );
  scripts = config.system.activationScripts;
  # Every snippet with its text wrapped, so that a failing one is named and the rest still runs.
  wrapped =
    chosen:
    lib.mapAttrs (
      name: s:
      s
      // {
        text = ''
          # snippet: ${name}
          (
          set -e
          ${lib.removeSuffix "\n" s.text}
          )
          if [ $? != 0 ]; then
            echo "Activation script snippet '${name}' failed" >&2
            _status=1
          fi
        '';
      }
    ) chosen;
  names = lib.attrNames scripts;
  join =
    chosen:
    lib.concatStrings (lib.textClosureList (wrapped chosen) (lib.filter (name: (chosen.${name}).text != "") names));
  head = ''
    systemConfig='@out@'
    export PATH=${config.systemd.package}/bin:${pkgs.busybox}/bin
    umask 0022
    _status=0
  '';
  dry = lib.mapAttrs (_: s: if s.supportsDryActivation then s else s // { text = ""; }) scripts;
in
{
  options.system = {
    activationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
      example = lib.literalExpression ''{ welcome.text = "echo welcome"; }'';
      description = "Shell code that runs when the system is switched to and when it boots.";
    };
    userActivationScripts = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      description = "Code run for each user at login. The machine has no user manager.";
    };
  };
  config = {
    system.activationScripts = {
      # The directories that everything else takes for granted.
      specialfs = ''
        # The root file system comes with its directories; /var is empty the first time.
        if [ ! -L /var/run ]; then
          mkdir -p /var/empty /var/lib /var/log /var/tmp
          chmod 1777 /var/tmp
          set-link /run /var/run
        fi
      '';
      etc.deps = [ "specialfs" ];
    };
    system.build = {
      activate = ''
        #!${pkgs.runtimeShell}
        # Makes the running machine be this system. Made from system.activationScripts.
        ${head}
        ${join scripts}
        terrarium-step current-system "the running system is now this one"
        set-link "$systemConfig" /run/current-system
        exit $_status
      '';
      dryActivate = ''
        #!${pkgs.runtimeShell}
        ${head}
        ${join dry}
        exit $_status
      '';
    };
    warnings = lib.optional (config.system.userActivationScripts != { }) "`system.userActivationScripts' has no effect here.";
  };
}
