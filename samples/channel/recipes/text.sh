# text.sh: one text file as a store path.
#
# Run as `busybox sh text.sh` with the derivation's environment:
#   busybox      path of the busybox binary (for the few commands used here)
#   textPath     file with the exact bytes (attribute `text`, handed over by passAsFile)
#   destination  "" or a relative path such as `bin/hello`
#   executable   "1" or ""
#
# Result: with destination = "" the output itself is a regular file, otherwise the output is a directory that
# holds nothing but the parents of `destination` and the file there. The file has exactly the bytes of `text`
# (nothing added, nothing replaced) and is executable if and only if executable = "1".
set -eu

target=$out
if [ -n "$destination" ]; then
  target=$out/$destination
  "$busybox" mkdir -p "${target%/*}"
fi
"$busybox" cat "$textPath" > "$target"
if [ "$executable" = 1 ]; then
  "$busybox" chmod 755 "$target"
fi
