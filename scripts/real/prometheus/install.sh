#!/usr/bin/env bash
# Fetches Debian's Prometheus, amtool, promtool and Pushgateway into .cache/prometheus,
# without installing them as services.
set -euo pipefail
cd "$(dirname "$0")/../../.."
to=$PWD/.cache/prometheus
if [ -x "$to/prometheus" ] && [ -x "$to/amtool" ] && [ -x "$to/prometheus-pushgateway" ]; then
  exit 0
fi
command -v apt-get >/dev/null || { echo "Debian's packages are needed: apt-get is not here" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && { apt-get download -qq prometheus prometheus-alertmanager prometheus-pushgateway || { apt-get update -qq && apt-get download -qq prometheus prometheus-alertmanager prometheus-pushgateway; }; })
for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done
mkdir -p "$to"
cp "$work"/root/usr/bin/{prometheus,promtool,amtool,prometheus-pushgateway} "$to/"
"$to/prometheus" --version 2>&1 | head -1
