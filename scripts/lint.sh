#!/usr/bin/env bash
# Lints the protos and every module.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export PATH=$PWD/.cache/tools:$PATH
buf lint
if git rev-parse -q --verify origin/main >/dev/null; then
  buf breaking --against '.git#ref=refs/remotes/origin/main' || { git cat-file -e origin/main:buf.yaml 2>/dev/null && exit 1; }
fi
for m in $(sed -n 's/^\t\.\/\(.*\)/\1/p' go.work); do
  echo "lint $m"
  (cd "$m" && golangci-lint run --allow-parallel-runners --config "$root/.golangci.yml" --build-tags integration ./...)
done
