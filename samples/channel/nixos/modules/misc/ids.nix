# Numbers of users and groups that every system gives to the same names.
{ lib, ... }:
{
  options.ids = {
    uids = lib.mkOption {
      type = lib.types.attrsOf lib.types.int;
      internal = true;
      description = "User numbers by name.";
    };
    gids = lib.mkOption {
      type = lib.types.attrsOf lib.types.int;
      internal = true;
      description = "Group numbers by name.";
    };
  };
  config.ids = {
    uids = {
      root = 0;
      messagebus = 4;
      nobody = 65534;
    };
    gids = {
      root = 0;
      wheel = 1;
      kmem = 2;
      tty = 3;
      messagebus = 4;
      disk = 6;
      audio = 17;
      dialout = 27;
      video = 26;
      utmp = 29;
      adm = 55;
      users = 100;
      systemd-journal = 62;
      input = 174;
      nixbld = 30000;
      nogroup = 65534;
    };
  };
}
