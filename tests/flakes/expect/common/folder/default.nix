{ suffix, ... }:
{
  seen = [ "folder${suffix}" ];
}
