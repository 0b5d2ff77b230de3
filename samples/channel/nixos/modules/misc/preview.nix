# What the page shows beside the editor: a web server inside the machine. Not a NixOS option; it changes no store path.
{ lib, ... }:
{
  options.terrarium.preview = lib.mkOption {
    default = null;
    description = "The web page to show: the unit that serves it and the TCP port it listens on.";
    type = lib.types.nullOr (
      lib.types.submodule {
        options = {
          unit = lib.mkOption {
            type = lib.types.str;
            description = "Name of the unit, with its suffix.";
          };
          port = lib.mkOption {
            type = lib.types.port;
            description = "TCP port on the machine's loopback interface.";
          };
        };
      }
    );
  };
}
