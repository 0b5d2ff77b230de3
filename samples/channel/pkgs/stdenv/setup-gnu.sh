# setup-gnu.sh: builds a package in phases, with GNU's tools and a C compiler.
#
# Read as `source $stdenv/setup`, then `genericBuild`. A phase `xPhase` is the attribute of that name if the derivation has one,
# else the function below; `preX` and `postX`, and everything in the array `preXHooks`, run around it. `phases` names other
# phases, `dontX` leaves one out, `buildCommand` is instead of all of them. A package in the inputs may bring
# `nix-support/setup-hook`, which is sourced before the first phase, and `nix-support/propagated-build-inputs`, which are inputs too.

set -e
shopt -s nullglob

export HOME=/homeless-shelter
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
export SHELL=$shell CONFIG_SHELL=$shell
export TZ=UTC
umask 022

# ------------------------------------------------------------------------------------------------------------ helpers

# Appends the words of variables to an array; a variable is a text of words, or an array with structured attributes.
wordsInto() {
  local -n _words=$1
  shift
  local _name
  for _name in "$@"; do
    local -n _value=$_name
    if [[ "${_value@a}" == *a* ]]; then
      _words+=("${_value[@]}")
    else
      _words+=(${_value:-})
    fi
  done
}

# The names of the outputs, which structured attributes give as a table.
declare -a outputNames=()
if [[ "${outputs@a}" == *A* ]]; then
  outputNames=("${!outputs[@]}")
  for _output in "${outputNames[@]}"; do export "$_output=${outputs[$_output]}"; done
else
  outputNames=(${outputs:-out})
fi
: "${prefix:=$out}"

# Runs everything that is registered under a hook's name, then the attribute or function of that name.
runHook() {
  local -n _hooks=${1}Hooks
  local hook
  for hook in "${_hooks[@]}"; do runOrEval "$hook"; done
  runOrEval "$1"
}

# A function by its name, else a variable's text, else the text itself when it is no name.
runOrEval() {
  if declare -F "$1" > /dev/null; then
    "$1"
  elif [[ "$1" =~ ^[A-Za-z_][A-Za-z_0-9]*$ ]]; then
    eval "${!1:-}"
  else
    eval "$1"
  fi
}

addToSearchPath() {
  addToSearchPathWithCustomDelimiter : "$@"
}
addToSearchPathWithCustomDelimiter() {
  if [ -d "$3" ]; then export "$2=${!2:+${!2}$1}$3"; fi
}
prependToVar() {
  local name=$1
  shift
  local -a all=("$@")
  wordsInto all "$name"
  unset "$name"
  declare -ga "$name"
  local -n _target=$name
  _target=("${all[@]}")
}
appendToVar() {
  local name=$1
  shift
  local -a all=()
  wordsInto all "$name"
  all+=("$@")
  unset "$name"
  declare -ga "$name"
  local -n _target=$name
  _target=("${all[@]}")
}

