# What a shell finds when somebody logs in: variables, aliases, prompt, message of the day.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.environment;
  inherit (lib) mkOption types;

  # A list is joined with colons, as search paths are.
  variable = types.coercedTo (types.either types.int (types.either types.path types.float)) toString (
    types.either types.str (types.listOf types.str)
  );
  exports = lib.concatStrings (
    lib.mapAttrsToList (
      name: value: "export ${name}=\"${if builtins.isList value then lib.concatStringsSep ":" value else value}\"\n"
    ) (cfg.sessionVariables // cfg.variables)
  );
  aliases = lib.concatStrings (
    lib.mapAttrsToList (name: value: "alias -- ${name}=${lib.escapeShellArg value}\n") (
      lib.filterAttrs (_: value: value != null) cfg.shellAliases
    )
  );
  busyboxAliases = lib.replaceStrings [ "alias -- " ] [ "alias " ] aliases;

  init =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
in
{
  options.environment = {
    variables = mkOption {
      type = types.attrsOf variable;
      default = { };
      example = {
        EDITOR = "vi";
      };
      description = "Environment variables of every login shell. A list is joined with colons.";
    };
    sessionVariables = mkOption {
      type = types.attrsOf variable;
      default = { };
      description = "As `environment.variables`, set as early as possible in a session.";
    };
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.str types.path));
      default = { };
      example = {
        ll = "ls -l";
      };
      description = "Short names for commands in interactive shells; null removes one.";
    };
    shellInit = init "Shell code run at the start of every shell.";
    loginShellInit = init "Shell code run at the start of every login shell.";
    interactiveShellInit = init "Shell code run at the start of every interactive shell.";
    extraInit = init "Shell code run after the variables are set.";
    shells = mkOption {
      type = types.listOf (types.either types.shellPackage types.path);
      default = [ ];
      description = "Shells that users may log in with.";
    };
    binsh = mkOption {
      type = types.path;
      default = pkgs.runtimeShell;
      description = "What /bin/sh is.";
    };
    usrbinenv = mkOption {
      type = types.nullOr types.path;
      default = "${pkgs.busybox}/bin/env";
      description = "What /usr/bin/env is; null leaves it out.";
    };
    homeBinInPath = mkOption {
      type = types.bool;
      default = false;
      description = "Whether ~/bin is on the path.";
    };
    localBinInPath = mkOption {
      type = types.bool;
      default = false;
      description = "Whether ~/.local/bin is on the path.";
    };
  };

  config = {
    system.build.setEnvironment = pkgs.writeText "set-environment" ''
      # Made from environment.variables and its kin; sourced by /etc/profile.
      export __NIXOS_SET_ENVIRONMENT_DONE=1
      ${exports}export PATH="${lib.optionalString cfg.homeBinInPath "$HOME/bin:"}${lib.optionalString cfg.localBinInPath "$HOME/.local/bin:"}/etc/profiles/per-user/$USER/bin:/run/current-system/sw/bin"
      ${cfg.extraInit}'';

    environment = {
      shells = [
        pkgs.runtimeShell
        "/run/current-system/sw/bin/sh"
        "/bin/sh"
      ];
      variables = {
        EDITOR = lib.mkDefault "vi";
        PAGER = lib.mkDefault "less";
        ENV = lib.mkDefault "/etc/bashrc";
      };
      sessionVariables.NIX_PATH = lib.mkDefault [
        "nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixos"
        "nixos-config=/etc/nixos/configuration.nix"
      ];
      shellAliases = {
        ls = lib.mkDefault "ls --color=tty";
        ll = lib.mkDefault "ls -l";
        l = lib.mkDefault "ls -alh";
      };
      etc = {
        profile.text = ''
          # /etc/profile: made from the configuration; edit environment.* there.
          if [ -n "$__ETC_PROFILE_SOURCED" ]; then return; fi
          __ETC_PROFILE_SOURCED=1
          if [ -z "$__NIXOS_SET_ENVIRONMENT_DONE" ]; then
            . ${config.system.build.setEnvironment}
          fi
          ${cfg.shellInit}
          ${cfg.loginShellInit}
          case $- in
            *i*)
              if [ -s /etc/motd ]; then cat /etc/motd; fi
              . /etc/bashrc
              ;;
          esac
        '';
        bashrc.text = ''
          # /etc/bashrc: what interactive shells read.
          ${busyboxAliases}${config.programs.bash.promptInit}
          ${cfg.interactiveShellInit}
        '';
        shells.text = lib.concatMapStrings (shell: "${if builtins.isAttrs shell then "${shell}${shell.shellPath}" else toString shell}\n") cfg.shells;
      };
    };

    system.activationScripts = {
      binsh = "set-link ${cfg.binsh} /bin/sh";
      usrbinenv = if cfg.usrbinenv == null then "rm -f /usr/bin/env" else "set-link ${cfg.usrbinenv} /usr/bin/env";
    };
  };
}
