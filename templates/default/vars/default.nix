# Values that many modules need. Modules get them as the argument `configVars`.
{ ... }:
{
  # The main user. There is a folder hosts/common/users/<username>.
  username = "ta";

  # What must outlive a root file system that is thrown away at each boot.
  persistFolder = "/persist";

  # nixos-installer/ sets this to true. Modules leave out what a first installation can do without.
  isMinimal = false;
}
