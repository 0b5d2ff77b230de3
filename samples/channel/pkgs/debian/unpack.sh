# unpack.sh: Debian packages as one store path, with every program and library pointed at the store.
#
# Run by the standard environment of busybox. The derivation's environment:
#   debs          the packages, .deb files
#   libraries     store paths whose lib/ may be linked to
#   libc          the C library with the dynamic loader, "" for one that is made here
#   patchelf      the program that changes run paths, "" to change none
#   shellPath     interpreter of scripts that begin with #!/bin/sh or #!/bin/bash
#   arrange       shell text run in $out before anything is relocated
#
# Result: bin, lib, include, etc and share as the packages had them below / and /usr, without manuals and translations but with
# each package's copyright file. A library that is needed and found nowhere is an error.

# A .deb is an ar archive: 8 bytes, then for each member 60 bytes of header and the content, padded to an even length.
unpackDeb() {
  at=8
  size=$(stat -c %s "$1")
  while [ "$at" -lt "$size" ]; do
    header=$(tail -c +$((at + 1)) "$1" | head -c 60)
    member=$(echo "$header" | cut -c 1-16 | tr -d ' /')
    length=$(echo "$header" | cut -c 49-58 | tr -d ' ')
    at=$((at + 60))
    case $member in
      data.tar.xz) tail -c +$((at + 1)) "$1" | head -c "$length" | xz -d | tar x -C root ;;
      data.tar*) echo "$1: $member is compressed in an unknown way"; exit 1 ;;
    esac
    at=$((at + length + length % 2))
  done
}

# Moves the files of one directory into another, which may have files already.
take() {
  if [ -d "$1" ]; then
    mkdir -p "$2"
    cp -a "$1"/. "$2"/
    rm -rf "$1"
  fi
}

place() {
  cd root
  rm -rf usr/share/locale usr/share/man usr/share/info usr/share/lintian usr/share/bug usr/share/menu usr/share/debianutils
  rm -rf usr/share/gdb usr/share/apport usr/share/vim usr/lib/mime etc/init.d etc/default etc/logrotate.d etc/ufw lib/systemd
  find usr/share/doc -type f ! -name copyright -delete 2> /dev/null || true
  find usr/share/doc -type l -delete 2> /dev/null || true
  # The loader's old name is a link into the folder that is merged with it.
  rm -f lib/ld-linux.so.2
  for multiarch in lib/i386-linux-gnu usr/lib/i386-linux-gnu usr/lib lib; do take "$multiarch" "$out/lib"; done
  take usr/include/i386-linux-gnu "$out/include"
  take usr/include "$out/include"
  for each in bin sbin usr/bin usr/sbin; do take "$each" "$out/bin"; done
  take etc "$out/etc"
  take usr/share "$out/share"
  cd ..
  cd "$out"
  eval "$arrange"
  find . -depth -type d -exec rmdir {} \; 2> /dev/null || true
}

isElf() {
  [ "$(head -c 4 "$1" | tail -c 3)" = ELF ]
}

# The directories that hold the libraries a file needs, each once.
runPath() {
  found=
  for library in $("$patchelf" --print-needed "$1"); do
    where=
    for directory in "$out/lib" $searched; do
      if [ -e "$directory/$library" ]; then
        where=$directory
        break
      fi
    done
    if [ -z "$where" ]; then
      echo "$1 needs $library, which no library has" >&2
      exit 1
    fi
    case ":$found:" in
      *":$where:"*) ;;
      *) found=$found${found:+:}$where ;;
    esac
  done
  echo "$found"
}

relocate() {
  searched="$libc/lib"
  for each in $libraries; do searched="$searched $each/lib"; done
  for file in $(find "$out/bin" "$out/lib" -type f 2> /dev/null); do
    case $file in
      *.o | *.a) continue ;;
    esac
    if ! isElf "$file"; then
      case $(head -n 1 "$file") in
        '#!/bin/sh'* | '#! /bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'*) sed -i "1s|^.*\$|#!$shellPath|" "$file" ;;
      esac
      continue
    fi
    chmod u+w "$file"
    runpath=$(runPath "$file")
    case $file in
      *.so | *.so.*) "$patchelf" --set-rpath "$runpath" "$file" ;;
      *) "$patchelf" --set-interpreter "$libc/lib/ld-linux.so.2" --set-rpath "$runpath" "$file" ;;
    esac
  done
}

mkdir root
for each in $debs; do
  echo "unpacking $each"
  unpackDeb "$each"
done
(place)
if [ -n "$patchelf" ]; then
  relocate
fi
