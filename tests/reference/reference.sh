#!/usr/bin/env bash
# Runs cases through Kafka Streams: cases on standard input, results on standard output, see README.md.
#
#   reference.sh         run
#   reference.sh setup   only fetch and compile what it needs
#
# Wants a JDK, 17 or newer, and Maven (installed with apt-get where they are missing and can be); jars and classes are kept in
# $LEVADA_REFERENCE_JARS (default: ~/.cache/levada/kafka-streams-VERSION).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "reference.sh: $*" >&2
    exit 1
}

# shellcheck source=tools/kafka/jars.sh
. "$here/../../tools/kafka/jars.sh"
jars=${LEVADA_REFERENCE_JARS:-$HOME/.cache/levada/kafka-streams-$kafka_version}
classes=$jars/classes-$(cksum <"$here/Reference.java" | tr ' ' -)

setup() {
    [ -e "$classes" ] && command -v java >/dev/null && return 0
    local packages=() part
    command -v javac >/dev/null || packages+=(openjdk-17-jdk-headless)
    [ -e "$jars/complete" ] || command -v mvn >/dev/null || packages+=(maven)
    install_packages "${packages[@]}"
    resolve "$here/pom.xml" "$jars"
    part=$(mktemp -d "$jars/classes.XXXXXX")
    javac -Xlint:all -Werror -cp "$jars/*" -d "$part" "$here/Reference.java" >&2 ||
        { rm -rf "$part"; fail "Reference.java does not compile"; }
    mv -T "$part" "$classes" 2>/dev/null || rm -rf "$part"
}

case ${1:-run} in
    setup) setup ;;
    run)
        setup
        # In memory where that is possible: many small RocksDBs take twice as long on a disk.
        state=$(mktemp -d /dev/shm/levada-reference.XXXXXX 2>/dev/null || mktemp -d "${TMPDIR:-/tmp}/levada-reference.XXXXXX")
        trap 'rm -rf "$state"' EXIT
        # Short runs gain nothing from the second compiler.
        java -XX:TieredStopAtLevel=1 -cp "$classes:$jars/*" Reference "$state"
        ;;
    *) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
