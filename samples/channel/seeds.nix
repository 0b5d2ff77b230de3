# Binaries that the channel starts from: trees without references, copied to the store as they are.
#
# seeds.json holds name, version and hash of each. The hash lets an evaluator know the store path without the bytes;
# `node scripts/record-samples.mjs --seeds` writes it anew when a binary changes.
let
  seeds = builtins.fromJSON (builtins.readFile ./seeds.json);
in
builtins.mapAttrs (
  directory: seed: {
    inherit (seed) name version;
    outPath = builtins.path {
      name = "${seed.name}-${seed.version}";
      path = ./seeds + "/${directory}";
      inherit (seed) sha256;
    };
  }
) seeds
