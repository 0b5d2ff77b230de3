# Functions that make derivations out of texts, links and commands.
#
# Text files, link farms, the /etc tree and the top level of a system are made by the four scripts in ../../recipes and
# by nothing else: whoever knows those scripts knows the outputs without running them.
{ lib, pkgs }:
let
  inherit (builtins)
    concatMap
    concatStringsSep
    isList
    map
    removeAttrs
    ;
  inherit (pkgs) system;

  # The path of busybox as one string, so that every derivation shares it.
  busybox = "${pkgs.seeds.busybox}/bin/busybox";

  # Scripts copied to the store once each.
  recipes = lib.mapAttrs (_: file: "${file}") {
    text = ../../recipes/text.sh;
    symlinkFarm = ../../recipes/symlink-farm.sh;
    etc = ../../recipes/etc.sh;
    system = ../../recipes/system.sh;
  };

  # A derivation of one recipe, as a package (with override, meta and passthru).
  recipe =
    {
      script,
      name,
      passAsFile,
      env,
      meta ? { },
      passthru ? { },
    }:
    derivation (
      {
        inherit name system busybox;
        builder = busybox;
        args = [
          "sh"
          script
        ];
        inherit passAsFile;
      }
      // env
    )
    // {
      inherit meta passthru;
    }
    // passthru;

  line = fields: concatStringsSep "\t" fields + "\n";
  lines = records: concatStringsSep "" (map line records);

  # Store paths of packages of every output they want installed.
  outputsOf = pkg: if pkg.meta.outputsToInstall or null == null || pkg.outputSpecified or false then [ pkg ] else map (o: pkg.${o}) pkg.meta.outputsToInstall;
