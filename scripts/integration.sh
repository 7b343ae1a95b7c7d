#!/usr/bin/env bash
# Starts a real Kafka and a real Elasticsearch, runs the integration tests on the
# binaries in bin/, and stops both. Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
run=$(mktemp -d)
export KAFKA_RUN=$run/kafka ES_RUN=$run/elasticsearch KAFKA_PORT=${KAFKA_PORT:-19092} ES_PORT=${ES_PORT:-19202}
export ES_PASSWORD=${ES_PASSWORD:-integration-secret}
mkdir -p "$KAFKA_RUN" "$ES_RUN"
stop() {
  cd "$root"
  scripts/real/kafka/stop.sh || true
  scripts/real/elasticsearch/stop.sh || true
  rm -rf "$run"
}
trap stop EXIT
scripts/real/kafka/start.sh
scripts/real/elasticsearch/start.sh
export KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
export ELASTICSEARCH_URL=http://127.0.0.1:$ES_PORT ELASTICSEARCH_PASSWORD=$ES_PASSWORD
export WEIRFLOW_BIN=$PWD/bin
if scripts/real/prometheus/install.sh; then export PROMETHEUS_BIN=$PWD/.cache/prometheus; fi # else its test is skipped
cd integration
go test -tags integration -count=1 -timeout 40m "${@:--v}" ./...
