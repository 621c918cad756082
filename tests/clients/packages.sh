# shellcheck shell=bash
# Read by the scripts beside it: packages of others in a folder, fetched once whoever asks for them first.

# folder_of FOLDER SET WANTED: where the packages of a set are; another place when they change.
folder_of() {
    echo "$1/$2-$(cksum <<<"$3" | cut -d' ' -f1)"
}

# once FOLDER: has `fetch` fill it, unless that was done.
once() {
    [ -e "$1/complete" ] && return 0
    mkdir -p "${1%/*}"
    # One at a time: another start may be at it.
    exec 9>"$1.lock"
    ! command -v flock >/dev/null || flock 9
    [ -e "$1/complete" ] && return 0
    rm -rf "$1"
    fetch
    touch "$1/complete"
}
