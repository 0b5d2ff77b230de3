# One sentence about this kind of machine, another one each time.
{ writeShellScriptBin, writeText }:
let
  sentences = writeText "fortunes" ''
    A system is a value.
    What you cannot roll back, you have not finished.
    Nothing is overwritten: the new one is built beside the old one.
    The arrow moves, the stones stay.
    Names are for people, hashes are for machines.
    A good upgrade is one you can forget about.
  '';
in
writeShellScriptBin "fortune" ''
  shuf -n 1 ${sentences}
''
