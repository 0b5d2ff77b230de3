# Busybox as a package: bin/ holds a link for each of its applets.
{ lib, seeds, symlinkFarm }:
let
  applets = lib.filter (name: name != "") (lib.splitString "\n" (builtins.readFile ./applets.txt));
  inherit (seeds.busybox) version;
in
symlinkFarm {
  name = "busybox-applets-${version}";
  links = map (name: {
    name = "bin/${name}";
    path = "${seeds.busybox}/bin/busybox";
  }) ([ "busybox" ] ++ applets);
  meta = {
    description = "Small versions of the common Unix tools in one program";
    homepage = "https://busybox.net/";
    license = lib.licenses.gpl2Only;
    mainProgram = "busybox";
    # Whatever a package brings itself wins over the applet of the same name.
    priority = 15;
  };
  passthru = {
    inherit version;
    pname = "busybox";
    shellPath = "/bin/sh";
  };
}
