# A host that is replaced as a whole, with two slots of which one runs: `sh image.sh WORD` with WORD
#
#   setup      version 1 in slot a, slot a chosen
#   upgrade    version 2 into the slot that does not run, verified, then chosen by one rename
#   check      which invariants hold, one word a line; nothing when all do
#
# A slot is written from its first to its last file whatever changed, and what was there before is gone: there is one way back, not many.
root=${HOST_ROOT:-/var/image}

names="usr/bin/greet usr/lib/libgreet/1 usr/lib/libgreet/2 usr/share/greet/1 usr/share/greet/2 usr/share/base/1 usr/share/base/2 usr/share/base/3"

write_slot() {
  echo "write $1 $2"
  rm -rf $root/$1
  for file in $names; do
    test -d $root/$1/${file%/*} || mkdir -p $root/$1/${file%/*}
    echo "$2" > $root/$1/$file
  done
  (cd $root/$1 && sha256sum $names) > $root/$1.sums
  sync
}

verified() { (cd $root/$1 && sha256sum -c -s ../$1.sums) 2> /dev/null; }

choose() {
  echo "choose $1"
  verified $1 || return 1
  echo $1 > $root/chosen.new
  sync
  mv $root/chosen.new $root/chosen
  sync
}

case $1 in
  setup)
    rm -rf $root
    mkdir -p $root
    write_slot a 1 && choose a
    ;;
  upgrade) write_slot b 2 && choose b && echo "reboot" ;;
  check)
    slot=$(cat $root/chosen 2> /dev/null)
    if ! verified "$slot"; then echo damaged-slot; fi
    test "$(cd $root/$slot && cat $names 2>&1 | sort -u | wc -l)" = 1 || echo mixed-files
    ;;
esac
