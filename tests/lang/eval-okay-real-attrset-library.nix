with builtins;
let
  mapAttrsToList = f: set: map (n: f n set.${n}) (attrNames set);
  filterAttrs = p: set: listToAttrs (filter (x: p x.name x.value) (mapAttrsToList (name: value: { inherit name value; }) set));
  recursiveUpdate = a: b: a // mapAttrs (n: v: if a ? ${n} && isAttrs a.${n} && isAttrs v then recursiveUpdate a.${n} v else v) b;
  attrByPath = path: default: set: if path == [ ] then set else if set ? ${head path} then attrByPath (tail path) default set.${head path} else default;
  setByPath = path: v: if path == [ ] then v else { ${head path} = setByPath (tail path) v; };
in {
  filtered = filterAttrs (n: v: v > 1) { a = 1; b = 2; c = 3; };
  updated = recursiveUpdate { a = { x = 1; y = { z = 2; }; }; b = 1; } { a = { y = { w = 3; }; }; c = 4; };
  paths = [ (attrByPath [ "a" "b" ] 0 { a.b = 5; }) (attrByPath [ "a" "c" ] 0 { a.b = 5; }) (setByPath [ "a" "b" "c" ] 1) ];
}
