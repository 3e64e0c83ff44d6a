map builtins.toPath [ "/a/b" "/a//b/../c" /x "/" ]
