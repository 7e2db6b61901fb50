# SPDX-License-Identifier: MIT
# The unit tests under the sanitizers: `make unit`. What loads a probe needs root and a kernel, so it is no check.
{ lib, llvmPackages, cmocka, perl, rstat-probe }:
llvmPackages.stdenv.mkDerivation {
  pname = "rstat-unit";
  version = import ./version.nix lib;
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [ ../Makefile ../probe ../loader ../collect ../emit ../test/unit ../test/golden ../test/fixtures ];
  };

  strictDeps = true;
  enableParallelBuilding = true;
  nativeBuildInputs = [ perl ]; # prove
  buildInputs = [ cmocka ];
  hardeningDisable = [ "all" ];
  makeFlags = [
    "WERROR="
    "PROBE=${rstat-probe}/lib/rstat"
  ];
  buildFlags = [ "unit" ];
  installPhase = ''
    touch $out
  '';
}
