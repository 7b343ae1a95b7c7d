#!/usr/bin/env bash
# Opens every page of the console in a real Chromium, against bin/weirflow with its
# demonstration: screenshots (to the folder given), accessibility, each page's main task.
# Further arguments go to e2e/run.mjs, such as --quick or --only jobs.
set -euo pipefail
cd "$(dirname "$0")/.."
shots=$(realpath -m "${1:-.cache/console}")
[ $# -gt 0 ] && shift
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$chromium" ] || { echo "Chromium is needed (apt-get install chromium), or CHROMIUM names it" >&2; exit 1; }
[ -d gateway/console/node_modules ] || (cd gateway/console && npm ci --no-audit --no-fund --ignore-scripts)
mkdir -p "$shots"
export CHROMIUM=$chromium
# shellcheck disable=SC2016 # the inner shell has the address
exec scripts/with-weirflow.sh bash -c 'cd gateway/console && exec node e2e/run.mjs --url "$WEIRFLOW_URL" --shots "$@"' e2e "$shots" "$@"
