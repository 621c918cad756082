#!/bin/sh
# A laboratory where everything is locked: Kafka over TLS with passwords, a schema registry and a server over HTTPS, users who may do different
# things. Starts all of it, shows who may do what and that no secret has got out, and stops it again.
#
#   run.sh               with a Kafka of its own (tools/kafka/kafka.sh, which wants Java)
#   run.sh --embedded    without one: the topics are in the server's data directory
#
# LEVADA              the binary (default: levada)
# LEVADA_SECURED_DIR  an empty folder for certificates, passwords, data and logs, which stays (default: a new one, which is removed)
#
# Wants openssl and curl.
set -eu
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kafka=$here/../../tools/kafka/kafka.sh
levada=${LEVADA:-levada}
dir=${LEVADA_SECURED_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/levada-secured.XXXXXX")}
registry='' server=''

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

# What was started ends by its process id, the last first.
stop() {
    for process in $server $registry; do
        kill -TERM "$process" 2>/dev/null || true
        wait "$process" || true
    done
    "$kafka" stop --dir "$dir/kafka"
    [ -n "${LEVADA_SECURED_DIR:-}" ] || rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM

title() { printf '\n%s\n' "$*"; }

#-----------------------------------------------------------------------------------------------------------------------
# Certificates and passwords, new each time
#-----------------------------------------------------------------------------------------------------------------------

# A password that nobody has thought of, in a file that only its owner may read.
new_password() { openssl rand -hex 12 >"$dir/$1.password"; }
password() { cat "$dir/$1.password"; }
digest() { password "$1" | tr -d '\n' | openssl dgst -md5 -r | cut -d ' ' -f 1; }

# An authority, and a certificate of it for this machine; the key has a password.
make_certificates() {
    new_password key
    ec='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1'
    # shellcheck disable=SC2086 # options are several words
    openssl req -x509 $ec -nodes -days 30 -subj '/CN=The laboratory' -keyout "$dir/ca.key" -out "$dir/ca.pem"
    # shellcheck disable=SC2086
    openssl req $ec -passout "file:$dir/key.password" -subj /CN=localhost -keyout "$dir/server.key" -out "$dir/server.csr"
    echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >"$dir/names"
    openssl x509 -req -days 30 -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
        -extfile "$dir/names" -out "$dir/server.crt"
    cat "$dir/server.crt" "$dir/server.key" >"$dir/server.pem"
}

#-----------------------------------------------------------------------------------------------------------------------
# What is told to the registry and to the server
#-----------------------------------------------------------------------------------------------------------------------

# Both listen with the same certificate, and ask who comes.
common_properties() {
    cat <<END
listeners=https://127.0.0.1:0
ssl.keystore.location=$dir/server.pem
ssl.key.password=$(password key)
authentication.method=BASIC
levada.users.file=$dir/$1.users
END
}

registry_properties() {
    common_properties registry
    cat <<END
levada.authorization.write=server
levada.authorization.define=server
END
}

server_properties() {
    common_properties server
    cat <<END
levada.authorization.write=admin, machine
levada.authorization.define=admin
ksql.schema.registry.url=$1
ksql.schema.registry.basic.auth.credentials.source=USER_INFO
ksql.schema.registry.basic.auth.user.info=levada:$(password levada)
ksql.schema.registry.ssl.truststore.location=$dir/ca.pem
END
    [ ! -e "$dir/kafka" ] || cat "$dir/kafka/secure.properties"
}

make_users() {
    for user in ada bert cleo levada; do new_password "$user"; done
    cat >"$dir/server.users" <<END
ada: $(password ada), admin
bert: MD5:$(digest bert), machine
cleo: $(password cleo), ward
END
    cat >"$dir/registry.users" <<END
levada: $(password levada), server
cleo: $(password cleo), ward
END
    echo "user = \"cleo:$(password cleo)\"" >"$dir/cleo.curl"
    : >"$dir/nobody.curl"
}

# Starts Levada as $1, with the other arguments; its id is in $started.
start() {
    name=$1
    shift
    : >"$dir/$name.out"
    "$levada" "$@" --config "$dir/$name.properties" --data-dir "$dir/$name-data" >"$dir/$name.out" 2>"$dir/$name.log" &
    started=$!
    echo "$started" >"$dir/$name.pid"
    until grep -q 'https://' "$dir/$name.out"; do
        kill -0 "$started" 2>/dev/null || fail "$name has ended: $(cat "$dir/$name.log")"
        sleep 0.1
    done
}

# Where $1 listens.
url_of() { sed -n 's|.*\(https://[0-9.:]*\).*|\1|p' "$dir/$1.out"; }

#-----------------------------------------------------------------------------------------------------------------------
# Questions
#-----------------------------------------------------------------------------------------------------------------------

# What is told is kept, to be searched, and shown without ports, which are others each time.
tell() { tee -a "$dir/told.out" | sed "s|$(url_of server)|https://server|; s|$(url_of registry)|https://registry|"; }

# The shell of user $1.
as() {
    user=$1
    shift
    LEVADA_PASSWORD=$(password "$user") "$levada" shell --server "$(url_of server)" --ca "$dir/ca.pem" --user "$user" --output json "$@"
}

# What user $1 is answered.
show() {
    as "$@" >"$dir/answer.out" || fail "$1 is not answered"
    grep -v 'local property' "$dir/answer.out" | tell
}

# Waits until user $1 is answered $3 when he asks $2.
wait_for() {
    for _ in $(seq 150); do
        as "$1" --execute "$2" >"$dir/answer.out" && grep -q "$3" "$dir/answer.out" && return
        sleep 0.2
    done
    fail "'$2' is not answered with $3, but with $(cat "$dir/answer.out")"
}

# What does not work for whoever runs it, in a word.
refused() {
    if said=$("$@" 2>&1); then fail "this should have been refused: $*"; fi
    echo "$said" | grep '^error: ' | tell
}

# Asks the registry as user $1. What is told to curl is no argument: those others can read.
ask_registry() {
    user=$1
    shift
    curl --silent --cacert "$dir/ca.pem" --config "$dir/$user.curl" "$@" >"$dir/answer.out" || fail "the registry does not answer $user"
    echo >>"$dir/answer.out"
    tell <"$dir/answer.out"
}

#-----------------------------------------------------------------------------------------------------------------------

case ${1:-} in
--embedded) ;;
'') "$kafka" start --secure --dir "$dir/kafka" >"$dir/kafka.out" ;;
*) fail "say nothing, or --embedded" ;;
esac
[ ! -e "$dir/kafka" ] || sed -n 's/^sasl.password=//p' "$dir/kafka/secure.properties" >"$dir/kafka.password"
make_certificates 2>"$dir/openssl.log"
make_users
registry_properties >"$dir/registry.properties"
start registry registry
registry=$started
server_properties "$(url_of registry)" >"$dir/server.properties"
start server server
server=$started

