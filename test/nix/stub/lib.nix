# SPDX-License-Identifier: MIT
{ modules }:
let
  inherit (import ./trace.nix) inner;
  quote = text: if builtins.match "[a-zA-Z0-9@%+=:,./-]+" text != null then text else "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
in
rec {
  genAttrs = keys: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) keys);
  optionalAttrs = condition: set: if condition then set else { };

  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  removePrefix = prefix: text:
    if hasPrefix prefix text
    then builtins.substring (builtins.stringLength prefix) (builtins.stringLength text) text
    else text;
  splitString = separator: text: builtins.filter builtins.isString (builtins.split separator text);
  findFirst = wanted: otherwise: list:
    let found = builtins.filter wanted list; in if found == [ ] then otherwise else builtins.head found;
  escapeShellArgs = words: builtins.concatStringsSep " " (map quote words);
  versions = inner { major = version: builtins.head (builtins.splitVersion version); };

  getLib = package: package.lib or package;
  getVersion = package: package.version;
  getExe = package: "${package}/bin/${package.meta.mainProgram}";

  licenses = inner {
    mit = { spdxId = "MIT"; };
    gpl2Only = { spdxId = "GPL-2.0-only"; };
  };
  platforms = inner { linux = [ "x86_64-linux" "aarch64-linux" ]; };

  fileset = inner {
    unions = parts: parts;
    # files and whole folders below the root; each must be there
    toSource = { root, fileset }:
      let
        wanted = map (part: if builtins.pathExists part then toString part else throw "${toString part} is not there") fileset;
        holds = path: part: path == part || hasPrefix "${part}/" path || hasPrefix "${path}/" part;
      in
      builtins.path { name = "source"; path = root; filter = path: _: builtins.any (holds path) wanted; };
  };

  inherit (modules) mkOption mkIf mkMerge literalExpression;
  mkEnableOption = what: modules.mkOption {
    type = modules.types.bool;
    default = false;
    description = "Whether to enable ${what}.";
  };
  types = inner {
    inherit (modules.types) str bool package anything listOf attrsOf nullOr enum;
    ints = inner { inherit (modules.types) between; };
  };
}
