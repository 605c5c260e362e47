# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Where the lab is, for the scripts in this folder.  Sourced after `here` is set.
#
# lab_home is named by a hash of everything that is compiled into it, so that checkouts with
# different sources do not disturb each other.

lab_cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbx}/lab

lab_say() { printf 'lab: %s\n' "$*" >&2; }
lab_die() { lab_say "$*"; exit 1; }

# version of the installed Wine, empty if there is none
lab_version() { dpkg-query -W -f '${Version}' libwine 2>/dev/null || true; }

# shellcheck disable=SC2154  # here is set by then
lab_hash() {
    (cd "$here" && {
        lab_version
        LC_ALL=C sha256sum build common.sh ./*.py ./*/ntlab*
    }) | sha256sum | cut -c 1-16
}

lab_home=$lab_cache/$(lab_hash)
# shellcheck disable=SC2034  # used where this is sourced
lab_bin=$lab_home/tree/lib/wine
