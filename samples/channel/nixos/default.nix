# `import <nixpkgs/nixos> { configuration = ./configuration.nix; }`: a whole system from one configuration.
{
  configuration ? <nixos-config>,
  system ? "i686-linux",
  specialArgs ? { },
}:
let
  eval = import ./lib/eval-config.nix {
    inherit system specialArgs;
    modules = [ configuration ];
  };
in
{
  inherit (eval) pkgs config options;
  # What `nixos-rebuild` builds.
  system = eval.config.system.build.toplevel;
  vm = throw "The page's own machine runs the system: there is no separate VM to build.";
}
