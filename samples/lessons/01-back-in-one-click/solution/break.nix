{ pkgs, ... }:

{
  networking.hostName = "moss";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = "/srv/site";
  };
}
