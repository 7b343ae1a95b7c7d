#!/usr/bin/env bash
# Runs every fuzz test of the workspace for FUZZTIME (default 10s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-10s}
for m in $(sed -n 's/^\t\.\/\(.*\)/\1/p' go.work); do
  grep -rlE '^func Fuzz' --include='*_test.go' "$m" 2>/dev/null | while read -r f; do
    for name in $(grep -oE '^func Fuzz[A-Za-z0-9_]+' "$f" | sed 's/^func //'); do
      echo "fuzz $f $name"
      (cd "$(dirname "$f")" && go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" . >/tmp/fuzz.$$ 2>&1) || { cat /tmp/fuzz.$$; exit 1; }
    done
  done
done
