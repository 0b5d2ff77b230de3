# Units: services, timers, targets and their kin, as files that the service manager reads from /etc/systemd/system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.systemd;
  o = import ./unit-options.nix { inherit lib; };

  units =
    kind: options: description:
    mkOption {
      type = types.attrsOf (types.submodule { inherit options; });
      default = { };
      description = "${description}, by name without the suffix `.${kind}`.";
    };

  # ------------------------------------------------------------------------------------------------------- texts

  # A script of a unit, as a program of its own in the store.
  script =
    unit: phase: text:
    let
      name = "${lib.replaceStrings [ "@" "\\" ] [ "_" "-" ] unit}-${phase}";
    in
    "${
      pkgs.writeTextFile {
        name = "unit-script-${name}";
        executable = true;
        destination = "/bin/${name}";
        text = "#!${pkgs.runtimeShell}\nset -e\n\n${text}\n";
      }
    }/bin/${name}";

  quote = text: "\"${lib.replaceStrings [ "\\" "\"" "\n" "%" ] [ "\\\\" "\\\"" "\\n" "%%" ] text}\"";

  serviceText =
    name: s:
    let
      path = s.path ++ lib.optionals s.enableDefaultPath [
        pkgs.busybox
        cfg.package
      ];
      environment =
        cfg.globalEnvironment
        // lib.optionalAttrs (path != [ ]) {
          PATH = lib.concatMapStringsSep ":" (p: if builtins.isString p && !lib.hasPrefix "/" p then p else "${p}/bin") path;
        }
        // lib.filterAttrs (_: value: value != null) s.environment;
      lines = lib.concatStrings (lib.mapAttrsToList (key: value: "Environment=${quote "${key}=${toString value}"}\n") environment);
      flags =
        if s.reloadIfChanged then
          "X-ReloadIfChanged=true\n"
        else if !s.restartIfChanged then
          "X-RestartIfChanged=false\n"
        else
          "";
      scripts =
        lib.optionalAttrs (s.script != "") { ExecStart = script name "start" s.script + lib.optionalString (s.scriptArgs != "") " ${s.scriptArgs}"; }
        // lib.optionalAttrs (s.preStart != "") { ExecStartPre = [ (script name "pre-start" s.preStart) ] ++ lib.toList (s.serviceConfig.ExecStartPre or [ ]); }
        // lib.optionalAttrs (s.postStart != "") { ExecStartPost = [ (script name "post-start" s.postStart) ] ++ lib.toList (s.serviceConfig.ExecStartPost or [ ]); }
        // lib.optionalAttrs (s.reload != "") { ExecReload = script name "reload" s.reload; }
        // lib.optionalAttrs (s.preStop != "") { ExecStop = [ (script name "pre-stop" s.preStop) ] ++ lib.toList (s.serviceConfig.ExecStop or [ ]); }
        // lib.optionalAttrs (s.postStop != "") { ExecStopPost = [ (script name "post-stop" s.postStop) ] ++ lib.toList (s.serviceConfig.ExecStopPost or [ ]); };
    in
    "${o.head s}\n[Service]\n${lines}${flags}${lib.optionalString (!s.stopIfChanged) "X-StopIfChanged=false\n"}${
      lib.optionalString s.notSocketActivated "X-NotSocketActivated=true\n"
    }${o.keys (s.serviceConfig // scripts)}";

  plain =
    section: attribute: _: u:
    "${o.head u}\n[${section}]\n${o.keys u.${attribute}}";
  mountText =
    _: m:
    "${o.head m}\n[Mount]\n${
      o.keys (
        { What = m.what; Where = m.where; }
        // lib.optionalAttrs (m.type != "") { Type = m.type; }
        // lib.optionalAttrs (m.options != "") { Options = m.options; }
        // m.mountConfig
      )
    }";
  socketText =
    _: s:
    "${o.head s}\n[Socket]\n${
      lib.concatMapStrings (x: "ListenStream=${x}\n") s.listenStreams
    }${lib.concatMapStrings (x: "ListenDatagram=${x}\n") s.listenDatagrams}${o.keys s.socketConfig}";

  # Every unit as { name; text; unit = its options; }.
  collect =
    suffix: text: set:
    lib.mapAttrsToList (name: unit: {
      name = "${name}.${suffix}";
      inherit unit;
      text = text name unit;
    }) set;
  startAt = lib.mapAttrs (_: s: {
    wantedBy = [ "timers.target" ];
    timerConfig.OnCalendar = s.startAt;
  }) (lib.filterAttrs (_: s: s.enable && s.startAt != [ ]) cfg.services);

  own = lib.mapAttrsToList (name: unit: {
    inherit name unit;
    inherit (unit) text;
  }) cfg.units;
  all =
    collect "service" serviceText cfg.services
    ++ collect "target" (_: u: o.head u) cfg.targets
    ++ collect "timer" (plain "Timer" "timerConfig") cfg.timers
    ++ collect "socket" socketText cfg.sockets
    ++ collect "path" (plain "Path" "pathConfig") cfg.paths
    ++ collect "slice" (plain "Slice" "sliceConfig") cfg.slices
    ++ map (m: m // { name = "${mountName m.unit.where}.mount"; }) (collect "mount" mountText (lib.listToAttrs (lib.imap0 (n: m: lib.nameValuePair (toString n) m) cfg.mounts)))
    ++ own;
  mountName = where: if where == "/" then "-" else lib.replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (lib.removePrefix "/" where);

  file =
    unit:
    if unit.unit.enable then
      "${
        pkgs.writeTextFile {
          name = "unit-${lib.strings.sanitizeDerivationName unit.name}";
          destination = "/${unit.name}";
          inherit (unit) text;
        }
      }/${unit.name}"
    else
      "/dev/null";

  # The directory of unit files: the files, the links by which units pull each other in, aliases.
  pulls =
    suffix: attribute:
    lib.concatMap (
      unit:
      map (by: {
        name = "${by}.${suffix}/${unit.name}";
        path = "../${unit.name}";
      }) unit.unit.${attribute}
    ) (lib.filter (unit: unit.unit.enable) all);
  links =
    map (unit: {
      name = if unit.unit.overrideStrategy == "asDropin" then "${unit.name}.d/overrides.conf" else unit.name;
      path = file unit;
    }) all
    ++ pulls "wants" "wantedBy"
    ++ pulls "requires" "requiredBy"
    ++ pulls "upholds" "upheldBy"
    ++ lib.concatMap (
      unit:
      map (alias: {
        name = alias;
        path = unit.name;
      }) unit.unit.aliases
    ) all
    ++ [
      {
        name = "default.target";
        path = cfg.defaultUnit;
      }
    ];

  # ------------------------------------------------------------------------------------------------------- checks

  known = import ./unit-keys.nix;
  strangers =
    what: section: attrs:
    map (key: "${what}: the key `${key}' of [${section}] is not known to the service manager of this machine and has no effect.") (
      lib.filter (key: !(known.${section} ? ${key}) && !lib.hasPrefix "X-" key) (lib.attrNames attrs)
    );
  remarks =
    lib.concatLists (
      lib.mapAttrsToList (
        name: s: strangers "systemd.services.${name}" "Service" s.serviceConfig ++ strangers "systemd.services.${name}" "Unit" s.unitConfig
      ) cfg.services
    )
    ++ lib.concatLists (lib.mapAttrsToList (name: t: strangers "systemd.timers.${name}" "Timer" t.timerConfig) cfg.timers)
    ++ lib.concatLists (lib.mapAttrsToList (name: s: strangers "systemd.sockets.${name}" "Socket" s.socketConfig) cfg.sockets)
    ++ lib.concatMap (
      kind:
      lib.optional (cfg.${kind} != { } && cfg.${kind} != [ ]) "systemd.${kind}: the service manager of this machine knows no units of this kind; they have no effect."
    ) [ "paths" "slices" "mounts" ];

  problems = lib.concatLists (
    lib.mapAttrsToList (name: s: [
      {
        assertion = s.script == "" || !(s.serviceConfig ? ExecStart);
        message = "The service `${name}' has both `script' and `serviceConfig.ExecStart'.";
      }
      {
        assertion = !s.enable || s.script != "" || s.serviceConfig ? ExecStart || s.serviceConfig ? ExecStop || s.overrideStrategy == "asDropin" || s.serviceConfig.Type or "" == "oneshot";
        message = "The service `${name}' has nothing to run: set `systemd.services.${name}.script' or `serviceConfig.ExecStart'.";
      }
      {
        assertion = s.startAt == [ ] || s.wantedBy == [ ] || s.serviceConfig.Type or "" == "oneshot";
        message = "The service `${name}' is both wanted by ${lib.concatStringsSep ", " s.wantedBy} and started by a timer; give it `serviceConfig.Type = \"oneshot\"'.";
      }
    ]) cfg.services
  );
