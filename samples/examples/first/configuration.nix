{ pkgs, ... }:

let
  colour = "seagreen"; # try "rebeccapurple" or "tomato"
  text = "Hello from my own machine";
in
{
  networking.hostName = "moss";
  users.motd = "Welcome to moss. Everything here is declared.\n";
  users.users.alice.isNormalUser = true;

  environment.systemPackages = [ pkgs.hello pkgs.cowsay ];
  environment.etc."greeting".text = "Declared, not edited.\n";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <title>moss</title>
      <body style="background: linear-gradient(160deg, ${colour}, #0b1d16) fixed; color: white;
        font: 1.4rem/1.5 system-ui; text-align: center; padding: 18vh 1rem">
      <h1>${text}</h1>
      <p>moss serves this page: it is written in configuration.nix.</p>
    '';
  };
}
