#!/usr/bin/env bash
# Apache Kafka on loopback: one broker or several (KRaft, no ZooKeeper), for trying things and for tests.
#
#   kafka.sh run   [options]         start, say where, stop with Ctrl-C
#   kafka.sh start [options]         start in the background, print the bootstrap addresses
#   kafka.sh stop  --dir DIR         stop what `start` has started in DIR, remove its data
#   kafka.sh kill  --dir DIR -n N    kill broker N (SIGKILL)
#   kafka.sh up    --dir DIR -n N    start broker N again, wait until it listens
#   kafka.sh jars                    only resolve the jars, print their folder
#
#   --dir DIR       logs, data and settings (default: a new temporary folder)
#   --brokers N     number of brokers (default 1)
#   --proxy PORT    one broker also listens for a proxy on PORT: clients of that listener are told to come to PORT,
#                   DIR/behind.proxy is the address that the proxy connects to
#   --secure        also listen with TLS and SCRAM-SHA-256; DIR/secure.properties is what a client needs
#   --connect       with a worker of Kafka Connect that has the connectors of files; DIR/connect.url says where it is
#   --user NAME     a further user, without any right, who has the same password; DIR/NAME.properties is what it needs
#
# Wants Java 17 or newer and Maven (installed with apt-get where they are missing and can be); the jars are kept in
# $LEVADA_KAFKA_JARS (default: ~/.cache/levada/kafka-VERSION). Ports are chosen free. Files in DIR: bootstrap.servers,
# broker-N.pid, broker-N.log, connect.pid, connect.log.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/kafka/jars.sh
. "$here/jars.sh"
version=$kafka_version
jars=${LEVADA_KAFKA_JARS:-$HOME/.cache/levada/kafka-$version}
connect_jars=${LEVADA_CONNECT_JARS:-$HOME/.cache/levada/kafka-connect-$version}
user=levada
password=levada-secret
cluster=bGV2YWRhLWxvb3BiYWNrMQ

fail() {
    echo "kafka.sh: $*" >&2
    exit 1
}

resolve_jars() {
    local packages=() missing=0
    command -v java >/dev/null || packages+=(openjdk-17-jre-headless)
    [ -e "$jars/complete" ] || missing=1
    [ "$connect" = 0 ] || [ -e "$connect_jars/complete" ] || missing=1
    [ "$missing" = 0 ] || command -v mvn >/dev/null || packages+=(maven)
    install_packages "${packages[@]}"
    resolve "$here/pom.xml" "$jars"
    [ "$connect" = 0 ] || resolve "$here/connect.pom.xml" "$connect_jars"
}

# A port that nothing listens on and that is not in $taken, outside the range that the system gives to connections.
free_port() {
    local port
    for _ in $(seq 200); do
        port=$((RANDOM % 12000 + 20000))
        case " $taken " in *" $port "*) continue ;; esac
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
        echo "$port"
        return
    done
    fail "found no free port"
}

# Settings of broker $1, whose ports are in the arrays. Nothing is deleted for its age within the first hour, not by the cleaner either: tests have
# windows of years ago.
settings() {
    local n=$1 listeners map
    listeners="PLAINTEXT://127.0.0.1:${client_ports[$n]},CONTROLLER://127.0.0.1:${controller_ports[$n]}"
    map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
    local advertised="PLAINTEXT://127.0.0.1:${client_ports[$n]}"
    local replicas=$((brokers < 3 ? brokers : 3))
    if [ "$secure" = 1 ]; then
        listeners="$listeners,SECURE://127.0.0.1:${secure_ports[$n]}"
        advertised="$advertised,SECURE://127.0.0.1:${secure_ports[$n]}"
        map="$map,SECURE:SASL_SSL"
    fi
    if [ -n "$proxy" ]; then
        listeners="$listeners,PROXIED://127.0.0.1:$behind_port"
        advertised="$advertised,PROXIED://127.0.0.1:$proxy"
        map="$map,PROXIED:PLAINTEXT"
    fi
    cat <<EOF
process.roles=broker,controller
node.id=$n
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=$listeners
advertised.listeners=$advertised
listener.security.protocol.map=$map
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data-$n
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=$replicas
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=3600000
log.retention.hours=-1
log.retention.check.interval.ms=3600000
log.initial.task.delay.ms=3600000
EOF
    if [ "$secure" = 1 ]; then
        cat <<EOF
sasl.enabled.mechanisms=SCRAM-SHA-256
ssl.keystore.type=PKCS12
ssl.keystore.location=$dir/keystore.p12
ssl.keystore.password=$password
ssl.key.password=$password
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:$user
EOF
    fi
}

