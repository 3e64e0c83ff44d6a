# The installer image that an attribute of a flake is: a derivation, or that of a NixOS configuration. Its two paths,
# or null where it is neither.
value:
let
  inherit (builtins) isAttrs unsafeDiscardStringContext;
  isDerivation = value: isAttrs value && value.type or null == "derivation";
  # Not under their own names: a set with an `outPath` becomes nothing but that path in JSON.
  paths = image: {
    drv = unsafeDiscardStringContext image.drvPath;
    out = unsafeDiscardStringContext image.outPath;
  };
in
if isDerivation value then
  paths value
else if isAttrs value && value ? config.system.build.isoImage then
  paths value.config.system.build.isoImage
else
  null
