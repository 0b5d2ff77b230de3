# A host that is changed in place, as Debian's dpkg changes one: `sh mutable.sh WORD` with WORD
#
#   setup         version 1 of two packages, installed and configured
#   upgrade       version 2: unpack the library, unpack the program, configure both
#   check         which invariants hold, one word a line; nothing when all do
#   configure     dpkg --configure -a; ends with 1 when a package has to be unpacked again
#   reinstall     unpack and configure again what --configure -a refused
#
# This is a small dpkg of our own that follows Debian's order: a package is marked half-installed, every file is written beside its name and
# synced, then all are renamed one after the other, the package is unpacked; it is half-configured while its script runs, and installed at last.
# Each mark is made by rename and synced, as dpkg does, so that the host always knows how far it came.
root=${HOST_ROOT:-/var/mutable}
status=$root/var/lib/dpkg/status

version_of() { sed -n "s/^$1 [a-z-]* //p" $status; }
state_of() { sed -n "s/^$1 \([a-z-]*\) .*/\1/p" $status; }

mark() {
  { grep -v "^$1 " $status; echo "$1 $2 $3"; } > $status-new
  sync
  mv $status-new $status
  sync
}

files_of() {
  case $1 in
    libgreet) echo usr/lib/libgreet/1 usr/lib/libgreet/2 usr/lib/libgreet/3 ;;
    greet) echo usr/bin/greet usr/share/greet/1 usr/share/greet/2 usr/share/greet/3 ;;
  esac
}

unpack() {
  echo "unpack $1 $2"
  mark $1 half-installed $2
  for file in $(files_of $1); do
    test -d $root/${file%/*} || mkdir -p $root/${file%/*}
    echo "$1 $2" > $root/$file.dpkg-new
  done
  sync
  echo "rename $1 $2"
  for file in $(files_of $1); do mv $root/$file.dpkg-new $root/$file; done
  sync
  mark $1 unpacked $2
}

# What the package's own script does: the list of all files, made anew.
post_install() {
  test -d $root/var/cache || mkdir $root/var/cache
  (cd $root && cat $(files_of $1)) > $root/var/cache/$1
}

configure() {
  echo "configure $1 $2"
  mark $1 half-configured $2
  post_install $1
  sync
  mark $1 installed $2
}

upgrade_to() {
  unpack libgreet $1
  unpack greet $1
  configure libgreet $1
  configure greet $1
}

one_version() { test "$(cd $root && cat $(files_of $1) 2>&1 | sort -u | wc -l)" = 1; }

check() {
  for package in libgreet greet; do
    one_version $package || echo mixed-files
    test "$(state_of $package)" = installed || echo not-configured
    test "$(sort -u $root/var/cache/$package 2> /dev/null)" = "$package $(version_of $package)" || echo stale-list
  done
  test "$(cut -d ' ' -f 2 < $root/usr/bin/greet)" = "$(cut -d ' ' -f 2 < $root/usr/lib/libgreet/1)" || echo program-without-its-library
  find $root -name '*.dpkg-new' | grep -q . && echo stray-files
  return 0
}

configure_all() {
  refused=0
  for package in libgreet greet; do
    case $(state_of $package) in
      half-installed) refused=1 ;;
      unpacked | half-configured) configure $package $(version_of $package) ;;
    esac
  done
  return $refused
}

case $1 in
  setup)
    rm -rf $root
    mkdir -p ${status%/*}
    : > $status
    upgrade_to 1
    ;;
  upgrade) upgrade_to 2 ;;
  check) check | sort -u ;;
  configure) configure_all ;;
  reinstall)
    for package in libgreet greet; do
      if test $(state_of $package) = half-installed; then unpack $package $(version_of $package); fi
    done
    configure_all
    ;;
esac
