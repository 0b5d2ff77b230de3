{ pkgs, ... }:

let
  leaf = pkgs.callPackage ./package.nix { };
in
{
  networking.hostName = "willow";

  environment.systemPackages = [
    leaf
    # The same program with another leaf: both exist side by side, each under a path of its own.
    (pkgs.writeShellScriptBin "autumn" "exec ${leaf.override { symbol = "🍂"; }}/bin/leaf")
  ];
}
