# Tells the local network, by multicast DNS, that here is an installer, and what of it: the MAC addresses, the
# fingerprint of its host key, the disks that it could install to. Runs until it is stopped.
public=${KEY:-/etc/ssh/ssh_host_ed25519_key}.pub

macs=
for interface in /sys/class/net/*; do
	name=${interface##*/}
	[ "$name" != lo ] && [ "$(cat "$interface/carrier" 2>/dev/null)" = 1 ] || continue
	macs=$macs${macs:+,}$(cat "$interface/address")
done

set -- "mac=$macs"
if [ -r "$public" ]; then
	set -- "$@" "hostkey=$(ssh-keygen -l -f "$public" | cut -d ' ' -f 2)"
fi

# The medium that the installer came from is none to install to.
booted=$(findmnt -n -o SOURCE /iso 2>/dev/null || true)
number=0
while read -r name size kind model; do
	case $name in zram* | fd* | sr*) continue ;; esac
	case $booted in "/dev/$name"*) continue ;; esac
	[ "$kind" = disk ] && [ "$size" -gt 0 ] || continue
	number=$((number + 1))
	# One entry has 255 bytes at most.
	set -- "$@" "$(printf 'disk%s=%s %s %.150s' "$number" "$name" "$size" "$model")"
done <<LIST
$(lsblk -d -n -b -o NAME,SIZE,TYPE,MODEL 2>/dev/null || true)
LIST

exec avahi-publish -s "$(cat /proc/sys/kernel/hostname) ${macs%%,*}" _nixos-installer._tcp 22 "$@"
