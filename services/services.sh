#!/usr/bin/env bash
# The servers that the tests need, on loopback: services.sh start | stop | status
# State, logs and pids are in .services/ of this checkout; .services/env tells the tests where everything is (readable by its owner alone).
# Each service is a file of its own here, <name>.sh, that takes start DIR PORT (0: it needs none), stop DIR and status DIR and leaves its variables in DIR/env.
# Ports: VERBATIM_CEPH_PORT (17480; its neighbours from one below to twelve above are used too), VERBATIM_LIVEKIT_PORT (17900 and the one above).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=$(realpath -m "${VERBATIM_SERVICES_DIR:-$here/../.services}")
services=(ceph chromium livekit)
action=${1:-}

port_of() {
  case $1 in
  ceph) echo "${VERBATIM_CEPH_PORT:-17480}" ;;
  livekit) echo "${VERBATIM_LIVEKIT_PORT:-17900}" ;;
  *) echo 0 ;;
  esac
}

case $action in
start | stop)
  mkdir -p "$state"
  exec 9>"$state/lock"  # two starts at once, from two terminals, take turns
  flock 9
  ;;
esac

case $action in
start)
  for name in "${services[@]}"; do bash "$here/$name.sh" start "$state/$name" "$(port_of "$name")"; done
  (umask 077 && for name in "${services[@]}"; do cat "$state/$name/env"; done >"$state/env.new")
  mv "$state/env.new" "$state/env"
  ;;
stop)
  rm -f "$state/env"
  for name in "${services[@]}"; do bash "$here/$name.sh" stop "$state/$name"; done
  ;;
status)
  failed=0
  for name in "${services[@]}"; do bash "$here/$name.sh" status "$state/$name" || failed=1; done
  exit $failed
  ;;
*)
  sed -n 2,3p "$0" >&2
  exit 2
  ;;
esac
