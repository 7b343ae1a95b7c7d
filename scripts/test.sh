#!/usr/bin/env bash
# Runs the unit tests of every module of the workspace; arguments go to `go test`.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=()
while read -r m; do packages+=("./$m/..."); done < <(sed -n 's/^\t\.\/\(.*\)/\1/p' go.work)
go test "$@" "${packages[@]}"
