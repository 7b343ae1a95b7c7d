#!/usr/bin/env bash
# A service may not depend on another service: they meet through protos and topics.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
for s in agent ingest transform indexer alerting; do
  [ -f "services/$s/go.mod" ] || continue
  others=$(grep -oE 'weirflow/weirflow/(services/(agent|ingest|transform|indexer|alerting|standalone)|gateway)\b' "services/$s/go.mod" | grep -v "services/$s\$" | sort -u || true)
  [ -z "$others" ] || { echo "services/$s/go.mod names $others"; bad=1; }
done
if grep -qE 'weirflow/weirflow/services/(agent|ingest|transform|indexer|alerting|standalone)' gateway/go.mod; then echo "gateway/go.mod names a service"; bad=1; fi
if grep -qE 'weirflow/weirflow/(services/(agent|ingest|transform|indexer|alerting|standalone)|gateway)' services/platform/go.mod; then echo "services/platform/go.mod names a service"; bad=1; fi
exit $bad
