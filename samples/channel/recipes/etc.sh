# etc.sh: the tree behind /etc, as one store path.
#
# Run as `busybox sh etc.sh` with the derivation's environment:
#   busybox      path of the busybox binary
#   entriesPath  file (attribute `entries`, passAsFile): lines `TARGET<TAB>MODE<TAB>USER<TAB>GROUP<TAB>SOURCE`
# Every line ends with a newline. TARGET is relative (`systemd/system`, `hosts`); no field is empty or holds a tab or a newline.
#
# Result: the output is a directory that holds the directory `etc` (perhaps empty). For each line, in order:
#   - etc/TARGET is a symbolic link to SOURCE, literally; its parents are directories. A TARGET that exists already
#     with another SOURCE, or whose parent is a link, is an error; with the same SOURCE the line is skipped.
#   - if MODE is not `symlink`, three regular files stand beside it: etc/TARGET.mode, etc/TARGET.uid and
#     etc/TARGET.gid, holding MODE, USER and GROUP, each followed by one newline.
# Activation copies the files that have a `.mode`, and links to all the others.
set -eu
tab=$(printf '\t')

fail() {
  echo "error: $*" >&2
  exit 1
}

check_parents() {
  rest=$1
  while :; do
    case $rest in
      */*) rest=${rest%/*} ;;
      *) return 0 ;;
    esac
    [ ! -L "$out/etc/$rest" ] || fail "environment.etc.\"$1\" lies inside environment.etc.\"$rest\""
  done
}

"$busybox" mkdir -p "$out/etc"

while IFS=$tab read -r target mode user group source; do
  check_parents "$target"
  place=$out/etc/$target
  if [ -L "$place" ]; then
    [ "$("$busybox" readlink "$place")" = "$source" ] || fail "duplicate entry $target"
    continue
  fi
  [ ! -e "$place" ] || fail "duplicate entry $target"
  case $target in
    */*) "$busybox" mkdir -p "${place%/*}" ;;
  esac
  "$busybox" ln -s "$source" "$place"
  if [ "$mode" != symlink ]; then
    echo "$mode" > "$place.mode"
    echo "$user" > "$place.uid"
    echo "$group" > "$place.gid"
  fi
done < "$entriesPath"
