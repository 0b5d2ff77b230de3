# Sets of files under one folder, combined like sets and copied to the store as one source.
#
# A file set is `{ _type = "fileset"; files = { "/absolute/path" = true; }; }`; a path stands for the file itself or for
# every file below it.
{ lib }:
rec {
  coerce =
    given:
    if given._type or null == "fileset" then
      given
    else if !builtins.isPath given then
      throw "fileset: expected a path or a file set, got ${builtins.typeOf given}"
    else if !builtins.pathExists given then
      throw "fileset: ${toString given} does not exist"
    else
      fromPaths (if lib.pathIsDirectory given then lib.filesystem.listFilesRecursive given else [ given ]);
  fromPaths = paths: {
    _type = "fileset";
    files = lib.listToAttrs (map (path: lib.nameValuePair (toString path) true) paths);
  };
  make = files: {
    _type = "fileset";
    inherit files;
  };

  empty = make { };
  union = a: b: make ((coerce a).files // (coerce b).files);
  unions = lib.foldl' union empty;
  intersection = a: b: make (builtins.intersectAttrs (coerce a).files (coerce b).files);
  difference = a: b: make (removeAttrs (coerce a).files (lib.attrNames (coerce b).files));
  fileFilter =
    pred: path:
    make (
      lib.filterAttrs (
        name: _:
        let
          base = baseNameOf name;
        in
        pred {
          name = base;
          type = "regular";
          hasExt = ext: lib.hasSuffix ".${ext}" base;
        }
      ) (coerce path).files
    );
  maybeMissing = path: if builtins.pathExists path then coerce path else empty;
  toList = set: map (name: /. + name) (lib.attrNames (coerce set).files);
  isFileset = value: value._type or null == "fileset" || builtins.isPath value;
  trace = set: value: builtins.trace (lib.concatStringsSep "\n" (lib.attrNames (coerce set).files)) value;

  toSource =
    {
      root,
      fileset,
    }:
    let
      wanted = lib.attrNames (coerce fileset).files;
      base = toString root;
      folders = lib.genAttrs (lib.concatMap parents wanted) (_: true);
      parents = path: if path == base || path == "/" then [ ] else [ path ] ++ parents (dirOf path);
    in
    {
      origSrc = root;
      outPath = builtins.path {
        name = "source";
        path = root;
        filter = path: _: folders ? ${toString path};
      };
    };
}
