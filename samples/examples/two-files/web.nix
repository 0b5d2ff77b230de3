# `config` is the whole merged system: this page names users that another file declares.
{ config, lib, pkgs, ... }:

let
  people = lib.filter (user: user.isNormalUser) (lib.attrValues config.users.users);
  item = user: "<li>${user.description} (${user.name})</li>";
in
{
  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <title>${config.networking.hostName}</title>
      <body style="background: #f4f1e8; color: #23402b; font: 1.3rem/1.6 system-ui; max-width: 30rem; margin: 12vh auto; padding: 0 1rem">
      <h1>${config.networking.hostName}</h1>
      <p>Who lives here:</p>
      <ul>
        ${lib.concatMapStringsSep "\n  " item people}
      </ul>
    '';
  };
}
