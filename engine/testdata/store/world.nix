# A small world for the store's commands: two versions of a library and of programs on it, several outputs, a
# self-reference, a fixed output, sources, and two systems. Built natively by the oracle.
let
  sh =
    name: env: script:
    derivation (
      {
        inherit name;
        system = "i686-linux";
        builder = "/bin/sh";
        PATH = "/bin";
        # The oracle is told to put its busybox at /bin/busybox too.
        args = [
          "-c"
          "for tool in mkdir head chmod ln; do eval \"$tool() { /bin/busybox $tool \\\"\\\$@\\\"; }\"; done; ${script}"
        ];
      }
      // env
    );
  readme = builtins.toFile "readme.txt" "Read me.\n";
  lib =
    version: size:
    sh "tank-${version}" { outputs = [ "out" "dev" ]; inherit readme; } ''
      mkdir -p $out/lib $dev/include
      head -c ${toString size} /dev/zero > $out/lib/libtank.so
      echo "$readme" > $out/lib/notes
      echo "#include $out" > $dev/include/tank.h
    '';
  hello =
    version: lib:
    sh "hello-${version}" { inherit lib; } ''
      mkdir -p $out/bin $out/share
      echo "#!/bin/sh
      # $out uses $lib
      echo Hello ${version}" > $out/bin/hello
      chmod +x $out/bin/hello
      ln -s ../bin/hello $out/share/link
      ln -s $lib/lib $out/lib
    '';
  system =
    version: programs:
    sh "nixos-system-demo-${version}" { inherit programs; } ''
      mkdir -p $out/etc
      echo "$programs" > $out/etc/programs
    '';
  fixed = sh "fixed.txt" {
    outputHash = "sha256-DDBxQY5jVuYUiYyE7QZMqV6IVRvAgRtTS98ZUuza5TQ=";
    outputHashMode = "flat";
  } ''printf 'fixed\n' > $out'';
  fixedTree = sh "fixed-tree" {
    outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    outputHashMode = "recursive";
  } "";
  tank1 = lib "1.0" 20000;
  tank2 = lib "2.1" 40000;
  hello1 = hello "1.0" tank1;
  hello2 = hello "2.0" tank2;
in
{
  inherit fixed hello1 hello2 tank1 tank2 readme;
  tankDev = tank1.dev;
  system1 = system "1" [ hello1 readme ];
  system2 = system "2" [ hello2 fixed readme ];
  alone = sh "alone" { } "echo alone > $out";
}
