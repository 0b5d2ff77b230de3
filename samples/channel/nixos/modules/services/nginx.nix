# nginx with virtual hosts: NixOS's options as far as a server without certificates needs them, and the unit that runs the program.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.nginx;
  inherit (lib) mkOption types;

  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  recommended = what: mkOption {
    type = types.bool;
    default = false;
    description = "Whether to enable recommended ${what}.";
  };

  location.options = {
    root = optional types.path "The folder whose files are served below this location.";
    alias = optional types.path "The folder that stands for this location.";
    index = optional types.str "Names of the files that answer for a folder.";
    tryFiles = optional types.str "Files to try, in order.";
    proxyPass = optional types.str "The server that answers instead.";
    return = optional (types.oneOf [
      types.str
      types.int
    ]) "A status, with a text or an address.";
    basicAuthFile = optional types.path "Users and passwords.";
    priority = mkOption {
      type = types.int;
      default = 1000;
      description = "Locations with lower numbers come first.";
    };
    extraConfig = lines "Further directives of the location.";
  };

  listener.options = {
    addr = mkOption {
      type = types.str;
      description = "The address to listen on.";
    };
    port = optional types.port "The port to listen on.";
    extraParameters = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further parameters of the listening socket.";
    };
  };

  host.options = {
    serverName = optional types.str "The name of this host; the attribute's own by default.";
    serverAliases = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further names of this host.";
    };
    listen = mkOption {
      type = types.listOf (types.submodule listener);
      default = [ ];
      description = "Addresses and ports; all addresses and `defaultHTTPListenPort` by default.";
    };
    default = mkOption {
      type = types.bool;
      default = false;
      description = "Whether this host answers for names that no other has.";
    };
    root = optional types.path "The folder whose files are served.";
    globalRedirect = optional types.str "The host that every request is sent on to.";
    locations = mkOption {
      type = types.attrsOf (types.submodule location);
      default = { };
      description = "Parts of the host by path.";
    };
    extraConfig = lines "Further directives of the host.";
  };

  directive = name: value: lib.optionalString (value != null) "${name} ${toString value};\n";
  indent = text: lib.concatMapStrings (line: lib.optionalString (line != "") "  ${line}\n") (lib.splitString "\n" text);
  block = name: text: "${name} {\n${indent text}}\n";

  locationText =
    path: location:
    block "location ${path}" (
      directive "proxy_pass" location.proxyPass
      + directive "root" location.root
      + directive "alias" location.alias
      + directive "index" location.index
      + directive "try_files" location.tryFiles
      + directive "return" location.return
      + lib.optionalString (location.basicAuthFile != null) "auth_basic secured;\nauth_basic_user_file ${location.basicAuthFile};\n"
      + location.extraConfig
    );
  listeners =
    given:
    if given.listen != [ ] then
      given.listen
    else
      map (addr: {
        inherit addr;
        port = null;
        extraParameters = [ ];
      }) cfg.defaultListenAddresses;
  portOf = listener: if listener.port == null then cfg.defaultHTTPListenPort else listener.port;
  hostText =
    name: given:
    block "server" (
      lib.concatMapStrings (
        each:
        "listen ${
          lib.concatStringsSep " " (
            [ "${each.addr}:${toString (portOf each)}" ] ++ lib.optional given.default "default_server" ++ each.extraParameters
          )
        };\n"
      ) (listeners given)
      + "server_name ${lib.concatStringsSep " " ([ (if given.serverName == null then name else given.serverName) ] ++ given.serverAliases)};\n"
      + directive "root" given.root
      + lib.optionalString (given.globalRedirect != null) "location / {\n  return 301 http://${given.globalRedirect}$request_uri;\n}\n"
      + lib.concatStrings (
        map (path: locationText path given.locations.${path}) (
          lib.sort (a: b: given.locations.${a}.priority < given.locations.${b}.priority) (lib.attrNames given.locations)
        )
      )
      + given.extraConfig
    );

  configFile = pkgs.writeText "nginx.conf" (
    ''
      worker_processes 1;
      pid /run/nginx/nginx.pid;
      error_log stderr;
    ''
    + block "events" cfg.eventsConfig
    + block "http" (
      ''
        include ${cfg.package}/conf/mime.types;
        default_type application/octet-stream;
        access_log ${if cfg.accessLog then "/var/log/nginx/access.log" else "off"};
        client_body_temp_path /var/cache/nginx/client_body;
        proxy_temp_path /var/cache/nginx/proxy;
        fastcgi_temp_path /var/cache/nginx/fastcgi;
        uwsgi_temp_path /var/cache/nginx/uwsgi;
        scgi_temp_path /var/cache/nginx/scgi;
        client_max_body_size ${cfg.clientMaxBodySize};
        server_tokens ${if cfg.serverTokens then "on" else "off"};
      ''
      + lib.optionalString cfg.recommendedOptimisation "sendfile on;\ntcp_nopush on;\ntcp_nodelay on;\nkeepalive_timeout 65;\n"
      + lib.optionalString cfg.recommendedGzipSettings "gzip on;\ngzip_proxied any;\ngzip_comp_level 5;\ngzip_types text/css text/plain application/json application/javascript image/svg+xml;\ngzip_vary on;\n"
      + lib.optionalString cfg.recommendedProxySettings "proxy_http_version 1.1;\nproxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header X-Forwarded-Proto $scheme;\n"
      + cfg.commonHttpConfig
      + lib.concatStrings (lib.mapAttrsToList hostText cfg.virtualHosts)
      + cfg.appendHttpConfig
    )
    + cfg.appendConfig
  );
  command = "${cfg.package}/bin/nginx -e stderr -c ${configFile}";
  ports = lib.concatMap (given: map portOf (listeners given)) (lib.attrValues cfg.virtualHosts);
