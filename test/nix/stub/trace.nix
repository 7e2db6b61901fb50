# SPDX-License-Identifier: MIT
# Sets that say on stderr which of their names are used.
rec {
  seen = name: value: builtins.trace "used: ${name}" value;

  # A set below which there are further names has `names = true`.
  isInner = value: builtins.isAttrs value && value ? names && value.names == true;
  inner = set: set // { names = true; };

  own = set: builtins.removeAttrs set [ "names" ];
  tree = path: set:
    builtins.mapAttrs (name: value: if isInner value then tree "${path}.${name}" value else seen "${path}.${name}" value) (own set);
  names = path: set:
    builtins.concatMap
      (name: if isInner set.${name} then names "${path}.${name}" set.${name} else [ "${path}.${name}" ])
      (builtins.attrNames (own set));
}
