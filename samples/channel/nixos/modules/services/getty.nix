# The console: a login on the serial line, or straight into a shell for one user.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.getty;
  inherit (lib) mkOption types;
  login =
    if cfg.autologinUser == null then
      "${pkgs.busybox}/bin/login"
    else
      pkgs.writeShellScript "login-as" "exec ${pkgs.busybox}/bin/login -f ${lib.escapeShellArg cfg.autologinUser}\n";
in
{
  options.services.getty = {
    autologinUser = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "root";
      description = "The user whose shell opens on the console without a question.";
    };
    greetingLine = mkOption {
      type = types.str;
      default = "<<< Welcome to ${config.system.nixos.distroName} ${config.system.nixos.label} (\\m) - \\l >>>";
      description = "The first line above the login prompt.";
    };
    helpLine = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines above the login prompt.";
    };
    console = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "ttyS0";
      description = "The serial line that has a login. Null: none, the page's terminals need none.";
    };
  };
  config = {
    environment.etc.issue.text = ''

      ${cfg.greetingLine}
      ${cfg.helpLine}
    '';
    systemd.services."serial-getty@${toString cfg.console}" = lib.mkIf (cfg.console != null) {
      description = "Serial Getty on ${cfg.console}";
      wantedBy = [ "getty.target" ];
      after = [ "sysinit.target" ];
      restartIfChanged = false;
      serviceConfig = {
        ExecStart = "${pkgs.busybox}/bin/getty -L -n -l ${login} 115200 ${cfg.console} vt100";
        Restart = "always";
        RestartSec = 1;
        StandardInput = "tty";
        StandardOutput = "tty";
        TTYPath = "/dev/${cfg.console}";
      };
    };
  };
}
