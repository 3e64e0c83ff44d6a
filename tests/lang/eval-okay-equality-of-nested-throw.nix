# A cell is forced before it is found to be the same one; what lies deeper is not.
let bad = throw "looked into"; list = [ bad ]; deep = [ [ bad ] ]; set = { inherit bad; }; ok = e: (builtins.tryEval e).success; in
[ (ok (list == list)) (ok (deep == deep)) (ok (set == set)) (ok (bad == bad)) (ok ([ bad ] == [ bad ])) (ok ([ deep ] == [ deep ])) ]
