# Files below /etc, each from a text or a source; together one tree in the store, and the links to it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  entry =
    { name, config, options, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file is there.";
        };
        target = mkOption {
          type = types.str;
          default = name;
          description = "Where it is, below /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "The text of the file.";
        };
        source = mkOption {
          type = types.path;
          description = "The file itself.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          example = "0600";
          description = "`symlink`, or the permissions of a copy.";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
          description = "The number of the copy's owner.";
        };
        gid = mkOption {
          type = types.int;
          default = 0;
          description = "The number of the copy's group.";
        };
        user = mkOption {
          type = types.str;
          default = "+${toString config.uid}";
          description = "The copy's owner: a name, or `+` and a number.";
        };
        group = mkOption {
          type = types.str;
          default = "+${toString config.gid}";
          description = "The copy's group: a name, or `+` and a number.";
        };
      };
      config = {
        target = lib.mkDefault name;
        source = lib.mkIf (config.text != null) (
          lib.mkDerivedConfig options.text (pkgs.writeText "etc-${lib.strings.sanitizeDerivationName (baseNameOf name)}")
        );
      };
    };
  enabled = lib.filter (e: e.enable) (lib.attrValues config.environment.etc);
in
{
  options = {
    environment.etc = mkOption {
      type = types.attrsOf (types.submodule entry);
      default = { };
      example = lib.literalExpression ''{ "greeting".text = "hello\n"; }'';
      description = "Files below /etc, by their names.";
    };
    system.build = mkOption {
      type = types.lazyAttrsOf types.unspecified;
      default = { };
      internal = true;
      description = "What can be built of this system.";
    };
  };
  config = {
    system.build.etc = pkgs.makeEtc (
      map (e: {
        inherit (e) target mode user group;
        source = e.source;
      }) enabled
    );
    system.activationScripts.etc = ''
      terrarium-step etc "setting up /etc"
      echo "setting up /etc..."
      setup-etc ${config.system.build.etc}/etc
    '';
  };
}
