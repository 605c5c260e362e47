# Shared by the scripts below tests/: packages, builds, Wine prefixes.  Sourced by bash, not run.
#
# Two kinds of Wine: "stock" is the distribution's, "lab" the one of tests/lab that enforces NT
# access control.  A prefix is made once as a template in the cache and copied for each use.
# Everything below the cache can be removed at any time.
# shellcheck shell=bash disable=SC2034

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbx}
export SBX_CACHE=$cache
stock_wine=/usr/lib/wine/wine64
# what was compiled once is not compiled again, in another checkout neither: paths below $top count as relative ones
: "${CCACHE_DIR=$cache/ccache}" "${CCACHE_MAXSIZE=1G}"
export CCACHE_DIR CCACHE_MAXSIZE CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 125; }

# quietly LOG COMMAND...: output to LOG; its end on stderr when the command fails
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" > "$log" 2>&1 < /dev/null || {
        local status=$?
        tail -n 40 "$log" >&2
        say "failed: $* (log: $log)"
        return $status
    }
}

# ---- packages ----------------------------------------------------------------

build_packages="cmake ninja-build ccache gcc gcc-mingw-w64-x86-64 binutils-mingw-w64-x86-64 libc6-dev dpkg-dev ca-certificates"
wine_packages="wine64 libwine"
tool_packages="openssl python3"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo > /dev/null; then sudo "$@"; else return 1; fi
}

# need PACKAGE...: install those that are missing, with apt
need() {
    local missing
    command -v dpkg-query > /dev/null || die "this needs Debian 12 or a system like it, with: $*"
    # shellcheck disable=SC2016 # the fields are dpkg-query's
    missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2> /dev/null | sed -n 's/ installed$//p' | sort -u))
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a list of names
    set -- $missing
    say "installing $*"
    mkdir -p "$top/build"
    exec 8> "$top/build/.apt.lock" # somebody else here may be at it
    flock 8
    [ "$(id -u)" = 0 ] || command -v sudo > /dev/null || die "as root: apt-get install --no-install-recommends $*"
    quietly "$top/build/log/apt.log" as_root sh -c \
        'apt-get -qq update; DEBIAN_FRONTEND=noninteractive exec apt-get -qq -y --no-install-recommends install "$@"' sh "$@" ||
        die "apt could not install $*"
    exec 8>&-
}

# need_command COMMAND PACKAGE: for what often comes from elsewhere than a package
need_command() {
    command -v "$1" > /dev/null || need "$2"
}

# ---- builds ------------------------------------------------------------------

# fits DIR: it was configured to the end, for this source folder
fits() {
    local home
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$1/CMakeCache.txt" 2> /dev/null) &&
        [ "$home" -ef "$top" ] && [ -e "$1/build.ninja" ]
}

# configure PRESET: once, again by itself when a CMakeLists.txt changes, and afresh in a checkout that was copied or moved
configure() {
    local dir=$top/build/$1
    # shellcheck disable=SC2086
    need $build_packages
    quietly "$top/build/log/sources.log" "$top/tests/sources" mimalloc cjson cmocka golang-toml ||
        say "no sources from apt; CMake fetches the pinned releases"
    fits "$dir" || {
        [ ! -e "$dir" ] || { say "build/$1 is not whole or belongs to another folder: made again"; rm -rf "$dir"; }
        say "configuring build/$1"
        quietly "$top/build/log/$1-configure.log" cmake -S "$top" --preset "$1" -D CMAKE_C_COMPILER_LAUNCHER=ccache
    }
}

