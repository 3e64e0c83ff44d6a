# Makes the initramfs: busybox, udev with its rules, the kernel modules that the root filesystem
# needs, and cryptsetup if something is encrypted. Run by the payload's busybox; $out is the folder.
set -eu
tree=$PWD/tree
library_dir=usr/lib/x86_64-linux-gnu
version=$(cat "$kernel/version")

# The libraries that a program of the base links to, as paths in the base.
libraries() {
	"$base/usr/lib64/ld-linux-x86-64.so.2" \
		--library-path "$base/$library_dir:$base/$library_dir/systemd" --list "$1" |
		sed -n 's/.* => \([^ ]*\) (0x.*/\1/p'
}

# install_file PATH: copies it from the base to the same place in the tree.
install_file() {
	[ ! -e "$tree/$1" ] || return 0
	mkdir -p "$tree/${1%/*}"
	cp "$base/$1" "$tree/$1"
	chmod u+w "$tree/$1"
}

install_program() {
	install_file "$1"
	libraries "$base/$1" >list
	while read -r library; do install_file "${library#"$base/"}"; done <list
}

# install_module NAME: it and all that it depends on; one that is built into the kernel is there.
install_module() {
	awk -v want="$1" '
		{ name = $1; sub(/:$/, "", name); sub(/.*\//, "", name); sub(/\.ko$/, "", name); gsub(/-/, "_", name) }
		name == want { for (i = 1; i <= NF; i++) { sub(/:$/, "", $i); print $i } found = 1 }
		END { exit !found }' "$kernel/lib/modules/$version/modules.dep" >list || {
		grep -q "/$(echo "$1" | sed 's/_/[-_]/g')\.ko$" "$kernel/lib/modules/$version/modules.builtin" && return 0
		echo "the kernel has no module $1" >&2
		exit 1
	}
	while read -r module; do
		mkdir -p "$modules/${module%/*}"
		cp "$kernel/lib/modules/$version/$module" "$modules/$module"
	done <list
}

# newc: the files named on stdin as a cpio archive, with nothing in it that changes from build to
# build: busybox' own cpio writes inode numbers and times.
newc() {
	inode=0
	while read -r name; do
		inode=$((inode + 1))
		size=0 target=
		if [ -L "$tree/$name" ]; then
			mode=41471 target=$(readlink "$tree/$name")
			size=${#target}
		elif [ -d "$tree/$name" ]; then
			mode=16877
		else
			mode=33261 size=$(stat -c %s "$tree/$name")
		fi
		entry "$name" "$mode" "$size" "$inode"
		if [ -n "$target" ]; then printf %s "$target"; elif [ "$mode" = 33261 ]; then cat "$tree/$name"; fi
		pad "$size"
	done
	entry 'TRAILER!!!' 0 0 0
}

# entry NAME MODE SIZE INODE
entry() {
	printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
		"$4" "$2" 0 0 1 1 "$3" 0 0 0 0 $((${#1} + 1)) 0 "$1"
	pad $((110 + ${#1} + 1))
}

# pad LENGTH: zeros up to the next multiple of four.
pad() {
	case $(($1 % 4)) in
	1) printf '\0\0\0' ;;
	2) printf '\0\0' ;;
	3) printf '\0' ;;
	esac
}

mkdir -p "$tree/bin" "$tree/etc/udev/rules.d" "$tree/usr/lib" "$tree/usr/sbin" "$tree/dev" "$tree/proc" \
	"$tree/sys" "$tree/run" "$tree/root"
cp "$boot/bin/busybox" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
ln -s usr/lib "$tree/lib"
ln -s usr/lib64 "$tree/lib64"
ln -s usr/sbin "$tree/sbin"
# The kernel asks this program for what a mount or a cipher lacks.
ln -s ../../bin/busybox "$tree/usr/sbin/modprobe"
install_file usr/lib64/ld-linux-x86-64.so.2
install_program usr/bin/udevadm
mkdir -p "$tree/usr/lib/systemd"
ln -s ../../bin/udevadm "$tree/usr/lib/systemd/systemd-udevd"
for program in usr/lib/udev/ata_id usr/lib/udev/scsi_id $programs; do install_program "$program"; done
for library in $opened_libraries; do install_program "$library_dir/$library"; done
for rule in $rules; do install_file "usr/lib/udev/rules.d/$rule"; done

modules=$tree/usr/lib/modules/$version
mkdir -p "$modules"
for module in $module_names; do install_module "$module"; done
cp "$kernel/lib/modules/$version"/modules.* "$modules/"
chmod -R u+w "$tree"

cp "$init" "$tree/init"
cp "$mountsPath" "$tree/etc/mounts"
cp "$luksPath" "$tree/etc/luks"

mkdir -p "$out"
(cd "$tree" && find . -mindepth 1 | sed 's|^\./||' | LC_ALL=C sort) >names
newc <names >initrd
"$base/usr/lib64/ld-linux-x86-64.so.2" --library-path "$base/$library_dir" "$base/usr/bin/zstd" \
	-q -9 -T1 initrd -o "$out/initrd"
