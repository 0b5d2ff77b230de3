{ pkgs, ... }:

{
  networking.hostName = "fern";

  environment.etc."colour".text = "green\n";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <body style="background: seagreen; color: white; font: 1.4rem system-ui; text-align: center; padding: 20vh 1rem">
      <h1>The green one</h1>
    '';
  };
}
