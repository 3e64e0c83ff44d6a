# Runs a command so that it can be stopped: $1 is the process of sshd that serves the connection,
# $2 a mark, $3 says whether to keep a record, the rest is the command.
server=$1 mark=$2 keep=$3
shift 3

# State, parent, group, … follow the name, which may hold anything (proc_pid_stat(5)).
read -r own </proc/$$/stat
own=${own##*) } own=${own#* } own=${own#* }
group=${own%% *}

# The first line on standard error tells the other side which group to stop.
echo "$mark $group" >&2

if [ "$keep" = record ]; then
  # Without it the command does its work as well.
  { (umask 077 && mkdir -p "$records") && began "$group" >"$records/$group"; } 2>/dev/null
fi

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
[ "$keep" != record ] || rm -f "$records/$group"
exit "$code"
