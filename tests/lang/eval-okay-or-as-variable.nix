# `or` is no keyword where a name may stand.
[ { or = 1; }.or ({ a.or = 2; }.a.or) ({ }.or or 3) ({ or = 4; } ? or) (let inherit ({ or = 5; }) or; in { inherit or; }) ]
