{ pkgs, ... }:

{
  networking.hostName = "clover";

  environment.etc."plants/favourite".text = "clover\n";
  environment.systemPackages = [ pkgs.hello ];

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <body style="background: mediumpurple; color: white; font: 1.4rem system-ui; text-align: center; padding: 20vh 1rem">
      <h1>Hello from clover</h1>
    '';
  };
}
