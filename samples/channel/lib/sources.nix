# Folders of source files, copied to the store without what does not belong there.
{ lib }:
rec {
  pathHasContext = builtins.hasContext or (_: false);
  canCleanSource = src: src ? _isLibCleanSourceWith || !(pathHasContext (toString src));

  # Not the traces of editors and version control, nor results of builds.
  cleanSourceFilter =
    path: type:
    let
      name = baseNameOf (toString path);
    in
    !(
      (
        type == "directory"
        && builtins.elem name [
          ".git"
          ".hg"
          ".svn"
          "CVS"
          ".jj"
        ]
      )
      || lib.hasSuffix "~" name
      || builtins.match "\\.sw[a-z]|\\..*\\.sw[a-z]" name != null
      || (type == "symlink" && builtins.match "result(-.*)?" name != null)
      || type == "unknown"
    );
  cleanSource =
    src:
    cleanSourceWith {
      filter = cleanSourceFilter;
      inherit src;
    };
  # Filters can be put on top of each other: both must accept.
  cleanSourceWith =
    {
      filter ? _: _: true,
      src,
      name ? null,
    }:
    let
      inner = if src ? _isLibCleanSourceWith then src else null;
      origSrc = if inner == null then src else inner.origSrc;
      both = path: type: filter path type && (inner == null || inner.filter path type);
      name' =
        if name != null then
          name
        else if inner == null then
          "source"
        else
          inner.name;
    in
    {
      _isLibCleanSourceWith = true;
      inherit origSrc;
      filter = both;
      name = name';
      outPath = builtins.path {
        filter = both;
        path = origSrc;
        name = name';
      };
    };
  sourceByRegex =
    src: regexes:
    let
      origin = toString (if src ? _isLibCleanSourceWith then src.origSrc else src);
    in
    cleanSourceWith {
      inherit src;
      filter =
        path: _:
        let
          relative = lib.removePrefix (origin + "/") (toString path);
        in
        lib.any (regex: builtins.match regex relative != null) regexes;
    };
  sourceFilesBySuffices =
    src: suffices:
    cleanSourceWith {
      inherit src;
      filter = path: type: type == "directory" || lib.any (suffix: lib.hasSuffix suffix (baseNameOf path)) suffices;
    };
  pathIsGitRepo = path: builtins.pathExists (path + "/.git");
  commitIdFromGitRepo = path: lib.fileContents (path + "/.git/HEAD");
  trace = src: builtins.trace "source: ${toString (src.origSrc or src)}" src;
}
