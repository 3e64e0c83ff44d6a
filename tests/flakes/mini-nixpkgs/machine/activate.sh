# shellcheck disable=SC2317 # the functions are called by their names, in a list below

# Makes the running root filesystem, whatever it is now, that of this generation. Runs at every
# start, on a switch, and in the installer's chroot: nothing but /nix, /dev, /proc and /sys is taken
# for granted. Every command is busybox' until the links to the base are there.
set -eu
umask 022
TAB=$(printf '\t')
step=start
failed=0
trap 'status=$?; [ "$status" -eq 0 ] || echo "activate: failed while doing: $step" >&2' EXIT

# link TARGET NAME: replaces a link or an empty folder, but nothing that has something in it.
link() {
	if [ "$(readlink "$2" || true)" = "$1" ]; then return 0; fi
	if [ -d "$2" ] && [ ! -L "$2" ]; then rmdir "$2"; fi
	ln -sfn "$1" "$2"
}

make_directories() {
	mkdir -p /etc /run /var/empty /var/lib/nixos /var/log /var/tmp /root /home /nix/var/nix/gcroots \
		/nix/var/nix/profiles /nix/var/nix/daemon-socket /tmp
	chmod 1777 /tmp /var/tmp
	chmod 0700 /root
	chmod 0555 /var/empty
	# systemd mounts on these.
	mkdir -p /dev /proc /sys /mnt
}

# The programs of the base under the names that they were built for.
link_base() {
	link "$base/usr" /usr
	for name in bin sbin lib lib64; do link "usr/$name" "/$name"; done
}

# links_of DIRECTORY: links of /etc to what the generation has there, several at once.
links_of() {
	target=/etc source=/etc/static
	if [ "$1" != . ]; then target=$target/$1 source=$source/$1; fi
	mkdir -p "$target"
	set --
	for file in "$source"/* "$source"/.[!.]*; do
		if [ -L "$file" ] || [ -f "$file" ]; then set -- "$@" "$file"; fi
	done
	[ $# -eq 0 ] || ln -sf "$@" "$target/"
}

# What earlier generations put into /etc and this one has no more.
clean_etc() {
	find /etc -xdev -type l | while read -r name; do
		[ -e "$name" ] && continue
		case $(readlink "$name") in
		/etc/static/*) [ -L "/etc/static/${name#/etc/}" ] || rm -f "$name" ;;
		esac
	done
	[ ! -f /etc/.clean ] || while IFS=$TAB read -r _ name; do
		grep -q "$TAB$name\$" "$toplevel/etc-copied.list" || rm -f "/etc/$name"
	done </etc/.clean
}

make_etc() {
	link "$toplevel/etc" /etc/static
	while read -r directory; do links_of "$directory"; done <"$toplevel/etc.directories"
	while IFS=$TAB read -r mode name; do
		mkdir -p "/etc/$(dirname "$name")"
		cp "$toplevel/etc-copied/$name" "/etc/$name.new"
		chmod "$mode" "/etc/$name.new"
		mv -f "/etc/$name.new" "/etc/$name"
	done <"$toplevel/etc-copied.list"
	clean_etc
	cp "$toplevel/etc-copied.list" /etc/.clean
	: >/etc/NIXOS
	link /proc/self/mounts /etc/mtab
	if [ ! -s /etc/machine-id ]; then
		# systemd would take an empty one for a first start, and enable units by its own presets.
		tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
		chmod 0444 /etc/machine-id
	fi
}

# The users' table with a hash in place of a plain password or the name of a file.
users_with_hashes() {
	while IFS=$TAB read -r name uid group home shell about create extra how secret kind; do
		case $how in
		file)
			if [ -s "$secret" ]; then
				secret=$(head -n 1 "$secret")
			else
				echo "activate: $name has no password: there is no $secret" >&2
				how=none
			fi
			;;
		plain | initial-plain) secret=$(printf '%s' "$secret" | mkpasswd -m sha512 -P 0) ;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
			"$name" "$uid" "$group" "$home" "$shell" "$about" "$create" "$extra" "$how" "$secret" "$kind"
	done <"$toplevel/users"
}

make_users() {
	numbers=/var/lib/nixos/uid-map
	touch "$numbers" /etc/shadow
	chmod 0600 /etc/shadow
	(
		umask 077
		users_with_hashes | awk -v passwd=/etc/passwd.new -v shadow=/etc/shadow.new \
			-v group_file=/etc/group.new -v numbers="$numbers.new" -v mutable="$mutable_users" \
			-f "$toplevel/users.awk" "$numbers" /etc/shadow "$toplevel/groups" -
	)
	chmod 0644 /etc/passwd.new /etc/group.new "$numbers.new"
	chmod 0600 /etc/shadow.new
	for file in /etc/group /etc/passwd /etc/shadow "$numbers"; do mv -f "$file.new" "$file"; done
}

make_homes() {
	while IFS=$TAB read -r name _ group home _ _ create _; do
		if [ "$create" != yes ] || [ -e "$home" ]; then continue; fi
		mkdir -p "$home"
		chmod 0700 "$home"
		chown "$name:$group" "$home"
	done <"$toplevel/users"
}

keep_from_garbage() {
	ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
	ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system
	ln -sfn /nix/var/nix/profiles /nix/var/nix/gcroots/profiles
}

for step in make_directories link_base make_etc make_users make_homes keep_from_garbage; do
	"$step"
done

step="the configuration's activation scripts"
systemConfig=$toplevel
export systemConfig
PATH=/usr/bin:/usr/sbin /usr/bin/bash -c 'failed=0
. "$0"
exit "$failed"' "$toplevel/activation-scripts" || failed=1

step="the link to the current system"
ln -sfn "$toplevel" /run/current-system
exit "$failed"
