{ pkgs, ... }:

{
  networking.hostName = "clover";

  environment.etc."plants/favourite".text = "clover\n";
  environment.systemPackages = [ pkgs.hello ];
}
