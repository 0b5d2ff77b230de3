# The shell people type into. Here it is busybox' ash, which takes the part of bash that these options need.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.bash;
  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
in
{
  options.programs.bash = {
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.str types.path));
      default = { };
      description = "Short names for commands, beside environment.shellAliases.";
    };
    shellInit = lines "Shell code run at the start of every shell.";
    loginShellInit = lines "Shell code run at the start of every login shell.";
    interactiveShellInit = lines "Shell code run at the start of every interactive shell.";
    promptInit = mkOption {
      type = types.lines;
      default = ''
        if [ "$(id -u)" = 0 ]; then
          PS1='\[\033[1;31m\][\u@\h:\w]#\[\033[0m\] '
        else
          PS1='\[\033[1;32m\][\u@\h:\w]$\[\033[0m\] '
        fi
      '';
      description = "Shell code that sets the prompt.";
    };
  };
  config.environment = {
    inherit (cfg) shellAliases;
    shellInit = lib.mkIf (cfg.shellInit != "") cfg.shellInit;
    loginShellInit = lib.mkIf (cfg.loginShellInit != "") cfg.loginShellInit;
    interactiveShellInit = lib.mkIf (cfg.interactiveShellInit != "") cfg.interactiveShellInit;
  };
}
