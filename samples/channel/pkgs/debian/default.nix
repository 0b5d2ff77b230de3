# Packages made of Debian's binaries: unpacked, and pointed at each other in the store.
#
# Each .deb is a fixed-output derivation with a frozen address; which ones there are, packages.json says (recorded by
# scripts/record-debian.mjs). What has references is an ordinary derivation of busybox that any Nix can build.
{
  lib,
  stdenvNoCC,
  fetchurl,
  seeds,
}:
let
  frozen = builtins.fromJSON (builtins.readFile ./packages.json);

  # `~` may stand in a file's name and not in a store path's.
  fetch =
    name:
    let
      inherit (frozen.${name}) file hash;
    in
    fetchurl {
      name = lib.replaceStrings [ "~" ] [ "-" ] (baseNameOf file);
      url = "mirror://debian/pool/main/${file}";
      inherit hash;
    };

  unpack =
    {
      pname,
      debs,
      version ? frozen.${lib.head debs}.version,
      libraries ? [ ],
      libc ? "",
      patchelf ? "",
      shellPath ? "${seeds.busybox}/bin/busybox sh",
      arrange ? "",
      meta ? { },
      passthru ? { },
    }:
    stdenvNoCC.mkDerivation {
      inherit pname version libraries libc patchelf shellPath arrange passthru;
      debs = map fetch debs;
      buildCommand = ". ${./unpack.sh}";
      inherit meta;
    };
in
{
  inherit fetch frozen unpack;
}
