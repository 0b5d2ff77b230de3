{ pkgs, ... }:

let
  colour = "seagreen";
  text = "Hello from my own NixOS!";
in
{
  networking.hostName = "moss";
  users.motd = "Welcome to moss. Everything here was declared.\n";

  environment.systemPackages = [ pkgs.hello pkgs.cowsay ];
  environment.etc."greeting".text = "This file exists because the configuration says so.\n";

  users.users.alice = {
    isNormalUser = true;
    description = "Alice";
  };

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <body style="background: ${colour}; color: white; font: 2em system-ui; text-align: center; padding: 3em">
      <h1>${text}</h1>
      <p>served by moss</p>
    '';
  };
}
