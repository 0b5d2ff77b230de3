# The machine's name, the names it knows by itself, and its firewall (declared, not enforced: it has one interface, lo).
{
  config,
  lib,
  ...
}:
let
  cfg = config.networking;
  inherit (lib) mkOption types;
  ports =
    protocol:
    mkOption {
      type = types.listOf types.port;
      default = [ ];
      apply = list: lib.unique (lib.sort (a: b: a < b) list);
      example = [
        22
        80
      ];
      description = "${protocol} ports that may be reached from outside.";
    };
  fullName = cfg.hostName + lib.optionalString (cfg.domain != null) ".${cfg.domain}";
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "|[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?" // {
        description = "host name: letters, digits and hyphens, at most 63";
      };
      default = config.system.nixos.distroId;
      description = "The name of the machine: letters, digits and hyphens. Empty means it gets one from the network.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "home.arpa";
      description = "The domain of the machine.";
    };
    fqdn = mkOption {
      type = types.str;
      readOnly = true;
      default =
        if cfg.hostName != "" && cfg.domain != null then
          fullName
        else
          throw "The full name of the machine needs both `networking.hostName' and `networking.domain'.";
      defaultText = lib.literalExpression "\"\${networking.hostName}.\${networking.domain}\"";
      description = "The full name of the machine.";
    };
    fqdnOrHostName = mkOption {
      type = types.str;
      readOnly = true;
      default = fullName;
      description = "The full name, or the short one where there is no domain.";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = {
        "192.168.0.2" = [ "fileserver.local" ];
      };
      description = "Names for addresses, written to /etc/hosts.";
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      example = "192.168.0.1 lanlocalhost";
      description = "Lines added to /etc/hosts.";
    };
    nameservers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Addresses of name servers, written to /etc/resolv.conf.";
    };
    firewall = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether connections from outside are refused unless a port is allowed. The machine here has no outside.";
      };
      allowedTCPPorts = ports "TCP";
      allowedUDPPorts = ports "UDP";
    };
    useDHCP = mkOption {
      type = types.bool;
      default = false;
      description = "Whether interfaces ask the network for an address. The machine here has no network card.";
    };
  };

  config = {
    networking.hosts = {
      "127.0.0.1" = [ "localhost" ];
      "::1" = [ "localhost" ];
      "127.0.0.2" = lib.optionals (cfg.hostName != "") (lib.optional (cfg.domain != null) fullName ++ [ cfg.hostName ]);
    };
    environment.etc = {
      hosts.text =
        let
          lines = lib.mapAttrsToList (address: names: "${address} ${lib.concatStringsSep " " names}\n") (
            lib.filterAttrs (_: names: names != [ ]) cfg.hosts
          );
        in
        lib.concatStrings lines + lib.optionalString (cfg.extraHosts != "") "${cfg.extraHosts}\n";
      "nsswitch.conf".text = ''
        passwd:    files
        group:     files
        shadow:    files
        hosts:     files dns
        networks:  files
        services:  files
        protocols: files
      '';
      services.text = ''
        ssh   22/tcp
        http  80/tcp
        https 443/tcp
      '';
      protocols.text = ''
        icmp 1  ICMP
        tcp  6  TCP
        udp  17 UDP
      '';
    }
    // lib.optionalAttrs (cfg.hostName != "") { hostname.text = cfg.hostName + "\n"; }
    // lib.optionalAttrs (cfg.nameservers != [ ]) {
      "resolv.conf".text = lib.concatMapStrings (address: "nameserver ${address}\n") cfg.nameservers;
    };
    system.activationScripts.hostname = lib.optionalString (cfg.hostName != "") "echo ${lib.escapeShellArg cfg.hostName} > /proc/sys/kernel/hostname";
    warnings = lib.optional cfg.useDHCP "The machine has no network card: `networking.useDHCP' has no effect.";
  };
}
