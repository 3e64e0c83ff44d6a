# shellcheck shell=bash
# Functions that scripts/demo, scripts/test and tests/vm share: the packages, the caches, the tools.
# Sourced, never run. Results go to stdout, progress to stderr.

# Every Debian package that the scripts and the test machine need on this machine.
# qemu-utils is there for looking into a machine's disk by hand.
# shellcheck disable=SC2034 # used by those who source this file
MACHINE_PACKAGES=(
	ca-certificates cpio debootstrap dosfstools gdisk isolinux jq mtools openssh-client ovmf
	qemu-system-x86 qemu-utils rsync socat squashfs-tools syslinux-common
	util-linux xorriso xz-utils zstd kmod
)
# What the tests on loopback, and building the tool, need beyond that.
# shellcheck disable=SC2034
TEST_PACKAGES=(
	age avahi-daemon avahi-utils btrfs-progs build-essential busybox-static cryptsetup-bin dbus e2fsprogs git hyperfine
	iproute2 openssh-server qrencode shellcheck strace sudo tmux xorriso
)

# The programs around secrets. ssh-to-age has no tags that Go reads; the hashes of its module are those
# in the go.sum of sops-nix (https://github.com/Mic92/sops-nix).
SOPS_VERSION=v3.13.3
SSH_TO_AGE_VERSION=v0.0.0-20240115094500-460a2109aaf0
SSH_TO_AGE_SUM=h1:zF3WQbETL3cLvteXionTa+WG0KcrTsGC+iHEA6QrYCI=
SSH_TO_AGE_MOD_SUM=h1:OUOla4dJLQ5FfdB07jnjawnMEqI0M3Q4WuD2W/DjhLo=

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/nixos-bootstrap
SID=$CACHE/sid

# The packages of the Debian root that the installer, the installed system and Nix itself come from.
SID_PACKAGES=(
	nix-bin openssh-server openssh-client systemd systemd-sysv udev dbus btrfs-progs
	cryptsetup-bin dosfstools gdisk e2fsprogs util-linux iproute2 kmod rsync busybox-static
	linux-image-cloud-amd64 systemd-boot-efi zstd git pciutils age ca-certificates
	initramfs-tools-core
)
# Empty means the mirror that debootstrap chooses by itself.
SID_MIRROR=${SID_MIRROR-}

# The oldest cargo that knows all that Cargo.toml uses.
CARGO_MINIMUM=1.89

