#!/usr/bin/env bash
# Measures the evaluation of policies: POLICIES (1000) over SERIES (100000), for LOAD (180)
# seconds after all of them fire. The figures go to bench-alerting.out.
set -euo pipefail
cd "$(dirname "$0")/.."
export WEIRFLOW_BIN=${WEIRFLOW_BIN:-$PWD/bin} LOAD=${LOAD:-180}
cd integration
go test -tags integration -count=1 -timeout 40m -run '^TestPoliciesUnderLoad$' -v . | tee ../bench-alerting.out
