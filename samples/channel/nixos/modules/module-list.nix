# Every module that each system has, whatever its configuration says.
[
  ./misc/assertions.nix
  ./misc/ids.nix
  ./misc/nixpkgs.nix
  ./misc/preview.nix
  ./misc/version.nix

  ./config/environment.nix
  ./config/i18n.nix
  ./config/networking.nix
  ./config/nix.nix
  ./config/system-path.nix
  ./config/users-groups.nix

  ./programs/bash.nix
  ./security/sudo.nix

  ./services/getty.nix
  ./services/nginx.nix
  ./services/static-web-server.nix

  ./system/activation-script.nix
  ./system/boot.nix
  ./system/etc.nix
  ./system/specialisation.nix
  ./system/systemd.nix
  ./system/tmpfiles.nix
  ./system/top-level.nix
]
