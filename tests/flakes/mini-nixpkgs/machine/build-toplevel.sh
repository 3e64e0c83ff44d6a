# Puts a generation together in $out. Run by the payload's busybox; see default.nix.
set -eu
TAB=$(printf '\t')

# script NAME BODY: a program whose first lines say where everything is.
script() {
	mkdir -p "$out/$(dirname "$1")"
	{
		printf '#!%s/bin/sh\n' "$boot"
		printf 'toplevel=%s\nbase=%s\nkernel=%s\nboot=%s\n' "$out" "$base" "$kernel" "$boot"
		printf "esp='%s'\nboot_loader=%s\nboot_timeout=%s\nboot_limit=%s\nlabel='%s'\nmutable_users=%s\n" \
			"$esp" "$boot_loader" "$boot_timeout" "$boot_limit" "$label" "$mutable_users"
		cat "$2"
	} >"$out/$1"
	chmod 755 "$out/$1"
}

# Files with a mode of their own are copied to /etc, all others linked.
place_text() {
	if [ "$1" = symlink ]; then file=$out/etc/$2; else file=$out/etc-copied/$2; fi
	mkdir -p "${file%/*}"
	eval "cat \"\$${3}Path\"" >"$file"
	[ "$1" = symlink ] || printf '%s\t%s\n' "$1" "$2" >>"$out/etc-copied.list"
}

place_link() {
	if [ "$1" = symlink ]; then
		mkdir -p "$out/etc/$(dirname "$2")"
		ln -s "$3" "$out/etc/$2"
	else
		mkdir -p "$out/etc-copied/$(dirname "$2")"
		cat "$3" >"$out/etc-copied/$2"
		printf '%s\t%s\n' "$1" "$2" >>"$out/etc-copied.list"
	fi
}

mkdir -p "$out/etc/systemd" "$out/bin" "$out/units"
# One link for all units: through a link each, systemd would not know default.target for an alias.
ln -s "$out/units" "$out/etc/systemd/system"
: >"$out/etc-copied.list"
while IFS=$TAB read -r kind mode name argument; do
	"place_$kind" "$mode" "$name" "$argument"
done <"$entriesPath"
# Each folder of etc with its links: what activate has to make, without looking around.
(cd "$out/etc" && find . -type d | sed 's|^\./||' | LC_ALL=C sort) >"$out/etc.directories"

cp "$usersPath" "$out/users"
cp "$groupsPath" "$out/groups"
cp "$users_awk" "$out/users.awk"
cp "$snippetsPath" "$out/activation-scripts"

ln -s "$base/usr" "$out/sw"
ln -s "$kernel/vmlinuz" "$out/kernel"
ln -s "$kernel" "$out/kernel-modules"
ln -s "$initrd/initrd" "$out/initrd"
ln -s "$base/usr/lib/systemd" "$out/systemd"
printf '%s' "$kernel_params" >"$out/kernel-params"
printf '%s' "$platform" >"$out/system"
printf '%s' "$label" >"$out/nixos-version"

script init "$stage2"
script activate "$activate"
script bin/switch-to-configuration "$switch"
