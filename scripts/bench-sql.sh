#!/usr/bin/env bash
# Measures SQL on a Kafka of its own, and on a real Flink in the same run if one is
# installed (scripts/real/flink/install.sh; FLINK=0 leaves it out); the figures go to
# bench-sql.out.
#
# EVENTS (1000000) changes the load, RUNS (1) repeats it, ONLY picks queries by parts
# of their names, with commas between. KEYS=10000000 measures a window with so many keys instead.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
run=$(mktemp -d)
export KAFKA_RUN=$run/kafka KAFKA_PORT=${KAFKA_PORT:-19092} KAFKA_HEAP="-Xms512m -Xmx1g"
export FLINK_RUN=$run/flink FLINK_REST_PORT=${FLINK_REST_PORT:-18081} FLINK_GATEWAY_PORT=${FLINK_GATEWAY_PORT:-18083} FLINK_TASK_HEAP=${FLINK_TASK_HEAP:-2048}
trap 'cd "$root"; scripts/real/flink/stop.sh || true; scripts/real/kafka/stop.sh || true; rm -rf "$run"' EXIT
scripts/real/kafka/start.sh
flags=(-sql -bin bin -brokers "127.0.0.1:$KAFKA_PORT" -lines "${EVENTS:-1000000}" -only "${ONLY:-}" -keys "${KEYS:-0}")
if [ "${KEYS:-0}" = 0 ] && [ "${FLINK:-1}" != 0 ] && [ -f "${FLINK_DIR:-.cache/flink}/.ok" ]; then
  scripts/real/flink/start.sh
  flags+=(-flink-run "$FLINK_RUN" -flink-gateway "http://127.0.0.1:$FLINK_GATEWAY_PORT" -flink-rest "http://127.0.0.1:$FLINK_REST_PORT")
fi
go build -o "$run/bench" ./integration/bench
for _ in $(seq "${RUNS:-1}"); do "$run/bench" "${flags[@]}"; done | tee bench-sql.out
