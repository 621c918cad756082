# shellcheck shell=bash
# Read by the scripts beside it, which have a function fail: a package of npm in a folder of its own, outside of the checkout.

# npm_package FOLDER PACKAGE VERSION: fetches it, once.
npm_package() {
    local folder=$1 package=$2 version=$3
    [ -e "$folder/complete" ] && return 0
    command -v npm >/dev/null || fail "there is no npm"
    mkdir -p "${folder%/*}"
    # One at a time: another start may be at it.
    exec 9>"$folder.lock"
    ! command -v flock >/dev/null || flock 9
    [ -e "$folder/complete" ] && return 0
    rm -rf "$folder"
    mkdir -p "$folder"
    npm install --silent --no-audit --no-fund --prefix "$folder" "$package@$version" >&2 ||
        fail "npm could not install $package $version"
    touch "$folder/complete"
}
