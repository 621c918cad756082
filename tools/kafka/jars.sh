# Sourced by scripts that run Java: what apt-get installs, and the jars that a pom.xml names. They define `fail MESSAGE`.

# The one version of Apache Kafka that everything here is run with.
kafka_version=$(sed -n 's:.*<version>\(4[0-9.]*\)</version>.*:\1:p' "$(dirname -- "${BASH_SOURCE[0]}")/pom.xml")

# install_packages PACKAGE...: by apt-get, where that is possible.
install_packages() {
    [ $# -gt 0 ] || return 0
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo -n)
    command -v apt-get >/dev/null || fail "install $*, or what your system calls them, and try again"
    # Tests run side by side, and apt-get refuses to.
    exec 9>"${TMPDIR:-/tmp}/levada-install.lock"
    flock 9
    echo "installing $*" >&2
    "${sudo[@]}" apt-get -qq update >&2 || fail "apt-get update failed; install $* and try again"
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get -qq install -y --no-install-recommends "$@" >&2 ||
        fail "apt-get could not install $*"
    exec 9>&-
}

# resolve POM FOLDER: the jars that POM names and what they need, in FOLDER; nothing where they are there already.
resolve() {
    local pom=$1 folder=$2 part
    [ -e "$folder/complete" ] && return 0
    echo "resolving what $pom names" >&2
    mkdir -p "${folder%/*}"
    part=$(mktemp -d "${folder%/*}/jars.XXXXXX")
    mvn -q -B -f "$pom" -Dkafka.version="$kafka_version" \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy-dependencies \
        -DoutputDirectory="$part" -DincludeScope=runtime >&2 ||
        { rm -rf "$part"; fail "Maven could not resolve what $pom names"; }
    touch "$part/complete"
    # Another start may have been faster: both are the same.
    mv -T "$part" "$folder" 2>/dev/null || rm -rf "$part"
}
