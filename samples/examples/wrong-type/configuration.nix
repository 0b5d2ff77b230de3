{ pkgs, ... }:

{
  networking.hostName = "briar";

  services.static-web-server = {
    enable = true;
    listen = 80; # a text such as "[::]:80" is wanted here
    root = pkgs.writeTextDir "index.html" "<h1>Hello</h1>";
  };
}
