#!/usr/bin/env bash
# Builds the tools at the versions that scripts/tools/*/go.mod pin, once per version.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$PWD/.cache/tools
mkdir -p "$dir"
for m in buf protoc lint; do
  want=$(cat "scripts/tools/$m/go.mod" scripts/tools/"$m"/*/*.go 2>/dev/null | sha256sum)
  [ "$(cat "$dir/.$m" 2>/dev/null || true)" = "$want" ] && continue
  echo "building tools: $m"
  (cd "scripts/tools/$m" && GOWORK=off GOBIN=$dir GOFLAGS=-buildvcs=false go install tool)
  [ "$m" = protoc ] && (cd scripts/tools/protoc && GOWORK=off GOBIN=$dir GOFLAGS=-buildvcs=false go install ./openapi3)
  echo "$want" > "$dir/.$m"
done
