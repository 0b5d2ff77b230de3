# The top level of the first example's system.
(import ../../samples/channel/nixos {
  configuration = ../../samples/examples/first/configuration.nix;
}).system.drvPath
