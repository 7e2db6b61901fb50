# SPDX-License-Identifier: MIT
# As much of lib.evalModules as rstat's modules need: options with types, mkIf and mkMerge, which are pushed down without looking at
# the condition, so that a module may depend on its own options. There are no priorities.
let
  inherit (builtins) all any attrNames concatLists concatMap filter head isAttrs isFunction isList isString mapAttrs;
  trace = import ./trace.nix;

  mkIf = condition: content: { _type = "if"; inherit condition content; };
  kind = value: if isAttrs value then value._type or "" else "";
  show = builtins.concatStringsSep ".";
  unique = list: builtins.foldl' (known: item: if builtins.elem item known then known else known ++ [ item ]) [ ] list;

  # What a definition comes to, its mkIf and mkMerge undone: values with their conditions.
  definitions = value:
    if kind value == "if" then map (d: d // { condition = value.condition && d.condition; }) (definitions value.content)
    else if kind value == "merge" then concatMap definitions value.contents
    else [ { condition = true; inherit value; } ];
  applying = found: map (d: d.value) (filter (d: d.condition) found);
  plain = value: applying (definitions value);

  # What a definition has below a name, conditions and all.
  inside = name: value:
    if kind value == "if" then map (content: mkIf value.condition content) (inside name value.content)
    else if kind value == "merge" then concatMap (inside name) value.contents
    else if value ? ${name} then [ value.${name} ]
    else [ ];

  # ---- types: { name, check, merge }; merge has the path, for messages, and one value or more

  checked = type: path: values:
    let wrong = filter (value: !type.check value) values; in
    if wrong == [ ] then type.merge path values
    else throw "The option `${show path}' is no ${type.name}: ${builtins.toJSON (head wrong)}";
  one = path: values:
    if all (value: value == head values) values then head values else throw "The option `${show path}' has conflicting values";
  simple = name: check: { inherit name check; merge = one; };

  types = rec {
    str = simple "string" isString;
    bool = simple "boolean" builtins.isBool;
    int = simple "integer" builtins.isInt;
    between = low: high: simple "integer between ${toString low} and ${toString high}"
      (value: builtins.isInt value && value >= low && value <= high);
    package = simple "package" (value: isAttrs value && value.type or "" == "derivation");
    path = simple "path" (value: isString value && builtins.substring 0 1 value == "/" || builtins.isPath value);
    enum = choices: simple "one of ${builtins.toJSON choices}" (value: builtins.elem value choices);
    lines = { name = "text"; check = isString; merge = _: builtins.concatStringsSep "\n"; };
    raw = { name = "value"; check = _: true; merge = path: values:
      if builtins.length values == 1 then head values else throw "The option `${show path}' is defined more than once"; };
    anything = { name = "value"; check = _: true; merge = path: values: if all isAttrs values then (attrsOf anything).merge path values else one path values; };
    nullOr = type: {
      name = "null or ${type.name}";
      check = value: value == null || type.check value;
      merge = path: values: if all (value: value == null) values then null else checked type path values;
    };
    oneOf = choices: {
      name = builtins.concatStringsSep " or " (map (type: type.name) choices);
      check = value: any (type: type.check value) choices;
      merge = path: values: (head (filter (type: all type.check values) choices)).merge path values;
    };
    listOf = type: {
      name = "list of ${type.name}";
      check = isList;
      merge = path: values: map (value: checked type path [ value ]) (concatMap plain (concatLists values));
    };
    attrsOf = type: {
      name = "set of ${type.name}";
      check = isAttrs;
      merge = path: values:
        let
          keys = unique (concatMap attrNames values);
          under = key: concatMap (value: if value ? ${key} then plain value.${key} else [ ]) values;
          given = filter (key: under key != [ ]) keys;
        in
        builtins.listToAttrs (map (name: { inherit name; value = checked type (path ++ [ "<name>" ]) (under name); }) given);
    };
    # with `others` as the type of what is no option
    submodule = { options, others ? null }: {
      name = "set of options";
      check = isAttrs;
      merge = path: values:
        let
          rest = builtins.removeAttrs (builtins.foldl' (a: b: a // b) { } values) (attrNames options);
          further = map (value: builtins.removeAttrs value (attrNames options)) values;
          # the host's options that nobody defines have values in NixOS which rstat does not see
          defined = name: kind options.${name} != "option" || options.${name} ? default || any (value: value ? ${name} && plain value.${name} != [ ]) values;
          present = builtins.listToAttrs (map (name: { inherit name; value = options.${name}; }) (filter defined (attrNames options)));
        in
        if rest != { } && others == null then throw "The option `${show (path ++ [ (head (attrNames rest)) ])}' does not exist"
        else (if rest == { } then { } else (attrsOf others).merge path further)
          // valuesOf path present values;
    };
  };

  # ---- options and what they come to

  # A name of the host's is one of nixpkgs: its use is said.
  valueOf = path: option: found:
    let
      values = applying found;
      value = checked option.type path values;
    in
    if values != [ ] then (if option ? host then trace.seen "${option.host}.${show path}" value else value)
    else if option ? default then (if option.type.check option.default then option.default else throw "The default of `${show path}' is no ${option.type.name}")
    else throw "The option `${show path}' is used but not defined";
  valuesOf = path: tree: configs: mapAttrs
    (name: option:
      let below = concatMap (inside name) configs; in
      if kind option == "option" then valueOf (path ++ [ name ]) option (concatMap definitions below)
      else valuesOf (path ++ [ name ]) option below)
    tree;

  # No definition without an option, whatever its condition.
  unknown = path: tree: value:
    if kind value == "if" then unknown path tree value.content
    else if kind value == "merge" then concatMap (unknown path tree) value.contents
    else concatMap
      (name:
        if !(tree ? ${name}) then [ (show (path ++ [ name ])) ]
        else if kind tree.${name} == "option" then [ ]
        else unknown (path ++ [ name ]) tree.${name} value.${name})
      (attrNames value);

  join = path: a: b: a // mapAttrs
    (name: value:
      if !(a ? ${name}) then value
      else if kind value == "option" || kind a.${name} == "option" then throw "The option `${show (path ++ [ name ])}' is declared twice"
      else join (path ++ [ name ]) a.${name} value)
    b;
in
rec {
  inherit types mkIf;
  literalExpression = text: { _type = "literalExpression"; inherit text; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOption = { type, description ? "", default ? null, defaultText ? null, example ? null }@arguments: arguments // { _type = "option"; };

  # { modules, options: those of the host, arguments: of each module } -> { config, options }
  evaluate = { modules, options, arguments }:
    let
      called = module:
        if isFunction module then module (arguments // { inherit config; })
        else if isAttrs module then module
        else import module;
      split = module:
        if module ? config || module ? options then
          let strange = attrNames (builtins.removeAttrs module [ "config" "options" "imports" ]); in
          if strange == [ ] then { options = module.options or { }; config = module.config or { }; }
          else throw "A module has options or config, and `${head strange}' beside them"
        else { options = { }; config = builtins.removeAttrs module [ "imports" ]; };
      flat = module: let m = called module; in concatMap flat (m.imports or [ ]) ++ [ (split m) ];
      found = concatMap flat modules;
      tree = builtins.foldl' (join [ ]) options (map (module: module.options) found);
      strange = concatMap (module: unknown [ ] tree module.config) found;
      config = valuesOf [ ] tree (map (module: module.config) found);
    in
    { options = tree; config = if strange == [ ] then config else throw "The option `${head strange}' does not exist"; };

  # The names of a host's options, and of those within them.
  named = host: path: tree: concatMap
    (name:
      let here = "${path}${name}"; option = tree.${name}; in
      if kind option != "option" then named host "${here}." option
      else [ "${host}.${here}" ] ++ (if option ? inside then named host "${here}.<name>." option.inside else [ ]))
    (attrNames tree);
}