in
{
  options.systemd = {
    package = mkOption {
      type = types.package;
      default = pkgs.supervisor;
      description = "The service manager.";
    };
    defaultUnit = mkOption {
      type = types.str;
      default = "multi-user.target";
      description = "What is started when the machine boots.";
    };
    globalEnvironment = mkOption {
      type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
      default = { };
      description = "Environment variables of all services.";
    };
    services = units "service" o.service "Services";
    targets = units "target" o.target "Targets: names for groups of units";
    timers = units "timer" o.timer "Timers: they start services at given times";
    sockets = units "socket" o.socket "Sockets that start services";
    paths = units "path" o.pathUnit "Paths that start services when they change";
    slices = units "slice" o.slice "Groups of services that share resources";
    mounts = mkOption {
      type = types.listOf (types.submodule { options = o.mount; });
      default = [ ];
      description = "Mounts, as units.";
    };
    units = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = o.common // {
            text = mkOption {
              type = types.nullOr types.lines;
              default = null;
              description = "The text of the unit file.";
            };
          };
        }
      );
      default = { };
      description = "Units as texts, by name with the suffix.";
    };
    enableEmergencyMode = mkOption {
      type = types.bool;
      default = true;
      description = "Whether a machine that cannot start asks for the root password. The page shows why instead.";
    };
  };

  config = {
    systemd.timers = startAt;
    system.build.units = all;
    environment.etc."systemd/system".source = pkgs.linkFarm "system-units" links;
    warnings = remarks;
    assertions = problems;
  };
}
