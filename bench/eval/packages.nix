# The drvPath of one package that depends on hundreds of others, each a file of its own, through callPackage and an overlay. The files
# are written by scripts/bench-eval.mjs; PACKAGES names their folder.
let
  lib = import ../../samples/channel/lib;
  folder = /. + builtins.getEnv "PACKAGES";
  names = builtins.attrNames (builtins.readDir folder);
  pkgs = import ../../samples/channel {
    system = "i686-linux";
    overlays = [
      (final: _: lib.genAttrs names (name: final.callPackage (folder + "/${name}/package.nix") { }))
      (_: prev: { p7 = prev.p7.overrideAttrs (old: { pname = "${old.pname}-changed"; }); })
    ];
  };
in
pkgs.everything.drvPath
