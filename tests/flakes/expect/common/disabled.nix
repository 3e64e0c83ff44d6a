{
  seen = [ "disabled" ];
}
