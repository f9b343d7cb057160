#!/usr/bin/env bash
# A real S3 server with versioning and Object Lock: one-node Ceph with its RADOS gateway, on loopback, from Debian's packages.
#   ceph.sh start DIR PORT    ceph.sh stop DIR    ceph.sh status DIR
# All data is in memory and gone with the process. The gateway listens on PORT, the monitor on PORT-1, the OSD on PORT+1 to PORT+12.
# Ready, DIR/env says where it is and which keys it takes; they are made anew with every start.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/processes.sh"
. "$here/packages.sh"

action=${1:?start, stop or status} dir=$(realpath -m "${2:?DIR}")
conf=$dir/ceph.conf

write_conf() {
  cat >"$conf" <<C
[global]
fsid = $fsid
mon initial members = a
mon host = v1:127.0.0.1:$((port - 1))
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = $((port + 1))
ms bind port max = $((port + 12))
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
run dir = $dir/run
log file = $dir/log/\$name.log
admin socket = $dir/run/\$name.asok
# memstore keeps names in memory, but the OSD asks the file system behind DIR how long a name may be
osd max object name len = 256
osd max object namespace len = 64
[mon.a]
mon data = $dir/mon
[osd.0]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw data = $dir/rgw
# deleted objects give their memory back while the tests still run
rgw gc obj min wait = 5
rgw gc processor period = 10
C
}

ceph_says() { timeout 10 ceph -c "$conf" "$@"; }

osd_is_up() {
  # The OSD's first command to a fresh monitor is sometimes answered "wrong fsid", and then it exits: it is simply started again.
  process_pid "$dir" osd >/dev/null || process_start "$dir" osd ceph-osd -c "$conf" -i 0 -f
  ceph_says osd stat | grep -q '1 up'
}

make_user() {
  # Its keys come through a file that is ours alone: a command line can be read by everybody on the machine.
  osd_is_up || return 1
  { rgw_admin user info --uid verbatim || rgw_admin user create --uid verbatim --display-name verbatim; } >"$dir/user.json"
}

rgw_admin() { timeout 60 radosgw-admin -c "$conf" "$@" 2>>"$dir/log/radosgw-admin.out"; }

key_of() { sed -n "s/^ *\"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p" "$dir/user.json" | head -1 | sed 's,\\/,/,g'; }

stop() { for name in rgw osd mon; do process_stop "$dir" "$name"; done; }

running() { for name in mon osd rgw; do process_pid "$dir" "$name" >/dev/null || return 1; done; }

start() {
  port=${3:?PORT}
  if running && answers_http "$port" 2>/dev/null; then
    echo "ceph: running already, S3 at http://127.0.0.1:$port"
    return 0
  fi
  stop  # what is left of a start that was cut short; the data is in memory, so nothing is lost that was not lost already
  need_packages radosgw ceph-mon ceph-osd radosgw ceph-common
  for taken in $((port - 1)) "$port"; do
    port_is_free "$taken" || { echo "ceph: port $taken is taken by another program; choose others with VERBATIM_CEPH_PORT=$((port + 100))" >&2; exit 1; }
  done
  umask 077
  rm -rf "$dir"
  mkdir -p "$dir"/{mon,osd,rgw,run,log}
  fsid=$(cat /proc/sys/kernel/random/uuid)
  write_conf
  trap 'echo "ceph: did not start; its logs are in $dir/log" >&2; stop' EXIT
  echo "ceph: starting monitor, OSD and gateway"
  monmaptool --create --clobber --fsid "$fsid" --addv a "[v1:127.0.0.1:$((port - 1))]" "$dir/monmap" >"$dir/log/mkfs.out" 2>&1
  ceph-mon -c "$conf" --mkfs -i a --monmap "$dir/monmap" >>"$dir/log/mkfs.out" 2>&1
  process_start "$dir" mon ceph-mon -c "$conf" -i a -f
  wait_until 60 ceph_says -s
  local osd
  osd=$(cat /proc/sys/kernel/random/uuid)
  wait_until 60 ceph_says osd new "$osd" 0
  ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd" >>"$dir/log/mkfs.out" 2>&1
  wait_until 90 osd_is_up
  wait_until 60 ceph_says osd crush add osd.0 1.0 root=default host=localhost
  wait_until 120 make_user
  process_start "$dir" rgw radosgw -c "$conf" -n client.rgw -f
  wait_until 90 answers_http "$port"
  cat >"$dir/env" <<V
VERBATIM_TEST_S3_ENDPOINT=http://127.0.0.1:$port
VERBATIM_TEST_S3_ACCESS_KEY=$(key_of access_key)
VERBATIM_TEST_S3_SECRET_KEY=$(key_of secret_key)
V
  trap - EXIT
  echo "ceph: ready, S3 at http://127.0.0.1:$port"
}

case $action in
start) start "$@" ;;
stop) stop; rm -f "$dir"/{env,user.json}; echo "ceph: stopped" ;;
status) if running; then echo "ceph: running"; else echo "ceph: not running"; exit 1; fi ;;
*) sed -n 2,5p "$0" >&2; exit 2 ;;
esac
