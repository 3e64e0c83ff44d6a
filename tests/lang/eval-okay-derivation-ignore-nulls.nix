let drv = extra: (derivation ({ name = "n"; system = "s"; builder = "b"; } // extra)).drvPath; in {
  dropped = drv { __ignoreNulls = true; x = null; };
  kept = drv { __ignoreNulls = false; x = null; };
  without = drv { __ignoreNulls = true; };
  same = drv { __ignoreNulls = true; x = null; } == drv { __ignoreNulls = true; };
  plain = drv { x = null; };
  empty = drv { x = ""; } == drv { x = null; };
}
