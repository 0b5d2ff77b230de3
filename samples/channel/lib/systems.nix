# The few systems the channel knows: names, and what they say about processor and kernel.
{ lib }:
let
  cpus = {
    i686 = {
      bits = 32;
      family = "x86";
      linuxArch = "i386";
    };
    x86_64 = {
      bits = 64;
      family = "x86";
      linuxArch = "x86_64";
    };
    aarch64 = {
      bits = 64;
      family = "arm";
      linuxArch = "arm64";
    };
  };
in
rec {
  doubles = {
    all = [
      "i686-linux"
      "x86_64-linux"
      "aarch64-linux"
      "x86_64-darwin"
      "aarch64-darwin"
    ];
    linux = builtins.filter (lib.hasSuffix "-linux") doubles.all;
    darwin = builtins.filter (lib.hasSuffix "-darwin") doubles.all;
    unix = doubles.all;
    x86 = [
      "i686-linux"
      "x86_64-linux"
      "x86_64-darwin"
    ];
    i686 = [ "i686-linux" ];
    x86_64 = builtins.filter (lib.hasPrefix "x86_64") doubles.all;
    aarch64 = builtins.filter (lib.hasPrefix "aarch64") doubles.all;
  };
  flakeExposed = doubles.all;

  # "i686-linux", or a set with `system`, to a description of the platform.
  elaborate =
    given:
    let
      system = if builtins.isString given then given else given.system;
      parts = lib.splitString "-" system;
      cpu = builtins.head parts;
      kernel = lib.last parts;
      known = cpus.${cpu} or (throw "systems.elaborate: unknown processor in `${system}'");
    in
    {
      inherit system;
      config = "${cpu}-unknown-${kernel}-${if kernel == "linux" then "musl" else "none"}";
      parsed = {
        cpu = known // {
          name = cpu;
        };
        kernel.name = kernel;
      };
      isLinux = kernel == "linux";
      isDarwin = kernel == "darwin";
      isUnix = true;
      isx86 = known.family == "x86";
      isx86_32 = known.family == "x86" && known.bits == 32;
      isx86_64 = cpu == "x86_64";
      isAarch64 = cpu == "aarch64";
      isi686 = cpu == "i686";
      is32bit = known.bits == 32;
      is64bit = known.bits == 64;
      isStatic = true;
      isMusl = kernel == "linux";
      inherit (known) linuxArch;
    }
    // (if builtins.isAttrs given then given else { });
  equals = a: b: a.system == b.system;
}
