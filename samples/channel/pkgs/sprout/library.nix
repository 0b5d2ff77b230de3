# A small C library of our own, in two editions whose programs cannot use each other's.
{
  lib,
  stdenv,
  major ? 2,
}:
let
  versions = {
    "1" = "1.4.0";
    "2" = "2.0.1";
  };
  isCross = stdenv.hostPlatform.system != stdenv.buildPlatform.system;
in
stdenv.mkDerivation {
  pname = "libsprout";
  version = versions.${toString major};
  src = ./. + "/library-${toString major}";
  makeFlags = lib.optional isCross "SHARED=0";
  passthru = { inherit major; };
  meta = {
    description = "Drawings of plants, as a library";
    license = lib.licenses.mit;
  };
}
