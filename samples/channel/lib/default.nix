# The library of the channel: plain functions over Nix values, with the names and the behaviour of nixpkgs' lib where
# the two overlap. It imports nothing outside this folder and never looks at a store, a system or a package.
#
# Every file is a function of the finished library (`lib`), so that files may use each other in any order; what a file
# returns is `lib.<file>`, and the names of the most used files are also at the top.
let
  fixedPoints = import ./fixed-points.nix { };

  library =
    lib:
    let
      call = file: import file { inherit lib; };
      parts = {
        trivial = call ./trivial.nix;
        inherit fixedPoints;

        attrsets = call ./attrsets.nix;
        lists = call ./lists.nix;
        strings = call ./strings.nix;
        stringsWithDeps = call ./strings-with-deps.nix;
        asserts = call ./asserts.nix;
        debug = call ./debug.nix;

        options = call ./options.nix;
        types = call ./types.nix;
        modules = call ./modules.nix;

        customisation = call ./customisation.nix;
        derivations = call ./derivations.nix;
        meta = call ./meta.nix;
        licenses = call ./licenses.nix;
        maintainers = { };
        teams = { };
        versions = call ./versions.nix;
        systems = call ./systems.nix;
        platforms = lib.systems.doubles;

        generators = call ./generators.nix;
        cli = call ./cli.nix;
        sources = call ./sources.nix;
        filesystem = call ./filesystem.nix;
        fileset = call ./fileset.nix;
        path = call ./path.nix;
      };
    in
    parts
    // parts.trivial
    // fixedPoints
    // parts.attrsets
    // parts.lists
    // parts.strings
    // parts.stringsWithDeps
    // parts.asserts
    // parts.options
    // parts.modules
    // parts.customisation
    // parts.derivations
    // parts.meta
    // {
      inherit (builtins)
        add
        addErrorContext
        attrNames
        attrValues
        concatLists
        concatMap
        deepSeq
        elem
        elemAt
        filter
        genList
        genericClosure
        getAttr
        hasAttr
        head
        isAttrs
        isBool
        isFloat
        isFunction
        isInt
        isList
        isPath
        isString
        length
        lessThan
        listToAttrs
        pathExists
        readFile
        replaceStrings
        seq
        stringLength
        sub
        substring
        tail
        ;
      inherit (lib.sources)
        cleanSource
        cleanSourceFilter
        cleanSourceWith
        commitIdFromGitRepo
        pathHasContext
        pathIsGitRepo
        sourceByRegex
        sourceFilesBySuffices
        canCleanSource
        ;
      inherit (lib.filesystem)
        pathIsDirectory
        pathIsRegularFile
        pathType
        packagesFromDirectoryRecursive
        ;
      inherit (lib.debug)
        runTests
        traceIf
        traceSeq
        traceSeqN
        traceVal
        traceValFn
        traceValSeq
        traceValSeqFn
        traceValSeqN
        ;
      inherit (lib.versions) splitVersion;
      # Strings have a function of this name too; the one for lists is meant.
      inherit (lib.lists) replicate;
      inherit (lib.types) mkOptionType isType isOptionType;
    };

  # `lib` names its own parts through the finished set, so the top level is spelled out of the same parts twice: once
  # as folders (`lib.strings`) and once flat.
in
fixedPoints.makeExtensible library
