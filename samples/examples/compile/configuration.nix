{ pkgs, ... }:

let
  # A C program of one file, compiled by a derivation of your own.
  greet = pkgs.stdenv.mkDerivation {
    pname = "greet";
    version = "1.0";
    src = ./greet.c;
    dontUnpack = true;
    buildPhase = "cc -o greet $src";
    installPhase = "install -D greet $out/bin/greet";
  };

  # Two editions of a library live side by side: each program names the one that it was compiled against.
  old = pkgs.sprout.override { libsprout = pkgs.libsprout_1; };
  # The same source, patched and named anew.
  tall = pkgs.sprout.overrideAttrs (previous: {
    pname = "sprout-tall";
    patches = [ ./tall.patch ];
    postInstall = "mv $out/bin/sprout $out/bin/sprout-tall";
  });
in
{
  networking.hostName = "acorn";

  environment.systemPackages = [
    greet
    pkgs.sprout
    (pkgs.writeShellScriptBin "sprout-old" "exec ${old}/bin/sprout \"$@\"")
    tall
  ];
}
