# What builds a package that names no builder of its own.
if [ -n "${NIX_ATTRS_SH_FILE:-}" ]; then . "$NIX_ATTRS_SH_FILE"; fi
. "$stdenv/setup"
genericBuild
