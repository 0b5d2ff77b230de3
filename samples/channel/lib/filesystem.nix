# Looking at files and folders during evaluation.
{ lib }:
rec {
  pathType = builtins.readFileType;
  pathIsDirectory = path: builtins.pathExists path && pathType path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && pathType path == "regular";
  listFilesRecursive =
    dir:
    lib.concatLists (
      lib.mapAttrsToList (
        name: type: if type == "directory" then listFilesRecursive (dir + "/${name}") else [ (dir + "/${name}") ]
      ) (builtins.readDir dir)
    );
  haskellPathsInDir = _: throw "the channel has no Haskell packages";
  locateDominatingFile =
    pattern: file:
    let
      go =
        dir:
        let
          matches = lib.filter (m: m != null) (map (builtins.match pattern) (lib.attrNames (builtins.readDir dir)));
        in
        if matches != [ ] then
          {
            path = dir;
            inherit matches;
          }
        else if dir == /. then
          null
        else
          go (dirOf dir);
    in
    go (if pathIsDirectory file then file else dirOf file);
  # A folder whose `.nix` files and sub-folders with `package.nix` are packages.
  packagesFromDirectoryRecursive =
    {
      callPackage,
      directory,
      ...
    }@args:
    if builtins.pathExists (directory + "/package.nix") then
      callPackage (directory + "/package.nix") { }
    else
      lib.concatMapAttrs (
        name: type:
        if type == "directory" then
          { ${name} = packagesFromDirectoryRecursive (args // { directory = directory + "/${name}"; }); }
        else if lib.hasSuffix ".nix" name then
          { ${lib.removeSuffix ".nix" name} = callPackage (directory + "/${name}") { }; }
        else
          { }
      ) (builtins.readDir directory);
}