title 'ada defines, bert writes:'
show ada --file "$here/secured.sql"
show bert --file "$here/findings.sql"

title 'cleo reads what there is to be called about, what researchers get, and how much there was:'
earliest="SET 'auto.offset.reset' = 'earliest';"
show cleo --execute "$earliest SELECT ward, tube, patient, finding FROM alarms EMIT CHANGES LIMIT 2;"
show cleo --execute "$earliest SELECT tube, patient, analyte, measured FROM research EMIT CHANGES LIMIT 4;"
wait_for cleo 'SELECT SUM(findings) AS findings FROM findings_by_ward;' '"FINDINGS":4}'
show cleo --execute 'SELECT ward, findings, patients FROM findings_by_ward ORDER BY ward;'

title 'What they may not, and who does not get in:'
refused as cleo --execute "INSERT INTO limits (analyte, low, high) VALUES ('sodium', 0, 999);"
refused as bert --execute 'DROP STREAM alarms;'
refused env LEVADA_PASSWORD=guessed "$levada" shell --server "$(url_of server)" --ca "$dir/ca.pem" --user ada --execute 'SHOW TABLES;'
refused "$levada" shell --server "$(url_of server)" --ca "$dir/ca.pem" --execute 'SHOW TABLES;'
refused "$levada" shell --server "$(url_of server)" --execute 'SHOW TABLES;'

title 'The registry knows cleo, who may look, and lets nobody else in but the server:'
ask_registry cleo "$(url_of registry)/subjects?subjectPrefix=findings"
ask_registry cleo --request DELETE "$(url_of registry)/subjects/alarms-value"
ask_registry nobody "$(url_of registry)/subjects"

title 'SHOW PROPERTIES says that there are secrets, and not which:'
as ada --execute 'SHOW PROPERTIES;' >"$dir/properties.out"
grep '"Effective Value":"\[hidden\]"' "$dir/properties.out" |
    sed 's/.*"Property":"\([^"]*\)".*"Effective Value":"\([^"]*\)".*/\1 = \2/' | tell

# How many of the passwords stand in some of these files.
secrets_in() {
    count=0
    for secret in "$dir"/*.password; do
        if grep --recursive --quiet --fixed-strings --file="$secret" "$@"; then count=$((count + 1)); fi
    done
    echo "$count"
}

[ "$(secrets_in "$dir"/*.properties)" != 0 ] || fail 'passwords are not found where they were given'
title 'Passwords that stand in what was told, logged and kept:'
secrets_in "$dir"/*.out "$dir"/*.log "$dir"/*-data | tee "$dir/leaks"
[ "$(cat "$dir/leaks")" = 0 ]
