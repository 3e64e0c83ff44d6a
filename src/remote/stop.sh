# Stops a process group and all that came out of it: first asks, then kills.
# Plain POSIX shell and /proc, since an installer may have no pkill and no setsid.

# Here each command that changes the machine has a file of its process group's name, which holds
# when the group began: it tells a later run what an earlier one has left behind.
records=/run/nixos-bootstrap

# Prints when the process $1 began (proc_pid_stat(5), starttime).
began() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${line##*) }
  shift 19
  echo "$1"
}

# Sets $found to the processes of group $1 and their descendants, without this shell.
members() {
  read -r me _ </proc/self/stat
  found='' grew=1
  while [ "$grew" = 1 ]; do
    grew=0
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      pid=${line%% *}
      case " $me $found " in *" $pid "*) continue ;; esac
      belongs "$1" "${line##*) }" && found="$found $pid" grew=1
    done
  done
}

# Is the process with the fields $2 (state, parent, group, session) one of group $1?
belongs() {
  wanted=$1
  # shellcheck disable=SC2086
  set -- $2
  [ "$1" != Z ] || return 1
  [ "$3" = "$wanted" ] || [ "$4" = "$wanted" ] && return 0
  case " $found " in *" $2 "*) return 0 ;; esac
  return 1
}

# Does any of these processes still work?
any_alive() {
  for pid; do
    { read -r line <"/proc/$pid/stat"; } 2>/dev/null || continue
    case ${line##*) } in Z*) continue ;; esac
    return 0
  done
  return 1
}

# shellcheck disable=SC2086
stop() {
  trap '' TERM
  members "$1"
  [ -z "$found" ] || kill -TERM $found 2>/dev/null
  left=20
  while [ "$left" -gt 0 ] && any_alive $found; do
    if sleep 0.2 2>/dev/null; then left=$((left - 1)); else sleep 1; left=$((left - 5)); fi
  done
  # Again, for what was started in between.
  members "$1"
  [ -z "$found" ] || kill -KILL $found 2>/dev/null
  rm -f "$records/$1"
}
