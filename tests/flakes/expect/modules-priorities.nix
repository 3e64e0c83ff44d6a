# Which definition of several counts.
let
  common = import ./common;
  inherit (common) lib;
  inherit (lib) mkOption types;
  string =
    default:
    mkOption {
      type = types.str;
      inherit default;
    };
in
common.values [
  {
    options = {
      default = string "default";
      defaultBeatsOptionDefault = string "option default";
      plainBeatsDefault = string "option default";
      forceBeatsPlain = string "option default";
      lowestNumberWins = string "option default";
      falseConditionIsNoDefinition = string "option default";
      priorityOfAWholeSet.inner = string "option default";
    };
  }
  {
    defaultBeatsOptionDefault = lib.mkDefault "mkDefault";
    plainBeatsDefault = lib.mkDefault "mkDefault";
    forceBeatsPlain = lib.mkForce "mkForce";
    lowestNumberWins = lib.mkOverride 7 "7";
    falseConditionIsNoDefinition = lib.mkIf false (lib.mkForce "never");
    priorityOfAWholeSet = lib.mkForce { inner = "forced"; };
  }
  {
    plainBeatsDefault = "plain";
    forceBeatsPlain = "plain";
    lowestNumberWins = lib.mkForce "50";
    falseConditionIsNoDefinition = lib.mkDefault "mkDefault";
    priorityOfAWholeSet.inner = "plain";
  }
]