make_certificate() {
    keytool -genkeypair -alias broker -keyalg RSA -keysize 2048 -validity 3650 -dname CN=127.0.0.1 \
        -ext san=ip:127.0.0.1,dns:localhost -storetype PKCS12 -keystore "$dir/keystore.p12" -storepass "$password" 2>/dev/null
    keytool -exportcert -rfc -alias broker -keystore "$dir/keystore.p12" -storepass "$password" >"$dir/ca.pem" 2>/dev/null
}

# What a client needs to come in as user $1.
secure_properties() {
    cat <<EOF
bootstrap.servers=$(joined "${secure_ports[@]}")
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-256
sasl.username=$1
sasl.password=$password
ssl.ca.location=$dir/ca.pem
EOF
}

joined() {
    local port list=
    for port in "$@"; do list="$list,127.0.0.1:$port"; done
    echo "${list#,}"
}

spawn() {
    local n=$1
    rm -f "$dir/broker-$n.pid"
    # In a session of its own: Ctrl-C at a terminal reaches this script, which stops the brokers in order.
    setsid bash -c 'echo $$ >"$1"; shift; exec "$@"' spawn "$dir/broker-$n.pid" \
        java -Xmx"${LEVADA_KAFKA_HEAP:-768m}" -XX:+UseG1GC -cp "$jars/*" kafka.Kafka "$dir/broker-$n.properties" \
        >>"$dir/broker-$n.log" 2>&1 </dev/null &
    disown
}

# Where clients reach broker $1.
port_of() {
    sed -n 's:^advertised.listeners=PLAINTEXT.//127.0.0.1.\([0-9]*\).*:\1:p' "$dir/broker-$1.properties"
}

wait_until_listening() {
    local n=$1 port pid
    port=$(port_of "$n")
    for _ in $(seq 300); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        pid=$(cat "$dir/broker-$n.pid" 2>/dev/null || true)
        [ -z "$pid" ] || kill -0 "$pid" 2>/dev/null || fail "broker $n has ended: $(tail -n 3 "$dir/broker-$n.log")"
        sleep 0.2
    done
    fail "broker $n does not listen after 60 s, see $dir/broker-$n.log"
}

# Settings of the worker of Kafka Connect, which listens on port $1. Topics that it needs for itself are as small as they can be.
connect_settings() {
    cat <<EOF
bootstrap.servers=$(joined "${client_ports[@]}")
group.id=levada-connect
listeners=http://127.0.0.1:$1
rest.advertised.host.name=127.0.0.1
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
plugin.discovery=service_load
offset.flush.interval.ms=1000
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=1
EOF
}

# Brokers without what they were started for are stopped again.
fail_connect() {
    signal_all KILL
    fail "$@"
}

start_connect() {
    local port answer='' pid
    port=$(free_port)
    connect_settings "$port" >"$dir/connect.properties"
    # As brokers, in a session of its own.
    setsid bash -c 'echo $$ >"$1"; shift; exec "$@"' spawn "$dir/connect.pid" \
        java -Xmx"${LEVADA_CONNECT_HEAP:-512m}" -XX:TieredStopAtLevel=1 -cp "$connect_jars/*" \
        org.apache.kafka.connect.cli.ConnectDistributed "$dir/connect.properties" >>"$dir/connect.log" 2>&1 </dev/null &
    disown
    for _ in $(seq 450); do
        # It says so when it has joined its group, of which it is the only member.
        answer=$({ exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /health HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3; } 2>/dev/null || true)
        case $answer in *" 200 "*) break ;; esac
        pid=$(cat "$dir/connect.pid" 2>/dev/null || true)
        [ -z "$pid" ] || kill -0 "$pid" 2>/dev/null || fail_connect "Kafka Connect has ended: $(tail -n 3 "$dir/connect.log")"
        sleep 0.2
    done
    case $answer in *" 200 "*) ;; *) fail_connect "Kafka Connect is not ready after 90 s, see $dir/connect.log" ;; esac
    echo "http://127.0.0.1:$port" >"$dir/connect.url"
}

# A broker that was killed holds port and files for a moment: one that is started meanwhile would fail.
kill_one() {
    local n=$1 port
    port=$(port_of "$n")
    kill -KILL "$(cat "$dir/broker-$n.pid")"
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
        sleep 0.05
    done
    fail "broker $n still listens 10 s after it was killed"
}

