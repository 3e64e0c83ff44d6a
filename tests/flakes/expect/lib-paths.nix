# scanPaths and relativeToRoot.
let
  inherit ((import ./common).nixos-bootstrap.lib) relativeToRoot scanPaths;
  atRoot = relativeToRoot ./folders;
  names = map baseNameOf;
  refused = value: !(builtins.tryEval value).success;
in
{
  folders = names (scanPaths ./folders/hosts);
  files = names (scanPaths ./folders/hosts/common);
  bound = atRoot "hosts/one" == ./folders/hosts/one;
  kind = builtins.typeOf (atRoot "hosts/one");
  ofText = relativeToRoot "/nix/store/x" "a/b";
  refused = map refused [
    (atRoot "../common")
    (atRoot "hosts/../../common")
    (atRoot "/etc")
    (atRoot "")
    (atRoot ./common)
    (scanPaths ./folders/nowhere)
  ];
  fine = refused (atRoot "hosts/..two");
}
