# The types of options: what a definition must be, and how several become one value.
{ lib }:
let
  inherit (builtins)
    all
    concatMap
    elem
    head
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    mapAttrs
    zipAttrsWith
    ;
  inherit (lib)
    imap1
    isType
    mergeDefinitions
    mergeEqualOption
    mergeOneOption
    optionalString
    ;

  mkOptionType =
    {
      name,
      description ? name,
      descriptionClass ? null,
      check ? _: true,
      merge ? mergeDefault,
      emptyValue ? { },
      getSubOptions ? _: { },
      getSubModules ? null,
      substSubModules ? _: null,
      nestedTypes ? { },
      # What to make of the same option declared with another type; null: they don't fit.
      typeMerge ? other: if other.name == name then mkOptionType (self // { }) else null,
      deprecationMessage ? null,
      ...
    }@self:
    {
      _type = "option-type";
      inherit
        name
        description
        descriptionClass
        check
        merge
        emptyValue
        getSubOptions
        getSubModules
        substSubModules
        nestedTypes
        typeMerge
        deprecationMessage
        ;
      functor = {
        inherit name;
        type = null;
        wrapped = null;
        payload = null;
      };
    };

  # Merging without a type: values of one kind are put together, all else must be alone.
  mergeDefault =
    loc: defs:
    let
      values = map (def: def.value) defs;
    in
    if length defs == 1 then
      head values
    else if all isFunction values then
      x: mergeDefault loc (map (def: def // { value = def.value x; }) defs)
    else if all isList values then
      builtins.concatLists values
    else if all isAttrs values then
      builtins.foldl' lib.mergeAttrs { } values
    else if all isBool values then
      builtins.foldl' (a: b: a || b) false values
    else if all isString values then
      lib.concatStrings values
    else
      mergeEqualOption loc defs;

  plain =
    name: description: check:
    mkOptionType {
      inherit name description check;
      merge = mergeEqualOption;
    };

  between =
    low: high:
    plain "intBetween" "integer between ${toString low} and ${toString high} (both inclusive)" (
      x: isInt x && x >= low && x <= high
    );
  sized = bits: low: high: (between low high) // {
    name = bits;
    description = "${lib.removePrefix "un" bits} integer; between ${toString low} and ${toString high} (both inclusive)";
  };

  # The parts of a nested type's description that need brackets to be read right.
  inBrackets = t: if lib.hasInfix " " t.description then "(${t.description})" else t.description;

  attrsWith =
    {
      elemType,
      lazy,
      name,
    }:
    mkOptionType {
      inherit name;
      description = "${optionalString lazy "lazy "}attribute set of ${inBrackets elemType}";
      check = isAttrs;
      merge =
        loc: defs:
        let
          # A definition's conditions go inwards, so that each attribute is there or not by itself.
          byName = zipAttrsWith (_: ds: ds) (
            concatMap (
              def:
              map (mapAttrs (_: value: {
                inherit (def) file;
                inherit value;
              })) (lib.pushDown def.value)
            ) defs
          );
          merged = mapAttrs (n: ds: mergeDefinitions (loc ++ [ n ]) elemType ds) byName;
        in
        if lazy then
          mapAttrs (_: m: m.optionalValue.value or elemType.emptyValue.value or m.value) merged
        else
          mapAttrs (_: m: m.value) (lib.filterAttrs (_: m: m.isDefined) merged);
      emptyValue.value = { };
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<name>" ]);
      inherit (elemType) getSubModules;
      substSubModules =
        m:
        attrsWith {
          elemType = elemType.substSubModules m;
          inherit lazy name;
        };
      nestedTypes.elemType = elemType;
      typeMerge =
        other:
        let
          inner = elemType.typeMerge other.nestedTypes.elemType;
        in
        if other.name != name || inner == null then
          null
        else
          attrsWith {
            elemType = inner;
            inherit lazy name;
          };
    };

  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? null,
      class ? null,
    }@attrs:
    let
      asModule =
        { file, value }:
        if isAttrs value && shorthandOnlyDefinesConfig then
          {
            _file = file;
            config = value;
          }
        else
          lib.setDefaultModuleLocation file value;
      base = lib.evalModules {
        inherit class specialArgs;
        modules = [ { _module.args.name = lib.mkOptionDefault "‹name›"; } ] ++ modules;
      };
      inherit (base._module) freeformType;
    in
    mkOptionType {
      name = "submodule";
      description =
        if description != null then
          description
        else if freeformType != null then
          "open submodule of ${freeformType.description}"
        else
          "submodule";
      check = x: isAttrs x || isFunction x || isPath x;
      merge =
        loc: defs:
        (base.extendModules {
          modules = [ { _module.args.name = lib.last loc; } ] ++ map asModule defs;
          prefix = loc;
        }).config;
      emptyValue.value = { };
      getSubOptions =
        prefix: removeAttrs (base.extendModules { inherit prefix; }).options [ "_module" ];
      getSubModules = modules;
      substSubModules = m: submoduleWith (attrs // { modules = m; });
      nestedTypes = lib.optionalAttrs (freeformType != null) { inherit freeformType; };
      typeMerge =
        other:
        if other.name != "submodule" then
          null
        else
          submoduleWith (attrs // { modules = modules ++ other.getSubModules; });
    };

  # Merges anything by its kind, as deep as it goes.
  anything = mkOptionType {
    name = "anything";
    description = "anything";
    merge =
      loc: defs:
      let
        kindOf =
          x:
          if isAttrs x && lib.isStringLike x then
            "stringLike"
          else
            builtins.typeOf x;
        kinds = lib.unique (map (def: kindOf def.value) defs);
        kind = if length kinds == 1 then head kinds else "mixed";
      in
      if kind == "set" then
        (types.lazyAttrsOf anything).merge loc defs
      else if kind == "list" then
        if length defs == 1 then (types.listOf anything).merge loc defs else mergeOneOption loc defs
      else if kind == "lambda" then
        x:
        anything.merge (loc ++ [ "<function body>" ]) (
          map (def: {
            inherit (def) file;
            value = def.value x;
          }) defs
        )
      else
        mergeEqualOption loc defs;
  };

  types = rec {
    inherit
      anything
      mkOptionType
      submoduleWith
      ;

    unspecified = mkOptionType {
      name = "unspecified";
      description = "unspecified value";
    };
    raw = mkOptionType {
      name = "raw";
      description = "raw value";
      merge = mergeOneOption;
    };
    optionType = mkOptionType {
      name = "optionType";
      description = "optionType";
      check = isType "option-type";
      merge = mergeOneOption;
    };

    bool = plain "bool" "boolean" isBool;
    boolByOr = mkOptionType {
      name = "boolByOr";
      description = "boolean (merged using or)";
      check = isBool;
      merge = _: defs: builtins.any (def: def.value) defs;
    };
    int = plain "int" "signed integer" isInt;
    float = plain "float" "floating point number" isFloat;
    number = either int float;
    port = ints.u16 // {
      description = "16 bit unsigned integer; between 0 and 65535 (both inclusive)";
    };
    ints = {
      inherit between;
      positive = addCheck int (x: x > 0) // {
        name = "positiveInt";
        description = "positive integer, meaning >0";
      };
      unsigned = addCheck int (x: x >= 0) // {
        name = "unsignedInt";
        description = "unsigned integer, meaning >=0";
      };
      u8 = sized "unsignedInt8" 0 255;
      u16 = sized "unsignedInt16" 0 65535;
      u32 = sized "unsignedInt32" 0 4294967295;
      s8 = sized "signedInt8" (-128) 127;
      s16 = sized "signedInt16" (-32768) 32767;
      s32 = sized "signedInt32" (-2147483648) 2147483647;
    };
    numbers = {
      positive = addCheck number (x: x > 0);
      nonnegative = addCheck number (x: x >= 0);
      between = low: high: addCheck number (x: x >= low && x <= high);
    };

    str = plain "str" "string" isString;
    string = str;
    nonEmptyStr = plain "nonEmptyStr" "non-empty string" (x: isString x && lib.trim x != "");
    singleLineStr = (strMatching "[^\n\r]*\n?") // {
      name = "singleLineStr";
      description = "(optionally newline-terminated) single-line string";
      merge = loc: defs: lib.removeSuffix "\n" (mergeEqualOption loc defs);
    };
    strMatching =
      pattern:
      plain "strMatching ${lib.escapeNixString pattern}" "string matching the pattern ${pattern}" (
        x: isString x && builtins.match pattern x != null
      );
    separatedString =
      sep:
      mkOptionType {
        name = "separatedString";
        description = "strings concatenated with ${builtins.toJSON sep}";
        check = isString;
        merge = _: defs: lib.concatStringsSep sep (map (def: def.value) defs);
      };
    lines = separatedString "\n" // {
      description = "strings concatenated with \"\\n\"";
    };
    commas = separatedString ",";
    envVar = separatedString ":";

    path = plain "path" "absolute path" (x: lib.isStringLike x && builtins.substring 0 1 (toString x) == "/");
    pathInStore = plain "pathInStore" "path in the Nix store" (
      x: lib.isStringLike x && lib.hasPrefix "${builtins.storeDir}/" (toString x)
    );
    package = mkOptionType {
      name = "package";
      description = "package";
      check = x: lib.isDerivation x || lib.isStorePath x;
      merge =
        loc: defs:
        let
          value = mergeOneOption loc defs;
        in
        if lib.isDerivation value then value else lib.toDerivation value;
    };
    shellPackage = package // {
      check = x: lib.isDerivation x && x ? shellPath;
    };

    enum =
      values:
      let
        show = v: if isString v then ''"${v}"'' else lib.generators.toPretty { } v;
      in
      mkOptionType {
        name = "enum";
        description =
          if length values == 1 then
            "value ${show (head values)} (singular enum)"
          else
            "one of ${lib.concatMapStringsSep ", " show values}";
        check = x: elem x values;
        merge = mergeEqualOption;
        nestedTypes.values = values;
        typeMerge =
          other:
          if other.name == "enum" then enum (lib.unique (values ++ other.nestedTypes.values)) else null;
      };

    nullOr =
      elemType:
      mkOptionType {
        name = "nullOr";
        description = "null or ${inBrackets elemType}";
        check = x: x == null || elemType.check x;
        merge =
          loc: defs:
          let
            nulls = lib.count (def: def.value == null) defs;
          in
          if nulls == length defs then
            null
          else if nulls != 0 then
            throw "The option `${lib.showOption loc}' is defined both null and not null, in ${lib.showFiles (lib.getFiles defs)}."
          else
            elemType.merge loc defs;
        emptyValue.value = null;
        inherit (elemType) getSubOptions getSubModules;
        substSubModules = m: nullOr (elemType.substSubModules m);
        nestedTypes.elemType = elemType;
        typeMerge =
          other:
          let
            inner = elemType.typeMerge other.nestedTypes.elemType;
          in
          if other.name != "nullOr" || inner == null then null else nullOr inner;
      };

    listOf =
      elemType:
      mkOptionType {
        name = "listOf";
        description = "list of ${inBrackets elemType}";
        check = isList;
        merge =
          loc: defs:
          let
            items = builtins.concatLists (
              imap1 (
                n: def:
                imap1 (
                  m: value:
                  mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType [
                    {
                      inherit (def) file;
                      inherit value;
                    }
                  ]
                ) def.value
              ) defs
            );
          in
          map (item: item.value) (builtins.filter (item: item.isDefined) items);
        emptyValue.value = [ ];
        getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "*" ]);
        inherit (elemType) getSubModules;
        substSubModules = m: listOf (elemType.substSubModules m);
        nestedTypes.elemType = elemType;
        typeMerge =
          other:
          let
            inner = elemType.typeMerge other.nestedTypes.elemType;
          in
          if other.name != "listOf" || inner == null then null else listOf inner;
      };
    nonEmptyListOf =
      elemType:
      addCheck (listOf elemType) (l: l != [ ])
      // {
        description = "non-empty list of ${inBrackets elemType}";
        emptyValue = { };
      };

    attrs = mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      merge = _: defs: builtins.foldl' (acc: def: acc // def.value) { } defs;
      emptyValue.value = { };
    };
    attrsOf =
      elemType:
      attrsWith {
        inherit elemType;
        lazy = false;
        name = "attrsOf";
      };
    lazyAttrsOf =
      elemType:
      attrsWith {
        inherit elemType;
        lazy = true;
        name = "lazyAttrsOf";
      };

    functionTo =
      elemType:
      mkOptionType {
        name = "functionTo";
        description = "function that evaluates to a(n) ${inBrackets elemType}";
        check = isFunction;
        merge =
          loc: defs: x:
          (mergeDefinitions (loc ++ [ "<function body>" ]) elemType (
            map (def: {
              inherit (def) file;
              value = def.value x;
            }) defs
          )).value;
        nestedTypes.elemType = elemType;
      };

    submodule =
      modules:
      submoduleWith {
        shorthandOnlyDefinesConfig = true;
        modules = lib.toList modules;
      };
    deferredModule = mkOptionType {
      name = "deferredModule";
      description = "module";
      check = x: isAttrs x || isFunction x || isPath x;
      merge = _: defs: { imports = map (def: lib.setDefaultModuleLocation def.file def.value) defs; };
    };

    either =
      a: b:
      mkOptionType {
        name = "either";
        description = "${inBrackets a} or ${inBrackets b}";
        check = x: a.check x || b.check x;
        merge =
          loc: defs:
          if all (def: a.check def.value) defs then
            a.merge loc defs
          else if all (def: b.check def.value) defs then
            b.merge loc defs
          else
            mergeOneOption loc defs;
        nestedTypes = {
          left = a;
          right = b;
        };
      };
    oneOf = ts: builtins.foldl' either (head ts) (builtins.tail ts);

    # `convert` makes a `to` of what is still written as a `from`.
    coercedTo =
      from: convert: to:
      mkOptionType {
        name = "coercedTo";
        description = "${inBrackets to} or ${inBrackets from} convertible to it";
        check = x: (from.check x && to.check (convert x)) || to.check x;
        merge =
          loc: defs:
          to.merge loc (
            map (def: def // { value = if from.check def.value then convert def.value else def.value; }) defs
          );
        inherit (to) emptyValue getSubOptions getSubModules;
        substSubModules = m: coercedTo from convert (to.substSubModules m);
        nestedTypes = {
          coercedType = from;
          finalType = to;
        };
      };
    addCheck = type: check: type // { check = x: type.check x && check x; };
    unique =
      { message }:
      type:
      type
      // {
        name = "unique";
        merge = lib.mergeUniqueOption {
          inherit message;
          inherit (type) merge;
        };
      };
    uniq = unique { message = ""; };
  };
in
types
