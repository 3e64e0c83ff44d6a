{ configLib, configVars, inputs, ... }:
{
  imports = [ (configLib.relativeToRoot "hosts/common") ];
  networking.hostName = "second";
  networking.domain = "${configVars.username}.${inputs.marker}";
}
