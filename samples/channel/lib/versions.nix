# Version numbers as dotted parts.
{ lib }:
rec {
  splitVersion = builtins.splitVersion;
  major = version: builtins.elemAt (splitVersion version) 0;
  minor = version: builtins.elemAt (splitVersion version) 1;
  patch = version: builtins.elemAt (splitVersion version) 2;
  majorMinor = version: lib.concatStringsSep "." (lib.take 2 (splitVersion version));
  # "9.1" to three parts: "9.1.0"; "9.1.2.3" to three parts: "9.1.2".
  pad =
    n: version:
    let
      numbers = lib.splitString "." (builtins.head (lib.splitString "-" version));
      suffix = lib.removePrefix (builtins.head (lib.splitString "-" version)) version;
    in
    lib.concatStringsSep "." (lib.take n (numbers ++ lib.genList (_: "0") n)) + suffix;
}
