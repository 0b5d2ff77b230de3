{ pkgs, ... }:

{
  networking.hostName = "fern";

  environment.etc."colour".text = "blue\n";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <body style="background: steelblue; color: white; font: 1.4rem system-ui; text-align: center; padding: 20vh 1rem">
      <h1>The blue one</h1>
    '';
  };
}