in
rec {
  inherit recipes;

  # A script interpreter whose path ends in `sh`, as a `#!` line wants it.
  runtimeShell = "${pkgs.busybox}/bin/sh";
  runtimeShellPackage = pkgs.busybox;

  # ------------------------------------------------------------------------------------------------------- text

  # { name; text; executable; destination; }: a file, or with a destination a directory that holds it.
  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
      passthru ? { },
      derivationArgs ? { },
      checkPhase ? "",
      allowSubstitutes ? false,
      preferLocalBuild ? true,
    }:
    if checkPhase != "" then
      runCommand name
        (
          {
            inherit text executable destination checkPhase meta passthru;
            passAsFile = [ "text" ];
          }
          // derivationArgs
        )
        ''
          target=$out$destination
          mkdir -p "''${target%/*}"
          cat "$textPath" > "$target"
          if [ -n "$executable" ]; then chmod +x "$target"; fi
          eval "$checkPhase"
        ''
    else
      recipe {
        script = recipes.text;
        inherit name meta passthru;
        passAsFile = [ "text" ];
        env = {
          inherit text;
          executable = if executable then "1" else "";
          destination = lib.removePrefix "/" destination;
        }
        // derivationArgs;
      };
  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
  writeShellScript = name: text: writeScript name "#!${runtimeShell}\n${text}";
  writeShellScriptBin = name: text: writeScriptBin name "#!${runtimeShell}\n${text}";
  # A shell program that fails at the first error and finds its tools itself.
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? null,
      meta ? { },
      passthru ? { },
      inheritPath ? true,
      bashOptions ? [
        "errexit"
        "nounset"
        "pipefail"
      ],
      ...
    }:
    writeTextFile {
      inherit name passthru;
      executable = true;
      destination = "/bin/${name}";
      meta = {
        mainProgram = name;
      }
      // meta;
      text =
        "#!${runtimeShell}\n"
        + lib.concatMapStrings (option: "set -o ${option}\n") bashOptions
        + lib.optionalString (runtimeEnv != null) (
          lib.concatStrings (lib.mapAttrsToList (key: value: "export ${lib.toShellVar key value}\n") runtimeEnv)
        )
        + lib.optionalString (
          runtimeInputs != [ ]
        ) "\nexport PATH=\"${lib.makeBinPath runtimeInputs}${lib.optionalString inheritPath ":$PATH"}\"\n"
        + "\n"
        + text
        + "\n";
    };
  concatTextFile =
    {
      name,
      files,
      executable ? false,
      destination ? "",
      ...
    }:
    runCommand name { inherit files executable destination; } ''
      target=$out$destination
      mkdir -p "''${target%/*}"
      cat $files > "$target"
      if [ -n "$executable" ]; then chmod +x "$target"; fi
    '';
  concatText = name: files: concatTextFile { inherit name files; };

  # ------------------------------------------------------------------------------------------------------- links

  # { links: [ { name; path; } … ]; paths: packages to merge, by priority; }
  symlinkFarm =
    {
      name,
      links ? [ ],
      paths ? [ ],
      pathsToLink ? [ "/" ],
      ignoreCollisions ? false,
      meta ? { },
      passthru ? { },
    }:
    let
      ranked = concatMap (
        pkg:
        map (output: {
          priority = pkg.meta.priority or lib.meta.defaultPriority;
          path = "${output}";
        }) (outputsOf pkg)
      ) (lib.filter (pkg: pkg != null) paths);
    in
    recipe {
      script = recipes.symlinkFarm;
      inherit name meta passthru;
      passAsFile = [
        "links"
        "paths"
      ];
      env = {
        links = lines (
          map (link: [
            link.name
            "${link.path}"
          ]) links
        );
        paths = lines (
          map (r: [
            (toString r.priority)
            r.path
          ]) (lib.sort (a: b: a.priority < b.priority) ranked)
        );
        inherit pathsToLink;
        ignoreCollisions = if ignoreCollisions then "1" else "";
      };
    };
  linkFarm =
    name: entries:
    symlinkFarm {
      inherit name;
      links = if isList entries then entries else lib.mapAttrsToList (name: path: { inherit name path; }) entries;
      passthru.entries = entries;
    };
  linkFarmFromDrvs = name: drvs: linkFarm name (map (drv: { inherit (drv) name; path = drv; }) drvs);
  buildEnv =
    {
      name,
      paths,
      pathsToLink ? [ "/" ],
      ignoreCollisions ? false,
      extraOutputsToInstall ? [ ],
      postBuild ? "",
      meta ? { },
      passthru ? { },
      ...
    }:
    let
      wanted = concatMap (
        pkg: [ pkg ] ++ map (output: lib.getOutput output pkg) (lib.filter (output: pkg ? ${output}) extraOutputsToInstall)
      ) (lib.filter (pkg: pkg != null) paths);
      farm = symlinkFarm {
        inherit
          name
          pathsToLink
          ignoreCollisions
          meta
          passthru
          ;
        paths = lib.unique wanted;
      };
    in
    if postBuild == "" then farm else withPostBuild farm postBuild;
  symlinkJoin =
    {
      name ? "${args.pname}-${args.version}",
      paths,
      postBuild ? "",
      meta ? { },
      passthru ? { },
      ...
    }@args:
    let
      farm = symlinkFarm {
        inherit
          name
          meta
          passthru
          paths
          ;
        ignoreCollisions = true;
      };
    in
    if postBuild == "" then farm else withPostBuild farm postBuild;
  # A farm that a script changes afterwards: no recipe, an ordinary build that starts with a copy of the links.
  withPostBuild =
    farm: postBuild:
    runCommand farm.name
      {
        inherit (farm) meta passthru;
        inherit farm postBuild;
      }
      ''
        cp -a "$farm" "$out"
        chmod -R u+w "$out"
        eval "$postBuild"
      '';

  # ------------------------------------------------------------------------------------------------------- systems

  # entries: [ { target; mode; user; group; source; } … ]
  makeEtc =
    entries:
    recipe {
      script = recipes.etc;
      name = "etc";
      passAsFile = [ "entries" ];
      env.entries = lines (
        map (e: [
          e.target
          e.mode
          e.user
          e.group
          "${e.source}"
        ]) entries
      );
    };
  # files: [ { name; text; executable; } … ], in which `@out@` stands for the output's own path; links as in linkFarm.
  makeSystem =
    {
      name,
      files,
      links,
      passthru ? { },
    }:
    let
      variable = n: "file${toString n}";
      numbered = lib.imap0 (n: file: file // { variable = variable n; }) files;
    in
    recipe {
      script = recipes.system;
      inherit name passthru;
      passAsFile = [
        "links"
        "files"
      ]
      ++ map (file: file.variable) numbered;
      env = {
        links = lines (
          map (link: [
            link.name
            "${link.path}"
          ]) links
        );
        files = lines (
          map (file: [
            (if file.executable or false then "script" else "text")
            file.variable
            file.name
          ]) numbered
        );
      }
      // lib.listToAttrs (map (file: lib.nameValuePair file.variable file.text) numbered);
    };

  # ------------------------------------------------------------------------------------------------------- commands

  # A derivation made by a shell script: with the tools of busybox, or those of the stdenv that is named.
  runCommand = runCommandIn pkgs.stdenvNoCC;
  runCommandCC = runCommandIn pkgs.stdenv;
  runCommandIn =
    stdenv: name: env: buildCommand:
    stdenv.mkDerivation (
      {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ (env.passAsFile or [ ]);
      }
      // removeAttrs env [ "passAsFile" ]
    );
  local = env: { preferLocalBuild = true; allowSubstitutes = false; } // env;
  runCommandLocal = name: env: runCommand name (local env);
  runCommandWith =
    {
      name,
      stdenv ? pkgs.stdenv,
      runLocal ? false,
      derivationArgs ? { },
    }:
    runCommandIn stdenv name (if runLocal then local derivationArgs else derivationArgs);
  # A package whose script every build that has it among its inputs sources.
  makeSetupHook =
    {
      name ? "hook",
      propagatedBuildInputs ? [ ],
      substitutions ? { },
      ...
    }:
    script:
    runCommand name { } (
      ''
        mkdir -p $out/nix-support
        cp ${script} $out/nix-support/setup-hook
        chmod u+w $out/nix-support/setup-hook
      ''
      + lib.concatStrings (
        lib.mapAttrsToList (key: value: "sed -i ${lib.escapeShellArg "s|@${key}@|${toString value}|g"} $out/nix-support/setup-hook\n") substitutions
      )
      + lib.optionalString (propagatedBuildInputs != [ ]) "echo ${toString propagatedBuildInputs} > $out/nix-support/propagated-build-inputs\n"
    );
  # `makeWrapper` and `wrapProgram` are functions that every build has; this is for those who ask for them.
  makeWrapper = writeTextDir "nix-support/setup-hook" "";
  emptyFile = writeText "empty-file" "";
  emptyDirectory = symlinkFarm { name = "empty-directory"; };
  replaceVars =
    src: vars:
    writeText (baseNameOf (toString src)) (
      lib.replaceStrings (map (name: "@${name}@") (lib.attrNames vars)) (map (v: "${toString v}") (lib.attrValues vars)) (
        builtins.readFile src
      )
    );
  copyPathToStore = path: builtins.path { inherit path; };
  # A fixed-output download; the fetcher inside Nix does it, so no tool is needed.
  fetchurl =
    {
      url ? builtins.head urls,
      urls ? [ url ],
      hash ? "",
      sha256 ? "",
      name ? baseNameOf url,
      executable ? false,
      ...
    }:
    import <nix/fetchurl.nix> (
      {
        inherit name url executable;
      }
      // (if hash != "" then { inherit hash; } else { inherit sha256; })
    );
}