# substitute FROM TO [--replace-fail|--replace-warn|--replace OLD NEW | --subst-var NAME | --subst-var-by NAME TEXT]…
substitute() {
  local from=$1 to=$2 text old new how
  shift 2
  IFS= read -r -d '' text < "$from" || true
  while (($# > 0)); do
    how=$1
    case $how in
      --replace | --replace-fail | --replace-warn | --replace-quiet) old=$2 new=$3; shift 3 ;;
      --subst-var) old=@$2@ new=${!2}; shift 2 ;;
      --subst-var-by) old=@$2@ new=$3; shift 3 ;;
      *) echo "substitute: unknown argument $how" >&2; return 1 ;;
    esac
    if [[ "$text" != *"$old"* ]]; then
      case $how in
        --replace-fail) echo "substitute: pattern $old does not occur in $from" >&2; return 1 ;;
        --replace-warn | --replace) echo "substitute: warning: pattern $old does not occur in $from" >&2 ;;
      esac
    fi
    text=${text//"$old"/"$new"}
  done
  printf %s "$text" > "$to"
}
substituteInPlace() {
  local -a files=()
  while (($# > 0)) && [[ "$1" != --* ]]; do
    files+=("$1")
    shift
  done
  local file
  for file in "${files[@]}"; do substitute "$file" "$file" "$@"; done
}
# Every variable of the environment that a file names between two @.
substituteAll() {
  local -a arguments=()
  local name
  for name in $(compgen -e); do
    if [[ "$name" =~ ^[a-z] ]]; then arguments+=(--subst-var "$name"); fi
  done
  substitute "$1" "$2" "${arguments[@]}"
}
substituteAllInPlace() {
  substituteAll "$1" "$1"
}

# Interpreters named in the first line become those of the path, in the executable files of a folder.
patchShebangs() {
  local file line program rest
  local -a files=("$@")
  if [ -d "${1:-.}" ]; then
    shopt -s globstar dotglob
    files=("${1:-.}"/**)
    shopt -u globstar dotglob
  fi
  for file in "${files[@]}"; do
    if [ ! -f "$file" ] || [ -L "$file" ] || [ ! -x "$file" ]; then continue; fi
    IFS= read -r line < "$file" 2> /dev/null || [ -n "$line" ] || continue
    [[ "$line" == '#!'* && "$line" != '#!/nix/store/'* && "$line" != '#! /nix/store/'* ]] || continue
    read -r program rest <<< "${line#\#!}"
    if [ "${program##*/}" = env ]; then read -r program rest <<< "$rest"; fi
    hash "${program##*/}" 2> /dev/null || continue
    program=$(type -P "${program##*/}")
    sed -i "1s|^.*\$|#!$program${rest:+ $rest}|" "$file"
    echo "$file: interpreter directive changed to $program"
  done
}

# makeWrapper ORIGINAL WRAPPER [--set N V | --set-default N V | --unset N | --prefix N SEP V | --suffix N SEP V | --add-flags T | --chdir D | --argv0 N]…
makeWrapper() {
  local original=$1 wrapper=$2 flags= argv0=
  shift 2
  mkdir -p "$(dirname "$wrapper")"
  {
    echo "#!$shell -e"
    while (($# > 0)); do
      case $1 in
        --set) echo "export $2=${3@Q}"; shift 3 ;;
        --set-default) echo "export $2=\${$2-${3@Q}}"; shift 3 ;;
        --unset) echo "unset $2"; shift 2 ;;
        --prefix) echo "export $2=${4@Q}\${$2:+${3@Q}}\$$2"; shift 4 ;;
        --suffix) echo "export $2=\$$2\${$2:+${3@Q}}${4@Q}"; shift 4 ;;
        --add-flags) flags+=" $2"; shift 2 ;;
        --chdir) echo "cd ${2@Q}"; shift 2 ;;
        --run) echo "$2"; shift 2 ;;
        --argv0) argv0=" -a ${2@Q}"; shift 2 ;;
        --inherit-argv0) argv0=' -a "$0"'; shift ;;
        *) echo "makeWrapper: unknown argument $1" >&2; return 1 ;;
      esac
    done
    echo "exec$argv0 ${original@Q}$flags \"\$@\""
  } > "$wrapper"
  chmod +x "$wrapper"
}
wrapProgram() {
  local program=$1 hidden
  shift
  hidden=$(dirname "$program")/.$(basename "$program")-wrapped
  mv "$program" "$hidden"
  makeWrapper "$hidden" "$program" --inherit-argv0 "$@"
}

# moveToOutput PATTERN OUTPUT: files below the first output go to another one.
moveToOutput() {
  local path to=$2
  for path in "$out"/$1; do
    if [ ! -e "$path" ]; then continue; fi
    mkdir -p "$(dirname "${!to}/${path#"$out"/}")"
    mv "$path" "${!to}/${path#"$out"/}"
    rmdir --ignore-fail-on-non-empty -p "$(dirname "$path")" 2> /dev/null || true
  done
}

# ------------------------------------------------------------------------------------------------------------ inputs

PATH=
for _package in $initialPath; do addToSearchPath PATH "$_package/bin"; done
export PATH

declare -A _seen=()
declare -a _inputs=() envHooks=()

# An input, and after it what it propagates.
findInput() {
  local input=$1 more each
  if [ -n "${_seen[$input]:-}" ]; then return; fi
  _seen[$input]=1
  _inputs+=("$input")
  for more in "$input/nix-support/propagated-build-inputs" "$input/nix-support/propagated-native-build-inputs"; do
    if [ -f "$more" ]; then
      for each in $(< "$more"); do findInput "$each"; done
    fi
  done
}
declare -a _given=()
wordsInto _given nativeBuildInputs buildInputs propagatedBuildInputs propagatedNativeBuildInputs
for _package in "${_given[@]}"; do findInput "$_package"; done

# What the compiler finds without being told.
export C_INCLUDE_PATH=${C_INCLUDE_PATH:-} LIBRARY_PATH=${LIBRARY_PATH:-} LD_RUN_PATH=$out/lib
_inputPath=
for _package in "${_inputs[@]}"; do
  if [ -f "$_package" ]; then
    . "$_package"
    continue
  fi
  if [ -d "$_package/bin" ]; then _inputPath+=$_package/bin:; fi
  addToSearchPath C_INCLUDE_PATH "$_package/include"
  addToSearchPath LIBRARY_PATH "$_package/lib"
  addToSearchPath PKG_CONFIG_PATH "$_package/lib/pkgconfig"
  addToSearchPath XDG_DATA_DIRS "$_package/share"
  if [ -f "$_package/nix-support/setup-hook" ]; then . "$_package/nix-support/setup-hook"; fi
done
PATH=$_inputPath$PATH
for _package in "${_inputs[@]}"; do
  for _hook in "${envHooks[@]}"; do "$_hook" "$_package"; done
done
if [ -n "$host" ]; then
  export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE:-} -static"
