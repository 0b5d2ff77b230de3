#!/bin/bash
# Builds the guest's binaries from Debian's source packages:
#
#   workers/guest/build.sh [PART…]      parts: kernel busybox init initrd bios; all of them when none is named
#
# On Debian 12 (amd64), with: gcc gcc-multilib make flex bison bc libelf-dev libssl-dev zstd cpio xz-utils dpkg-dev.
# Nothing is installed and no system file is changed: packages are downloaded with an apt configuration of its own and unpacked in a
# scratch folder (GUEST_WORK, default workers/guest/build/work); GUEST_SEEDS puts the seeds elsewhere. The result depends on the versions below and the compiler's
# only: times, user, host and file order are fixed, so that a second run makes the same bytes. The versions, their
# licences and where their sources lie are told in SOURCES.md.
set -euo pipefail

linux_source=linux-source-6.1=6.1.192-2
busybox_source=busybox=1:1.35.0-4+deb12u1
musl_library=musl-dev:i386=1.2.3-1
kernel_headers=linux-libc-dev:i386=6.1.176-1
seabios=seabios=1.16.2-1

export SOURCE_DATE_EPOCH=1700000000
export LC_ALL=C TZ=UTC

guest=$(cd "$(dirname "$0")" && pwd)
seeds=${GUEST_SEEDS:-$guest/../../samples/channel/seeds}
work=${GUEST_WORK:-$guest/build/work}
mkdir -p "$work/apt/parts" "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/debs"

# apt with its own lists: both architectures, sources too.
apt() {
  command "$1" -o Dir::State="$work/apt/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/apt/cache" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/apt/parts" \
    -o APT::Architectures::=amd64 -o APT::Architectures::=i386 -o APT::Sandbox::User=root -q "${@:2}"
}

refresh_lists() {
  [ -e "$work/apt/ready" ] && return
  cp /etc/apt/sources.list.d/debian.sources "$work/apt/parts/debian.sources"
  sed 's/^Types: deb$/Types: deb-src/' "$work/apt/parts/debian.sources" > "$work/apt/parts/sources.sources"
  # A mirror in the middle of a change may lack an index: what is missing shows when a package is asked for.
  apt apt-get update || apt apt-get update || true
  touch "$work/apt/ready"
}

# unpack NAME=VERSION FOLDER: a binary package's files.
unpack() {
  [ -d "$2" ] && return
  refresh_lists
  # The system's own lists may have what the mirror just refused.
  (cd "$work/debs" && { apt apt-get download "$1" || apt-get download "$1"; })
  dpkg-deb -x "$(ls "$work/debs/${1%%[:=]*}"_*.deb)" "$2"
}

# A C compiler for static i386 programs on musl.
make_compiler() {
  unpack "$musl_library" "$work/musl"
  unpack "$kernel_headers" "$work/headers"
  local library=$work/musl/usr/lib/i386-linux-musl
  local include="-nostdinc -isystem $work/musl/usr/include/i386-linux-musl -isystem $work/headers/usr/include -isystem $work/headers/usr/include/i386-linux-gnu -isystem include%s"
  cat > "$work/musl.specs" <<END
%rename cpp_options old_cpp_options

*cpp_options:
$include %(old_cpp_options)

*cc1:
%(cc1_cpu) $include

*link_libgcc:
-L$library -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
$library/crt1.o $library/crti.o crtbegin.o%s

*endfile:
crtend.o%s $library/crtn.o

*link:
-m elf_i386 -nostdlib -static --build-id=none

*esp_link:


*esp_options:


*esp_cpp_options:


END
  cat > "$work/cc" <<END
#!/bin/sh
exec gcc -m32 -march=i686 -fno-pie -no-pie -static -specs $work/musl.specs "\$@"
END
  chmod 755 "$work/cc"
}

