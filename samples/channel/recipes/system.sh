# system.sh: the top level of a system: a directory of texts and links.
#
# Run as `busybox sh system.sh` with the derivation's environment:
#   busybox    path of the busybox binary
#   out        the output's own path
#   linksPath  file (attribute `links`, passAsFile): lines `NAME<TAB>TARGET`
#   filesPath  file (attribute `files`, passAsFile): lines `MODE<TAB>VARIABLE<TAB>NAME`
#   for each VARIABLE, a file whose path is in the environment variable VARIABLEPath (attribute VARIABLE, passAsFile)
# Every line ends with a newline and no field is empty. NAME is relative and may hold slashes; MODE is `text` or `script`.
#
# Result: the output is a directory. First the files, in order: NAME is a regular file (parents are made as
# directories) with the bytes of VARIABLE in which every occurrence of the five characters `@out@` is replaced by the
# output's path; it is executable if and only if MODE is `script`. Then the links, in order: NAME is a symbolic link
# to TARGET, literally (nothing replaced); parents are made as directories. No name occurs twice. The directory
# `specialisation` always exists, even when empty.
set -eu
tab=$(printf '\t')

# parents NAME
parents() {
  case $1 in
    */*) "$busybox" mkdir -p "$out/${1%/*}" ;;
  esac
}

"$busybox" mkdir -p "$out/specialisation"

while IFS=$tab read -r mode variable name; do
  parents "$name"
  eval "text=\$${variable}Path"
  "$busybox" sed "s|@out@|$out|g" "$text" > "$out/$name"
  if [ "$mode" = script ]; then
    "$busybox" chmod 755 "$out/$name"
  fi
done < "$filesPath"

while IFS=$tab read -r name target; do
  parents "$name"
  "$busybox" ln -s "$target" "$out/$name"
done < "$linksPath"
