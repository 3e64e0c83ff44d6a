{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;

  pamService =
    { name, ... }:
    {
      freeformType = types.attrsOf types.anything;
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the service.";
        };
        u2fAuth = mkEnableOption "a security key as proof";
        sshAgentAuth = mkEnableOption "an SSH agent as proof";
      };
    };
in
{
  imports = [
    (lib.mkRenamedOptionModule
      [ "security" "pam" "enableSSHAgentAuth" ]
      [ "security" "pam" "sshAgentAuth" "enable" ]
    )
  ];

  options.security = {
    sudo = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether sudo is there.";
      };
      wheelNeedsPassword = mkOption {
        type = types.bool;
        default = true;
        description = "Whether users of group wheel type their password.";
      };
      execWheelOnly = mkEnableOption "sudo for users of group wheel only";
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Lines for sudoers.";
      };
      extraRules = mkOption {
        type = types.listOf types.attrs;
        default = [ ];
        description = "Who may do what.";
      };
    };
    doas.enable = mkEnableOption "doas";
    polkit.enable = mkEnableOption "polkit";
    rtkit.enable = mkEnableOption "rtkit";
    tpm2.enable = mkEnableOption "a TPM";
    pam = {
      sshAgentAuth.enable = mkEnableOption "an SSH agent as proof";
      services = mkOption {
        type = types.attrsOf (types.submodule pamService);
        default = { };
        description = "Settings of services that use PAM.";
      };
    };
    pki.certificates = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Certificates of further authorities.";
    };
  };
}
