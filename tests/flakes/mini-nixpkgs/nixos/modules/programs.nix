{ lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkOption types;

  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
in
{
  options.programs = {
    bash = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether bash is set up.";
      };
      interactiveShellInit = lines "Commands at the start of an interactive shell.";
      shellAliases = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Aliases.";
      };
    };
    zsh = {
      enable = mkEnableOption "zsh";
      enableCompletion = mkOption {
        type = types.bool;
        default = true;
        description = "Whether zsh completes.";
      };
      interactiveShellInit = lines "Commands at the start of an interactive shell.";
    };
    fish.enable = mkEnableOption "fish";
    git = {
      enable = mkEnableOption "git";
      package = mkOption {
        type = types.package;
        default = pkgs.git;
        defaultText = lib.literalExpression "pkgs.git";
        description = "The git to use.";
      };
      config = mkOption {
        type = types.attrsOf types.anything;
        default = { };
        description = "Settings of /etc/gitconfig.";
      };
    };
    ssh = {
      startAgent = mkEnableOption "the SSH agent";
      extraConfig = lines "Lines for ssh_config.";
      knownHosts = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = {
                hostNames = mkOption {
                  type = types.listOf types.str;
                  default = [ name ];
                  description = "Names and addresses of the machine.";
                };
                publicKey = mkOption {
                  type = types.nullOr types.str;
                  default = null;
                  description = "The machine's key.";
                };
              };
            }
          )
        );
        default = { };
        description = "Machines whose keys are known.";
      };
    };
    vim.enable = mkEnableOption "vim";
    neovim = {
      enable = mkEnableOption "neovim";
      defaultEditor = mkEnableOption "neovim as the editor";
    };
    tmux.enable = mkEnableOption "tmux";
    htop.enable = mkEnableOption "htop";
    nix-ld.enable = mkEnableOption "programs that are not from Nix";
    command-not-found.enable = mkEnableOption "hints for commands that are missing";
    fuse.userAllowOther = mkEnableOption "FUSE mounts that others may see";
  };
}
