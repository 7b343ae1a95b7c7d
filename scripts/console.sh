#!/usr/bin/env bash
# Lints the OpenAPI document, makes the TypeScript SDK from it, checks the console, and builds it
# into gateway/console/dist. With --check it fails if that is not what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
sdk=proto/sdk/typescript
console=gateway/console

# install runs npm ci only when what it would install has changed.
install() {
  local stamp=$1/node_modules/.installed
  if ! cmp -s "$1/package-lock.json" "$stamp"; then
    (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts)
    cp "$1/package-lock.json" "$stamp"
  fi
}

command -v node >/dev/null || { echo "Node 20.19 or later is needed to build the console" >&2; exit 1; }
install $sdk
install $console
(cd $sdk && npm run --silent lint && npm run --silent gen && npm run --silent build)
cd $console
npm run --silent types
npm run --silent lint
npm run --silent test
npm run --silent build

if [ "${1-}" = --check ]; then
  cd "$root"
  made="$sdk/src/schema.ts $console/dist"
  if [ -n "$(git status --porcelain -- $made)" ]; then
    git --no-pager diff --stat -- $made
    git status --short -- $made
    echo "the committed SDK or console is not what the sources give: run make console" >&2
    exit 1
  fi
fi
