{ pkgs, ... }:

{
  networking.hostname = "briar"; # hostName

  environment.systemPackages = [ pkgs.hello ];
}
