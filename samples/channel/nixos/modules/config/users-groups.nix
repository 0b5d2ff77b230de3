# Users and groups. The accounts are declared here and put into /etc/passwd, group and shadow when the system is activated,
# in place: what a user changed since (a password) stays, and so do numbers once given.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.users;
  ids = config.ids;
  inherit (lib) mkOption types;

  secret = description: mkOption {
    type = types.nullOr (types.passwdEntry types.str);
    default = null;
    inherit description;
  };

  user =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.passwdEntry types.str;
          default = name;
          description = "The name to log in with.";
        };
        description = mkOption {
          type = types.passwdEntry types.str;
          default = "";
          example = "Alice Q. User";
          description = "The person behind the account.";
        };
        uid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The number of the user. Null: the next free one, which is then kept.";
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the account belongs to a service.";
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the account belongs to a person: a home below /home, the group `users`, the usual shell.";
        };
        group = mkOption {
          type = types.str;
          default = "";
          description = "The user's own group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "wheel" ];
          description = "Further groups of the user.";
        };
        home = mkOption {
          type = types.passwdEntry types.path;
          default = "/var/empty";
          description = "The home directory.";
        };
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
          description = "Permissions of the home directory when it is made.";
        };
        createHome = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the home directory is made.";
        };
        useDefaultShell = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the shell is `users.defaultUserShell`.";
        };
        shell = mkOption {
          type = types.nullOr (types.either types.shellPackage (types.passwdEntry types.path));
          default = "/run/current-system/sw/bin/nologin";
          description = "The program that runs when the user logs in.";
        };
        password = secret "The password in plain text. It is readable by everybody in the store.";
        initialPassword = secret "The first password in plain text; later changes stay.";
        hashedPassword = secret "The hashed password, as mkpasswd prints it.";
        initialHashedPassword = secret "The first hashed password; later changes stay.";
        hashedPasswordFile = secret "A file on the machine that holds the hashed password.";
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          example = lib.literalExpression "[ pkgs.cowsay ]";
          description = "Packages that only this user has on the path.";
        };
        linger = mkOption {
          type = types.bool;
          default = false;
          description = "Whether services of the user run without a login. The machine has no user services.";
        };
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Keys that may log in over SSH. The machine has no SSH.";
        };
      };
      config = lib.mkMerge [
        (lib.mkIf config.isNormalUser {
          group = lib.mkDefault "users";
          createHome = lib.mkDefault true;
          home = lib.mkDefault "/home/${config.name}";
          useDefaultShell = lib.mkDefault true;
          isSystemUser = lib.mkDefault false;
        })
        (lib.mkIf config.useDefaultShell { shell = lib.mkDefault cfg.defaultUserShell; })
      ];
    };

  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.passwdEntry types.str;
          default = name;
          description = "The name of the group.";
        };
        gid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The number of the group. Null: the next free one, which is then kept.";
        };
        members = mkOption {
          type = types.listOf (types.passwdEntry types.str);
          default = [ ];
          description = "Users in the group, beside those who name it in `extraGroups`.";
        };
      };
    };

  users = lib.attrValues cfg.users;
  groups = lib.attrValues cfg.groups;
  shellOf = u: if u.shell == null then "/run/current-system/sw/bin/nologin" else "${u.shell}${u.shell.shellPath or ""}";
  number = given: fixed: if given != null then toString given else if fixed != null then toString fixed else "-";
  or' = default: text: if text == "" then default else text;

  # One line an account; fields separated by tabs, `-` for "none".
  secretOf =
    u:
    if u.hashedPassword != null then
      "hash=${u.hashedPassword}"
    else if u.password != null then
      "plain=${u.password}"
    else if u.hashedPasswordFile != null then
      "file=${u.hashedPasswordFile}"
    else if u.initialHashedPassword != null then
      "initial-hash=${u.initialHashedPassword}"
    else if u.initialPassword != null then
      "initial-plain=${u.initialPassword}"
    else
      "-";
  membersOf =
    g: lib.unique (g.members ++ map (u: u.name) (lib.filter (u: lib.elem g.name u.extraGroups) users));
  spec = pkgs.writeText "users-groups" (
    lib.concatMapStrings (
      g:
      lib.concatStringsSep "\t" [
        "group"
        g.name
        (number g.gid (ids.gids.${g.name} or null))
        (or' "-" (lib.concatStringsSep "," (membersOf g)))
      ]
      + "\n"
    ) groups
    + lib.concatMapStrings (
      u:
      lib.concatStringsSep "\t" [
        "user"
        u.name
        (number u.uid (ids.uids.${u.name} or null))
        u.group
        (or' "-" u.description)
        u.home
        (shellOf u)
        (if u.isNormalUser then "normal" else "system")
        (if u.createHome then u.homeMode else "-")
        (secretOf u)
      ]
      + "\n"
    ) users
  );

  taken =
    what: list:
    let
      same = lib.groupBy (x: toString x.number) (lib.filter (x: x.number != null) list);
    in
    lib.mapAttrsToList (n: all: {
      assertion = lib.length all < 2;
      message = "${what} ${n} is used by more than one: ${lib.concatMapStringsSep ", " (x: x.name) all}.";
    }) same;
in
{
  imports = [
    (lib.mkAliasOptionModule [ "users" "extraUsers" ] [ "users" "users" ])
    (lib.mkAliasOptionModule [ "users" "extraGroups" ] [ "users" "groups" ])
  ];

  options.users = {
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether accounts and passwords made on the machine by hand stay. If not, they are what is declared here.";
    };
    defaultUserShell = mkOption {
      type = types.either types.path types.shellPackage;
      default = pkgs.runtimeShell;
      description = "The shell of people.";
    };
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
      example = {
        alice = {
          isNormalUser = true;
          extraGroups = [ "wheel" ];
        };
      };
      description = "Users, by name.";
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
      example = {
        students.gid = 1001;
      };
      # The groups every machine has need no module evaluation each.
      apply =
        declared:
        lib.mapAttrs (name: gid: {
          inherit name gid;
          members = [ ];
        }) ids.gids
        // declared;
      description = "Groups, by name.";
    };
    motd = mkOption {
      type = types.nullOr types.lines;
      default = null;
      example = "Today is Sweetmorn, the 4th day of The Aftermath in the YOLD 3178.";
      description = "The message of the day, shown to who logs in.";
    };
    motdFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A file with the message of the day.";
    };
  };

  config = {
    users.users = {
      root = {
        description = "System administrator";
        home = "/root";
        shell = lib.mkDefault cfg.defaultUserShell;
        group = "root";
        isSystemUser = true;
        initialHashedPassword = lib.mkDefault "";
      };
      nobody = {
        description = "Unprivileged account (don't use!)";
        group = lib.mkDefault "nogroup";
        isSystemUser = true;
      };
    };
    environment = {
      etc = lib.mkMerge [
        (lib.mkIf (cfg.motd != null) { motd.text = cfg.motd; })
        (lib.mkIf (cfg.motdFile != null) { motd.source = cfg.motdFile; })
        (lib.listToAttrs (
          map (u: {
            name = "profiles/per-user/${u.name}";
            value.source = pkgs.buildEnv {
              name = "user-environment";
              paths = u.packages;
              inherit (config.environment) pathsToLink extraOutputsToInstall;
              ignoreCollisions = true;
            };
          }) (lib.filter (u: u.packages != [ ]) users)
        ))
      ];
    };

    system.activationScripts.users = {
      deps = [ "etc" ];
      text = ''
        terrarium-step users "setting up users and groups"
        update-users ${spec} ${if cfg.mutableUsers then "mutable" else "immutable"}
      '';
    };
    system.build.usersGroups = spec;

    assertions =
      taken "The user number" (map (u: { inherit (u) name; number = u.uid; }) users)
      ++ taken "The group number" (map (g: { inherit (g) name; number = g.gid; }) groups)
      ++ [
        {
          assertion = cfg.motd == null || cfg.motdFile == null;
          message = "Only one of `users.motd' and `users.motdFile' may be set.";
        }
      ]
      ++ lib.concatMap (u: [
        {
          assertion = u.isNormalUser != u.isSystemUser || u.name == "root";
          message = "Exactly one of `users.users.${u.name}.isSystemUser' and `users.users.${u.name}.isNormalUser' must be set.";
        }
        {
          assertion = u.group != "";
          message = "`users.users.${u.name}.group' is not set. Every user needs a group: `users.users.${u.name}.group = \"${u.name}\"; users.groups.${u.name} = { };'";
        }
        {
          assertion = u.group == "" || cfg.groups ? ${u.group};
          message = "The group `${u.group}' of the user `${u.name}' does not exist. Declare it: `users.groups.${u.group} = { };'";
        }
        {
          assertion = builtins.match "[a-zA-Z0-9_.][a-zA-Z0-9_.-]{0,30}\\$?" u.name != null;
          message = "`${u.name}' is not a possible name of a user.";
        }
      ]) users;
    warnings = lib.concatMap (
      u:
      lib.optional (lib.any (g: !(cfg.groups ? ${g})) u.extraGroups)
        "The user `${u.name}' is in groups that do not exist: ${lib.concatStringsSep ", " (lib.filter (g: !(cfg.groups ? ${g})) u.extraGroups)}."
    ) users;
  };
}
