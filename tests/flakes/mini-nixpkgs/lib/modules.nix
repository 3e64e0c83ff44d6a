# The module system: many partial configurations and option declarations become one tree of
# values. The behaviour is that of NixOS's, so that a configuration written for NixOS gives the
# same values and the same kind of errors here.
#
# The steps, each lazy in all that the one before it left open:
#   1. collect: modules are called with their arguments, imports are followed, each key once;
#   2. declare: the `options` of all modules are laid over each other into one tree;
#   3. define: the `config` of all modules is cut up along that tree, conditions pushed inwards;
#   4. merge: per option, the definitions of the highest priority are checked and merged.
{ lib }:
let
  inherit (builtins)
    addErrorContext
    all
    any
    attrNames
    concatMap
    elem
    filter
    foldl'
    functionArgs
    head
    isAttrs
    isFunction
    isList
    length
    mapAttrs
    zipAttrsWith
    ;
  inherit (lib)
    concatMapStrings
    concatStringsSep
    imap1
    isOption
    isType
    last
    optional
    optionals
    setAttrByPath
    showFiles
    showOption
    types
    ;

  showDefs = concatMapStrings (
    def:
    "\n- In `${def.file}'"
    + (
      let
        shown = builtins.tryEval (lib.generators.toPretty { } def.value);
      in
      if shown.success then ": ${shown.value}" else ""
    )
  );

  # ---- 1. collect -------------------------------------------------------------------------

  # A module's function is given only the arguments that it names. Each is a thunk: naming
  # `pkgs` costs nothing, and only using it asks for the `_module.args` of all the modules.
  applyModuleArgs =
    file: f: args:
    let
      context = name: "while evaluating the module argument `${name}' in `${file}':";
      named = mapAttrs (
        name: _: addErrorContext (context name) (args.${name} or args.config._module.args.${name})
      ) (functionArgs f);
    in
    f (args // named);

  callModule =
    file: args: m:
    if isFunction m then
      applyModuleArgs file m args
    else if m ? __functor then
      applyModuleArgs file (m.__functor m) args
    else
      m;

  # Puts the two spellings of a module, and the many of where it comes from, into one form.
  normalise =
    file: key: m:
    let
      structural = m ? config || m ? options;
      strange = attrNames (
        removeAttrs m [
          "_class"
          "_file"
          "key"
          "disabledModules"
          "imports"
          "options"
          "config"
          "meta"
          "freeformType"
        ]
      );
      freeform = optional (m ? freeformType) { _module.freeformType = m.freeformType; };
      common = {
        _file = toString (m._file or file);
        key = toString (m.key or key);
        _class = m._class or null;
        disabledModules = m.disabledModules or [ ];
        imports = m.imports or [ ];
      };
    in
    if !isAttrs m then
      throw "A module must be an attribute set, a function or a path, but `${file}' is ${lib.generators.toPretty { } m}"
    else if structural then
      if strange != [ ] then
        throw "Module `${toString (m._file or key)}' has an unsupported attribute `${head strange}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${concatStringsSep " " strange}) into the explicit `config' attribute."
      else
        common
        // {
          options = m.options or { };
          config = lib.mkMerge (
            freeform ++ optional (m ? meta) { inherit (m) meta; } ++ [ (m.config or { }) ]
          );
        }
    else
      common
      // {
        options = { };
        config = lib.mkMerge (
          freeform
          ++ [
            (removeAttrs m [
              "_class"
              "_file"
              "key"
              "disabledModules"
              "imports"
              "freeformType"
            ])
          ]
        );
      };

  loadModule =
    args: parentFile: parentKey: n: m:
    let
      anonymous = "${parentKey}:anon-${toString n}";
    in
    if isType "if" m || isType "merge" m || isType "override" m then
      throw "The module imported in `${parentFile}' is a `${m._type}' value. Conditions and priorities belong around configuration values, not around imports."
    else if isFunction m || (isAttrs m && !(m ? __functor && m ? outPath)) then
      normalise parentFile anonymous (callModule anonymous args m)
    else if isList m then
      throw "Module imports can't be nested lists; remove the extra brackets in `${parentFile}'."
    else
      let
        file = toString m;
      in
      normalise file file (callModule file args (import m));

  # All modules that a list of modules leads to, in the order of imports first seen, each key once.
  collectModules =
    {
      modulesPath,
      modules,
      args,
      class,
    }:
    let
      loadAll =
        parentFile: parentKey:
        imap1 (
          n: m:
          let
            loaded = loadModule args parentFile parentKey n m;
          in
          {
            inherit (loaded) key;
            module =
              if class != null && loaded._class != null && loaded._class != class then
                throw "The module `${loaded._file}' (class: \"${loaded._class}\") cannot be imported into a module evaluation that expects class \"${class}\"."
              else
                loaded;
          }
        );
      found = map (node: node.module) (
        builtins.genericClosure {
          startSet = loadAll "<unknown-file>" "" modules;
          operator = node: loadAll node.module._file node.module.key node.module.imports;
        }
      );
      disabledKey =
        d:
        if builtins.isString d then
          if lib.hasPrefix "/" d then d else "${toString modulesPath}/${d}"
        else if isAttrs d then
          d.key
        else
          toString d;
      disabled = map disabledKey (concatMap (m: m.disabledModules) found);
      # A module that is left out must not be the way to its imports either.
      kept =
        if disabled == [ ] then
          found
        else
          map (node: node.module) (
            builtins.genericClosure {
              startSet = filter (node: !elem node.key disabled) (loadAll "<unknown-file>" "" modules);
              operator =
                node:
                filter (inner: !elem inner.key disabled) (
                  loadAll node.module._file node.module.key node.module.imports
                );
            }
          );
    in
    kept;

  # ---- 2. declare -------------------------------------------------------------------------

  # Lays option trees over each other and cuts the definitions along them. Gives
  #   options    the tree with evaluated options as leaves,
  #   unmatched  the definitions that no option takes, as { file, prefix, value }.
  mergeTree =
    prefix: declarations: definitions:
    let
      declared = zipAttrsWith (_: decls: decls) (
        map (
          decl:
          if isAttrs decl.options then
            mapAttrs (_: options: {
              inherit (decl) file;
              inherit options;
            }) decl.options
          else
            throw "The option declarations at `${showOption prefix}' in `${decl.file}' are not an attribute set."
        ) declarations
      );
      definedByName = definitionsByName prefix definitions;
      branches = mapAttrs (
        name: decls:
        let
          loc = prefix ++ [ name ];
          isLeaf = decl: isOption decl.options;
          leaves = filter isLeaf decls;
          inner = filter (decl: !isLeaf decl) decls;
          defs = definedByName.${name} or [ ];
        in
        if inner == [ ] then
          {
            options = evalOption loc (joinDeclarations loc decls) defs;
            unmatched = [ ];
          }
        else if leaves == [ ] then
          mergeTree loc decls defs
        else if all (decl: decl.options.type.name or "" == "submodule") leaves then
          # Options below an option of submodule type are further modules of the submodule.
          {
            options = evalOption loc (joinDeclarations loc (leaves ++ map asSubmodule inner)) defs;
            unmatched = [ ];
          }
        else
          throw "The option `${showOption loc}' in `${(head leaves).file}' would be a parent of the following options, but its type `${(head leaves).options.type.description or "unspecified"}' does not support nested options: ${
            concatStringsSep ", " (
              concatMap (decl: map (n: "`${showOption (loc ++ [ n ])}'") (attrNames decl.options)) inner
            )
          }"
      ) declared;
      strays = lib.attrValues (
        mapAttrs (
          name: defs:
          map (def: {
            inherit (def) file value;
            prefix = prefix ++ [ name ];
          }) defs
        ) (removeAttrs definedByName (attrNames declared))
      );
    in
    {
      options = mapAttrs (_: branch: branch.options) branches;
      unmatched = builtins.concatLists (strays ++ map (branch: branch.unmatched) (lib.attrValues branches));
    };

  asSubmodule = decl: {
    inherit (decl) file;
    options = lib.mkOption {
      type = types.submoduleWith {
        shorthandOnlyDefinesConfig = true;
        modules = [
          {
            _file = decl.file;
            inherit (decl) options;
          }
        ];
      };
    };
  };

  # One option declared in several places: what may be said only once is, types are merged.
  joinDeclarations =
    loc: decls:
    let
      twice = filter (n: length (filter (decl: decl.options ? ${n}) decls) > 1) [
        "default"
        "apply"
        "example"
        "description"
      ];
      clash = filter (n: n != "description" && n != "example") twice;
      typed = filter (decl: decl.options ? type) decls;
      mergedType =
        a: b:
        let
          t = a.typeMerge b;
        in
        if t == null then
          throw "The option `${showOption loc}' is already declared in `${showFiles (map (d: d.file) decls)}' with a type that does not merge: `${a.description}' and `${b.description}'."
        else
          t;
    in
    if length decls > 1 && clash != [ ] then
      throw "The option `${showOption loc}' in `${(last decls).file}' is already declared in ${
        showFiles (map (d: d.file) (lib.init decls))
      }."
    else
      foldl' (acc: decl: acc // decl.options) { } decls
      // {
        declarations = map (decl: decl.file) decls;
        type =
          if typed == [ ] then
            types.unspecified
          else
            foldl' (t: decl: mergedType t decl.options.type) (head typed).options.type (lib.tail typed);
      };

  evalOption =
    loc: opt: defs:
    let
      defaults = optional (opt ? default) {
        file = head opt.declarations;
        value = lib.mkOptionDefault opt.default;
      };
      overReadOnly = opt.readOnly or false && length (concatMap discharge defs) > 1;
      merged =
        if overReadOnly then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs defs}"
        else
          mergeDefinitions loc opt.type (defs ++ defaults);
      value = if opt ? apply then opt.apply merged.value else merged.value;
    in
    opt
    // {
      inherit loc;
      inherit (merged) isDefined highestPrio;
      definitions = map (def: def.value) merged.used;
      definitionsWithLocations = merged.used;
      files = map (def: def.file) merged.used;
      value = addErrorContext "while evaluating the option `${showOption loc}':" value;
      options = opt.type.getSubOptions loc;
      __toString = _: showOption loc;
    };

  # ---- 3. define --------------------------------------------------------------------------

  # Takes conditions, merges and priorities off the outside of an attribute set and puts them
  # around each attribute. Without this, `mkIf config.a.enable { b = …; }` would need the value
  # of `a` before the names that the module defines are known, and `a` needs those names.
  pushDown =
    value:
    if value._type or null == "merge" then
      concatMap pushDown value.contents
    else if value._type or null == "if" then
      map (mapAttrs (_: v: lib.mkIf value.condition v)) (pushDown value.content)
    else if value._type or null == "override" then
      map (mapAttrs (_: v: lib.mkOverride value.priority v)) (pushDown value.content)
    else if value._type or null == "order" then
      map (mapAttrs (_: v: lib.mkOrder value.priority v)) (pushDown value.content)
    else
      [ value ];

  definitionsByName =
    prefix: definitions:
    zipAttrsWith (_: defs: defs) (
      concatMap (
        def:
        map (
          attrs:
          if isAttrs attrs then
            mapAttrs (_: value: {
              inherit (def) file;
              inherit value;
            }) attrs
          else
            throw "You're trying to define a value of type `${builtins.typeOf attrs}' rather than an attribute set for the option `${showOption prefix}'! This option does not exist as such; there are only options below it. Definition values:${showDefs [ { inherit (def) file; value = attrs; } ]}"
        ) (addErrorContext "while evaluating definitions from `${def.file}':" (pushDown def.value))
      ) definitions
    );

  # ---- 4. merge ---------------------------------------------------------------------------

  # The plain definitions that one definition stands for. Conditions are decided here.
  discharge =
    def:
    let
      inherit (def) value;
      kind = value._type or null;
      again = v: discharge (def // { value = v; });
    in
    if kind == "merge" then
      concatMap again value.contents
    else if kind == "if" then
      if builtins.isBool value.condition then
        optionals value.condition (again value.content)
      else
        throw "`mkIf' called with a non-Boolean condition in `${def.file}'"
    else if kind == "order" then
      map (d: { order = value.priority; } // d) (again value.content)
    else if kind == "override" then
      map (d: { priority = value.priority; } // d) (again value.content)
    else
      [ def ];

  defaultPriority = 100;
  defaultOrder = 1000;

  mergeDefinitions =
    loc: type: defs:
    let
      flat = concatMap (
        def: addErrorContext "while evaluating definitions from `${def.file}':" (discharge def)
      ) defs;
      priorityOf = def: def.priority or defaultPriority;
      highestPrio = foldl' (p: def: lib.min p (priorityOf def)) 9999 flat;
      strongest = filter (def: priorityOf def == highestPrio) flat;
      ordered =
        if any (def: def ? order) strongest then
          builtins.sort (a: b: a.order or defaultOrder < b.order or defaultOrder) strongest
        else
          strongest;
      used = map (def: { inherit (def) file value; }) ordered;
      isDefined = used != [ ];
      wrong = filter (def: !type.check def.value) used;
      checked =
        if wrong == [ ] then
          type.merge loc used
        else
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}";
    in
    {
      inherit used isDefined highestPrio;
      optionalValue = if isDefined then { value = checked; } else { };
      value =
        if isDefined then
          checked
        else if type.emptyValue ? value then
          type.emptyValue.value
        else
          throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.";
    };

  # ---- the whole --------------------------------------------------------------------------

  moduleOptions =
    { prefix, specialArgs }:
    {
      _file = "lib/modules.nix";
      key = "lib/modules.nix";
      options._module = {
        args = lib.mkOption {
          # Not `attrsOf raw`: an argument is a value to hand over, never something to merge into.
          type = types.lazyAttrsOf types.raw;
          internal = prefix != [ ];
          description = "Additional arguments passed to each module.";
        };
        check = lib.mkOption {
          type = types.bool;
          internal = true;
          default = true;
          description = "Whether a definition without an option is an error.";
        };
        freeformType = lib.mkOption {
          type = types.nullOr types.optionType;
          internal = true;
          default = null;
          description = "The type of what no option takes.";
        };
        specialArgs = lib.mkOption {
          readOnly = true;
          internal = true;
          type = types.raw;
          description = "The arguments that may be used in imports.";
        };
      };
      config._module = {
        inherit specialArgs;
      };
    };

  evalModules =
    evalArgs@{
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
      modulesPath ? specialArgs.modulesPath or "",
    }:
    let
      args = {
        inherit
          config
          lib
          options
          specialArgs
          ;
        _class = class;
        _prefix = prefix;
      }
      // specialArgs;

      own = moduleOptions { inherit prefix specialArgs; };
      ownArgs = {
        _file = "lib/modules.nix";
        key = "lib/modules.nix#args";
        config._module.args = {
          inherit extendModules;
          moduleType = type;
        };
      };

      # Last found, first merged: what a module imports comes before its own definitions, and a
      # list option of two modules in a row has the second one's items first, as in NixOS.
      collected = lib.reverseList (collectModules {
        inherit args class modulesPath;
        modules = modules ++ [
          own
          ownArgs
        ];
      });

      tree =
        mergeTree prefix
          (map (m: {
            file = m._file;
            inherit (m) options;
          }) collected)
          (
            map (m: {
              file = m._file;
              value = m.config;
            }) collected
          );

      options = tree.options;
      declaredConfig = lib.mapAttrsRecursiveCond (v: !isOption v) (_: opt: opt.value) options;

      freeformType = declaredConfig._module.freeformType;
      freeformConfig =
        let
          defs = map (def: {
            inherit (def) file;
            value = setAttrByPath (lib.drop (length prefix) def.prefix) def.value;
          }) tree.unmatched;
        in
        if defs == [ ] then { } else freeformType.merge prefix defs;

      config =
        if freeformType == null then declaredConfig else lib.recursiveUpdate freeformConfig declaredConfig;

      checkUnmatched =
        if freeformType != null || !declaredConfig._module.check || tree.unmatched == [ ] then
          null
        else
          let
            first = head tree.unmatched;
          in
          throw (
            "The option `${showOption first.prefix}' does not exist. Definition values:${showDefs [ first ]}"
            + (
              if attrNames options == [ "_module" ] then
                "\n\nHowever there are no options defined in `${showOption prefix}'. Are you sure you've declared your options properly?"
              else
                suggestion first.prefix
            )
          );

      # Names of the neighbours that look like the wrong one: a slip of one or two letters.
      suggestion =
        path:
        let
          parent = lib.attrByPath (lib.drop (length prefix) (lib.init path)) { } options;
          wanted = lib.toLower (last path);
          close =
            n:
            let
              other = lib.toLower n;
            in
            other == wanted || lib.hasPrefix other wanted || lib.hasPrefix wanted other;
          names = filter close (attrNames (removeAttrs parent [ "_module" ]));
        in
        if names == [ ] || isOption parent then
          ""
        else
          "\n\nDid you mean ${concatStringsSep " or " (map (n: "`${showOption (lib.init path ++ [ n ])}'") names)}?";

      checked = builtins.seq checkUnmatched;

      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? [ ],
        }:
        evalModules (
          evalArgs
          // {
            modules = evalArgs.modules ++ modules;
            specialArgs = evalArgs.specialArgs or { } // specialArgs;
            prefix = if prefix != [ ] then prefix else evalArgs.prefix or [ ];
          }
        );

      type = types.submoduleWith {
        inherit modules specialArgs class;
      };
    in
    {
      _type = "configuration";
      options = checked options;
      config = checked (removeAttrs config [ "_module" ]);
      _module = checked config._module;
      inherit class extendModules type;
    };

  setType = kind: attrs: attrs // { _type = kind; };

  renamed =
    from: to: use:
    { options, config, ... }:
    {
      options = setAttrByPath from (
        lib.mkOption {
          visible = false;
          description = "Alias of `${showOption to}'.";
          apply = _: use (lib.getAttrFromPath to config);
        }
      );
      config = setAttrByPath to (lib.mkAliasDefinitions (lib.getAttrFromPath from options));
    };
