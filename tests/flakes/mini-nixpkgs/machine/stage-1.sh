#!/bin/sh
# Stage 1: finds the disks, opens what is encrypted, mounts what the system needs to start, and
# hands over to the stage 2 that the kernel's init= names.
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /mnt-root
/bin/busybox mount -t proc -o nosuid,noexec,nodev proc /proc
mount -t sysfs -o nosuid,noexec,nodev sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=3,mode=620 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
exec </dev/console >/dev/console 2>&1

DEVICE_SECONDS=120
TAB=$(printf '\t')

say() { echo "stage 1: $*"; }

# Nobody can log in here: say what is wrong, and wait for the person at the console.
fail() {
	say "ERROR: $*"
	if grep -qw boot.shell_on_fail /proc/cmdline; then
		say "boot.shell_on_fail is set: a shell; leave it to try to go on"
		setsid cttyhack sh
		return
	fi
	while :; do
		printf 'stage 1: press Enter to reboot: '
		read -r _ || sleep 60
		reboot -f
	done
}

# The names that a configuration may use for a device, as a path under /dev.
device_path() {
	case $1 in
	LABEL=*) echo "/dev/disk/by-label/${1#*=}" ;;
	UUID=*) echo "/dev/disk/by-uuid/${1#*=}" ;;
	PARTLABEL=*) echo "/dev/disk/by-partlabel/${1#*=}" ;;
	PARTUUID=*) echo "/dev/disk/by-partuuid/${1#*=}" ;;
	*) echo "$1" ;;
	esac
}

wait_for_device() {
	waited=0
	while [ ! -b "$1" ]; do
		[ "$waited" -ne 3 ] || say "waiting for $1"
		if [ "$waited" -ge "$DEVICE_SECONDS" ]; then
			fail "the device $1 did not appear in $DEVICE_SECONDS seconds"
			return 1
		fi
		waited=$((waited + 1))
		sleep 1
	done
}

# open_luks NAME DEVICE KEYFILE OPTIONS: the key file if there is one and it fits, else ask.
open_luks() {
	device=$(device_path "$2") options=$4
	[ "$options" != - ] || options=
	wait_for_device "$device" || return
	# shellcheck disable=SC2086 # the options are words
	if [ "$3" != - ] && [ -e "$3" ]; then
		/usr/sbin/cryptsetup open --type luks $options --key-file "$3" "$device" "$1" && return
		say "the key file $3 does not open $device"
	fi
	# shellcheck disable=SC2086
	until /usr/sbin/cryptsetup open --type luks --tries 1 $options "$device" "$1"; do
		say "could not open $device, try again"
		sleep 1
	done
}

# mount_one DEVICE MOUNTPOINT TYPE OPTIONS
mount_one() {
	device=$(device_path "$1") target=/mnt-root$2
	case ,$4, in
	*,bind,* | *,rbind,*) device=/mnt-root$1 && mkdir -p "$device" ;;
	esac
	case $device in
	/dev/disk/*) wait_for_device "$device" && device=$(readlink -f "$device") || return ;;
	/dev/*) wait_for_device "$device" || return ;;
	esac
	mkdir -p "$target"
	mount -t "$3" -o "$4" "$device" "$target" || fail "could not mount $1 ($3, $4) on $2"
}

stage2=
# shellcheck disable=SC2013 # the kernel's arguments are words
for word in $(cat /proc/cmdline); do
	case $word in
	init=*) stage2=${word#init=} ;;
	esac
done

say "looking for disks"
/usr/lib/systemd/systemd-udevd --daemon --resolve-names=never || fail "udev does not start"
# The buses that disks hang on; what their drivers find there tells udev of itself.
/usr/bin/udevadm trigger --type=devices --action=add --subsystem-match=pci --subsystem-match=virtio \
	--subsystem-match=scsi --subsystem-match=nvme --subsystem-match=block
/usr/bin/udevadm settle --timeout=60 || say "udev is still busy; going on"

while IFS=$TAB read -r name device key_file options <&3; do
	open_luks "$name" "$device" "$key_file" "$options"
done 3</etc/luks

while IFS=$TAB read -r device mountpoint type options <&3; do
	mount_one "$device" "$mountpoint" "$type" "$options"
done 3</etc/mounts

[ -n "$stage2" ] || fail "the kernel's arguments have no init="
[ -x "/mnt-root$stage2" ] || [ -L "/mnt-root$stage2" ] || fail "there is no $stage2 on the root filesystem"

/usr/bin/udevadm control --exit
mkdir -p /mnt-root/dev /mnt-root/proc /mnt-root/sys /mnt-root/run
# busybox finds itself through /proc: it goes last.
for tree in dev sys run proc; do
	mount --move "/$tree" "/mnt-root/$tree" || fail "could not move /$tree to the root filesystem"
done
exec /bin/busybox switch_root /mnt-root "$stage2"
