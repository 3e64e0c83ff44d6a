
# Stage 2: what stage 1 hands over to on the root filesystem. Activates, then becomes systemd.
say() { echo "stage 2: $*"; }

say "$toplevel"
ln -sfn "$toplevel" /run/booted-system
# A machine that starts with some part missing can be repaired; one that stops here can't.
"$toplevel/activate" || say "activation failed with status $?; going on"

exec env -i PATH=/run/current-system/sw/bin:/run/current-system/sw/sbin TERM=linux \
	/usr/lib/systemd/systemd
