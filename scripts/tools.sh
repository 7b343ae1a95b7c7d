#!/usr/bin/env bash
# Builds the tools at the versions that scripts/tools/*/go.mod pin, once per version.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$PWD/.cache/tools
mkdir -p "$dir"
for m in buf protoc lint; do
  want=$(find "scripts/tools/$m" -name "*.go" -o -name "go.mod" | LC_ALL=C sort | xargs cat | sha256sum)
  if [ "$(cat "$dir/.$m" 2>/dev/null || true)" = "$want" ]; then continue; fi
  echo "building tools: $m"
  (cd "scripts/tools/$m" && GOWORK=off GOBIN=$dir GOFLAGS=-buildvcs=false go install tool)
  if [ "$m" = protoc ]; then (cd scripts/tools/protoc && GOWORK=off GOBIN=$dir GOFLAGS=-buildvcs=false go install ./openapi3); fi
  echo "$want" > "$dir/.$m"
done
