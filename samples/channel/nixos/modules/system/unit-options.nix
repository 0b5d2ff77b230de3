# Options that units share, by kind, and the texts of unit files made from them.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (builtins) isBool isList;

  names =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  code =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };
  atom = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.float
      types.str
      types.path
      types.package
    ]
  );
  section =
    description:
    mkOption {
      type = types.attrsOf (types.either atom (types.listOf atom));
      default = { };
      inherit description;
    };
in
rec {
  common = {
    enable = flag true "Whether the unit exists. A disabled unit is masked: nothing can start it.";
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropinIfExists"
        "asDropin"
      ];
      default = "asDropinIfExists";
      description = "Whether this is the unit itself or an addition to one of a package.";
    };
    description = mkOption {
      type = types.singleLineStr;
      default = "";
      description = "What the unit is, in a few words.";
    };
    documentation = names "Addresses of documentation.";
    requires = names "Units started with this one; it stops when one of them fails.";
    wants = names "Units started with this one, whose failure does not matter.";
    requisite = names "Units that must be running already when this one starts.";
    bindsTo = names "As requires, and this unit stops whenever one of them does.";
    partOf = names "Units whose stop and restart reach this one too.";
    upholds = names "Units kept running for as long as this one is.";
    conflicts = names "Units that cannot run at the same time.";
    after = names "Units that start before this one.";
    before = names "Units that start after this one.";
    onFailure = names "Units started when this one fails.";
    onSuccess = names "Units started when this one ends well.";
    requiredBy = names "Units that require this one.";
    wantedBy = names "Units that start this one along with themselves, `multi-user.target` for a usual service.";
    upheldBy = names "Units that keep this one running.";
    aliases = names "Other names of the unit.";
    startLimitBurst = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "How many starts within the interval are too many.";
    };
    startLimitIntervalSec = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "The interval for counting starts, in seconds; 0 does not count.";
    };
    unitConfig = section "Keys of the [Unit] section.";
  };

  service = common // {
    environment = mkOption {
      type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package types.int ]));
      default = { };
      example = {
        PORT = "8080";
      };
      description = "Environment variables of the service's processes.";
    };
    path = mkOption {
      type = types.listOf (types.oneOf [ types.package types.str types.path ]);
      default = [ ];
      description = "Packages whose programs the service finds by name.";
    };
    enableDefaultPath = flag true "Whether the usual tools are on the service's path.";
    serviceConfig = section "Keys of the [Service] section.";
    script = code "Shell code that is the service.";
    scriptArgs = mkOption {
      type = types.str;
      default = "";
      description = "Arguments of the script.";
    };
    preStart = code "Shell code run before the service starts.";
    postStart = code "Shell code run once it has started.";
    reload = code "Shell code that makes the service read its configuration again.";
    preStop = code "Shell code run to stop the service.";
    postStop = code "Shell code run after it has stopped.";
    restartIfChanged = flag true "Whether a switch restarts the service when its unit has changed.";
    reloadIfChanged = flag false "Whether a switch reloads the service instead of restarting it.";
    stopIfChanged = flag true "Whether a changed service is stopped before the activation and started after it, rather than restarted after it.";
    notSocketActivated = flag false "Whether the service is started by a switch even if a socket starts it.";
    restartTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      description = "Values that restart the service when they change.";
    };
    reloadTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      description = "Values that reload the service when they change.";
    };
    startAt = mkOption {
      type = types.coercedTo types.str lib.singleton (types.listOf types.str);
      default = [ ];
      example = "daily";
      description = "When to start the service, as calendar events: makes a timer.";
    };
  };

  target = common;
  timer = common // {
    timerConfig = section "Keys of the [Timer] section.";
  };
  socket = common // {
    listenStreams = names "Addresses for stream sockets.";
    listenDatagrams = names "Addresses for datagram sockets.";
    socketConfig = section "Keys of the [Socket] section.";
  };
  pathUnit = common // {
    pathConfig = section "Keys of the [Path] section.";
  };
  slice = common // {
    sliceConfig = section "Keys of the [Slice] section.";
  };
  mount = common // {
    what = mkOption {
      type = types.str;
      description = "What is mounted.";
    };
    where = mkOption {
      type = types.str;
      description = "Where it is mounted.";
    };
    type = mkOption {
      type = types.str;
      default = "";
      description = "The kind of file system.";
    };
    options = mkOption {
      type = types.commas;
      default = "";
      description = "Mount options.";
    };
    mountConfig = section "Keys of the [Mount] section.";
  };

  # ------------------------------------------------------------------------------------------------------- texts

  show = value: if isBool value then (if value then "true" else "false") else toString value;
  # `KEY=VALUE` lines in the order of the keys; a list gives several lines, null gives none.
  keys =
    attrs:
    lib.concatStrings (
      lib.mapAttrsToList (
        key: value:
        if value == null then
          ""
        else if isList value then
          lib.concatMapStrings (v: "${key}=${show v}\n") value
        else
          "${key}=${show value}\n"
      ) attrs
    );

  unitKeys =
    u:
    let
      words = key: list: lib.optionalAttrs (list != [ ]) { ${key} = lib.concatStringsSep " " list; };
      triggers = list: lib.concatMapStringsSep " " (t: if builtins.isPath t then "${t}" else toString t) list;
    in
    lib.optionalAttrs (u.description != "") { Description = u.description; }
    // words "Documentation" u.documentation
    // words "Requires" u.requires
    // words "Wants" u.wants
    // words "Requisite" u.requisite
    // words "BindsTo" u.bindsTo
    // words "PartOf" u.partOf
    // words "Upholds" u.upholds
    // words "Conflicts" u.conflicts
    // words "After" u.after
    // words "Before" u.before
    // words "OnFailure" u.onFailure
    // words "OnSuccess" u.onSuccess
    // lib.optionalAttrs (u.startLimitBurst != null) { StartLimitBurst = u.startLimitBurst; }
    // lib.optionalAttrs (u.startLimitIntervalSec != null) { StartLimitIntervalSec = u.startLimitIntervalSec; }
    // lib.optionalAttrs (u.restartTriggers or [ ] != [ ]) { X-Restart-Triggers = triggers u.restartTriggers; }
    // lib.optionalAttrs (u.reloadTriggers or [ ] != [ ]) { X-Reload-Triggers = triggers u.reloadTriggers; }
    // u.unitConfig;
  head = u: "[Unit]\n${keys (unitKeys u)}";
}
