set -eu
# The new system's directories are made here: nobody but root may write to them.
umask 022

say() {
  echo "disko: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

# What the kernel knows of a disk's partitions is read again, then DEVICE must turn up.
# partprobe is part of parted, which an installer may not have; partx does the same.
await_device() {
  partprobe "$1" 2>/dev/null || partx --update "$1" 2>/dev/null || blockdev --rereadpt "$1" 2>/dev/null || :
  if command -v udevadm >/dev/null 2>&1; then
    udevadm trigger --subsystem-match=block || :
    udevadm settle --timeout 60 || :
  fi
  tries=0
  until [ -b "$2" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 30 ] || fail "$2 did not turn up after partitioning $1"
    sleep 1
  done
}

# What blkid sees on a device: empty when there is nothing. Not from blkid's cache.
signature() {
  blkid --probe --output value --match-tag TYPE "$1" 2>/dev/null || :
}

table_kind() {
  blkid --probe --output value --match-tag PTTYPE "$1" 2>/dev/null || :
}

make_partition() { # DISK NUMBER START:END LABEL TYPE GUID ATTRIBUTES DEVICE
  case $(sgdisk --info="$2" "$1") in
    *"does not exist"*)
      say "making partition $2 ($4) on $1"
      sgdisk --align-end --new="$2:$3" --partition-guid="$2:$6" "$1" >/dev/null ||
        fail "no room for partition $2 ($4) on $1"
      ;;
  esac
  sgdisk --change-name="$2:$4" --typecode="$2:$5" "$1" >/dev/null
  for bit in $7; do
    sgdisk --attributes="$2:set:$bit" "$1" >/dev/null
  done
  await_device "$1" "$8"
}

mount_at() { # DEVICE DIRECTORY TYPE OPTIONS
  if ! findmnt "$1" "$2" >/dev/null 2>&1; then
    say "mounting $1 at $2"
    mkdir -p "$2"
    mount -t "$3" -o "$4" "$1" "$2"
  fi
}

unmount_at() { # DIRECTORY
  if mountpoint -q "$1"; then
    stop_swap_below "$1"
    umount "$1"
  fi
}

unmount_tree() { # DIRECTORY
  if mountpoint -q "$1"; then
    stop_swap_below "$1"
    umount -R "$1"
  fi
}

# A swap file in use keeps its file system busy.
stop_swap_below() { # DIRECTORY
  while read -r file kind _; do
    case $kind:$file in
      file:"${1%/}"/*) swapoff "$(printf '%b' "$file")" ;;
    esac
  done </proc/swaps
}

# Runs a command on the top of a btrfs file system, which is mounted for that only.
on_btrfs_top() { # DEVICE COMMAND ARGUMENT…
  top=$(mktemp -d)
  mount -t btrfs -o subvol=/ "$1" "$top"
  shift
  result=0
  ("$@") || result=$?
  umount "$top"
  rmdir "$top"
  return "$result"
}

make_subvolume() { # NAME
  mkdir -p "$(dirname "$top/$1")"
  if ! btrfs subvolume show "$top/$1" >/dev/null 2>&1; then
    say "making subvolume $1"
    btrfs subvolume create "$top/$1" >/dev/null
  fi
}

make_swapfile() { # PATH SIZE
  if [ ! -e "$top/$1" ]; then
    say "making swap file $1 of $2"
    mkdir -p "$(dirname "$top/$1")"
    btrfs filesystem mkswapfile --size "$2" "$top/$1" >/dev/null
  fi
}

# A file's text without its last newline, as a password that was typed would be.
password_in() { # FILE
  [ -r "$1" ] || fail "the password file $1 is missing"
  printf '%s' "$(cat "$1")"
}

ask_password() { # DEVICE
  [ -t 0 ] || fail "the password of $1 can only be asked for at a terminal"
  stty -echo
  printf 'Password of %s: ' "$1" >&2
  # shellcheck disable=SC2034 # the commands that follow use it
  IFS= read -r password
  printf '\n' >&2
  stty echo
}

# Everything that is active on a disk is taken down, leaves first, and its traces are wiped.
wipe_disk() { # DISK
  disk=$(readlink -f "$1")
  [ -b "$disk" ] || fail "there is no disk $1"
  say "wiping $1"
  # A parent comes before its children. Words of the form NAME=KIND: device names have no spaces.
  devices=$(lsblk --noheadings --raw --paths --output NAME,TYPE "$disk" | tr ' ' '=' | tac)
  [ -n "$devices" ] || fail "lsblk shows nothing of $1"
  for device in $devices; do
    take_down "${device%%=*}" "${device#*=}"
  done
  await_device "$disk" "$disk"
}

take_down() { # DEVICE KIND
  if grep -q "^$1 " /proc/swaps; then
    swapoff "$1"
  fi
  # One mount point may be below another, so the last one goes first.
  for directory in $(findmnt --noheadings --raw --output TARGET --source "$1" | tac); do
    unmount_tree "$(printf '%b' "$directory")"
  done
  case $2 in
    disk | loop)
      wipefs --all --force "$1" >/dev/null
      # Fails on a damaged table, which it has overwritten by then.
      sgdisk --zap-all "$1" >/dev/null 2>&1 || :
      ;;
    part) wipefs --all --force "$1" >/dev/null ;;
    crypt)
      wipefs --all --force "$1" >/dev/null
      cryptsetup close "$1"
      ;;
    lvm) lvremove --force --yes "$1" ;;
    raid*)
      wipefs --all --force "$1" >/dev/null
      mdadm --stop "$1"
      ;;
    *) fail "$1 is of kind $2, which can't be taken down" ;;
  esac
}
