#!/usr/bin/env bash
# Asks Apache Avro which schemas can read each other: pairs of schemas on standard input, answers on standard output, see
# Compatibility.java.
#
#   compatibility.sh         run
#   compatibility.sh setup   only fetch and compile what it needs
#
# Wants a JDK, 17 or newer, and Maven (installed with apt-get where they are missing and can be); jars and classes are kept in
# $LEVADA_AVRO_JARS (default: ~/.cache/levada/avro-VERSION).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "compatibility.sh: $*" >&2
    exit 1
}

# shellcheck source=tools/kafka/jars.sh
. "$here/../../tools/kafka/jars.sh"
version=$(sed -n 's:.*<version>\(1\.[0-9.]*\)</version>.*:\1:p' "$here/pom.xml")
jars=${LEVADA_AVRO_JARS:-$HOME/.cache/levada/avro-$version}
classes=$jars/classes-$(cksum <"$here/Compatibility.java" | tr ' ' -)

setup() {
    [ -e "$classes" ] && command -v java >/dev/null && return 0
    local packages=() part
    command -v javac >/dev/null || packages+=(openjdk-17-jdk-headless)
    [ -e "$jars/complete" ] || command -v mvn >/dev/null || packages+=(maven)
    install_packages "${packages[@]}"
    resolve "$here/pom.xml" "$jars"
    part=$(mktemp -d "$jars/classes.XXXXXX")
    javac -Xlint:all,-processing,-classfile -Werror -cp "$jars/*" -d "$part" "$here/Compatibility.java" >&2 ||
        { rm -rf "$part"; fail "Compatibility.java does not compile"; }
    mv -T "$part" "$classes" 2>/dev/null || rm -rf "$part"
}

case ${1:-run} in
    setup) setup ;;
    run)
        setup
        java -XX:TieredStopAtLevel=1 -cp "$classes:$jars/*" Compatibility
        ;;
    *) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