in
{
  options.services.nginx = {
    enable = lib.mkEnableOption "nginx, a web server";
    package = lib.mkPackageOption pkgs "nginx" { };
    user = mkOption {
      type = types.str;
      default = "nginx";
      description = "The user that nginx runs as.";
    };
    group = mkOption {
      type = types.str;
      default = "nginx";
      description = "The group that nginx runs as.";
    };
    virtualHosts = mkOption {
      type = types.attrsOf (types.submodule host);
      default = { };
      example = lib.literalExpression ''{ "localhost".root = ./site; }'';
      description = "What is served, by host name.";
    };
    defaultListenAddresses = mkOption {
      type = types.listOf types.str;
      default = [ "0.0.0.0" ];
      description = "Addresses of hosts that name none.";
    };
    defaultHTTPListenPort = mkOption {
      type = types.port;
      default = 80;
      description = "Port of hosts that name none.";
    };
    accessLog = mkOption {
      type = types.bool;
      default = true;
      description = "Whether requests are written to /var/log/nginx/access.log. Not a NixOS option.";
    };
    clientMaxBodySize = mkOption {
      type = types.str;
      default = "10m";
      description = "The largest request.";
    };
    serverTokens = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the version is shown.";
    };
    recommendedOptimisation = recommended "settings for speed";
    recommendedGzipSettings = recommended "compression";
    recommendedProxySettings = recommended "headers for servers behind this one";
    eventsConfig = lines "Directives of the events block.";
    commonHttpConfig = lines "Directives of the http block before the hosts.";
    appendHttpConfig = lines "Directives of the http block after the hosts.";
    appendConfig = lines "Directives at the end of the file.";
  };

  config = lib.mkIf cfg.enable {
    users.users = lib.mkIf (cfg.user == "nginx") {
      nginx = {
        group = cfg.group;
        isSystemUser = true;
        uid = 60;
      };
    };
    users.groups = lib.mkIf (cfg.group == "nginx") { nginx.gid = 60; };
    terrarium.preview = lib.mkIf (ports != [ ]) (
      lib.mkDefault {
        unit = "nginx.service";
        port = lib.head ports;
      }
    );
    systemd.services.nginx = {
      description = "Nginx Web Server";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      stopIfChanged = false;
      serviceConfig = {
        # The parent ends when the sockets are bound: who waits for the unit can connect.
        Type = "forking";
        PIDFile = "/run/nginx/nginx.pid";
        ExecStartPre = "${command} -t";
        ExecStart = command;
        ExecReload = [
          "${command} -t"
          "${pkgs.busybox}/bin/kill -HUP $MAINPID"
        ];
        Restart = "always";
        RestartSec = "10s";
        User = cfg.user;
        Group = cfg.group;
        RuntimeDirectory = "nginx";
        RuntimeDirectoryMode = "0750";
        CacheDirectory = "nginx";
        CacheDirectoryMode = "0750";
        LogsDirectory = "nginx";
        LogsDirectoryMode = "0750";
        AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" ];
        CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" ];
        NoNewPrivileges = true;
      };
    };
  };
}
