#!/usr/bin/env bash
# The browser that the tests drive, from Debian's packages. Nothing runs between tests; start only sees to it that it is there.
#   chromium.sh start DIR    chromium.sh stop DIR    chromium.sh status DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/packages.sh"
action=${1:?start, stop or status} dir=$(realpath -m "${2:?DIR}")

case $action in
start)
  need_packages chromium chromium fonts-dejavu-core
  mkdir -p "$dir"
  echo "VERBATIM_TEST_CHROMIUM=$(command -v chromium)" >"$dir/env"
  echo "chromium: $(command -v chromium)"
  ;;
stop) rm -f "$dir/env" ;;
status) command -v chromium >/dev/null && echo "chromium: installed" || { echo "chromium: not installed"; exit 1; } ;;
*) sed -n 2,3p "$0" >&2; exit 2 ;;
esac
