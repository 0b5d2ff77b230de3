# symlink-farm.sh: a directory of symbolic links (linkFarm, symlinkJoin, buildEnv).
#
# Run as `busybox sh symlink-farm.sh` with the derivation's environment:
#   busybox           path of the busybox binary
#   linksPath         file (attribute `links`, passAsFile): lines `NAME<TAB>TARGET`
#   pathsPath         file (attribute `paths`, passAsFile): lines `PRIORITY<TAB>PATH`, sorted by ascending priority
#   pathsToLink       absolute prefixes separated by one space, such as `/bin /share`; `/` alone means everything
#   ignoreCollisions  "1" or ""
# Every line of the two files ends with a newline; either file may be empty. No field is empty or holds a tab or a newline.
#
# Result: the output is a directory (perhaps empty) made like this.
#   1. For each line of `links`, in order: the symbolic link NAME (parents are made as directories) whose target is
#      TARGET, literally, be it absolute or relative. A NAME that exists already is an error.
#   2. For each line of `paths`, in order: PATH must be a directory. Each leaf below it (a regular file or a symbolic
#      link, never followed; directories that hold no leaf are left out) has a relative name F. F is skipped unless
#      pathsToLink is `/` or `/F` starts with one of the prefixes followed by `/`. Otherwise:
#        - nothing at F yet: the symbolic link F -> PATH/F, parents as directories;
#        - a directory at F, or a link where a parent of F has to be: error;
#        - a link at F, made by step 1 or by a line with a smaller PRIORITY number: the older one stays;
#        - a link at F, made by another line of the same PRIORITY: with ignoreCollisions = "1" the older one stays;
#          if PATH/F and the older link's target are both regular files with the same bytes the older one stays;
#          otherwise an error.
set -eu
tab=$(printf '\t')

fail() {
  echo "error: $*" >&2
  exit 1
}

# link NAME TARGET
link() {
  case $1 in
    */*)
      parent=$out/${1%/*}
      [ -d "$parent" ] && [ ! -L "$parent" ] || "$busybox" mkdir -p "$parent"
      ;;
  esac
  "$busybox" ln -s "$2" "$out/$1"
}

wanted() {
  for prefix in $pathsToLink; do
    case $prefix in
      /) return 0 ;;
    esac
    case /$1 in
      "$prefix"/*) return 0 ;;
    esac
  done
  return 1
}

# Is F one that this priority's own lines made? (Names of the current priority are kept in $group, each between bars.)
of_group() {
  case $group in
    *"|$1|"*) return 0 ;;
  esac
  return 1
}

same_file() {
  [ -f "$1" ] && [ ! -L "$1" ] && [ -f "$2" ] && [ ! -L "$2" ] && "$busybox" cmp -s "$1" "$2"
}

# No link may stand where a parent directory of F has to be.
check_parents() {
  rest=$1
  while :; do
    case $rest in
      */*) rest=${rest%/*} ;;
      *) return 0 ;;
    esac
    [ ! -L "$out/$rest" ] || fail "collision: $rest is a link and is needed as a directory for $1"
  done
}

# add PATH F
add() {
  check_parents "$2"
  if [ -L "$out/$2" ]; then
    if of_group "$2" && [ "$ignoreCollisions" != 1 ]; then
      older=$("$busybox" readlink "$out/$2")
      same_file "$1/$2" "$older" || fail "collision between $1/$2 and $older"
    fi
  elif [ -e "$out/$2" ]; then
    fail "collision: $2 is a directory and $1/$2 is not"
  else
    link "$2" "$1/$2"
    group="$group$2|"
  fi
}

"$busybox" mkdir "$out"

while IFS=$tab read -r name target; do
  check_parents "$name"
  [ ! -L "$out/$name" ] && [ ! -e "$out/$name" ] || fail "two links are called $name"
  link "$name" "$target"
done < "$linksPath"

current=
group="|"
while IFS=$tab read -r priority path; do
  [ -d "$path" ] && [ ! -L "$path" ] || fail "$path is not a directory and cannot be merged"
  if [ "$priority" != "$current" ]; then
    current=$priority
    group="|"
  fi
  (cd "$path" && "$busybox" find . ! -type d) > "$NIX_BUILD_TOP/leaves"
  while IFS= read -r leaf; do
    leaf=${leaf#./}
    if wanted "$leaf"; then
      add "$path" "$leaf"
    fi
  done < "$NIX_BUILD_TOP/leaves"
done < "$pathsPath"
