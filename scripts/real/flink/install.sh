#!/usr/bin/env bash
# Puts Apache Flink's jars in FLINK_DIR (default .cache/flink at the root of the
# repository, outside git); idempotent: does nothing while FLINK_DIR/.ok names the
# same versions.
#
# The distribution itself comes from the source archive of the Python package
# apache-flink-libraries, which holds it whole; the SQL gateway and the
# connectors come from Maven Central.
set -euo pipefail
here="$(dirname "$(readlink -f "$0")")"; root=$(readlink -f "$here/../../..")
. "$here/versions.sh"
dir=${FLINK_DIR:-$root/.cache/flink}
want="$FLINK_VERSION $KAFKA_CONNECTOR $ELASTICSEARCH_CONNECTOR"
[ "$(cat "$dir/.ok" 2>/dev/null || true)" = "$want" ] && exit 0
for tool in java mvn python3; do command -v $tool >/dev/null || { echo "flink: $tool is missing" >&2; exit 1; }; done

rm -rf "$dir"; mkdir -p "$dir/download" "$dir/dist/gateway"
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q install "setuptools==$SETUPTOOLS_VERSION" "wheel==$WHEEL_VERSION"
(cd "$dir/download" && "$dir/venv/bin/pip" -q download --no-deps --no-binary :all: --no-build-isolation "apache-flink-libraries==$FLINK_VERSION")
tar xzf "$dir"/download/apache[-_]flink[-_]libraries-"$FLINK_VERSION".tar.gz -C "$dir/dist" --strip-components=2 --wildcards '*/deps'
copy() { mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dartifact="$1" -DoutputDirectory="$2"; }
copy "org.apache.flink:flink-sql-connector-kafka:$KAFKA_CONNECTOR" "$dir/dist/lib"
copy "org.apache.flink:flink-sql-connector-elasticsearch7:$ELASTICSEARCH_CONNECTOR" "$dir/dist/lib"
copy "org.apache.flink:flink-sql-gateway:$FLINK_VERSION" "$dir/dist/gateway"
copy "org.apache.flink:flink-sql-gateway-api:$FLINK_VERSION" "$dir/dist/gateway"
rm -rf "$dir/download" "$dir/venv"
ls "$dir"/dist/lib/flink-dist-*.jar "$dir"/dist/gateway/flink-sql-gateway-*.jar >/dev/null
echo "$want" >"$dir/.ok"
echo "flink $FLINK_VERSION: installed, $(du -sm "$dir" | cut -f1) MB"