# Seconds since the script that sourced this began, and what is going on.
progress() {
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

need_root() {
	[[ $(id -u) -eq 0 ]] || fail "$1 needs root: run this as root"
}

# need_apt PKG…: installs those that are missing, and asks for nothing when all are there.
need_apt() {
	local package missing=()
	for package in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] ||
			missing+=("$package")
	done
	((${#missing[@]})) || return 0
	command -v apt-get >/dev/null ||
		fail "these scripts are for Debian and its relatives; without apt-get, install by hand: ${missing[*]}"
	[[ $(id -u) -eq 0 ]] ||
		fail "these packages are missing: ${missing[*]}; run this as root, or: sudo apt-get install ${missing[*]}"
	progress "apt: installing ${missing[*]}"
	if [[ -z ${APT_UPDATED-} ]]; then
		apt_quietly update
		APT_UPDATED=yes
	fi
	apt_quietly install --no-install-recommends -y "${missing[@]}"
}

# apt-get is silent unless it fails; then all that it said is shown.
apt_quietly() {
	local log
	log=$(mktemp)
	if ! DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		fail "apt-get $* failed"
	fi
	rm -f "$log"
}

# What must be in the Debian root, whatever debootstrap says at its end.
sid_is_whole() {
	local root=$1 file
	local needed=(
		usr/bin/nix usr/lib64/ld-linux-x86-64.so.2 usr/sbin/sshd usr/lib/systemd/systemd
		usr/lib/systemd/systemd-udevd usr/lib/systemd/boot/efi/systemd-bootx64.efi
		usr/bin/busybox usr/bin/btrfs usr/sbin/cryptsetup usr/sbin/mkfs.vfat usr/sbin/sgdisk
		usr/bin/rsync usr/bin/git usr/bin/age usr/bin/lspci
	)
	for file in "${needed[@]}"; do
		[[ -e $root/$file ]] || { printf '%s\n' "$file"; return 1; }
	done
	compgen -G "$root/boot/vmlinuz-*-cloud-amd64" >/dev/null || { printf 'boot/vmlinuz\n'; return 1; }
	compgen -G "$root/usr/lib/modules/*-cloud-amd64/modules.dep" >/dev/null || { printf 'modules.dep\n'; return 1; }
}

# remove_root DIR: deletes a Debian root, but never what is still mounted inside it.
remove_root() {
	local root=$1 mounted
	[[ -e $root ]] || return 0
	root=$(readlink -f "$root")
	while read -r mounted; do
		umount "$mounted" || fail "$mounted is still mounted; unmount it and try again"
	done < <(awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/self/mounts | sort -r)
	rm -rf --one-file-system "$root"
}

# ensure_sid: the Debian root in $SID. Takes two minutes the first time.
ensure_sid() {
	[[ -d $SID ]] && return 0
	need_root "making a Debian root"
	need_apt debootstrap ca-certificates util-linux
	local root=$SID.new log=$CACHE/debootstrap.log lacking status=0
	mkdir -p "$CACHE"
	exec {sid_lock}>"$CACHE/sid.lock"
	flock "$sid_lock"
	if [[ ! -d $SID ]]; then
		remove_root "$root"
		progress "debootstrap: a Debian sid root for Nix and the test machine (2 minutes)"
		# In a mount namespace of its own, so that the /proc it mounts is gone with it.
		unshare --mount --propagation private debootstrap --variant=minbase \
			--include="$(IFS=,; printf '%s' "${SID_PACKAGES[*]}")" \
			sid "$root" ${SID_MIRROR:+"$SID_MIRROR"} </dev/null >"$log" 2>&1 || status=$?
		if ! lacking=$(sid_is_whole "$root"); then
			tail -n 20 "$log" >&2
			fail "debootstrap (status $status) left no $lacking; its log is $log"
		fi
		# nix-bin wants a virtual Perl package that debootstrap can't choose, and stays unconfigured.
		# Nothing of it needs configuring.
		((status == 0)) || progress "debootstrap ended with status $status; all that is needed is there"
		rm -rf "$root"/var/cache/apt/archives/*.deb
		mv -T "$root" "$SID"
	fi
	exec {sid_lock}>&-
}

# One word that changes when the Debian root does.
sid_identity() {
	sha256sum <"$SID/var/lib/dpkg/status" | cut -c1-16
}

# The wrapper finds the root beside its own folder, so the cache may be moved or linked to.
write_nix_wrapper() {
	cat >"$1" <<'WRAPPER'
#!/bin/sh
# Runs Debian sid's Nix with its own libraries, whatever release this machine has.
name=${0##*/}
here=$(dirname -- "$(readlink -f -- "$0")")
root=${NIXOS_BOOTSTRAP_SID:-$here/../sid}
NIX_CONFIG="experimental-features = nix-command flakes
sandbox = false
build-hook =
build-users-group =
substituters =
${NIX_CONFIG-}"
export NIX_CONFIG
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
	--argv0 "$name" "$root/usr/bin/nix" "$@"
WRAPPER
	chmod 755 "$1"
}

# ensure_nix: a real Nix on PATH, proved by a build.
ensure_nix() {
	ensure_sid
	local name wrapper
	mkdir -p "$CACHE/bin"
	wrapper=$(mktemp "$CACHE/bin/.nix-wrapper.XXXXXX")
	write_nix_wrapper "$wrapper"
	if cmp -s "$wrapper" "$CACHE/bin/.nix-wrapper"; then
		rm -f "$wrapper"
	else
		mv -f "$wrapper" "$CACHE/bin/.nix-wrapper"
	fi
	for name in nix nix-store nix-instantiate nix-build nix-env nix-daemon nix-copy-closure nix-hash; do
		[[ -L $CACHE/bin/$name ]] || ln -sfn .nix-wrapper "$CACHE/bin/$name"
	done
	case :$PATH: in
	*:"$CACHE/bin":*) ;;
	*) export PATH=$CACHE/bin:$PATH ;;
	esac
	prove_nix
}

