# Derivations as values: making one lazily from parts that are known before it is forced.
{ lib }:
{
  # A package whose name and meta are known at once and whose derivation is computed only when used.
  lazyDerivation =
    {
      derivation,
      meta ? null,
      passthru ? { },
      outputs ? [ "out" ],
    }:
    {
      type = "derivation";
      inherit (derivation)
        name
        drvPath
        outPath
        outputName
        system
        ;
      inherit outputs;
    }
    // lib.genAttrs outputs (name: derivation.${name})
    // lib.optionalAttrs (meta != null) { inherit meta; }
    // passthru;
  # For attributes of derivations: `null` leaves the hash as it was before the attribute existed.
  optionalDrvAttr = cond: value: if cond then value else null;
  warnOnInstantiate =
    message: drv:
    drv
    // {
      drvPath = builtins.warn message drv.drvPath;
      outPath = builtins.warn message drv.outPath;
    };
}
