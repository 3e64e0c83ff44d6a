# `<nix/fetchurl.nix>`: a derivation that Nix' own `builtin:fetchurl` carries out. Which attributes it has,
# and their defaults, decide store paths, so they are those of C++ Nix.
{ url
, name ? baseNameOf (toString url)
, executable ? false
, unpack ? false
, impure ? false
, hash ? ""
, sha512 ? ""
, sha1 ? ""
, md5 ? ""
, sha256 ? ""
, system ? ""
, outputHash ?
    if hash != "" then hash
    else if sha512 != "" then sha512
    else if sha1 != "" then sha1
    else if md5 != "" then md5
    else sha256
, outputHashAlgo ?
    if hash != "" then ""
    else if sha512 != "" then "sha512"
    else if sha1 != "" then "sha1"
    else if md5 != "" then "md5"
    else "sha256"
}:
let
  common = {
    inherit name url executable unpack;
    urls = [ url ];
    system = "builtin";
    builder = "builtin:fetchurl";
    outputHashMode = if executable || unpack then "recursive" else "flat";
    preferLocalBuild = true;
    impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
  };
  output = if impure then { __impure = true; } else { inherit outputHash outputHashAlgo; };
in
derivation (common // output)
