# Describes this machine. Every line of the answer begins with the name of its section, so that
# nothing that a file holds can pass for another section. Changes nothing.

section() {
  sed "s/^/$1 /"
}

# The programs that a run calls by name, looked for as a run will look for them.
for program in "$@"; do
  command -v "$program" >/dev/null 2>&1 || echo "$program"
done | section missing

PATH=$PATH:/run/current-system/sw/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

as_root=
if [ "$(id -u)" = 0 ]; then
  privilege=root
elif sudo -n true >/dev/null 2>&1; then
  privilege=sudo as_root='sudo -n'
else
  privilege=none
fi
echo "privilege $privilege"

uname -n | section name
uname -m | section architecture
section boot </proc/sys/kernel/random/boot_id
if [ -d /sys/firmware/efi ]; then echo 'firmware uefi'; else echo 'firmware bios'; fi
section memory </proc/meminfo
section cmdline </proc/cmdline
for release in /etc/os-release /usr/lib/os-release; do
  if [ -r "$release" ]; then
    section os <"$release"
    break
  fi
done
if [ -e /run/current-system ]; then readlink -f /run/current-system | section system; fi

# What started this kernel: kexec says so (Documentation/arch/x86/boot.rst, type_of_loader), and a
# boot manager names the partition that it was read from.
if [ -r /proc/sys/kernel/bootloader_type ]; then section loader </proc/sys/kernel/bootloader_type; fi
variable=/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
if [ -r "$variable" ]; then tr -dc '0-9A-Fa-f-' <"$variable" | section loaderpart; echo; fi

# Older versions of lsblk know only one mount point of a device.
columns=NAME,KNAME,PATH,TYPE,SIZE,FSTYPE,LABEL,PARTLABEL,PARTUUID,PTTYPE,MODEL,SERIAL,TRAN,RM,RO
for more in MOUNTPOINTS MOUNTPOINT; do
  # shellcheck disable=SC2086
  if answer=$($as_root lsblk --json --bytes --output "$columns,$more" 2>/dev/null); then
    printf '%s\n' "$answer" | section lsblk
    break
  fi
done

for start in /sys/class/block/*/start; do
  [ -r "$start" ] || continue
  device=${start%/start}
  { read -r sectors <"$start"; } 2>/dev/null || continue
  echo "start ${device##*/} $sectors"
done
for backing in /sys/class/block/loop*/loop/backing_file; do
  [ -r "$backing" ] || continue
  device=${backing%/loop/backing_file}
  { read -r file <"$backing"; } 2>/dev/null || continue
  echo "loop ${device##*/} $file"
done
for link in /dev/disk/by-*/*; do
  [ -b "$link" ] || continue
  target=$(readlink -f "$link") || continue
  printf 'link %s %s\n' "$target" "$link"
done
