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
  inherit (import ./stdenv/environments.nix { inherit lib pkgs platform; }) stdenv stdenvNoCC crossStdenv;

  # The set in which what is compiled is compiled for another processor; the tools stay what they are.
  pkgsCross.musl64 = pkgs.appendOverlays [ (_: prev: { stdenv = prev.crossStdenv; }) ];

  busybox = pkgs.callPackage ./busybox { };
  libsprout_1 = pkgs.callPackage ./sprout/library.nix { major = 1; };
  libsprout_2 = pkgs.callPackage ./sprout/library.nix { };
  libsprout = pkgs.libsprout_2;
  sprout = pkgs.callPackage ./sprout { };

  # Names that configurations ask for.
  tcc = pkgs.tinycc;
  bashInteractive = pkgs.bash;
  sqlite3 = pkgs.sqlite;
  # Busybox answers to these here.
  procps = pkgs.busybox;
  util-linux = pkgs.busybox;
}
