# The packages, by name. One that needs more than a line has a file of its own in by-name/.
{
  lib,
  pkgs,
  platform,
}:
let
  byName = lib.mapAttrs' (
    file: _:
    let
      name = lib.removeSuffix ".nix" file;
    in
    lib.nameValuePair name (pkgs.callPackage (./by-name + "/${file}") { })
  ) (builtins.readDir ./by-name);
in
byName
// {
  stdenv = import ./stdenv {
    inherit lib platform;
    inherit (pkgs) seeds busybox;
  };
  stdenvNoCC = pkgs.stdenv;

  busybox = pkgs.callPackage ./busybox { };
  # Names that configurations ask for; busybox answers to all of them here.
  bash = pkgs.busybox;
  bashInteractive = pkgs.busybox;
  coreutils = pkgs.busybox;
  findutils = pkgs.busybox;
  gnugrep = pkgs.busybox;
  gnused = pkgs.busybox;
  gawk = pkgs.busybox;
  gnutar = pkgs.busybox;
  gzip = pkgs.busybox;
  less = pkgs.busybox;
  procps = pkgs.busybox;
  util-linux = pkgs.busybox;
}
