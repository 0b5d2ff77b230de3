# The package set's real software, by nixpkgs' names: what each is made of and which libraries it may find.
#
# Every entry is a function that callPackage fills in, so `override` can exchange a library.
{ lib, pkgs }:
let
  inherit (lib) licenses;
  withBash = bash: "${bash}/bin/bash";
  # Parts of the C library that nothing here uses.
  slimLibc = "rm -rf etc lib/gconv lib/audit share/gcc lib/libmemusage.so lib/libpcprofile.so lib/libthread_db.so* lib/libnss_[ch]* lib/libc_malloc_debug.so* lib/libnsl.so* lib/libBrokenLocale.so*";
in
builtins.mapAttrs (_: package: pkgs.callPackage package { }) {
  debian = import ./.;

  # The dynamic loader itself starts the program, so that nothing has to be relocated before there is a tool for it.
  patchelf =
    { debian }:
    debian.unpack {
      pname = "patchelf";
      debs = [
        "patchelf"
        "libc6"
        "libgcc-s1"
        "libstdc++6"
      ];
      arrange = ''
        ${slimLibc}
        rm -rf share/patchelf share/zsh
        mkdir libexec
        mv bin/patchelf libexec/patchelf
        printf '%s\n' "#!$busybox sh" "exec $out/lib/ld-linux.so.2 --library-path $out/lib $out/libexec/patchelf \"\$@\"" > bin/patchelf
        chmod +x bin/patchelf
      '';
      meta = {
        description = "Changes the dynamic loader and run path of programs";
        license = licenses.gpl3Plus;
        mainProgram = "patchelf";
      };
    };

  # Adds to `debian.unpack` what everything but the C library itself is relocated with.
  fromDebian =
    {
      debian,
      glibc,
      patchelf,
    }:
    args:
    debian.unpack (
      {
        libc = glibc;
        patchelf = "${patchelf}/bin/patchelf";
      }
      // args
    );

  # ---------------------------------------------------------------------------------------------------- libraries

  glibc =
    { debian, glibcHeaders }:
    debian.unpack {
      pname = "glibc";
      # libgcc_s is what a thread's end needs, opened by name from here.
      debs = [
        "libc6"
        "libgcc-s1"
      ];
      arrange = slimLibc;
      meta = {
        description = "The GNU C library";
        license = licenses.lgpl21Plus;
      };
      passthru.dev = glibcHeaders;
    };
  glibcHeaders =
    { debian, glibc }:
    debian.unpack {
      pname = "glibc-dev";
      debs = [
        "libc6-dev"
        "linux-libc-dev"
      ];
      # What the linker reads names the libraries where they are. Left out: archives for static programs, profiling, and the
      # headers of Linux's graphics, sound and other devices.
      arrange = ''
        rm -rf bin share/gcc include/finclude include/drm include/sound include/rdma include/xen include/mtd include/video
        cd lib
        rm -rf audit gcrt1.o grcrt1.o Mcrt1.o rcrt1.o
        for archive in *.a; do
          case $archive in
            libc_nonshared.a | libpthread.a | libdl.a | librt.a | libutil.a) ;;
            *) rm "$archive" ;;
          esac
        done
        for link in *.so; do
          if [ -L "$link" ]; then
            target=$(readlink "$link")
            rm "$link"
            target=${glibc}/lib/''${target##*/}
            if [ -e "$target" ]; then ln -s "$target" "$link"; fi
          fi
        done
        sed -i "s|/usr/lib/i386-linux-gnu/libc_n|$out/lib/libc_n|; s|/lib/i386-linux-gnu/|${glibc}/lib/|g; s|(  *AS_NEEDED.*)|)|; s|/lib/ld-linux|${glibc}/lib/ld-linux|" libc.so
      '';
      meta = {
        description = "Headers and start files of the GNU C library and of Linux";
        license = licenses.lgpl21Plus;
      };
    };
  zlib =
    { fromDebian }:
    fromDebian {
      pname = "zlib";
      debs = [ "zlib1g" ];
      meta.license = licenses.zlib;
    };
  ncurses =
    { fromDebian }:
    fromDebian {
      pname = "ncurses";
      debs = [
        "libtinfo6"
        "libncursesw6"
        "ncurses-base"
      ];
      arrange = ''
        if [ -d lib/terminfo ]; then cp -a lib/terminfo share/; rm -rf lib/terminfo etc; fi
      '';
      meta.license = licenses.mit;
    };
  readline =
    { fromDebian, ncurses }:
    fromDebian {
      pname = "readline";
      debs = [ "libreadline8" ];
      libraries = [ ncurses ];
      meta.license = licenses.gpl3Plus;
    };
  attr =
    { fromDebian }:
    fromDebian {
      pname = "attr";
      debs = [ "libattr1" ];
      arrange = "rm -rf etc";
      meta.license = licenses.lgpl21Plus;
    };
  acl =
    { fromDebian, attr }:
    fromDebian {
      pname = "acl";
      debs = [ "libacl1" ];
      libraries = [ attr ];
      meta.license = licenses.lgpl21Plus;
    };
  pcre2 =
    { fromDebian }:
    fromDebian {
      pname = "pcre2";
      debs = [ "libpcre2-8-0" ];
      meta.license = licenses.bsd3;
    };
  libselinux =
    { fromDebian, pcre2 }:
    fromDebian {
      pname = "libselinux";
      debs = [ "libselinux1" ];
      libraries = [ pcre2 ];
      meta.license = licenses.publicDomain;
    };
  gmp =
    { fromDebian }:
    fromDebian {
      pname = "gmp";
      debs = [ "libgmp10" ];
      meta.license = licenses.lgpl3Plus;
    };
  mpfr =
    { fromDebian, gmp }:
    fromDebian {
      pname = "mpfr";
      debs = [ "libmpfr6" ];
      libraries = [ gmp ];
      meta.license = licenses.lgpl3Plus;
    };
  libsigsegv =
    { fromDebian }:
    fromDebian {
      pname = "libsigsegv";
      debs = [ "libsigsegv2" ];
      meta.license = licenses.gpl2Plus;
    };
  libxcrypt =
    { fromDebian }:
    fromDebian {
      pname = "libxcrypt";
      debs = [ "libcrypt1" ];
      meta.license = licenses.lgpl21Plus;
    };
  openssl =
    { fromDebian }:
    fromDebian {
      pname = "openssl";
      debs = [ "libssl3" ];
      arrange = "rm -rf lib/engines-3";
      meta.license = licenses.asl20;
    };
  oniguruma =
    { fromDebian }:
    fromDebian {
      pname = "oniguruma";
      debs = [ "libonig5" ];
      meta.license = licenses.bsd2;
    };
  # With the libraries that nothing else here needs: Kerberos, LDAP, GnuTLS and what those need.
  libcurl =
    {
      fromDebian,
      gmp,
      openssl,
      zlib,
    }:
    fromDebian {
      pname = "libcurl";
      debs = [
        "libcurl4"
        "libbrotli1"
        "libcom-err2"
        "libdb5.3"
        "libffi8"
        "libgnutls30"
        "libgssapi-krb5-2"
        "libhogweed6"
        "libidn2-0"
        "libk5crypto3"
        "libkeyutils1"
        "libkrb5-3"
        "libkrb5support0"
        "libldap-2.5-0"
        "libnettle8"
        "libnghttp2-14"
        "libp11-kit0"
        "libpsl5"
        "librtmp1"
        "libsasl2-2"
        "libsasl2-modules-db"
        "libssh2-1"
        "libtasn1-6"
        "libunistring2"
        "libzstd1"
      ];
      libraries = [
        gmp
        openssl
        zlib
      ];
      arrange = "rm -rf etc bin lib/libbrotlienc* lib/libgnutls-dane* lib/sasl2 lib/pkcs11 lib/p11-kit-proxy.so share/p11-kit";
      meta.license = licenses.mit;
    };

  # A C library for another processor, for static programs.
  musl-x86_64 =
    { debian }:
    debian.unpack {
      pname = "musl-x86_64";
      debs = [ "musl-dev:amd64" ];
      arrange = ''
        rm -rf lib/musl
        mv include/x86_64-linux-musl musl
        rm -rf include
        mv musl include
        mv lib/x86_64-linux-musl/* lib/
        rm -rf bin lib/musl-gcc.specs lib/*.so lib/Scrt1.o lib/rcrt1.o
      '';
      meta = {
        description = "A small C library, for static programs of x86_64";
        license = licenses.mit;
      };
    };

  # ----------------------------------------------------------------------------------------------------- programs

  tinycc = import ./tinycc.nix;
  tinycc-x86_64 =
    { tinycc, musl-x86_64 }:
    tinycc.override {
      target = "x86_64";
      libc = {
        headers = "${musl-x86_64}/include";
        lib = "${musl-x86_64}/lib";
        loader = "-";
      };
    };
  hello-gnu =
    { fromDebian }:
    fromDebian {
      pname = "hello-gnu";
      debs = [ "hello" ];
      meta = {
        description = "The GNU project's program that prints a friendly greeting";
        license = licenses.gpl3Plus;
        mainProgram = "hello";
        priority = 4;
      };
    };
  bash =
    { fromDebian, ncurses }:
    fromDebian {
      pname = "bash";
      debs = [ "bash" ];
      libraries = [ ncurses ];
      arrange = ''
        rm -rf etc bin/bashbug bin/clear_console
        ln -s bash bin/sh
      '';
      meta = {
        description = "The GNU shell";
        license = licenses.gpl3Plus;
        mainProgram = "bash";
      };
      passthru.shellPath = "/bin/bash";
    };
  coreutils =
    {
      fromDebian,
      acl,
      attr,
      gmp,
      libselinux,
    }:
    fromDebian {
      pname = "coreutils";
      debs = [ "coreutils" ];
      libraries = [
        acl
        attr
        gmp
        libselinux
      ];
      meta.license = licenses.gpl3Plus;
    };
  findutils =
    { fromDebian, libselinux }:
    fromDebian {
      pname = "findutils";
      debs = [ "findutils" ];
      libraries = [ libselinux ];
      meta.license = licenses.gpl3Plus;
    };
  gnugrep =
    {
      fromDebian,
      bash,
      pcre2,
    }:
    fromDebian {
      pname = "gnugrep";
      debs = [ "grep" ];
      libraries = [ pcre2 ];
      shellPath = withBash bash;
      meta = {
        license = licenses.gpl3Plus;
        mainProgram = "grep";
      };
    };
  gnused =
    {
      fromDebian,
      acl,
      libselinux,
    }:
    fromDebian {
      pname = "gnused";
      debs = [ "sed" ];
      libraries = [
        acl
        libselinux
      ];
      meta = {
        license = licenses.gpl3Plus;
        mainProgram = "sed";
      };
    };
  gawk =
    {
      fromDebian,
      gmp,
      libsigsegv,
      mpfr,
      readline,
    }:
    fromDebian {
      pname = "gawk";
      debs = [ "gawk" ];
      libraries = [
        gmp
        libsigsegv
        mpfr
        readline
      ];
      arrange = ''
        rm -rf etc lib/gawk
        ln -s gawk bin/awk
      '';
      meta.license = licenses.gpl3Plus;
    };
  diffutils =
    { fromDebian }:
    fromDebian {
      pname = "diffutils";
      debs = [ "diffutils" ];
      meta.license = licenses.gpl3Plus;
    };
  gnupatch =
    { fromDebian, attr }:
    fromDebian {
      pname = "gnupatch";
      debs = [ "patch" ];
      libraries = [ attr ];
      meta = {
        license = licenses.gpl3Plus;
        mainProgram = "patch";
      };
    };
  gnutar =
    {
      fromDebian,
      acl,
      libselinux,
    }:
    fromDebian {
      pname = "gnutar";
      debs = [ "tar" ];
      libraries = [
        acl
        libselinux
      ];
      arrange = "rm -rf etc bin/rmt-tar bin/tarcat";
      meta = {
        license = licenses.gpl3Plus;
        mainProgram = "tar";
      };
    };
  gzip =
    { fromDebian, bash }:
    fromDebian {
      pname = "gzip";
      debs = [ "gzip" ];
      shellPath = withBash bash;
      meta.license = licenses.gpl3Plus;
    };
  xz =
    { fromDebian, bash }:
    fromDebian {
      pname = "xz";
      debs = [
        "xz-utils"
        "liblzma5"
      ];
      shellPath = withBash bash;
      meta.license = licenses.publicDomain;
    };
  gnumake =
    { fromDebian }:
    fromDebian {
      pname = "gnumake";
      debs = [ "make" ];
      meta = {
        license = licenses.gpl3Plus;
        mainProgram = "make";
      };
    };
  nginx =
    {
      fromDebian,
      libxcrypt,
      openssl,
      pcre2,
      zlib,
    }:
    fromDebian {
      pname = "nginx";
      debs = [
        "nginx"
        "nginx-common"
      ];
      libraries = [
        libxcrypt
        openssl
        pcre2
        zlib
      ];
      arrange = ''
        mkdir conf
        cp etc/nginx/mime.types etc/nginx/fastcgi_params etc/nginx/uwsgi_params etc/nginx/scgi_params conf/
        rm -rf etc
        mv share/nginx/html html
        rm -rf share/nginx
      '';
      meta = {
        description = "A web server and reverse proxy";
        license = licenses.bsd2;
        mainProgram = "nginx";
      };
    };
  curl =
    {
      fromDebian,
      libcurl,
      zlib,
    }:
    fromDebian {
      pname = "curl";
      debs = [ "curl" ];
      libraries = [
        libcurl
        zlib
      ];
      arrange = "rm -rf share/zsh";
      meta = {
        description = "Transfers files by URL";
        license = licenses.mit;
        mainProgram = "curl";
      };
    };
  sqlite =
    {
      fromDebian,
      readline,
      zlib,
    }:
    fromDebian {
      pname = "sqlite";
      debs = [
        "sqlite3"
        "libsqlite3-0"
      ];
      libraries = [
        readline
        zlib
      ];
      meta = {
        description = "A database in one file, and its shell";
        license = licenses.publicDomain;
        mainProgram = "sqlite3";
      };
    };
  jq =
    { fromDebian, oniguruma }:
    fromDebian {
      pname = "jq";
      debs = [
        "jq"
        "libjq1"
      ];
      libraries = [ oniguruma ];
      meta.license = licenses.mit;
    };
  less =
    {
      fromDebian,
      bash,
      ncurses,
    }:
    fromDebian {
      pname = "less";
      debs = [ "less" ];
      libraries = [ ncurses ];
      shellPath = withBash bash;
      meta.license = licenses.gpl3Plus;
    };
  nano =
    { fromDebian, ncurses }:
    fromDebian {
      pname = "nano";
      debs = [ "nano" ];
      libraries = [ ncurses ];
      arrange = "rm -rf etc";
      meta.license = licenses.gpl3Plus;
    };
}
