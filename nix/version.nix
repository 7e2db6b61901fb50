# SPDX-License-Identifier: MIT
# The version that the Makefile says.
lib:
let
  lines = lib.splitString "\n" (builtins.readFile ../Makefile);
in
lib.removePrefix "VERSION := " (lib.findFirst (lib.hasPrefix "VERSION := ") (throw "the Makefile has no VERSION") lines)
