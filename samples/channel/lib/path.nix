# Paths as values: appending, splitting, and relative paths in one normal form (`./a/b`).
{ lib }:
let
  components = text: lib.filter (part: part != "" && part != ".") (lib.splitString "/" text);
in
rec {
  append =
    path: sub:
    assert lib.assertMsg (builtins.isPath path) "path.append: the first argument is not a path";
    assert lib.assertMsg (subpath.isValid sub) "path.append: `${sub}' is not a relative path inside the folder";
    path + ("/" + sub);
  hasPrefix = prefix: path: lib.lists.hasPrefix (components (toString prefix)) (components (toString path));
  removePrefix =
    prefix: path:
    assert lib.assertMsg (hasPrefix prefix path) "path.removePrefix: ${toString path} is not below ${toString prefix}";
    subpath.join (lib.drop (lib.length (components (toString prefix))) (components (toString path)));
  splitRoot = path: {
    root = /.;
    subpath = subpath.join (components (toString path));
  };
  splitStorePath = path: {
    storePath = /. + lib.concatStringsSep "/" ([ "" ] ++ lib.take 3 (components (toString path)));
    subpath = subpath.join (lib.drop 3 (components (toString path)));
  };
  hasStorePathPrefix = path: lib.hasPrefix (builtins.storeDir + "/") (toString path);

  subpath = {
    isValid = text: builtins.isString text && text != "" && !lib.hasPrefix "/" text && !lib.elem ".." (components text);
    normalise =
      text:
      assert lib.assertMsg (subpath.isValid text) "path.subpath: `${toString text}' is not a valid relative path";
      subpath.join (components text);
    join = parts: if parts == [ ] then "./." else "./" + lib.concatStringsSep "/" (lib.concatMap components parts);
    components = text: components text;
  };
}