start() {
    resolve_jars
    local n taken="$proxy" voters='' behind_port=''
    local -a client_ports=() controller_ports=() secure_ports=()
    mkdir -p "$dir"
    for n in $(seq "$brokers"); do
        client_ports[n]=$(free_port) && taken="$taken ${client_ports[n]}"
        controller_ports[n]=$(free_port) && taken="$taken ${controller_ports[n]}"
        secure_ports[n]=$(free_port) && taken="$taken ${secure_ports[n]}"
        voters="$voters,$n@127.0.0.1:${controller_ports[n]}"
    done
    voters=${voters#,}
    if [ -n "$proxy" ]; then
        [ "$brokers" = 1 ] || fail "--proxy is for one broker"
        behind_port=$(free_port)
        echo "127.0.0.1:$behind_port" >"$dir/behind.proxy"
    fi
    [ "$secure" = 0 ] || make_certificate
    for n in $(seq "$brokers"); do
        settings "$n" >"$dir/broker-$n.properties"
        java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$jars/*" kafka.tools.StorageTool format --cluster-id "$cluster" --config "$dir/broker-$n.properties" \
            --add-scram "SCRAM-SHA-256=[name=$user,password=$password]" \
            ${stranger:+--add-scram "SCRAM-SHA-256=[name=$stranger,password=$password]"} >>"$dir/broker-$n.log" 2>&1 ||
            fail "cannot format the storage of broker $n, see $dir/broker-$n.log"
        spawn "$n"
    done
    for n in $(seq "$brokers"); do wait_until_listening "$n"; done
    joined "${client_ports[@]}" >"$dir/bootstrap.servers"
    if [ "$secure" = 1 ]; then
        secure_properties "$user" >"$dir/secure.properties"
        [ -z "$stranger" ] || secure_properties "$stranger" >"$dir/$stranger.properties"
    fi
    [ "$connect" = 0 ] || start_connect
    cat "$dir/bootstrap.servers"
}

signal_all() {
    local file
    for file in "$dir"/broker-*.pid "$dir/connect.pid"; do
        [ ! -e "$file" ] || kill "-$1" "$(cat "$file")" 2>/dev/null || true
    done
}

any_alive() {
    local file
    for file in "$dir"/broker-*.pid "$dir/connect.pid"; do
        [ -e "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null && return 0
    done
    return 1
}

stop() {
    [ -d "$dir" ] || return 0
    # Data goes too: there is nothing to shut down in order for.
    signal_all KILL
    for _ in $(seq 50); do any_alive || break; sleep 0.1; done
    rm -rf "$dir"
}

run() {
    trap 'trap - INT TERM EXIT; echo "stopping" >&2; stop; exit 0' INT TERM EXIT
    local bootstrap
    start >/dev/null
    bootstrap=$(cat "$dir/bootstrap.servers")
    cat <<EOF
Apache Kafka $version, $brokers broker(s): $bootstrap
  levada run FILE.sql --property bootstrap.servers=$bootstrap
EOF
    [ "$secure" = 0 ] || printf 'With TLS and SCRAM-SHA-256:\n%s\n' "$(sed 's/^/  /' "$dir/secure.properties")"
    [ "$connect" = 0 ] || echo "  with Kafka Connect: --property ksql.connect.url=$(cat "$dir/connect.url")"
    echo "Ctrl-C stops it and removes its data."
    while any_alive; do sleep 1; done
    fail "the brokers have ended, see $dir"
}

command=${1:-}
[ $# -eq 0 ] || shift
dir='' brokers=1 secure=0 connect=0 stranger='' number='' proxy=''
while [ $# -gt 0 ]; do
    case $1 in
        --dir) dir=${2:?--dir needs a folder} && shift ;;
        --brokers) brokers=${2:?--brokers needs a number} && shift ;;
        --secure) secure=1 ;;
        --connect) connect=1 ;;
        --user) stranger=${2:?--user needs a name} secure=1 && shift ;;
        --proxy) proxy=${2:?--proxy needs a port} && shift ;;
        -n) number=${2:?-n needs the number of a broker} && shift ;;
        *) fail "unknown option $1" ;;
    esac
    shift
done
case $command in
    stop | kill | up) [ -n "$dir" ] || fail "$command needs --dir" ;;
    run | start) [ -n "$dir" ] || dir=$(mktemp -d "${TMPDIR:-/tmp}/levada-kafka.XXXXXX") ;;
esac
case $command in
    run) run ;;
    start) start ;;
    stop) stop ;;
    kill) kill_one "${number:?kill needs -n}" ;;
    up) spawn "${number:?up needs -n}" && wait_until_listening "$number" ;;
    jars) resolve_jars && echo "$jars" ;;
    *) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
