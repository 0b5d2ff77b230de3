{ pkgs, ... }:

{
  networking.hostName = "nixos";
}