# build PRESET [product|TARGET...]: "product" is what belongs into bin/; nothing is everything
build() {
    local preset=$1 dir=$top/build/$1 targets telling status=0
    shift
    mkdir -p "$top/build"
    (
        exec 9> "$top/build/.lock"
        flock 9
        configure "$preset" || exit 1
        targets=("$@")
        if [ "${1-}" = product ]; then
            ninja -C "$dir" build.ninja > "$top/build/log/$preset-configure.log" 2>&1 < /dev/null || true
            mapfile -t targets < <(ninja -C "$dir" -t targets all 2> /dev/null |
                sed -n 's/^\(bin\/[^:]*\.\(exe\|dll\)\): .*/\1/p')
            [ ${#targets[@]} -gt 0 ] || { say "nothing to build in build/$preset/bin"; exit 1; }
        fi
        # A dry run would not tell: with globs it ends before it knows.  What is up to date takes no second.
        (sleep 1 > /dev/null 2>&1 && say "building build/$preset") < /dev/null 9>&- &
        telling=$!
        quietly "$top/build/log/$preset-build.log" ninja -C "$dir" "${targets[@]}" || status=$?
        kill "$telling" 2> /dev/null || true
        wait "$telling" 2> /dev/null || true
        exit "$status"
    ) 9>&-
}

# ---- Wine --------------------------------------------------------------------

# Wine needs the page 0x7ffe0000; a heap at a random address takes it in one process of some thousand, and its start fails
# with error 1359.
fixed_addresses=()
! setarch -R true 2> /dev/null || fixed_addresses=(setarch -R)

# use KIND PREFIX [USER]: wine=(...) and the environment for it.  Nothing of the caller's
# environment reaches the programs but the terminal's type, LAB_READING, LAB_STATE and what KEEP_ENV lists.  TZ is the first zone of Wine's table:
# every process of Wine reads the table from the registry until it finds its zone, a thousand calls for UTC.
use() {
    local name
    kind=$1 prefix=$2 user=${3:-standard}
    clean=(env -i "HOME=$HOME" "PATH=$PATH" LC_ALL=C.UTF-8 TZ=AFT-4:30 "TERM=${TERM:-dumb}" "SBX_CACHE=$cache" WINEDEBUG=-all
        "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=" "WINEPREFIX=$prefix" "LAB_PREFIX=$prefix")
    for name in LAB_READING LAB_STATE ${KEEP_ENV-}; do
        [ -z "${!name+set}" ] || clean+=("$name=${!name}")
    done
    case $kind in
        stock) wine=("${clean[@]}" "${fixed_addresses[@]}" "${SBX_WINE:-$stock_wine}") ;;
        lab) wine=("${clean[@]}" "$top/tests/lab/lab" --user "$user") ;;
        *) die "no such kind of Wine: $kind" ;;
    esac
}

# server OPTION: the Wine server of the prefix
server() {
    local lab_bin=/usr/lib/wine
    # shellcheck source=tests/lab/common.sh
    [ "$kind" != lab ] || lab_bin=$(here=$top/tests/lab && . "$here/common.sh" && printf '%s' "$lab_bin")
    "${clean[@]}" timeout 60 "$lab_bin/wineserver" "$1" > /dev/null 2>&1 < /dev/null || true
}

# stop: end every process of the prefix
stop() { server -k; }

# hold PREFIX: say that it is in use, until release ends its processes as the last user.
# Programs must be started with 7>&-, or the server would hold the lock itself.
hold() {
    exec 7> "$1.lock"
    flock -s 7
}
release() {
    flock -n -x 7 2> /dev/null && stop "$prefix"
    exec 7>&-
}

need_wine() {
    # shellcheck disable=SC2086
    need $wine_packages $tool_packages
    [ "$1" = lab ] || return 0
    "$top/tests/lab/build" --check > /dev/null 2>&1 || say "building a Wine that enforces NT access control: some minutes, once"
    quietly "$top/build/log/lab-build.log" "$top/tests/lab/build" || die "the lab cannot be built"
}

helpers_dir=$cache/helpers

