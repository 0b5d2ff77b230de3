# callPackage fills in the arguments; `override` gives others later.
{
  lib,
  stdenvNoCC,
  symbol ? "🌿",
}:

stdenvNoCC.mkDerivation (finalAttrs: {
  pname = "leaf";
  version = "1.0";
  src = ./leaf.sh;
  inherit symbol;

  dontUnpack = true;
  installPhase = ''
    mkdir -p $out/bin
    sed "s/@symbol@/$symbol/; s/@version@/$version/" $src > $out/bin/leaf
    chmod +x $out/bin/leaf
  '';
  doCheck = true;
  checkPhase = "sh -n $src";

  meta = {
    description = "Prints leaves";
    license = lib.licenses.mit;
    mainProgram = "leaf";
  };
})
