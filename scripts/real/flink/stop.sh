#!/usr/bin/env bash
# Stops what start.sh started in FLINK_RUN (default ./run): SIGTERM, and SIGKILL after 10 s.
set -euo pipefail
here="$(dirname "$(readlink -f "$0")")"; run=$(readlink -f "${FLINK_RUN:-$here/run}")
for p in gateway taskmanager jobmanager; do
  [ -f "$run/$p.pid" ] || continue
  pid=$(cat "$run/$p.pid")
  # Only a process that start.sh started for this very folder is ended.
  if [ -r "/proc/$pid/cmdline" ] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -e "-Dweirflow.run=$run"; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$run/$p.pid"
done
