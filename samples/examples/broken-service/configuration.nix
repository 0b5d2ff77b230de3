{ pkgs, ... }:

let
  site = pkgs.writeTextDir "index.html" ''
    <!doctype html>
    <body style="background: #14281d; color: #d8f3dc; font: 1.4rem system-ui; text-align: center; padding: 20vh 1rem">
    <h1>All is well</h1>
  '';
in
{
  networking.hostName = "moss";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = site;
  };

  # Nix cannot know that this file does not exist on the machine: the build succeeds, the service does not.
  # Remove the line, or roll back.
  systemd.services.static-web-server.preStart = "test -e /var/lib/site/license.key";
}
