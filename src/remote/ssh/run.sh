# Runs a command so that it can be stopped: $1 is the process of sshd that serves the connection,
# $2 a mark, the rest the command.
server=$1 mark=$2
shift 2

group_of() {
  # shellcheck disable=SC2086
  set -- ${1##*) }
  echo "$3"
}
read -r own </proc/$$/stat
group=$(group_of "$own")

# The first line on standard error tells the other side which group to stop.
echo "$mark $group" >&2

# A command whose connection is gone has nobody to report to: it is stopped, so that the next run
# does not meet it at work on the same disk.
(
  # Some shells report a background job that a signal has ended; this one ends by itself.
  trap 'exit 0' TERM
  exec </dev/null >/dev/null 2>&1
  while [ -d "/proc/$server" ] && [ -d "/proc/$$" ]; do sleep 1; done
  [ ! -d "/proc/$$" ] || stop "$group"
) &
watch=$!

"$@"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
