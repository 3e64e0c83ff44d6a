
# Makes this generation the one to start next (boot), the running one (test), or both (switch).
# dry-activate only says what a switch would do.
set -eu
PROFILE=/nix/var/nix/profiles/system
systemctl=/usr/bin/systemctl

fail() {
	echo "switch-to-configuration: $*" >&2
	exit 1
}

usage() {
	cat >&2 <<USAGE
usage: switch-to-configuration boot|switch|test|dry-activate

boot          make this generation the one that starts by default
test          make it the running one
switch        both
dry-activate  say what would be started, stopped and restarted
USAGE
	exit 2
}

# put FILE NAME: a whole file on the ESP or none; one that is the same is left alone.
put() {
	if cmp -s "$1" "$esp/$2"; then return 0; fi
	mkdir -p "$esp/${2%/*}"
	rm -f "$esp/$2.tmp"
	cp "$1" "$esp/$2.tmp" || fail "could not write $esp/$2"
	sync
	mv -f "$esp/$2.tmp" "$esp/$2"
}

# put_boot_file STOREFILE: copies it under a name that says which store path it is from; prints it.
put_boot_file() {
	file=$(readlink -f "$1")
	path=${file#/nix/store/}
	name=EFI/nixos/$(echo "$path" | tr / -).efi
	put "$file" "$name"
	echo "$name" >>"$work/kept"
	echo "/$name"
}

# The numbers of the generations, newest first, no more than the limit.
generations() {
	for link in "$PROFILE"-*-link; do
		[ -L "$link" ] || continue
		number=${link#"$PROFILE-"}
		echo "${number%-link}"
	done | sort -rn | head -n "${boot_limit:-100000}"
}

put_generation() {
	generation=$(readlink -f "$PROFILE-$1-link")
	[ -e "$generation/init" ] || fail "generation $1 ($generation) is not a system"
	entry=loader/entries/nixos-generation-$1.conf
	linux=$(put_boot_file "$generation/kernel")
	initrd=$(put_boot_file "$generation/initrd")
	cat >"$work/entry" <<ENTRY
title NixOS
sort-key nixos
version Generation $1 $(cat "$generation/nixos-version")
linux $linux
initrd $initrd
options init=$generation/init $(cat "$generation/kernel-params")
ENTRY
	put "$work/entry" "$entry"
	echo "$entry" >>"$work/kept"
}

install_boot_loader() {
	[ "$boot_loader" = systemd-boot ] ||
		fail "the configuration has no boot loader that this system knows: set boot.loader.systemd-boot.enable"
	grep -q " $esp vfat " /proc/mounts || fail "there is no EFI system partition mounted at $esp"
	work=$(mktemp -d /run/switch-to-configuration.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	default=
	for number in $(generations); do
		put_generation "$number"
		[ -n "$default" ] || default=$number
		if [ "$generation" = "$toplevel" ]; then own=${own:-$number}; fi
	done
	[ -n "$default" ] || fail "$PROFILE has no generations"
	put "$boot/systemd-bootx64.efi" EFI/BOOT/BOOTX64.EFI
	put "$boot/systemd-bootx64.efi" EFI/systemd/systemd-bootx64.efi
	printf 'timeout %s\ndefault nixos-generation-%s.conf\nconsole-mode keep\n' \
		"$boot_timeout" "${own:-$default}" >"$work/loader.conf"
	put "$work/loader.conf" loader/loader.conf
	remove_stale
	sync
}

# Entries first: none may name a kernel that is gone.
remove_stale() {
	for file in "$esp"/loader/entries/nixos-generation-*.conf "$esp"/EFI/nixos/*; do
		[ -e "$file" ] || continue
		grep -qxF "${file#"$esp/"}" "$work/kept" || rm -f "$file"
	done
}

# changed_units: "WHAT UNIT" for every unit that is not as in the running generation.
changed_units() {
	# A template has no state of its own.
	(cd "$old" && ls; cd "$new" && ls) | grep -E '^[^@]*(@[^.].*)?\.(service|socket|timer|path|target)$' | sort -u |
		while read -r unit; do
			if [ ! -e "$new/$unit" ] || [ "$(readlink "$new/$unit")" = /dev/null ]; then
				echo "stop $unit"
			elif [ ! -e "$old/$unit" ]; then
				continue
			elif ! cmp -s "$old/$unit" "$new/$unit"; then
				if grep -q '^X-RestartIfChanged=false' "$new/$unit"; then echo "keep $unit"; else echo "restart $unit"; fi
			fi
		done
}

active() { "$systemctl" is-active -q -- "$1"; }

plan_units() {
	old=$(readlink -f /etc/static)/systemd/system new=$toplevel/etc/systemd/system
	stops='' restarts=''
	while read -r what unit; do
		active "$unit" || continue
		case $what in
		stop) stops="$stops $unit" ;;
		restart) restarts="$restarts $unit" ;;
		keep) echo "not restarting $unit, which has changed" ;;
		esac
	done <<UNITS
$(changed_units)
UNITS
}

dry_activate() {
	plan_units
	[ -z "$stops" ] || echo "would stop the following units:$stops"
	[ -z "$restarts" ] || echo "would restart the following units:$restarts"
	[ -n "$stops$restarts" ] || echo "would stop and restart no unit"
}

# shellcheck disable=SC2046,SC2086 # the units are words
activate_running() {
	status=0
	old_base=$(readlink -f /usr)
	plan_units
	if [ -n "$stops" ]; then
		echo "stopping the following units:$stops"
		"$systemctl" stop -- $stops || status=4
	fi
	echo "activating the configuration..."
	"$toplevel/activate" || status=2
	cat /etc/hostname >/proc/sys/kernel/hostname
	[ "$(readlink -f /usr)" = "$old_base" ] || "$systemctl" daemon-reexec
	"$systemctl" daemon-reload
	/usr/bin/systemd-tmpfiles --create --exclude-prefix=/dev || status=4
	"$systemctl" reset-failed
	if "$systemctl" is-active -q systemd-networkd.service; then /usr/bin/networkctl reload || status=4; fi
	if [ -n "$restarts" ]; then
		echo "restarting the following units:$restarts"
		"$systemctl" restart -- $restarts || status=4
	fi
	# What the active targets want now and did not before, mounts and swap among it.
	"$systemctl" start -- $(active_targets) || status=4
	failed_units=$("$systemctl" --failed --plain --no-legend | cut -d ' ' -f 1)
	if [ -n "$failed_units" ]; then
		echo "warning: these units have failed: $failed_units" >&2
		status=4
	fi
	return "$status"
}

active_targets() {
	for target in local-fs.target swap.target sysinit.target sockets.target timers.target paths.target multi-user.target; do
		if active "$target"; then echo "$target"; fi
	done
}

[ $# -eq 1 ] || usage
[ -e /etc/NIXOS ] || fail "this is no NixOS installation: there is no /etc/NIXOS"
case $1 in
boot) install_boot_loader ;;
switch)
	install_boot_loader
	activate_running
	;;
test) activate_running ;;
dry-activate) dry_activate ;;
*) usage ;;
esac
