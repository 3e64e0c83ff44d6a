# Makes passwd, group and shadow. Reads, in this order: the numbers given earlier (name, uid), the
# old shadow file, the groups, the users. Writes to the files of the variables passwd, group, shadow
# and numbers. Numbers once given stay, also when the user is gone for a while.
BEGIN {
	FS = "\t"
	split("root:0 wheel:1 kmem:2 tty:3 messagebus:4 disk:6 audio:17 floppy:18 uucp:19 lp:20 cdrom:24 " \
		"tape:25 video:26 dialout:27 utmp:29 adm:55 clock:56 systemd-journal:62 keys:96 users:100 " \
		"systemd-network:152 input:174 sgx:176 kvm:302 render:303 sshd:997 nogroup:65534", known, " ")
	for (i = 1; i in known; i++) { split(known[i], part, ":"); add_group(part[1], part[2]) }
	split("messagebus:4:messagebus systemd-network:152:systemd-network sshd:997:sshd", known, " ")
	for (i = 1; i in known; i++) {
		split(known[i], part, ":")
		taken[part[2]] = 1
		system_users = system_users part[1] ":x:" part[2] ":" gid[part[3]] "::/var/empty:/run/current-system/sw/sbin/nologin\n"
		system_shadow = system_shadow part[1] ":!:1::::::\n"
	}
	taken[0] = taken[65534] = 1
}
FILENAME == ARGV[1] { number[$1] = $2; taken[$2] = 1; next }
FILENAME == ARGV[2] { split($0, part, ":"); old[part[1]] = part[2]; next }
FILENAME == ARGV[3] {
	if ($2 != "-") add_group($1, $2); else pending[++pendings] = $1
	if ($3 != "-") members[$1] = $3
	next
}
{
	users++
	name[users] = $1; uid[users] = $2; group[users] = $3; home[users] = $4; shell[users] = $5
	about[users] = $6 == "-" ? "" : $6; extra[users] = $8 == "-" ? "" : $8
	how[users] = $9; hash[users] = $10; kind[users] = $11
	if ($2 != "-") taken[$2] = 1
	next_group($3)
	count = split(extra[users], part, ",")
	for (i = 1; i <= count; i++) next_group(part[i])
}
END {
	for (i = 1; i <= pendings; i++) if (!(pending[i] in gid)) add_group(pending[i], free_gid())
	for (i = 1; i <= users; i++) {
		if (!(group[i] in gid)) add_group(group[i], free_gid())
		count = split(extra[i], part, ",")
		for (j = 1; j <= count; j++) {
			if (!(part[j] in gid)) add_group(part[j], free_gid())
			if (index("," members[part[j]] ",", "," name[i] ",") == 0)
				members[part[j]] = members[part[j]] (members[part[j]] == "" ? "" : ",") name[i]
		}
		if (uid[i] == "-") uid[i] = name[i] in number ? number[name[i]] : free_uid(kind[i])
		number[name[i]] = uid[i]
		print name[i] ":x:" uid[i] ":" gid[group[i]] ":" about[i] ":" home[i] ":" shell[i] > passwd
		print name[i] ":" secret(i) ":1::::::" > shadow
	}
	printf "%s", system_users > passwd
	print "nobody:x:65534:65534::/var/empty:/run/current-system/sw/sbin/nologin" > passwd
	printf "%snobody:!:1::::::\n", system_shadow > shadow
	for (i = 1; i <= groups; i++) print ordered[i] ":x:" gid[ordered[i]] ":" members[ordered[i]] > group_file
	for (who in number) print who "\t" number[who] | ("sort > '" numbers "'")
	close("sort > '" numbers "'")
}
function add_group(which, id) {
	if (!(which in gid)) ordered[++groups] = which
	gid[which] = id
	taken_gid[id] = 1
}
function next_group(which) { if (!(which in gid)) pending[++pendings] = which }
function free_gid(    id) { for (id = 999; id in taken_gid; id--); return id }
function free_uid(type,    id) {
	if (type == "normal") { for (id = 1000; id in taken; id++); } else { for (id = 996; id in taken; id--); }
	taken[id] = 1
	return id
}
# The first password of a user who may change it gives way to the one that the user set.
function secret(i) {
	if ((mutable == "yes" || how[i] ~ /^initial/) && name[i] in old && (old[name[i]] !~ /^!/ || how[i] == "none")) return old[name[i]]
	return how[i] == "none" ? "!" : hash[i]
}
