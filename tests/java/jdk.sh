#!/usr/bin/env bash
# Answers calls by the classes of a JDK: calls on standard input, results on standard output, see README.md.
#
#   jdk.sh         run
#   jdk.sh setup   only see to a JDK
#
# Wants a JDK, 17 or newer (installed with apt-get where it is missing and can be).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "jdk.sh: $*" >&2
    exit 1
}

# shellcheck source=tools/kafka/jars.sh
. "$here/../../tools/kafka/jars.sh"

setup() {
    command -v javac >/dev/null || install_packages openjdk-17-jdk-headless
    local version
    version=$(javac -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
    [ "$version" -ge 17 ] 2>/dev/null || fail "the JDK here is $version, 17 or newer is wanted"
}

case ${1:-run} in
    setup) setup ;;
    run)
        setup
        # Short runs gain nothing from the second compiler.
        exec java -XX:TieredStopAtLevel=1 "$here/Calls.java"
        ;;
    *) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
