x: [ ./a a/b /a/b ./files/../c <n/p> ./a/${x} ./a${x}/b /${x} http://x.org/a ./. ]
