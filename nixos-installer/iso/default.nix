# What your installer image has besides NixOS's minimal one, an SSH server, and the keys of your
# hosts' root, which may log in as root.
{ pkgs, ... }:
{
  environment.systemPackages = [
    pkgs.tmux
    pkgs.vim
  ];
}
