#!/usr/bin/env bash
# Measures the hot path on a Kafka of its own; the figures go to bench.out.
# LINES (1000000) and WIDTH (121) change the load.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export KAFKA_RUN=$(mktemp -d) KAFKA_PORT=${KAFKA_PORT:-19092} KAFKA_HEAP="-Xms512m -Xmx1g"
trap 'cd "$root"; scripts/real/kafka/stop.sh || true; rm -rf "$KAFKA_RUN"' EXIT
go build -o bin/searchstore ./services/standalone/cmd/searchstore
scripts/real/kafka/start.sh
go run ./integration/bench -bin bin -brokers "127.0.0.1:$KAFKA_PORT" -lines "${LINES:-1000000}" -width "${WIDTH:-121}" | tee bench.out