fi

# ------------------------------------------------------------------------------------------------------------ phases

unpackFile() {
  local name
  echo "unpacking source archive $1"
  if [ -d "$1" ]; then
    name=${1##*/}
    if [[ "$1" == "$NIX_STORE"/* ]]; then name=${name#*-}; fi
    cp -r --no-preserve=ownership "$1" "$name"
    return
  fi
  case $1 in
    *.tar | *.tar.* | *.tgz | *.txz) tar xf "$1" --mode=+w --warning=no-timestamp ;;
    *)
      echo "do not know how to unpack $1" >&2
      return 1
      ;;
  esac
}

unpackPhase() {
  runHook preUnpack
  local -a sources=() before=(*/) new=()
  wordsInto sources srcs
  if ((${#sources[@]} == 0)); then wordsInto sources src; fi
  if ((${#sources[@]} == 0)); then
    echo 'the variable $src or $srcs must name the source' >&2
    exit 1
  fi
  local each
  for each in "${sources[@]}"; do unpackFile "$each"; done
  if [ -z "${sourceRoot:-}" ]; then
    for each in */; do
      if [[ " ${before[*]} " != *" $each "* ]]; then new+=("${each%/}"); fi
    done
    if ((${#new[@]} != 1)); then
      echo "unpacker produced ${#new[@]} directories: set sourceRoot" >&2
      exit 1
    fi
    sourceRoot=${new[0]}
  fi
  echo "source root is $sourceRoot"
  chmod -R u+w -- "$sourceRoot"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  local -a all=() flags=()
  wordsInto all patches
  wordsInto flags patchFlags
  if ((${#flags[@]} == 0)); then flags=(-p1); fi
  local each
  for each in "${all[@]}"; do
    echo "applying patch $each"
    case $each in
      *.gz) gzip -dc "$each" ;;
      *.xz) xz -dc "$each" ;;
      *) cat "$each" ;;
    esac | patch "${flags[@]}"
  done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  local script=${configureScript:-./configure}
  if [ -x "$script" ]; then
    local -a flags=()
    if [ -z "${dontAddPrefix:-}" ]; then flags+=("--prefix=$prefix"); fi
    if [ -n "$host" ]; then flags+=("--host=$host"); fi
    wordsInto flags configureFlags
    flags+=("${configureFlagsArray[@]}")
    patchShebangs "$script" > /dev/null
    echo "configure flags: ${flags[*]}"
    "$script" "${flags[@]}"
  else
    echo "no configure script, doing nothing"
  fi
  runHook postConfigure
}

hasMakefile() {
  [ -n "${makefile:-}" ] || [ -e Makefile ] || [ -e makefile ] || [ -e GNUmakefile ]
}
runMake() {
  local -a flags=(SHELL="$shell")
  if [ -n "${makefile:-}" ]; then flags+=(-f "$makefile"); fi
  if [ -n "${enableParallelBuilding:-}" ]; then flags+=("-j$NIX_BUILD_CORES"); fi
  wordsInto flags makeFlags
  flags+=("${makeFlagsArray[@]}" "$@")
  make "${flags[@]}"
}

buildPhase() {
  runHook preBuild
  if hasMakefile; then
    local -a flags=()
    wordsInto flags buildFlags
    runMake "${flags[@]}"
  else
    echo "no Makefile or custom buildPhase, doing nothing"
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if hasMakefile; then
    local -a flags=()
    wordsInto flags checkFlags
    runMake "${flags[@]}" ${checkTarget:-check}
  fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  if hasMakefile; then
    mkdir -p "$prefix"
    local -a flags=()
    wordsInto flags installFlags
    runMake "${flags[@]}" prefix="$prefix" PREFIX="$prefix" ${installTargets:-install}
  else
    echo "no Makefile or custom installPhase, doing nothing"
  fi
  runHook postInstall
}

fixupPhase() {
  local output place each
  runHook preFixup
  for output in "${outputNames[@]}"; do
    case $output in
      dev) for each in include lib/pkgconfig 'lib/*.a' share/aclocal; do moveToOutput "$each" dev; done ;;
      man) moveToOutput share/man man ;;
      doc) moveToOutput share/doc doc ;;
    esac
  done
  for output in "${outputNames[@]}"; do
    place=${!output}
    if [ ! -e "$place" ]; then continue; fi
    for each in "${fixupOutputHooks[@]}"; do prefix=$place runOrEval "$each"; done
    if [ -z "${dontPatchShebangs:-}" ] && [ -d "$place/bin" ]; then patchShebangs "$place/bin"; fi
  done
  propagate
  runHook postFixup
}

# Notes for those who build against this package.
propagate() {
  local place=${dev:-$out}
  local -a all=()
  wordsInto all propagatedBuildInputs
  if [ -n "${dev:-}" ] && [ -d "$out/lib" ]; then all+=("$out"); fi
  if ((${#all[@]} > 0)); then
    mkdir -p "$place/nix-support"
    echo "${all[*]}" > "$place/nix-support/propagated-build-inputs"
  fi
  all=()
  wordsInto all propagatedUserEnvPkgs
  if ((${#all[@]} > 0)); then
    mkdir -p "$out/nix-support"
    echo "${all[*]}" > "$out/nix-support/propagated-user-env-packages"
  fi
  if [ -n "${setupHook:-}" ]; then
    mkdir -p "$place/nix-support"
    substituteAll "$setupHook" "$place/nix-support/setup-hook"
  fi
}

installCheckPhase() {
  runHook preInstallCheck
  if hasMakefile; then runMake ${installCheckTarget:-installcheck}; fi
  runHook postInstallCheck
}

skipped() {
  case $1 in
    unpackPhase) [ -n "${dontUnpack:-}" ] ;;
    patchPhase) [ -n "${dontPatch:-}" ] ;;
    configurePhase) [ -n "${dontConfigure:-}" ] ;;
    buildPhase) [ -n "${dontBuild:-}" ] ;;
    checkPhase) [ -z "${doCheck:-}" ] || [ -n "$host" ] ;;
    installPhase) [ -n "${dontInstall:-}" ] ;;
    fixupPhase) [ -n "${dontFixup:-}" ] ;;
    installCheckPhase) [ -z "${doInstallCheck:-}" ] || [ -n "$host" ] ;;
    *) return 1 ;;
  esac
}

runPhase() {
  if skipped "$1"; then return; fi
  echo "Running phase: $1"
  if [ -n "${!1:-}" ]; then
    eval "${!1}"
  else
    "$1"
  fi
  if [ "$1" = unpackPhase ]; then cd "${sourceRoot:-.}"; fi
}

genericBuild() {
  if [ -n "${buildCommandPath:-}" ]; then
    . "$buildCommandPath"
    return
  fi
  if [ -n "${buildCommand:-}" ]; then
    eval "$buildCommand"
    return
  fi
  local -a all=()
  wordsInto all phases
  if ((${#all[@]} == 0)); then
    wordsInto all prePhases
    all+=(unpackPhase patchPhase)
    wordsInto all preConfigurePhases
    all+=(configurePhase)
    wordsInto all preBuildPhases
    all+=(buildPhase checkPhase)
    wordsInto all preInstallPhases
    all+=(installPhase)
    wordsInto all preFixupPhases
    all+=(fixupPhase installCheckPhase)
    wordsInto all postPhases
  fi
  local phase
  for phase in "${all[@]}"; do runPhase "$phase"; done
}
runHook addInputsHook
