#!/usr/bin/env bash
# Measures the gateway: FOLLOWERS (200) clients follow RATE (20) messages a second while
# VIEWERS (50) dashboards refresh, for LOAD (300) seconds. All on loopback. The figures
# go to bench-gateway.out.
set -euo pipefail
cd "$(dirname "$0")/.."
export WEIRFLOW_BIN=${WEIRFLOW_BIN:-$PWD/bin} LOAD=${LOAD:-300}
cd integration
go test -tags integration -count=1 -timeout 40m -run '^TestGatewayUnderLoad$' -v . | tee ../bench-gateway.out
