# The channel, as `import <nixpkgs> { }`: a small package set in the manner of nixpkgs.
#
# Its binaries are made for i686-linux, which every x86 Linux host runs, so `system` has that one default and the store
# paths are the same wherever the expression is evaluated.
{
  system ? "i686-linux",
  localSystem ? { inherit system; },
  crossSystem ? null,
  overlays ? [ ],
  config ? { },
  ...
}:
import ./pkgs {
  lib = import ./lib;
  inherit config overlays;
  system = localSystem.system or localSystem;
}