# apply FRAGMENT: sets every option of a fragment in .config, lets the defaults follow, and insists on the fragment.
apply() {
  local line key value
  grep '^CONFIG_' "$1" | while IFS= read -r line; do
    key=${line%%=*} value=${line#*=}
    sed -i "/^$key=/d; /^# $key is not set/d" .config
    if [ "$value" = n ]; then echo "# $key is not set"; else echo "$line"; fi >> .config
  done
}

insist() {
  local line key value
  grep '^CONFIG_' "$1" | while IFS= read -r line; do
    key=${line%%=*} value=${line#*=}
    if [ "$value" = n ]; then
      ! grep -q "^$key=" .config || { echo "$key is on and should not be" >&2; exit 1; }
    else
      grep -qxF "$line" .config || { echo "$line was not taken" >&2; exit 1; }
    fi
  done
}

build_kernel() {
  unpack "$linux_source" "$work/linux-deb"
  rm -rf "$work/linux" && mkdir "$work/linux"
  tar xf "$work/linux-deb/usr/src/linux-source-6.1.tar.xz" -C "$work/linux" --strip-components=1
  (
    cd "$work/linux"
    make -s ARCH=i386 tinyconfig
    apply "$guest/kernel/config"
    make -s ARCH=i386 olddefconfig
    insist "$guest/kernel/config"
    make -s -j"$(nproc)" ARCH=i386 KBUILD_BUILD_TIMESTAMP=@$SOURCE_DATE_EPOCH KBUILD_BUILD_USER=terrarium KBUILD_BUILD_HOST=terrarium KBUILD_BUILD_VERSION=1 bzImage
  )
  install -Dm644 "$work/linux/arch/x86/boot/bzImage" "$seeds/linux/bzImage"
}

# one_busybox FOLDER BASE FRAGMENT RESULT
one_busybox() {
  if [ ! -d "$work/busybox-source" ]; then
    refresh_lists
    (cd "$work/debs" && apt apt-get source --download-only "$busybox_source" && dpkg-source --no-check -x busybox_*.dsc "$work/busybox-source")
  fi
  rm -rf "$1" && cp -r "$work/busybox-source" "$1"
  (
    cd "$1"
    export KCONFIG_NOTIMESTAMP=1
    make -s "$2"
    apply "$3"
    yes '' 2> /dev/null | make -s oldconfig > /dev/null || true
    insist "$3"
    make -s -j"$(nproc)" CC="$work/cc" HOSTCC=gcc SKIP_STRIP=y busybox
  )
  mkdir -p "$(dirname "$4")"
  strip -s "$1/busybox" -o "$4"
}

build_busybox() {
  make_compiler
  one_busybox "$work/busybox" defconfig "$guest/busybox/config" "$seeds/busybox/bin/busybox"
  one_busybox "$work/sandbox-shell-build" allnoconfig "$guest/busybox/sandbox-config" "$work/sandbox-shell"
}

build_init() {
  make_compiler
  local bin=$seeds/supervisor/bin name
  mkdir -p "$bin" "$work/objects"
  for name in "$guest"/src/*.c; do
    "$work/cc" -std=gnu11 -D_GNU_SOURCE -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -ffile-prefix-map="$guest"=. -Wall -Wextra -Wno-missing-field-initializers -Werror \
      -c "$name" -o "$work/objects/$(basename "$name" .c).o"
  done
  "$work/cc" -Wl,--gc-sections -s -o "$bin/terrarium-init" "$work"/objects/*.o
  for name in $(sed -n 's/^# names: //p' "$guest/applets.list"); do
    ln -sfn terrarium-init "$bin/$name"
  done
}

build_initrd() {
  [ -e "$work/sandbox-shell" ] || build_busybox
  local maker=$work/gen_init_cpio
  [ -d "$work/linux" ] || build_kernel
  gcc -O1 -o "$maker" "$work/linux/usr/gen_init_cpio.c"
  cat > "$work/initrd.list" <<END
dir /bin 0755 0 0
dir /dev 0755 0 0
dir /etc 0755 0 0
dir /proc 0755 0 0
dir /root 0700 0 0
dir /run 0755 0 0
dir /sys 0755 0 0
dir /tmp 0755 0 0
nod /dev/console 0600 0 0 c 5 1
nod /dev/null 0666 0 0 c 1 3
file /init $work/init 0755 0 0
file /bin/sandbox-shell $work/sandbox-shell 0755 0 0
slink /bin/sh sandbox-shell 0777 0 0
slink /bin/zero-memory ../init 0777 0 0
END
  mkdir -p "$seeds/initrd"
  # The maker takes the files' own times.
  cp "$seeds/supervisor/bin/terrarium-init" "$work/init"
  touch -d @1 "$work/init" "$work/sandbox-shell"
  "$maker" -t 1 "$work/initrd.list" > "$work/initrd.cpio"
  zstd -q -f -19 "$work/initrd.cpio" -o "$seeds/initrd/initrd"
}

build_bios() {
  unpack "$seabios" "$work/seabios"
  install -Dm644 "$work/seabios/usr/share/seabios/bios.bin" "$guest/bios/seabios.bin"
  install -Dm644 "$work/seabios/usr/share/seabios/vgabios-stdvga.bin" "$guest/bios/vgabios.bin"
}

for part in "${@:-kernel busybox init initrd bios}"; do
  for one in $part; do
    "build_$one"
  done
done
sha256sum "$seeds"/{busybox/bin/busybox,supervisor/bin/terrarium-init,linux/bzImage,initrd/initrd} "$guest"/bios/*.bin
