{ pkgs, ... }:

{
  networking.hostName = "ivy";

  # `final` is the package set with all changes, `prev` the one before this overlay.
  nixpkgs.overlays = [
    (final: prev: {
      hello = prev.hello.override { greeting = "Hello from the overlay!"; };

      greet-everybody = final.writeShellScriptBin "greet-everybody" ''
        for user in $(cut -d : -f 1 /etc/passwd); do
          echo "$user: $(${final.hello}/bin/hello)"
        done
      '';
    })
  ];

  environment.systemPackages = [
    pkgs.hello
    pkgs.greet-everybody
  ];

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.runCommand "site" { } ''
      mkdir $out
      ${pkgs.hello}/bin/hello > $out/index.html
    '';
  };
}
