#!/usr/bin/env bash
# Holds the running gateway against its OpenAPI document with a property-based tester:
# no server error, no answer that the document does not have. EXAMPLES=50 tries more.
set -euo pipefail
cd "$(dirname "$0")/.."
version=4.32.5
tester=.cache/schemathesis
if ! "$tester/bin/schemathesis" --version 2>/dev/null | grep -q " $version\$"; then
  python3 -m venv "$tester"
  "$tester/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi
# Users that it makes must not shut it out.
export WEIRFLOW_GATEWAY_TOKEN=token-of-the-contract-test
# Streams end only with their clients, and events need no document to be refused.
# shellcheck disable=SC2016 # the inner shell has the address
exec scripts/with-weirflow.sh bash -c 'exec "$0" --config-file scripts/api-contract.toml run gateway/gen/openapi.json --url "$WEIRFLOW_URL" --header "Authorization: Bearer $WEIRFLOW_GATEWAY_TOKEN" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --exclude-path-regex ":follow|:watch|:preview|/events" --phases coverage,fuzzing --max-examples "$1" --request-timeout 30 --seed 1' "$tester/bin/schemathesis" "${EXAMPLES:-10}"