# The one-function DLL that current programs need from Windows and Wine 8 lacks.
build_bcryptprimitives() {
    local from=$top/tests/e2e/bcryptprimitives key
    key=$(cat "$from"/* | sha256sum | cut -c1-16)
    bcryptprimitives=$helpers_dir/bcryptprimitives-$key.dll
    [ -e "$bcryptprimitives" ] && return
    need gcc-mingw-w64-x86-64
    mkdir -p "$helpers_dir"
    x86_64-w64-mingw32-gcc -Os -s -shared -static -Wl,--dynamicbase,--nxcompat -o "$bcryptprimitives.$$" \
        "$from/bcryptprimitives.c" "$from/bcryptprimitives.def"
    mv "$bcryptprimitives.$$" "$bcryptprimitives"
}

settings='REGEDIT4

[HKEY_CURRENT_USER\Software\Wine\Drivers]
"Graphics"="null"

[HKEY_CURRENT_USER\Software\Wine\WineDbg]
"ShowCrashDialog"=dword:00000000

[HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion\AeDebug]
"Debugger"="false"
"Auto"="1"

[HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Session Manager\Environment]
"PATH"="C:\\windows\\system32;C:\\windows;C:\\windows\\system32\\wbem;C:\\Program Files\\sbx;C:\\tools"
'

# make_prefix KIND TOOLS: fill $prefix from nothing
make_prefix() {
    local link
    timeout 180 "${wine[@]}" wineboot --init
    server -w
    # the profile's links to the home directory become folders, or it would not lie on C:
    find "$prefix/drive_c/users" -type l | while read -r link; do
        rm "$link"
        mkdir "$link"
    done
    timeout 60 "${wine[@]}" winecfg -v win10
    printf '%s' "$settings" > "$prefix/drive_c/settings.reg"
    timeout 60 "${wine[@]}" regedit /S 'C:\settings.reg'
    timeout 60 "${wine[@]}" reg query 'HKCU\Software\Wine\Drivers' /v Graphics
    stop
    server -w
    rm "$prefix/drive_c/settings.reg"
    cp "$bcryptprimitives" "$prefix/drive_c/windows/system32/bcryptprimitives.dll"
    if [ -n "$2" ]; then
        mkdir -p "$prefix/drive_c/tools"
        cp -r --reflink=auto "$2"/* "$prefix/drive_c/tools/"
    fi
}

# prefix_key KIND [plain]: a name for all that a prefix is made from
prefix_key() {
    {
        declare -f make_prefix use
        printf '%s\n' "$@" "$settings" "$("${SBX_WINE:-$stock_wine}" --version 2> /dev/null)"
        cat "$top"/tests/e2e/bcryptprimitives/*
        [ "${2-}" = plain ] || cat "$top"/tests/tools/{versions,modules}
        [ "$1" != lab ] || find "$top/tests/lab" -type f -exec sha256sum {} + | sort
    } | sha256sum | cut -c1-16
}

# make_template KIND DIR [plain]: what new_prefix copies, in $template
make_template() {
    local tools='' LAB_READING='' LAB_STATE=''
    build_bcryptprimitives
    if [ "${3-}" != plain ]; then
        need_command npm npm
        tools=$("$top/tests/tools/fetch") || die "the real programs cannot be fetched"
    fi
    say "making a $1 Wine prefix"
    # other checkouts have other ones; those that nobody copied for a day go
    find "$cache/prefix" -mindepth 1 -maxdepth 1 -name "$1${3+-plain}-????????????????*" -mmin +1440 -exec rm -rf {} +
    rm -rf "$template" "$template.new"
    use "$1" "$template.new" admin
    mkdir -p "$prefix"
    quietly "$top/build/log/prefix-$1.log" make_prefix "$1" "$tools" || { stop; exit 1; }
    mv "$template.new" "$template"
    touch "$template/.complete"
}

# new_prefix KIND DIR [plain]: a fresh prefix in DIR, with the real programs unless plain
new_prefix() {
    local dir=$2 key template
    key=$(prefix_key "$1" ${3+plain})
    template=$cache/prefix/$1${3+-plain}-$key
    (
        mkdir -p "$cache/prefix"
        exec 9> "$cache/prefix/.lock"
        flock 9
        [ -e "$template/.complete" ] || make_template "$@" 9>&-
        touch "$template" # it is used
        mkdir -p "$(dirname "$dir")"
        rm -rf "$dir" "$dir.new"
        cp -a --reflink=auto "$template" "$dir.new"
        printf '%s\n' "$key" > "$dir.new/.sbx-template"
        mv "$dir.new" "$dir"
    ) || die "cannot make a Wine prefix"
}

# install_sbx PREFIX [BIN]: what build/cross/bin holds, into C:\Program Files\sbx, as an installer would
install_sbx() {
    local from=${2:-$top/build/cross/bin} to="$1/drive_c/Program Files/sbx" stamp
    stamp=$(cd "$from" && find . -type f -printf '%p %s %T@\n' | sort)
    [ "$stamp" != "$(cat "$1/.sbx-installed" 2> /dev/null)" ] || return 0
    rm -rf "$to"
    mkdir -p "$to"
    (cd "$from" && find . -type f \( -name '*.exe' -o -name '*.dll' -o -name '*.cmd' \) -exec cp --parents {} "$to/" \;)
    printf '%s\n' "$stamp" > "$1/.sbx-installed"
}
