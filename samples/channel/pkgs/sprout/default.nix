# A small C program of our own; `override` compiles it against the library's other edition.
{
  lib,
  stdenv,
  libsprout,
  blooming ? false,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "sprout";
  version = "0.3";
  src = ./program;
  buildInputs = [ libsprout ];
  # The second edition's function has one argument more.
  env = lib.optionalAttrs (libsprout.major >= 2) { NIX_CFLAGS_COMPILE = "-DBLOOMING=${if blooming then "1" else "0"}"; };
  doCheck = true;
  passthru = { inherit libsprout; };
  meta = {
    description = "Draws a plant";
    license = lib.licenses.mit;
    mainProgram = "sprout";
  };
})
