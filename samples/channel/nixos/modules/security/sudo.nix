# sudo: its options exist so that configurations made for NixOS evaluate; the machine has no such program and says so.
{ config, lib, ... }:
let
  cfg = config.security.sudo;
in
{
  options.security.sudo = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether members of wheel may run commands as root. The machine has `su` instead.";
    };
    wheelNeedsPassword = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether members of wheel have to type their password.";
    };
  };
  config.warnings = lib.optional cfg.enable "The machine has no sudo: `security.sudo.enable' has no effect. Use `su' or open a terminal as root.";
}