prove_nix() {
	local version built log=$CACHE/nix.log
	# Nix keeps its store in /nix, which only root can make.
	[[ -d /nix/store ]] || need_root "the first use of Nix"
	version=$(nix --version) || fail "the Nix in $CACHE/bin does not start"
	# The name changes every day: a build is proved, and the store is not littered.
	if ! built=$(nix build --impure --no-link --print-out-paths --expr "derivation {
		name = \"proof-$(date +%Y%m%d)\"; system = builtins.currentSystem; builder = \"/bin/sh\";
		args = [ \"-c\" \"echo built > \$out\" ];
	}" 2>"$log"); then
		cat "$log" >&2
		fail "the Nix in $CACHE/bin does not build"
	fi
	[[ $(cat "$built") == built ]] || fail "the Nix in $CACHE/bin built something else: $built"
	progress "$version works"
}

# cargo_is_new_enough: true for a cargo of at least $CARGO_MINIMUM on PATH.
cargo_is_new_enough() {
	local version
	version=$(cargo --version 2>/dev/null | awk '{ print $2 }') || return 1
	[[ -n $version ]] && printf '%s\n%s\n' "$CARGO_MINIMUM" "$version" | sort -CV
}

# ensure_cargo: a cargo of at least $CARGO_MINIMUM on PATH, from the distribution if it has one.
ensure_cargo() {
	local candidate
	if [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]]; then
		PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
	fi
	cargo_is_new_enough && return 0
	candidate=$(apt-cache policy cargo 2>/dev/null | awk '/Candidate:/ { sub(/^[0-9]+:/, "", $2); print $2 }')
	# Debian numbers the package cargo 0.66 for cargo 1.65 in old releases: those are too old anyway.
	if [[ -n $candidate ]] && printf '%s\n%s\n' "$CARGO_MINIMUM" "$candidate" | sort -CV; then
		need_apt cargo rustc
	elif [[ $(apt-cache policy rustup 2>/dev/null | awk '/Candidate:/ { print $2 }') == [0-9]* ]]; then
		need_apt rustup
		rustup default stable >&2 || fail "rustup could not install Rust's stable toolchain"
	fi
	cargo_is_new_enough || fail "cargo $CARGO_MINIMUM or newer is needed, and this Debian has none.
Install it with rustup (https://rustup.rs), then run this again."
}

# The version where no distribution has the package.
JUST_VERSION=1.43.1

# ensure_just: the command runner on PATH, for the tests of the recipes.
ensure_just() {
	command -v just >/dev/null && return 0
	if [[ $(apt-cache policy just 2>/dev/null | awk '/Candidate:/ { print $2 }') == [0-9]* ]]; then
		need_apt just
		return 0
	fi
	if [[ ! -x $CACHE/just/bin/just ]]; then
		progress "cargo: installing just $JUST_VERSION"
		cargo install --quiet --locked --root "$CACHE/just" --version "$JUST_VERSION" just >&2
	fi
	export PATH=$PATH:$CACHE/just/bin
}

# The oldest go that fetches by itself the newer one that a module asks for.
GO_MINIMUM=1.21

go_is_new_enough() {
	local version
	version=$(go env GOVERSION 2>/dev/null) || return 1
	version=${version#go}
	[[ -n $version ]] && printf '%s\n%s\n' "$GO_MINIMUM" "$version" | sort -CV
}

# ensure_go: a go of at least $GO_MINIMUM on PATH, from the distribution if it has one.
ensure_go() {
	local candidate
	[[ ! -d /usr/local/go/bin ]] || PATH=$PATH:/usr/local/go/bin
	go_is_new_enough && return 0
	candidate=$(apt-cache policy golang-go 2>/dev/null | awk '/Candidate:/ { sub(/^[0-9]+:/, "", $2); print $2 }')
	if [[ -n $candidate ]] && printf '%s\n%s\n' "$GO_MINIMUM" "$candidate" | sort -CV; then
		need_apt golang-go
	fi
	go_is_new_enough || fail "go $GO_MINIMUM or newer is needed to build sops, and this Debian has none.
Install it from https://go.dev/dl, then run this again."
}

# ensure_sops: sops and ssh-to-age in the cache's bin, which ensure_nix puts on PATH. Takes some minutes
# the first time.
ensure_sops() {
	local stamp=$CACHE/sops.version wanted="$SOPS_VERSION $SSH_TO_AGE_VERSION" module log=$CACHE/sops.log
	if [[ -x $CACHE/bin/sops && -x $CACHE/bin/ssh-to-age && $(cat "$stamp" 2>/dev/null) == "$wanted" ]]; then
		return 0
	fi
	ensure_go
	mkdir -p "$CACHE/bin"
	progress "go: building sops $SOPS_VERSION and ssh-to-age"
	module=$(mktemp -d)
	printf 'module tools\n\ngo 1.21\n\nrequire github.com/Mic92/ssh-to-age %s\n' "$SSH_TO_AGE_VERSION" >"$module/go.mod"
	printf 'github.com/Mic92/ssh-to-age %s %s\n' "$SSH_TO_AGE_VERSION" "$SSH_TO_AGE_SUM" \
		"$SSH_TO_AGE_VERSION/go.mod" "$SSH_TO_AGE_MOD_SUM" >"$module/go.sum"
	if ! (
		export GOBIN=$CACHE/bin
		go install "github.com/getsops/sops/v3/cmd/sops@$SOPS_VERSION" &&
			cd "$module" && go install -mod=mod github.com/Mic92/ssh-to-age/cmd/ssh-to-age
	) >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -rf "$module"
		fail "sops and ssh-to-age could not be built"
	fi
	rm -rf "$module"
	printf '%s\n' "$wanted" >"$stamp"
}
