# The service manager of the machine: one static program that plays systemd, systemctl, journalctl and the Nix commands
# (which it hands to the page). The package is the seed itself.
{ lib, seeds }:
let
  inherit (seeds.supervisor) version;
in
{
  type = "derivation";
  name = "supervisor-${version}";
  pname = "supervisor";
  inherit version;
  inherit (seeds.supervisor) outPath;
  outputs = [ "out" ];
  outputName = "out";
  meta = {
    description = "Service manager with systemd's unit files and commands";
    license = lib.licenses.mit;
    mainProgram = "systemctl";
    priority = 4;
  };
}
