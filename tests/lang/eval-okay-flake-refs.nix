with builtins; {
  parse = map parseFlakeRef [ "github:NixOS/nixpkgs/23.05?dir=lib" "nixpkgs" "nixpkgs/branch" "git+https://example.org/a.git?ref=main&rev=0123456789012345678901234567890123456789" "path:/a/b" "gitlab:o/r" "sourcehut:~u/r/ref" "tarball+https://example.org/x.tar.gz" "git+ssh://git@example.org/x" ];
  show = map flakeRefToString [ { type = "github"; owner = "o"; repo = "r"; ref = "main"; dir = "sub"; } { type = "path"; path = "/x"; } { type = "indirect"; id = "nixpkgs"; } { type = "git"; url = "https://example.org/x"; ref = "main"; } ];
}
