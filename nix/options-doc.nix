# docs/options.md: the options of the modules, as Markdown. Uses of `lib` what all of its versions
# have, so that the page is the same with each.
{ lib }:
let
  modules = import ../modules;

  sections = [
    {
      module = "bootstrap";
      intro = ''
        What the tool reads of a host. `mkHosts` gives it to every host, and so does each of the other
        modules. All options may be left out: the tool then looks at the configuration itself, and at
        `configVars` and `_module.args`, as older layouts have them.
      '';
    }
    {
      module = "disks-btrfs";
      intro = ''
        A disk with an EFI system partition of 512M, mounted at `/boot`, and btrfs on the rest: the
        subvolumes `@root` at `/`, `@persist`, `@nix` at `/nix`, and, with swap, `@swap` at `/.swapvol`.
        Import disko's own module beside it. The host's disks, `disko.devices`, can be changed further.
      '';
    }
    {
      module = "disks-btrfs-luks";
      intro = ''
        The same, but all except the EFI system partition is in a LUKS container. It has the options of
        `disks-btrfs` and these. A host has one of the two layouts.
      '';
    }
    {
      module = "user";
      intro = ''
        The primary user (`bootstrap.user`, else `configVars.username`), who is in the group `wheel`, and
        root. Both may log in with the same SSH keys. No password is set: without a file of a password's
        hash, `sudo` asks for none.
      '';
    }
    {
      module = "iso-options";
      name = "iso";
      intro = ''
        An installer image: NixOS's minimal one with an SSH server that takes keys only, known on the
        local network as `nixos-installer.local`. `lib.mkIso` makes one for the hosts of a flake.
      '';
    }
    {
      module = "minimal";
      intro = ''
        What a small first installation has whatever the host: an SSH server that takes keys only, git,
        rsync. It sets `bootstrap.isMinimal`. `lib.mkMinimal` adds the host's disks and boot to it. It has
        no options of its own.
      '';
    }
  ];

  # The options of one module, by itself. Nothing but declarations is asked for.
  declared =
    module:
    (lib.evalModules {
      specialArgs.pkgs = { };
      modules = [
        ({ ... }: { imports = [ module ]; })
        {
          config._module.check = false;
          options.disko = lib.mkOption {
            type = lib.types.raw;
            internal = true;
          };
        }
      ];
    }).options.bootstrap or { };

  leaves =
    path: tree:
    if tree._type or null == "option" then
      [
        {
          inherit path;
          option = tree;
        }
      ]
    else
      lib.concatMap (name: leaves (path ++ [ name ]) tree.${name}) (builtins.attrNames tree);
  visible = module: lib.filter (leaf: !(leaf.option.internal or false)) (leaves [ "bootstrap" ] (declared module));
  nameOf = leaf: lib.concatStringsSep "." leaf.path;

  moduleOf = section: modules.${section.module} or (../modules + "/${section.module}.nix");
  # What an earlier section has is not repeated.
  ownOf =
    number: section:
    let
      earlier = lib.concatMap (s: map nameOf (visible (moduleOf s))) (lib.take number sections);
    in
    lib.filter (leaf: !lib.elem (nameOf leaf) earlier) (visible (moduleOf section));

  typeText =
    type:
    if type.name == "nullOr" then
      "${typeText type.nestedTypes.elemType}, or null"
    else if type.name == "listOf" then
      "list of: ${typeText type.nestedTypes.elemType}"
    else if type.name == "either" && type.description == defaultEither type then
      "${typeText type.nestedTypes.left} or ${typeText type.nestedTypes.right}"
    else
      type.description;
  # A name of our own for a choice is better than its parts.
  defaultEither = type: (lib.types.either type.nestedTypes.left type.nestedTypes.right).description;

  valueText =
    value:
    if value._type or null == "literalExpression" then
      value.text
    else if builtins.isList value then
      if value == [ ] then "[ ]" else "[ ${lib.concatMapStringsSep " " valueText value} ]"
    else
      builtins.toJSON value;
  line =
    label: value:
    "- ${label}: `${valueText value}`\n";

  optionText =
    leaf:
    let
      inherit (leaf) option;
    in
    ''
      ### `${nameOf leaf}`

      ${lib.removeSuffix "\n" option.description}

      - type: ${typeText option.type}
    ''
    + line "default" (option.defaultText or option.default)
    + lib.optionalString (option ? example) (line "example" option.example);

  sectionText =
    number: section:
    lib.concatStringsSep "\n" (
      [
        "## The module `${section.name or section.module}`\n"
        section.intro
      ]
      ++ map optionText (ownOf number section)
    );
in
''
  # Options of the modules

  This page is made from the modules by `scripts/options-doc`; change it there. The modules are outputs of
  the flake: `inputs.nixos-bootstrap.nixosModules.NAME`. [adopting.md](adopting.md) says how they are used.

''
+ lib.concatStringsSep "\n" (lib.imap0 sectionText sections)
