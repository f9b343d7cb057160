# Background processes of one service, known by pid files in its folder: start, look, stop. Sourced; sets nothing by itself.
# What a service consists of belongs to its own file.
#
# A pid alone proves nothing after a crash or a reboot, because numbers are used again. A process counts as ours only while its
# command line names the service's folder, which every daemon here is given as its configuration.

# process_pid DIR NAME: prints the pid of our running process, or fails.
process_pid() {
  local pid
  pid=$(cat "$1/$2.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$1/" || return 1
  echo "$pid"
}

# process_start DIR NAME COMMAND...: detached, so that Ctrl-C in the terminal that started it does not end it.
process_start() {
  local dir=$1 name=$2
  shift 2
  setsid "$@" >"$dir/log/$name.out" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/$name.pid"
}

# process_stop DIR NAME: asks, waits up to 10 s, then insists. Nothing to stop is no error.
process_stop() {
  local pid
  if pid=$(process_pid "$1" "$2"); then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do process_pid "$1" "$2" >/dev/null || break; sleep 0.2; done
    process_pid "$1" "$2" >/dev/null && kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$1/$2.pid"
}

# wait_until SECONDS COMMAND...: repeats it until it succeeds; its output is dropped.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || { echo "gave up waiting for: $*" >&2; return 1; }
    sleep 0.2
  done
}

# port_is_free PORT: nobody on this machine answers on it.
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# answers_http PORT: an HTTP server answers 200 to GET /.
answers_http() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET / HTTP/1.0\r\n\r\n' >&3
  IFS= read -r -t 5 line <&3 || line=
  exec 3>&-
  case $line in HTTP/*" 200"*) return 0 ;; *) return 1 ;; esac
}
