# tcc, the Tiny C Compiler: built from source, for this processor or as a cross compiler for another one.
#
# The compiler of Debian's package compiles the source; the result knows where its C library lies, so that it needs no wrapper
# to find headers, start files and the dynamic loader.
{
  lib,
  stdenvNoCC,
  debian,
  fromDebian,
  glibc,
  glibcHeaders,
  # The processor to compile for, as tcc calls it: i386, x86_64, arm64.
  target ? "i386",
  # Where the C library for that processor lies: { headers; lib; loader; }
  libc ? {
    headers = "${glibcHeaders}/include";
    lib = "${glibcHeaders}/lib:${glibc}/lib";
    loader = "${glibc}/lib/ld-linux.so.2";
  },
}:
let
  bootstrap = fromDebian {
    pname = "tinycc-bootstrap";
    debs = [ "tcc" ];
    meta.license = lib.licenses.lgpl21Plus;
  };
  objects = {
    i386 = "libtcc1.c alloca86.S alloca86-bt.S dsohandle.c";
    x86_64 = "libtcc1.c alloca86_64.S alloca86_64-bt.S va_list.c dsohandle.c";
    arm64 = "lib-arm64.c fetch_and_add_arm64.S dsohandle.c";
  };
  prefix = lib.optionalString (target != "i386") "${target}-";
  # "lib/a:lib/b" as a C string on a command line.
  define = name: value: "-D${name}=\"${value}\"";
in
stdenvNoCC.mkDerivation {
  pname = "${prefix}tinycc";
  inherit (debian.frozen."source:tcc") version;
  src = debian.fetch "source:tcc";
  inherit bootstrap glibcHeaders glibc;
  program = "${prefix}tcc";
  objects = objects.${target};
  defines = [
    "-DTCC_TARGET_${lib.toUpper target}"
    (define "TCC_VERSION" debian.frozen."source:tcc".version)
    (define "CONFIG_TCC_SYSINCLUDEPATHS" "{B}/include:${libc.headers}")
    (define "CONFIG_TCC_LIBPATHS" "{B}:${libc.lib}")
    (define "CONFIG_TCC_CRTPREFIX" libc.lib)
    (define "CONFIG_TCC_ELFINTERP" libc.loader)
    (define "TCC_LIBTCC1" "libtcc1.a")
  ];
  storeHeader = "${./tcc-store.h}";
  buildCommand = ''
    mkdir source
    tar xjf $src -C source
    cd source
    # The three places that tcc-store.h is for: a shared library is opened, and options are complete.
    cp $storeHeader tcc-store.h
    sed -i '/^#include "libtcc.h"/a #include "tcc-store.h"' tcc.h
    sed -i '/^ST_FUNC int tcc_load_dll/,/^}/s|    full_read(fd, &ehdr, sizeof(ehdr));|    if (level == 0) run_path_of_library(\&s1->rpath, filename);\n&|' tccelf.c
    sed -i 's|^    opt = tcc_parse_args(s, &argc, &argv, 1);|&\n    if (opt == 0 \&\& getenv("NIX_CFLAGS_COMPILE")) tcc_set_options(s, getenv("NIX_CFLAGS_COMPILE"));\n    if (opt == 0 \&\& s->output_type < TCC_OUTPUT_OBJ \&\& getenv("NIX_LDFLAGS")) tcc_set_options(s, getenv("NIX_LDFLAGS"));|' tcc.c
    grep -q run_path_of_library tccelf.c && grep -q NIX_LDFLAGS tcc.c && grep -q tcc-store.h tcc.h
    : > config.h
    mkdir -p $out/bin $out/lib/tcc $out/share/doc/tinycc
    cp -R include $out/lib/tcc/include
    cp COPYING $out/share/doc/tinycc/copyright
    export LD_SO=$glibc/lib/ld-linux.so.2
    $bootstrap/bin/tcc -B$bootstrap/lib/tcc -nostdinc -I$bootstrap/lib/tcc/include -I$glibcHeaders/include -I. \
      $defines "-DCONFIG_TCCDIR=\"$out/lib/tcc\"" -DONE_SOURCE=1 -DCONFIG_TCC_PREDEFS=0 \
      -nostdlib -L$glibcHeaders/lib -L$glibc/lib -Wl,-rpath=$glibc/lib -Wl,-enable-new-dtags \
      -o $out/bin/$program \
      $glibcHeaders/lib/crt1.o $glibcHeaders/lib/crti.o tcc.c -lm -ldl -lpthread -lc $bootstrap/lib/tcc/libtcc1.a $glibcHeaders/lib/crtn.o
    # The names that makefiles use.
    ln -s $program $out/bin/''${program%tcc}cc
    printf '%s\n' "#!$busybox sh" "exec $out/bin/$program -ar \"\$@\"" > $out/bin/''${program%tcc}ar
    printf '%s\n' "#!$busybox true" > $out/bin/''${program%tcc}ranlib
    chmod +x $out/bin/*
    cd lib
    for each in $objects; do
      $out/bin/$program -c $each -o ''${each%.*}.o -I..
    done
    $out/bin/$program -ar rcs $out/lib/tcc/libtcc1.a *.o
  '';
  meta = {
    description = "A small and fast C compiler${lib.optionalString (prefix != "") " that compiles for ${target}"}";
    homepage = "https://bellard.org/tcc/";
    license = lib.licenses.lgpl21Plus;
    mainProgram = "${prefix}tcc";
  };
  passthru = {
    inherit bootstrap target;
    targetPrefix = prefix;
  };
}
