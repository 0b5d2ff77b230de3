{ pkgs, ... }:

{
  networking.hostName = "clover";
}
