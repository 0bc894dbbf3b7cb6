# Shared by the scripts of this folder: `. "$(dirname "$0")/lib.sh"`.
# shellcheck shell=bash

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say TEXT...: one line of progress.
say() { printf '== %s\n' "$*"; }

# fail TEXT...: says why and ends the script.
fail() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# ensure_packages NAME...: installs the Debian packages that are missing. apt is not touched when
# nothing is; package lists are fetched once per script run.
ensure_packages() {
    local package missing=()
    for package in "$@"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "not a Debian system, install by hand: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    if [ -z "${SALLYPORT_APT_UPDATED:-}" ]; then
        "${as_root[@]}" apt-get update -qq || fail "apt-get update failed"
        SALLYPORT_APT_UPDATED=1
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null \
        || fail "apt-get install ${missing[*]} failed"
}

# jobs_wanted: how many compilers to run at once (JOBS overrides).
jobs_wanted() { echo "${JOBS:-$(nproc 2>/dev/null || echo 2)}"; }

# configure_core FOLDER OPTION...: prepares a build of the core library and its tests there, with these options of CMake.
configure_core() {
    mkdir -p "$1"
    cmake -S "$REPOSITORY" -B "$1" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DSALLYPORT_BENCH=OFF \
        "${@:2}" >"$1.log" 2>&1 || { cat "$1.log"; return 1; }
}
