# Shows on the consoles how this machine is reached, as text and as a QR code, whenever its addresses change.
public=${KEY:-/etc/ssh/ssh_host_ed25519_key}.pub
consoles=${CONSOLES:-$(cat /sys/class/tty/console/active)}

addresses() {
	for family in -4 -6; do
		ip "$family" -o address show scope global up | grep -v -e tentative -e deprecated -e temporary
	done | awk '{ sub("/.*", "", $4); print $4 }'
}

message() {
	echo
	echo "This machine has booted the installer. It is reached with:"
	for address in $shown; do
		echo "    ssh root@$address"
	done
	echo "    ssh root@$(cat /proc/sys/kernel/hostname).local"
	if [ -r "$public" ]; then
		echo "Its host key is $(ssh-keygen -l -f "$public" | cut -d ' ' -f 2)"
	fi
	# Of half blocks: two modules in a character, so that it fits on 25 lines.
	qrencode -t UTF8 -m 1 -o - "ssh root@${shown%%[[:space:]]*}"
}

shown=
{
	echo first
	ip monitor address
} | while read -r _; do
	now=$(addresses)
	[ "$now" != "$shown" ] && [ -n "$now" ] || continue
	shown=$now
	text=$(message)
	for console in $consoles; do
		# A console that is not there any more is no reason to stop.
		printf '%s\n' "$text" > "/dev/$console" || true
	done
done
