# SPDX-License-Identifier: MIT
# The compiler of the probe, as make's BPF_CLANG. The wrapped one adds flags that the bpf target refuses; the other does not
# find its own headers in all versions of LLVM, since they are in an output of their own.
lib: clang:
"${clang}/bin/clang -resource-dir=${lib.getLib clang}/lib/clang/${lib.versions.major (lib.getVersion clang)}"
