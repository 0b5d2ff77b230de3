# The standard environment: mkDerivation over a builder script in busybox' shell.
#
# `mkDerivation` takes a set, or a function of the finished package (`finalAttrs`), and gives a derivation with
# `overrideAttrs`, `meta`, `passthru` and one attribute an output.
{
  lib,
  seeds,
  busybox,
  platform,
}:
let
  shell = "${seeds.busybox}/bin/busybox";
  setup = "${./setup.sh}";

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

      name =
        attrs.name
          or "${attrs.pname or (throw "mkDerivation: neither `name' nor `pname' is given")}-${attrs.version or (throw "mkDerivation: `version' is missing for `${attrs.pname}'")}";
      inputs = (attrs.nativeBuildInputs or [ ]) ++ (attrs.buildInputs or [ ]);
      checkInputs = lib.optionals (attrs.doCheck or false) ((attrs.checkInputs or [ ]) ++ (attrs.nativeCheckInputs or [ ]));

      forBuilder =
        removeAttrs attrs notForBuilder
        // (attrs.env or { })
        // {
          inherit name;
          system = platform.system;
          builder = attrs.builder or shell;
          args = attrs.args or [
            "sh"
            "-e"
            setup
          ];
          busybox = shell;
          initialPath = "${busybox}/bin";
          nativeBuildInputs = attrs.nativeBuildInputs or [ ] ++ checkInputs;
          buildInputs = attrs.buildInputs or [ ];
          outputs = attrs.outputs or [ "out" ];
        };
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
    name = "stdenv-busybox";
    inherit shell;
    mkDerivation =
      function: makeDerivation (if lib.isFunction function then function else _: function);
    hostPlatform = platform;
    buildPlatform = platform;
    targetPlatform = platform;
    inherit (platform) system isLinux;
    cc = null;
    initialPath = [ busybox ];
  };
in
stdenv
