# SPDX-License-Identifier: MIT
# The probe, packed for embedding: the same bytes for every architecture.
{ lib, stdenv, buildPackages }:
stdenv.mkDerivation {
  pname = "rstat-probe";
  version = import ./version.nix lib;
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [ ../Makefile ../probe ];
  };

  strictDeps = true;
  depsBuildBuild = [ buildPackages.stdenv.cc ];
  preBuild = ''
    makeFlagsArray+=(BPF_CLANG="${import ./clang.nix lib buildPackages.llvmPackages.clang-unwrapped}" HOSTCC="$CC_FOR_BUILD")
  '';
  makeFlags = [ "WERROR=" ];
  buildFlags = [ "probe" ];
  installPhase = ''
    runHook preInstall
    install -D -m 644 -t $out/lib/rstat build/probe/rstat.bpf.o build/probe/rstat.bpf.packed
    runHook postInstall
  '';
  # nothing here is for this machine, and strip does not know the bpf target
  dontFixup = true;

  meta = {
    description = "The eBPF programs of rstat";
    license = with lib.licenses; [ mit gpl2Only ];
    platforms = lib.platforms.linux;
  };
}
