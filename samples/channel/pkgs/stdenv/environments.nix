# The three standard environments: of busybox alone, of GNU's tools with a C compiler, and that one compiling for x86_64.
{
  lib,
  pkgs,
  platform,
}:
let
  busybox = "${pkgs.seeds.busybox}/bin/busybox";

  gnuTools = with pkgs; [
    bash
    coreutils
    findutils
    diffutils
    gnused
    gnugrep
    gawk
    gnutar
    gzip
    xz
    gnumake
    gnupatch
  ];

  # The folder that `source $stdenv/setup` reads.
  setup =
    { cc, hostPlatform }:
    pkgs.writeTextFile {
      name = "stdenv-linux";
      destination = "/setup";
      text = ''
        initialPath="${lib.concatMapStringsSep " " toString (gnuTools ++ [ cc ])}"
        shell=${pkgs.bash}/bin/bash
        export CC=${cc.targetPrefix}cc AR=${cc.targetPrefix}ar RANLIB=${cc.targetPrefix}ranlib
        host=${lib.optionalString (hostPlatform.system != platform.system) hostPlatform.config}
        . ${./setup-gnu.sh}
      '';
    };

  gnu =
    { cc, hostPlatform }:
    let
      files = setup { inherit cc hostPlatform; };
      shell = "${pkgs.bash}/bin/bash";
    in
    import ./. {
      inherit lib cc hostPlatform shell;
      name = "stdenv-linux";
      buildPlatform = platform;
      arguments = builder: [
        "-e"
        (if builder == null then "${./default-builder.sh}" else builder)
      ];
      attributes = {
        stdenv = files;
      };
      initialPath = gnuTools ++ [ cc ];
      full = true;
    }
    // {
      setup = files;
    };
in
{
  stdenvNoCC = import ./. {
    inherit lib;
    name = "stdenv-busybox";
    buildPlatform = platform;
    shell = busybox;
    arguments = _: [
      "sh"
      "-e"
      "${./setup.sh}"
    ];
    attributes = {
      inherit busybox;
      initialPath = "${pkgs.busybox}/bin";
    };
    initialPath = [ pkgs.busybox ];
  };

  stdenv = gnu {
    cc = pkgs.tinycc;
    hostPlatform = platform;
  };

  # Programs made here and run there; static, because the C library for the other processor is.
  crossStdenv = gnu {
    cc = pkgs.tinycc-x86_64;
    hostPlatform = lib.systems.elaborate "x86_64-linux";
  };
}
