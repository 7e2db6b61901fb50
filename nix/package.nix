# SPDX-License-Identifier: MIT
{ lib, stdenv, rstat-probe }:
stdenv.mkDerivation {
  pname = "rstat";
  version = import ./version.nix lib;
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [ ../Makefile ../LICENSE ../probe ../loader ../collect ../emit ../docs/rstat.1 ../docs/completions ];
  };

  strictDeps = true;
  enableParallelBuilding = true;
  # There is no libc that the wrapper's flags could lean on; the Makefile has what hardens a program like this.
  hardeningDisable = [ "all" ];
  # where this is cross-compiled, strip has the target's prefix
  preBuild = ''
    makeFlagsArray+=(strip_tool="$STRIP")
  '';
  makeFlags = [
    "WERROR="
    "PROBE=${rstat-probe}/lib/rstat"
    "PREFIX=${placeholder "out"}"
  ];
  dontStrip = true;
  dontPatchELF = true;

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    $out/bin/rstat --version
    runHook postInstallCheck
  '';

  passthru = { inherit rstat-probe; };

  meta = {
    description = "A system monitor for status bars, whose numbers come from inside the kernel";
    license = with lib.licenses; [ mit gpl2Only ];
    mainProgram = "rstat";
    platforms = [ "x86_64-linux" "aarch64-linux" ];
  };
}
