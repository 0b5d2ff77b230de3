{ config, lib, pkgs, ... }:

let
  page = background: words: pkgs.writeTextDir "index.html" ''
    <!doctype html>
    <body style="background: ${background}; color: white; font: 1.4rem system-ui; text-align: center; padding: 20vh 1rem">
    <h1>${words}</h1>
  '';
in
{
  networking.hostName = "moon";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = lib.mkDefault (page "#3a86c8" "Good day");
  };

  # Everything of this system, plus these lines: a system of its own, in `specialisation/night`.
  specialisation.night.configuration = {
    system.nixos.tags = [ "night" ];
    services.static-web-server.root = page "#101728" "Good night";
    users.motd = "It is dark outside.\n";
  };
}