in
{
  inherit
    evalModules
    mergeDefinitions
    pushDown
    discharge
    showDefs
    ;

  mkIf = condition: content: setType "if" { inherit condition content; };
  mkMerge = contents: setType "merge" { inherit contents; };
  mkAssert =
    condition: message: content:
    lib.mkIf (if condition then true else throw "\nFailed assertion: ${message}") content;

  # A lower number wins. 100 is what a plain definition has.
  mkOverride = priority: content: setType "override" { inherit priority content; };
  mkOptionDefault = lib.mkOverride 1500;
  mkDefault = lib.mkOverride 1000;
  defaultOverridePriority = defaultPriority;
  mkImageMediaOverride = lib.mkOverride 60;
  mkForce = lib.mkOverride 50;
  mkVMOverride = lib.mkOverride 10;

  mkOrder = priority: content: setType "order" { inherit priority content; };
  mkBefore = lib.mkOrder 500;
  mkAfter = lib.mkOrder 1500;
  defaultOrderPriority = defaultOrder;

  mkDefinition = args: setType "definition" args;
  mkAliasDefinitions = lib.mkAliasAndWrapDefinitions lib.id;
  mkAliasAndWrapDefinitions =
    wrap: option: lib.mkIf option.isDefined (wrap (lib.mkMerge option.definitions));

  setDefaultModuleLocation = file: m: {
    _file = file;
    imports = [ m ];
  };
  importApply = path: arg: lib.setDefaultModuleLocation path (import path arg);

  # An old name that stays usable. Definitions of it go to the new one.
  mkRenamedOptionModule =
    from: to:
    renamed from to (lib.warn "The option `${showOption from}' has been renamed to `${showOption to}'.");
  mkAliasOptionModule = from: to: renamed from to lib.id;
  mkRemovedOptionModule =
    path: advice:
    { options, ... }:
    {
      options = setAttrByPath path (
        lib.mkOption {
          visible = false;
          apply = _: throw "The option `${showOption path}' can no longer be used since it's been removed. ${advice}";
        }
      );
      config.assertions =
        let
          opt = lib.getAttrFromPath path options;
        in
        [
          {
            assertion = !opt.isDefined;
            message = "The option definition `${showOption path}' in ${showFiles opt.files} no longer has any effect; please remove it.\n${advice}";
          }
        ];
    };
}
