# Debian packages that a service needs. Sourced.

# need_packages COMMAND PACKAGE...: installs the packages where COMMAND is missing; says what it does and what to do where it cannot.
need_packages() {
  local command=$1 root=()
  shift
  command -v "$command" >/dev/null && return 0
  if ! command -v apt-get >/dev/null; then
    echo "$command is missing, and this machine has no apt-get. Install what Debian calls: $*" >&2
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "$command is missing. Run as root: apt-get install --no-install-recommends $*" >&2
      return 1
    fi
    root=(sudo -n)
  fi
  echo "installing Debian packages: $*"
  local log
  log=$(mktemp)
  if ! { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
    </dev/null >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    echo "apt-get could not install: $*" >&2
    return 1
  fi
  rm -f "$log"
}
