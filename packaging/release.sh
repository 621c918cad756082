#!/bin/sh
# Builds a release: levada-VERSION-TARGET.tar.gz with the stripped binary, manual pages, completions, the unit for systemd, README and
# licence, and its SHA-256.
#
#   packaging/release.sh [--out DIR] [--binary FILE]
#
#   --out DIR      where both files go (default: target/dist of the checkout)
#   --binary FILE  packs this binary instead of building one
#
# The binary is built as `make build` builds it, so it is the one that tests run, but whole (not incrementally), which makes it the same for
# the same sources at the same path, toolchain and system libraries. The same binary gives the same archive: names are sorted, owners
# are nobody's, times are that of the commit, or SOURCE_DATE_EPOCH.
set -eu

fail() {
    echo "release.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=$root/target/dist
binary=''
while [ $# -gt 0 ]; do
    case $1 in
    --out) out=${2:?--out needs a folder} && shift ;;
    --binary) binary=${2:?--binary needs a file} && shift ;;
    *) fail "unknown option $1" ;;
    esac
    shift
done

if [ -z "$binary" ]; then
    target_dir=${CARGO_TARGET_DIR:-$HOME/.cache/levada/target}
    (cd "$root" && CARGO_TARGET_DIR=$target_dir CARGO_INCREMENTAL=0 cargo build --release --locked --bins --examples)
    binary=$target_dir/release/levada
fi
[ -x "$binary" ] || fail "there is no binary $binary"

version=$("$binary" --version | cut -d' ' -f2)
target=$(uname -m)-$(uname -s | tr '[:upper:]' '[:lower:]')
name=levada-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/$name/completions" "$work/$name/systemd"
cd "$work/$name"

strip -o levada "$binary"
chmod 755 levada
./levada man --dir man/man1
./levada completions bash >completions/levada
./levada completions zsh >completions/_levada
./levada completions fish >completions/levada.fish
cp "$root"/packaging/systemd/* systemd/
cp "$root/LICENSE" "$root/README.md" .

epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
cd "$work"
tar --create --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' "$name" |
    gzip --no-name >"$out/$name.tar.gz"
cd "$out"
sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"

size() {
    wc -c <"$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'
}
echo "$out/$name.tar.gz: $(size "$name.tar.gz"), binary: $(size "$work/$name/levada")"
cat "$name.tar.gz.sha256"
