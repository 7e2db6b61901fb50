# SPDX-License-Identifier: MIT
# For `make`, `make unit` and `make analyze` less its aarch64 build. What the live tests need is more: test/run.
{ lib, mkShell, llvmPackages, cmocka, perl, cppcheck, shellcheck, mandoc, bpftools, libcap }:
mkShell {
  packages = [ llvmPackages.clang cmocka perl cppcheck shellcheck mandoc bpftools libcap ];
  hardeningDisable = [ "all" ];
  shellHook = ''
    export BPF_CLANG="${import ./clang.nix lib llvmPackages.clang-unwrapped}" HOSTCC=cc
  '';
}
