#!/usr/bin/env bash
# Makes the base image deid-bench/base:bookworm from Debian's packages, for machines that reach
# no image registry. Needs root, debootstrap and a running engine.
#
#   containers/base/make.sh [--again]     --again: also when the image is there already
#
# MIRROR names another Debian mirror, ENGINE another command than docker (podman).
set -euo pipefail

readonly NAME=deid-bench/base SUITE=bookworm
readonly PACKAGES=ca-certificates,python3,python3-venv
readonly MIRROR=${MIRROR:-http://deb.debian.org/debian}
readonly ENGINE=${ENGINE:-docker}

fail() { echo "containers/base/make.sh: $*" >&2; exit 4; }

[ $# -eq 0 ] || [ "$*" = --again ] || { echo "usage: $0 [--again]" >&2; exit 2; }
command -v "$ENGINE" >/dev/null || fail "there is no $ENGINE here. Install it: apt-get install docker.io"
"$ENGINE" version >/dev/null 2>&1 || fail "no container engine answers to '$ENGINE version'. Start it."
if [ "${1:-}" != --again ] && "$ENGINE" image inspect "$NAME:$SUITE" >/dev/null 2>&1; then
    echo "$NAME:$SUITE is there already; --again replaces it." >&2
    exit 0
fi
[ "$(id -u)" = 0 ] || fail "debootstrap needs root. Run: sudo $0"
command -v debootstrap >/dev/null || fail "there is no debootstrap here. Install it: apt-get install debootstrap"

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root
debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$root" "$MIRROR" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" "$root/debootstrap/debootstrap.log" >&2 || true
    fail "debootstrap failed; is the mirror $MIRROR reachable? Name another with MIRROR=..."
}

# What differs from run to run, and what an image does not need.
rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/var/cache/ldconfig/aux-cache "$root"/var/log/* "$root"/tmp/* "$root"/etc/machine-id
: >"$root/etc/resolv.conf"
echo bench >"$root/etc/hostname"
# Two images with the same packages show it by this label, whenever they were made.
packages=$(chroot "$root" dpkg-query --show --showformat '${Package} ${Version} ${Architecture}\n' | LC_ALL=C sort)
digest=$(printf '%s\n' "$packages" | sha256sum | cut -d' ' -f1)

# The archive's time makes what Python compiled look stale, so it is compiled to be taken as it is:
# otherwise every start in an image compiles the standard library again.
compile='exec python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3*'
chroot "$root" sh -c "$compile" >>"$work/log" 2>&1 || true

tar --create --directory "$root" --sort=name --mtime=@0 --numeric-owner --exclude=./dev/* . |
    "$ENGINE" import \
        --change "LABEL deid-bench.base.suite=$SUITE" \
        --change "LABEL deid-bench.base.packages=$digest" \
        --change 'CMD ["/bin/bash"]' \
        --message "Debian $SUITE by debootstrap" - "$NAME:$SUITE"
