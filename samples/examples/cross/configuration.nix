{ pkgs, ... }:

let
  # The same package, compiled for another processor: this machine is an i686, the program is for x86_64.
  foreign = pkgs.pkgsCross.musl64.sprout;

  # Byte 18 of a program's header names its processor: 3 is i386, 62 is x86_64.
  machineOf = pkgs.writeShellScriptBin "machine-of" ''
    od -A n -t u2 -j 18 -N 2 "$1"
  '';
  checked = pkgs.runCommand "sprout-is-for-x86_64" { } ''
    test "$(od -A n -t u2 -j 18 -N 2 ${foreign}/bin/sprout | tr -d ' ')" = 62
    mkdir -p $out/share/foreign
    cp ${foreign}/bin/sprout $out/share/foreign/sprout
  '';
in
{
  networking.hostName = "spore";

  environment.systemPackages = [
    pkgs.sprout
    machineOf
    checked
  ];
}
