#!/usr/bin/env bash
# Starts Debian's Pushgateway on loopback, and before it nginx, which asks for a name
# and a password.
#   PUSHGATEWAY_RUN       folder of its files
#   PUSHGATEWAY_PORT      port of nginx (9091)
#   PUSHGATEWAY_BARE      port of the Pushgateway itself (9092)
#   PUSHGATEWAY_USER, PUSHGATEWAY_PASSWORD
set -euo pipefail
cd "$(dirname "$0")/../../.."
run=${PUSHGATEWAY_RUN:?name a folder} port=${PUSHGATEWAY_PORT:-9091} bare=${PUSHGATEWAY_BARE:-9092}
mkdir -p "$run"
printf '%s:%s\n' "${PUSHGATEWAY_USER:?}" "$(openssl passwd -apr1 "${PUSHGATEWAY_PASSWORD:?}")" >"$run/htpasswd"
cat >"$run/nginx.conf" <<CONF
pid $run/nginx.pid;
error_log $run/nginx.log;
worker_processes 1;
daemon on;
events {}
http {
  access_log $run/access.log;
  client_body_temp_path $run/body;
  proxy_temp_path $run/proxy;
  fastcgi_temp_path $run/fastcgi;
  uwsgi_temp_path $run/uwsgi;
  scgi_temp_path $run/scgi;
  server {
    listen 127.0.0.1:$port;
    auth_basic "metrics";
    auth_basic_user_file $run/htpasswd;
    location / { proxy_pass http://127.0.0.1:$bare; }
  }
}
CONF
[ "$(id -u)" != 0 ] || sed -i '1i user root;' "$run/nginx.conf"
nohup .cache/prometheus/prometheus-pushgateway --web.listen-address "127.0.0.1:$bare" >"$run/pushgateway.log" 2>&1 &
echo $! >"$run/pushgateway.pid"
.cache/nginx/nginx -c "$run/nginx.conf" -e "$run/nginx.log"
for _ in $(seq 100); do
  if curl -fs -u "$PUSHGATEWAY_USER:$PUSHGATEWAY_PASSWORD" "http://127.0.0.1:$port/-/ready" >/dev/null; then exit 0; fi
  sleep 0.1
done
tail "$run"/*.log >&2
exit 1
