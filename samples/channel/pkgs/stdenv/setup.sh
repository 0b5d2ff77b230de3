# setup.sh: builds a package in phases, with busybox alone.
#
# Run as `busybox sh -e setup.sh`. Each phase `xPhase` is the attribute of that name if the derivation has one, else the
# function below; `preX` and `postX` run around it. `phases` names other phases, `dontX` leaves one out. With
# `buildCommand` that text is all there is.

PATH=$initialPath
for input in $nativeBuildInputs $buildInputs; do
  if [ -d "$input/bin" ]; then
    PATH=$input/bin:$PATH
  fi
done
export PATH
export HOME=/homeless-shelter
export SHELL=$busybox
export SOURCE_DATE_EPOCH=315532800
: "${prefix:=$out}"
umask 022

runHook() {
  eval "hook=\${$1:-}"
  if [ -n "$hook" ]; then
    eval "$hook"
  fi
}

showPhase() {
  echo "Running phase: $1"
}

# A file is unpacked by its name's end; a directory is copied.
unpackFile() {
  case $1 in
    *.tar) tar xf "$1" ;;
    *.tar.gz | *.tgz) tar xzf "$1" ;;
    *.tar.xz) tar xJf "$1" ;;
    *.tar.bz2) tar xjf "$1" ;;
    *)
      if [ -d "$1" ]; then
        name=${1##*/}
        cp -R "$1" "${name#*-}"
        chmod -R u+w "${name#*-}"
      else
        echo "do not know how to unpack $1"
        exit 1
      fi
      ;;
  esac
}

unpackPhase() {
  runHook preUnpack
  if [ -z "${srcs:-${src:-}}" ]; then
    echo "the variable \$src or \$srcs must name the source"
    exit 1
  fi
  for each in ${srcs:-$src}; do
    echo "unpacking source archive $each"
    unpackFile "$each"
  done
  if [ -z "${sourceRoot:-}" ]; then
    for each in *; do
      if [ -d "$each" ]; then
        sourceRoot=$each
      fi
    done
  fi
  echo "source root is $sourceRoot"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  for each in ${patches:-}; do
    echo "applying patch $each"
    patch ${patchFlags:--p1} < "$each"
  done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  if [ -x "${configureScript:-./configure}" ]; then
    "${configureScript:-./configure}" --prefix="$prefix" ${configureFlags:-}
  fi
  runHook postConfigure
}

buildPhase() {
  runHook preBuild
  if [ -e Makefile ] || [ -e makefile ]; then
    make ${makeFlags:-} ${buildFlags:-}
  else
    echo "no Makefile, nothing to build"
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if [ -e Makefile ] || [ -e makefile ]; then
    make ${makeFlags:-} ${checkTarget:-check}
  fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  if [ -e Makefile ] || [ -e makefile ]; then
    mkdir -p "$prefix"
    make ${makeFlags:-} ${installFlags:-} "prefix=$prefix" install
  fi
  runHook postInstall
}

# Scripts are made to start with the interpreters of the store.
fixupPhase() {
  runHook preFixup
  for output in ${outputs:-out}; do
    eval "place=\$$output"
    if [ -d "$place/bin" ]; then
      for script in "$place"/bin/*; do
        if [ -f "$script" ] && [ ! -L "$script" ]; then
          first=$(head -n 1 "$script" | tr -d '\000')
          case $first in
            '#!/bin/sh'* | '#!/usr/bin/env sh'* | '#! /bin/sh'*)
              chmod u+w "$script"
              sed -i "1s|^.*\$|#!$initialPath/sh|" "$script"
              ;;
          esac
        fi
      done
    fi
  done
  runHook postFixup
}

if [ -n "${buildCommandPath:-}" ]; then
  . "$buildCommandPath"
elif [ -n "${buildCommand:-}" ]; then
  eval "$buildCommand"
else
  for phase in ${phases:-${prePhases:-} unpackPhase patchPhase ${preConfigurePhases:-} configurePhase ${preBuildPhases:-} buildPhase checkPhase ${preInstallPhases:-} installPhase ${preFixupPhases:-} fixupPhase ${postPhases:-}}; do
    case $phase in
      unpackPhase) skip=${dontUnpack:-} ;;
      patchPhase) skip=${dontPatch:-} ;;
      configurePhase) skip=${dontConfigure:-} ;;
      buildPhase) skip=${dontBuild:-} ;;
      checkPhase) if [ "${doCheck:-}" = 1 ]; then skip=; else skip=1; fi ;;
      installPhase) skip=${dontInstall:-} ;;
      fixupPhase) skip=${dontFixup:-} ;;
      *) skip= ;;
    esac
    if [ -n "$skip" ]; then
      continue
    fi
    showPhase "$phase"
    eval "code=\${$phase:-}"
    if [ -n "$code" ]; then
      eval "$code"
    else
      "$phase"
    fi
    if [ "$phase" = unpackPhase ]; then
      cd "${sourceRoot:-.}"
    fi
  done
fi
