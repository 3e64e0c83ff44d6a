# Stops the commands of earlier runs that still work here, and says how many there were.
read -r own </proc/$$/stat
# shellcheck disable=SC2086
own=$(set -- ${own##*) } && echo "$3")
count=0
for record in "$records"/*; do
  [ -f "$record" ] || continue
  group=${record##*/}
  read -r since <"$record" || continue
  # A number that is used again belongs to somebody else. The number of a group is not used again
  # while the group has members, even if its first process has ended.
  if [ "$group" != "$own" ] && [ "$(began "$group" || echo "$since")" = "$since" ]; then
    members "$group"
    [ -z "$found" ] || count=$((count + 1))
    stop "$group"
  elif [ "$group" != "$own" ]; then
    rm -f "$record"
  fi
done
echo "$count"
