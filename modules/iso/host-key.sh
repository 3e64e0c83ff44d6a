# Gives the SSH server the host key that `iso --pin-host-key` has written into the image's slot. A slot that
# is empty, or holds no key, leaves the server to make a key of its own.
slot=${SLOT:-/iso/host_key.slt}
key=${KEY:-/etc/ssh/ssh_host_ed25519_key}

[ -e "$slot" ] || exit 0
umask 077
sed -n '/^-----BEGIN OPENSSH PRIVATE KEY-----$/,/^-----END OPENSSH PRIVATE KEY-----$/p' "$slot" > "$key.new"
if [ ! -s "$key.new" ]; then
	rm "$key.new"
elif ssh-keygen -y -P '' -f "$key.new" > "$key.pub.new"; then
	chmod 644 "$key.pub.new"
	mv "$key.pub.new" "$key.pub"
	mv "$key.new" "$key"
else
	rm -f "$key.new" "$key.pub.new"
	echo "the image's slot for a host key holds something else" >&2
	exit 1
fi
