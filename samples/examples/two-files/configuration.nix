{ pkgs, ... }:

{
  imports = [
    ./users.nix
    ./web.nix
  ];

  networking.hostName = "fern";
  environment.systemPackages = [ pkgs.sysinfo ];
}
