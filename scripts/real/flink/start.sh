#!/usr/bin/env bash
# Starts a JobManager (REST on FLINK_REST_PORT, 18081), a TaskManager with
# FLINK_SLOTS (2) slots and a SQL gateway (REST on FLINK_GATEWAY_PORT, 18083), all
# on loopback; returns when they answer.
#
# FLINK_RUN: where logs, checkpoints and pid files go (default ./run).
# FLINK_RPC_PORT (16123): this and the next 12 ports are for Flink's own traffic.
# FLINK_TASK_HEAP (768): MiB of heap for the tasks. FLINK_CHECKPOINT_MS (10000).
# FLINK_CONF: a file whose lines are added to the configuration.
set -euo pipefail
here="$(dirname "$(readlink -f "$0")")"; root=$(readlink -f "$here/../../..")
. "$here/versions.sh"
"$here/install.sh" >&2
dist=${FLINK_DIR:-$root/.cache/flink}/dist
rest=${FLINK_REST_PORT:-18081} gateway=${FLINK_GATEWAY_PORT:-18083} rpc=${FLINK_RPC_PORT:-16123}
slots=${FLINK_SLOTS:-2} heap=${FLINK_TASK_HEAP:-768} run=${FLINK_RUN:-$here/run}
mkdir -p "$run"/{conf,tmp,checkpoints,savepoints,log}
run=$(readlink -f "$run")
for p in jobmanager taskmanager gateway; do
  if [ -f "$run/$p.pid" ] && kill -0 "$(cat "$run/$p.pid")" 2>/dev/null; then echo "already running: $p, pid $(cat "$run/$p.pid")"; exit 0; fi
done

sed -e "s|@RPC@|$rpc|; s|@BLOB@|$((rpc+1))|; s|@METRICS@|$((rpc+2))-$((rpc+12))|; s|@REST@|$rest|; s|@GATEWAY@|$gateway|" \
    -e "s|@SLOTS@|$slots|; s|@TASKHEAP@|$heap|; s|@RUN@|$run|; s|@CHECKPOINT@|${FLINK_CHECKPOINT_MS:-10000}|" \
    "$here/config.yaml.in" >"$run/conf/config.yaml"
[ -z "${FLINK_CONF:-}" ] || cat "$FLINK_CONF" >>"$run/conf/config.yaml"
export FLINK_CONF_DIR=$run/conf FLINK_HOME=$dist FLINK_LIB_DIR=$dist/lib FLINK_OPT_DIR=$dist/opt FLINK_PLUGINS_DIR=$dist/plugins FLINK_LOG_DIR=$run/log

# What Flink's own scripts open to it in a modular JVM.
opens=()
for p in java.lang java.net java.io java.nio java.lang.reflect java.text java.time java.util java.util.concurrent java.util.concurrent.atomic java.util.concurrent.locks sun.nio.ch; do
  opens+=("--add-opens=java.base/$p=ALL-UNNAMED")
done
for p in api file parser tree util; do opens+=("--add-exports=jdk.compiler/com.sun.tools.javac.$p=ALL-UNNAMED"); done
opens+=(--add-exports=java.base/sun.net.util=ALL-UNNAMED --add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED --add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED)

lib=$(printf '%s:' "$dist"/lib/*.jar)
launch() { # name, class path, class, JVM options; the rest goes to the class
  local name=$1 path=$2 class=$3 jvm=$4; shift 4
  # shellcheck disable=SC2086 # the options are words
  nohup setsid java $jvm "${opens[@]}" "-Dlog4j.configurationFile=file:$here/log4j.properties" "-Dweirflow.run=$run" \
    -cp "$path" "$class" "$@" >"$run/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
}
start=$SECONDS
launch jobmanager "$lib" org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint "-Xms256m -Xmx512m" --configDir "$run/conf"
launch taskmanager "$lib" org.apache.flink.runtime.taskexecutor.TaskManagerRunner "-Xms512m -Xmx$((heap+128))m -XX:MaxDirectMemorySize=256m" --configDir "$run/conf"
launch gateway "$(printf '%s:' "$dist"/gateway/*.jar)$lib" org.apache.flink.table.gateway.SqlGateway "-Xmx${FLINK_GATEWAY_HEAP:-768}m"

answers() { # URL, text in the answer, process
  for _ in $(seq 600); do
    curl -sf "$1" 2>/dev/null | grep -q "$2" && return 0
    kill -0 "$(cat "$run/$3.pid")" 2>/dev/null || { echo "flink: the $3 ended:"; tail -20 "$run/$3.log"; return 1; } >&2
    sleep 0.2
  done
  echo "flink: the $3 does not answer after 2 minutes" >&2; tail -20 "$run/$3.log" >&2; return 1
}
answers "http://127.0.0.1:$rest/overview" "\"slots-available\":$slots" taskmanager
answers "http://127.0.0.1:$gateway/v1/info" productName gateway
echo "flink $FLINK_VERSION ready in $((SECONDS-start)) s: http://127.0.0.1:$rest, SQL gateway http://127.0.0.1:$gateway"
