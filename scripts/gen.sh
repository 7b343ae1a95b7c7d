#!/usr/bin/env bash
# Generates Go, REST handlers and the OpenAPI document from the protos.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.cache/tools:$PATH
rm -rf proto/gen gateway/gen
mkdir -p gateway/gen
buf generate --template proto/buf.gen.yaml
buf generate --template gateway/buf.gen.yaml
openapi3 gateway/gen/openapi.swagger.json gateway/gen/openapi.json
rm gateway/gen/openapi.swagger.json
