{ pkgs, ... }:
{
  programs.git.enable = true;
  environment.systemPackages = [
    pkgs.curl
    pkgs.rsync
    pkgs.vim
  ];
}
