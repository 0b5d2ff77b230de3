{ pkgs, ... }:

let
  page =
    title: colour:
    pkgs.writeTextDir "index.html" ''
      <!doctype html>
      <title>${title}</title>
      <body style="background: ${colour}; color: #1d2b1f; font: 1.2rem/1.6 system-ui; text-align: center; padding: 15vh 1rem">
      <h1>${title}</h1>
      <p>One server, several hosts. Ask from the terminal: <code>curl -H 'Host: pond' localhost</code></p>
    '';
in
{
  networking.hostName = "reed";
  networking.hosts."127.0.0.1" = [ "meadow" "pond" ];

  services.nginx = {
    enable = true;
    recommendedOptimisation = true;
    virtualHosts = {
      meadow = {
        default = true;
        root = page "meadow" "#e3f1d8";
        locations."/old".return = "301 /";
        locations."/pond/".proxyPass = "http://pond/";
      };
      pond.root = page "pond" "#d8e9f1";
    };
  };

  # Real programs, each a package of the store.
  environment.systemPackages = [
    pkgs.bash
    pkgs.curl
    pkgs.hello-gnu
    pkgs.jq
  ];
}
