#!/usr/bin/env bash
# What CI checks before the integration tests: format, generated code, module
# boundaries, lint, unit tests with the race detector.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
modules=$(sed -n 's/^\t\.\/\(.*\)/\1/p' go.work)

step "format"
bad=$(gofmt -l $modules)
[ -z "$bad" ] || { echo "not formatted (make fmt):"; echo "$bad"; exit 1; }

step "service boundaries"
scripts/boundaries.sh

step "go.mod files are tidy"
for m in $modules; do (cd "$m" && GOWORK=off go mod tidy -diff) || { echo "$m/go.mod is not tidy (make tidy)"; exit 1; }; done

step "tools"
scripts/tools.sh

step "generated code"
before=$(git ls-files -s proto/gen gateway/gen | sha256sum; find proto/gen gateway/gen -type f | sort | xargs sha256sum | sha256sum)
scripts/gen.sh
after=$(git ls-files -s proto/gen gateway/gen | sha256sum; find proto/gen gateway/gen -type f | sort | xargs sha256sum | sha256sum)
[ "$before" = "$after" ] || { echo "generated code is not what the protos say (make gen)"; git diff --stat -- proto/gen gateway/gen; exit 1; }

step "every module by itself"
for m in $modules; do echo "$m"; (cd "$m" && GOWORK=off go build ./... && GOWORK=off go vet ./...); done

step "lint"
scripts/lint.sh

step "unit tests"
make test RACE=1

step "done"
