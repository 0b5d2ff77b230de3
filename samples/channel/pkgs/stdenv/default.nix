# The standard environments: mkDerivation over a shell, a set-up script and the tools it starts with.
#
# `mkDerivation` takes a set, or a function of the finished package (`finalAttrs`), and gives a derivation with
# `overrideAttrs`, `meta`, `passthru` and one attribute an output.
{
  lib,
  # What the environment is called, for which machine it builds, and on which.
  name,
  buildPlatform,
  hostPlatform ? buildPlatform,
  # The program that runs a build, and its arguments: a function of the derivation's own `builder` (null for none).
  shell,
  arguments,
  # Attributes that every derivation gets.
  attributes,
  # The packages whose programs are there without being asked for, and the compiler (null for none).
  initialPath,
  cc ? null,
  # Whether libraries that a package propagates, and outputs for development, are known to the set-up script.
  full ? false,
}:
let
  # Attributes that describe the package and never reach the builder.
  notForBuilder = [
    "meta"
    "passthru"
    "pos"
    "env"
    "checkInputs"
    "nativeCheckInputs"
    "strictDeps"
  ];
  cross = hostPlatform.system != buildPlatform.system;

  makeDerivation =
    function:
    let
      attrs = function final;
      final = attrs // {
        inherit overrideAttrs;
        finalPackage = package;
      };
      overrideAttrs =
        change:
        let
          overlay = lib.toExtension change;
        in
        makeDerivation (lib.extends overlay function);

      baseName =
        attrs.name
          or "${attrs.pname or (throw "mkDerivation: neither `name' nor `pname' is given")}-${attrs.version or (throw "mkDerivation: `version' is missing for `${attrs.pname}'")}";
      name = if cross then "${baseName}-${hostPlatform.config}" else baseName;
      inputs = (attrs.nativeBuildInputs or [ ]) ++ (attrs.buildInputs or [ ]);
      checkInputs = lib.optionals (attrs.doCheck or false) ((attrs.checkInputs or [ ]) ++ (attrs.nativeCheckInputs or [ ]));
      # A library is built against by its output for development.
      developed = if full then map (input: if lib.isDerivation input then lib.getDev input else input) else (list: list);

      forBuilder =
        removeAttrs attrs notForBuilder
        // (attrs.env or { })
        // {
          inherit name;
          system = buildPlatform.system;
          builder = if full then shell else attrs.builder or shell;
          args = attrs.args or (arguments (attrs.builder or null));
          nativeBuildInputs = developed (attrs.nativeBuildInputs or [ ] ++ checkInputs);
          buildInputs = developed (attrs.buildInputs or [ ]);
          outputs = attrs.outputs or [ "out" ];
        }
        // lib.optionalAttrs (full && attrs ? propagatedBuildInputs) {
          propagatedBuildInputs = developed attrs.propagatedBuildInputs;
        }
        // attributes;
      plain = builtins.addErrorContext "while evaluating the derivation `${name}'" (derivation forBuilder);
      meta = {
        inherit name;
        available = true;
        outputsToInstall = [ (if lib.elem "bin" forBuilder.outputs then "bin" else lib.head forBuilder.outputs) ];
      }
      // (attrs.meta or { });
      package = lib.extendDerivation true (
        {
          inherit overrideAttrs meta inputs;
          passthru = attrs.passthru or { };
          stdenv = stdenv;
        }
        // lib.optionalAttrs (attrs ? pname) { inherit (attrs) pname; }
        // lib.optionalAttrs (attrs ? version) { inherit (attrs) version; }
        // (attrs.passthru or { })
      ) plain;
    in
    package;

  stdenv = {
    inherit
      name
      shell
      cc
      initialPath
      buildPlatform
      hostPlatform
      ;
    mkDerivation =
      function: makeDerivation (if lib.isFunction function then function else _: function);
    targetPlatform = hostPlatform;
    inherit (hostPlatform) system isLinux;
  };
in
stdenv
