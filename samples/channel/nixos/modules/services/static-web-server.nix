# A web server for files: NixOS's options, served by busybox' httpd.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.static-web-server;
  inherit (lib) mkOption types;
  address = builtins.match "(.*):([0-9]+)" cfg.listen;
  port = lib.toIntBase10 (lib.elemAt address 1);
  host = lib.head address;
  # All addresses of either family are all addresses.
  bind = if lib.elem host [ "" "[::]" "0.0.0.0" ] then toString port else cfg.listen;
in
{
  options.services.static-web-server = {
    enable = lib.mkEnableOption "a web server for a directory of files";
    listen = mkOption {
      type = types.strMatching ".*:[0-9]+" // {
        description = "string with an address and a port, such as \"[::]:80\"";
      };
      default = "[::]:8787";
      description = "Address and port to listen on.";
    };
    root = mkOption {
      type = types.path;
      example = lib.literalExpression ''pkgs.writeTextDir "index.html" "<h1>Hello</h1>"'';
      description = "The directory whose files are served. `index.html` answers for a directory.";
    };
    configuration = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Settings of the original program. The server here has none.";
    };
  };
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = port > 0 && port < 65536;
        message = "services.static-web-server.listen: `${cfg.listen}' names no possible port.";
      }
    ];
    warnings = lib.optional (cfg.configuration != { }) "`services.static-web-server.configuration' has no effect here.";
    terrarium.preview = lib.mkDefault {
      unit = "static-web-server.service";
      inherit port;
    };
    systemd.services.static-web-server = {
      description = "Static Web Server";
      after = [ "network.target" ];
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        # A missing folder is a failure to start, told at once, and not a server that answers "not found".
        ExecStartPre = "${pkgs.busybox}/bin/test -d ${cfg.root}";
        ExecStart = "${pkgs.busybox}/bin/httpd -f -p ${bind} -u nobody:nogroup -h ${cfg.root}";
      };
    };
  };
}
