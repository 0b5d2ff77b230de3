# Variants of a system that are built along with it, each a system of its own in `specialisation/`.
{
  config,
  lib,
  extendModules,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  options = {
    specialisation = mkOption {
      default = { };
      example = lib.literalExpression "{ maintenance.configuration.services.static-web-server.enable = lib.mkForce false; }";
      description = "Variants of this system: each adds its configuration to this one (or stands alone).";
      type = types.attrsOf (
        types.submodule (
          { config, ... }:
          {
            options = {
              inheritParentConfig = mkOption {
                type = types.bool;
                default = true;
                description = "Whether the variant starts from this system's configuration.";
              };
              configuration = mkOption {
                default = { };
                description = "What the variant adds.";
                type =
                  let
                    extended = extendModules {
                      modules = [
                        {
                          _file = "system/specialisation.nix";
                          # A variant has no variants.
                          specialisation = lib.mkForce { };
                        }
                      ];
                    };
                  in
                  types.mkOptionType {
                    name = "system";
                    description = "configuration of a system";
                    check = x: lib.isAttrs x || lib.isFunction x || lib.isPath x;
                    merge =
                      loc: defs:
                      let
                        added = map (def: lib.setDefaultModuleLocation def.file def.value) defs;
                      in
                      if config.inheritParentConfig then
                        (extended.extendModules { modules = added; }).config
                      else
                        (import ../../lib/eval-config.nix { modules = added; }).config;
                  };
              };
            };
          }
        )
      );
    };
  };
  config.assertions = map (name: {
    assertion = builtins.match "[^/]+" name != null;
    message = "The specialisation `${name}' has a slash in its name.";
  }) (lib.attrNames config.specialisation);
}
