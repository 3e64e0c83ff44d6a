# Makes directories and unpacks a tar stream. $1 is the root, then come a path, a mode and an owner
# for each directory. What is there already stays as it is.
root=$1
shift
umask 022
while [ $# -ge 3 ]; do
  if [ ! -d "$root$1" ]; then
    mkdir -p -- "$(dirname -- "$root$1")"
    mkdir -m "$2" -- "$root$1"
    chown "$3" -- "$root$1"
  fi
  shift 3
done
# The times are those of unpacking: the two clocks may differ.
exec tar -x -p -m -f - -C "$root/"
