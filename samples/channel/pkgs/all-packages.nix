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
// import ./debian/packages.nix { inherit lib pkgs; }
// {
  stdenv = import ./stdenv {
    inherit lib platform;
    inherit (pkgs) seeds busybox;
  };
  stdenvNoCC = pkgs.stdenv;

  busybox = pkgs.callPackage ./busybox { };
  # Names that configurations ask for.
  bashInteractive = pkgs.bash;
  sqlite3 = pkgs.sqlite;
  # Busybox answers to these here.
  procps = pkgs.busybox;
  util-linux = pkgs.busybox;
}
