#!/usr/bin/env bash
# Holds the binaries against recorded answers of the real Filebeat,
# Elasticsearch and Flink where such recordings are at hand (CONFORMANCE names
# their folder; default ../shared). Without them there is nothing to compare.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${CONFORMANCE:-../shared}
if [ ! -d "$dir/search-conformance" ]; then echo "no recordings in $dir: left out"; exit 0; fi
work=$(mktemp -d)
port=${STORE_PORT:-19290}
store=
stop() { [ -z "$store" ] || kill "$store" 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT

echo "== search store"
go build -o "$work/searchstore" ./services/standalone/cmd/searchstore
"$work/searchstore" --listen "127.0.0.1:$port" --data-dir "$work/store" 2>"$work/store.log" &
store=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/" >/dev/null && break; sleep 0.1; done
python3 "$dir/search-conformance/run.py" --url "http://127.0.0.1:$port" --same-only >"$work/search.txt" || true
scripts/conformance-floor.py search "$work/search.txt"

echo "== agent"
"$dir/filebeat-conformance/runner.py" check -j 2 --work "$work/beat" --cmd "$PWD/bin/weirflow-agent -e -c {config} --path.data {data}" >"$work/beat.txt" || true
scripts/conformance-floor.py agent "$work/beat.txt"

echo "== SQL"
python3 "$dir/conformance/run.py" --bin "$PWD/bin/weirflow sql" >"$work/sql.txt" || true
scripts/conformance-floor.py sql "$work/sql.txt"
