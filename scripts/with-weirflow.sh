#!/usr/bin/env bash
# Runs a command while bin/weirflow runs with its demonstration, on free ports and a
# folder of its own. WEIRFLOW_URL is the address of its HTTP API. With
# WEIRFLOW_GATEWAY_TOKEN in the environment, calls have to bring it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x bin/weirflow ] || { echo "bin/weirflow is needed: make build" >&2; exit 1; }
run=$(mktemp -d)
stop() {
  [ -z "${pid:-}" ] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$run"
}
trap stop EXIT
read -r -a ports < <(python3 - <<'P'
import socket
taken = [socket.socket() for _ in range(6)]
for s in taken:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in taken))
P
)
bin/weirflow run --data-dir "$run/data" --gateway.listen "127.0.0.1:${ports[0]}" --ingest.listen "127.0.0.1:${ports[1]}" --kafka.listen "127.0.0.1:${ports[2]}" \
  --search.listen "127.0.0.1:${ports[3]}" --alerting.listen "127.0.0.1:${ports[4]}" --admin.listen "127.0.0.1:${ports[5]}" >"$run/log" 2>&1 &
pid=$!
export WEIRFLOW_URL=http://127.0.0.1:${ports[0]}
auth=()
[ -z "${WEIRFLOW_GATEWAY_TOKEN:-}" ] || auth=(-H "Authorization: Bearer $WEIRFLOW_GATEWAY_TOKEN")
for _ in $(seq 300); do # until the demonstration has documents
  kill -0 "$pid" 2>/dev/null || { cat "$run/log"; exit 1; }
  curl -fs "${auth[@]}" "$WEIRFLOW_URL/api/v1/search/oceanus_test2/_count" 2>/dev/null | grep -q '"count":[1-9]' && break
  sleep 0.2
done
"$@" || { status=$?; echo "--- the end of what Weirflow logged"; tail -20 "$run/log"; exit "$status"; }
