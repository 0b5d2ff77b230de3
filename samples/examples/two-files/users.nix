# A module is a set of options; several modules merge into one system.
{
  users.groups.gardeners = { };

  users.users.rose = {
    isNormalUser = true;
    description = "Rose";
    extraGroups = [ "gardeners" ];
  };
  users.users.basil = {
    isNormalUser = true;
    description = "Basil";
    extraGroups = [ "gardeners" ];
  };
}
