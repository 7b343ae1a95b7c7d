#!/usr/bin/env bash
# Opens every page of the console in a real Chromium, against bin/weirflow with its
# demonstration: screenshots (to the folder given), accessibility, each page's main task.
# Further arguments go to e2e/run.mjs, such as --quick or --only jobs.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
shots=${1:-.cache/console}
[ $# -gt 0 ] && shift
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$chromium" ] || { echo "Chromium is needed (apt-get install chromium), or CHROMIUM names it" >&2; exit 1; }
[ -x bin/weirflow ] || { echo "bin/weirflow is needed: make build" >&2; exit 1; }
[ -d gateway/console/node_modules ] || (cd gateway/console && npm ci --no-audit --no-fund --ignore-scripts)

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
url=http://127.0.0.1:${ports[0]}
for _ in $(seq 150); do
  curl -fs "$url/healthz" >/dev/null && break
  kill -0 "$pid" 2>/dev/null || { cat "$run/log"; exit 1; }
  sleep 0.2
done
for _ in $(seq 100); do # until the demonstration has documents
  curl -fs "$url/api/v1/search/oceanus_test2/_count" 2>/dev/null | grep -q '"count":[1-9]' && break
  sleep 0.2
done
mkdir -p "$shots"
(cd gateway/console && node e2e/run.mjs --url "$url" --chromium "$chromium" --shots "$(cd "$root" && realpath "$shots")" "$@") || { tail -20 "$run/log"; exit 1; }
