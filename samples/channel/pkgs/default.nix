# The package set: a fixed point of layers, the last of them the user's overlays.
{
  lib,
  system,
  overlays,
  config,
}:
let
  platform = lib.systems.elaborate system;

  # What every layer above finds in the set: the set's own tools and facts.
  base = final: {
    _type = "pkgs";
    inherit lib config overlays system;
    inherit (final.stdenv) hostPlatform buildPlatform targetPlatform;
    path = ../.;
    seeds = import ../seeds.nix;

    callPackage = lib.callPackageWith final;
    callPackages = lib.callPackagesWith final;
    newScope = extra: lib.callPackageWith (final // extra);
    pkgs = final;

    extend = overlay: final.appendOverlays [ overlay ];
    appendOverlays =
      more:
      import ./. {
        inherit lib system config;
        overlays = overlays ++ more;
      };
    # A system from modules, with this package set.
    nixos =
      configuration:
      import ../nixos/lib/eval-config.nix {
        modules = lib.toList configuration ++ [ { nixpkgs.pkgs = lib.mkDefault final; } ];
      };
  };

  builders = final: _: import ./build-support { inherit lib; pkgs = final; };

  packages = final: _: import ./all-packages.nix { inherit lib platform; pkgs = final; };

  # `config.packageOverrides`, the old way of changing packages: a function of the set before the overlays.
  configured = _: prev: lib.optionalAttrs (config ? packageOverrides) (config.packageOverrides prev);
in
lib.fix (
  lib.foldl' (set: overlay: lib.extends overlay set) base (
    [
      builders
      packages
      configured
    ]
    ++ overlays
  )
)
