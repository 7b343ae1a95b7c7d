#!/usr/bin/env bash
# Fetches Debian's nginx into .cache/nginx, without installing it as a service, and
# the Pushgateway with scripts/real/prometheus/install.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
scripts/real/prometheus/install.sh
to=$PWD/.cache/nginx
if [ -x "$to/nginx" ]; then exit 0; fi
command -v apt-get >/dev/null || { echo "Debian's packages are needed: apt-get is not here" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && { apt-get download -qq nginx || { apt-get update -qq && apt-get download -qq nginx; }; })
for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done
mkdir -p "$to"
cp "$work/root/usr/sbin/nginx" "$to/"
"$to/nginx" -v
