{ config, lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
in
{
  options = {
    hardware = {
      enableRedistributableFirmware = mkOption {
        type = types.bool;
        default = config.hardware.enableAllFirmware;
        description = "Whether to include firmware that may be handed on.";
      };
      enableAllFirmware = mkEnableOption "all firmware";
      firmware = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages with firmware.";
      };
      cpu.intel.updateMicrocode = mkEnableOption "updates of Intel's microcode";
      cpu.amd.updateMicrocode = mkEnableOption "updates of AMD's microcode";
      graphics.enable = mkEnableOption "accelerated graphics";
      bluetooth.enable = mkEnableOption "Bluetooth";
      facter.reportPath = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "A report of nixos-facter.";
      };
    };
    # The separate nixos-facter-modules have it here.
    facter.reportPath = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A report of nixos-facter.";
    };
    powerManagement = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the machine may sleep.";
      };
      cpuFreqGovernor = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "What decides on the processor's speed.";
      };
    };
    virtualisation = {
      hypervGuest.enable = mkEnableOption "support for a Hyper-V guest";
      virtualbox.guest.enable = mkEnableOption "support for a VirtualBox guest";
      vmware.guest.enable = mkEnableOption "support for a VMware guest";
    };
  };
}
