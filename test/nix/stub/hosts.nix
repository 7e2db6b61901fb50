# SPDX-License-Identifier: MIT
# What rstat's modules are for: NixOS, a NixOS test and home-manager, with those of their options that are defined here.
{ plain, lib, modules, trace }:
let
  inherit (modules) types;
  options = host: builtins.mapAttrs (_: value: if value ? name && value ? check then { _type = "option"; type = value; inherit host; } else
    if value._type or "" == "option" then value // { inherit host; } else options host value);
  default = type: default: { _type = "option"; inherit type default; };
  # a set of submodules, whose names are listed
  each = host: own: eachOr null host own;
  eachOr = others: host: own: let inner = options host own; in
    { _type = "option"; type = types.attrsOf (types.submodule { options = inner; inherit others; }); default = { }; inside = inner; };
  words = types.listOf types.str;
  assertions = default (types.listOf types.raw) [ ];

  nixosOptions = options "nixos" {
    environment.systemPackages = default (types.listOf types.package) [ ];
    environment.variables = types.attrsOf types.str;
    environment.etc = each "nixos" { text = types.lines; };
    programs.bash.loginShellInit = types.lines;
    programs.sway.enable = types.bool;
    security.wrappers = each "nixos" {
      source = types.oneOf [ types.str types.path ];
      capabilities = types.str;
      owner = types.str;
      group = types.str;
      permissions = types.str;
    };
    services.getty.autologinUser = types.nullOr types.str;
    services.prometheus.exporters.node.enable = default types.bool false;
    services.prometheus.exporters.node.extraFlags = words;
    systemd.services = each "nixos" {
      description = types.str;
      documentation = words;
      wantedBy = words;
      serviceConfig = types.attrsOf (types.oneOf [ types.bool types.int types.str words ]);
    };
    users.users = each "nixos" { isNormalUser = types.bool; uid = types.int; };
    virtualisation.memorySize = types.int;
    virtualisation.qemu.options = words;
  };

  # nixos/lib/utils.nix
  utilities = {
    escapeSystemdExecArgs = list: builtins.concatStringsSep " " (map (word: builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON word)) list);
  };

  # without what has no value
  known = tree: config: builtins.listToAttrs (builtins.concatMap
    (name:
      let option = tree.${name}; value = config.${name}; in
      if option._type or "" != "option" then [ { inherit name; value = known option value; } ]
      else if option ? host && !(option ? default) && !(builtins.tryEval (builtins.seq value true)).success then [ ]
      else [ { inherit name; inherit value; } ])
    (builtins.attrNames tree));

  nixos = { modules, pkgs }:
    let
      it = (import ./modules.nix).evaluate {
        inherit modules;
        options = nixosOptions // { assertions = assertions; };
        arguments = { inherit lib pkgs; utils = trace.tree "utils" utilities; };
      };
    in
    checked it;

  checked = it:
    let wrong = builtins.filter (a: !a.assertion) it.config.assertions; in
    if wrong != [ ] then throw "Failed assertions: ${(builtins.head wrong).message}"
    else { inherit (it) options; config = builtins.removeAttrs (known it.options it.config) [ "assertions" ]; };

  testOptions = options "test" {
    name = types.str;
    nodes = types.attrsOf types.raw;
    testScript = types.str;
    enableOCR = types.bool;
  };

  # home-manager's
  homeOptions = options "home" {
    programs.waybar.settings = eachOr types.anything "home" { modules-left = words; modules-center = words; modules-right = words; };
    programs.waybar.style = types.nullOr types.lines;
    programs.waybar.enable = types.bool;
    assertions = default (types.listOf types.raw) [ ];
  };
in
{
  inherit nixos;
  home = { modules, pkgs }:
    let
      it = (import ./modules.nix).evaluate {
        inherit modules;
        options = homeOptions;
        arguments = { inherit lib pkgs; };
      };
    in
    checked it;
  test = pkgs: module:
    let
      it = (import ./modules.nix).evaluate { modules = [ module ]; options = testOptions; arguments = { inherit lib; hostPkgs = pkgs; }; };
    in
    {
      inherit (it.config) name testScript enableOCR;
      nodes = builtins.mapAttrs (_: node: (nixos { modules = [ node ]; inherit pkgs; }).config) it.config.nodes;
    };
  names = modules.named "nixos" "" nixosOptions ++ modules.named "test" "" testOptions ++ modules.named "home" "" homeOptions
    ++ trace.names "utils" utilities;
}
