# An option without a value.
let
  common = import ./common;
in
(common.machine [ { boot.initrd.luks.devices.root = { }; } ]).boot.initrd.luks.devices.root.device
