#!/usr/bin/env bash
# Stops what start.sh started.
set -euo pipefail
run=${PUSHGATEWAY_RUN:?name a folder}
for p in nginx pushgateway; do
  if [ -f "$run/$p.pid" ]; then kill "$(cat "$run/$p.pid")" 2>/dev/null || true; fi
done
