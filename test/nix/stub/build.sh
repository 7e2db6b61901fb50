# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2086 # the derivation's attributes are variables; some are lists of words
# The phases of stdenv (pkgs/stdenv/generic/setup.sh in nixpkgs), as far as rstat's packages go through them.
set -eu
export PATH=$stubPath SHELL=/bin/bash HOME=/homeless-shelter
[ -z "$stubBuildCompiler" ] || export CC_FOR_BUILD=$stubBuildCompiler
makeFlagsArray=()
runHook() { eval "${!1:-}"; }
run() { if [ -n "${!1:-}" ]; then eval "${!1}"; else "$1"; fi; }

installPhase() { make SHELL="$SHELL" ${makeFlags:-} "${makeFlagsArray[@]}" install; }
fixupPhase() {
	find "$out" -path '*/share/man/*' -type f -exec gzip -9n {} +
	[ -n "${dontStrip:-}" ] || find "$out/bin" -type f -exec "$STRIP" -S {} +
}

cp -r "$src" "$NIX_BUILD_TOP/source"
chmod -R u+w "$NIX_BUILD_TOP/source"
cd "$NIX_BUILD_TOP/source"
runHook preBuild
make ${enableParallelBuilding:+-j${NIX_BUILD_CORES}} SHELL="$SHELL" ${makeFlags:-} "${makeFlagsArray[@]}" ${buildFlags:-}
run installPhase
[ -n "${dontFixup:-}" ] || [ ! -d "$out" ] || fixupPhase
[ -z "${doInstallCheck:-}" ] || run installCheckPhase
