# SPDX-License-Identifier: MIT
# pkgs: this machine's compilers and tools, each in a folder of its own, so that a build finds what it has asked for and nothing
# else. For aarch64 the compiler is a cross compiler; what is built on the way runs here.
{ system, plain, lib, modules, trace, hosts }:
let
  inherit (trace) inner;
  native = system == "x86_64-linux";
  prefix = if native then "" else "aarch64-linux-gnu-";
  clangVersion = builtins.replaceStrings [ "\n" ] [ "" ] (builtins.readFile ./clang-version);

  script = name: attributes: text: derivation ({
    inherit name system text;
    builder = "/bin/bash";
    # The shell itself must end last: Nix kills a builder that has closed its output, as ln does before it ends.
    args = [ "-euc" "PATH=/usr/bin:/bin\n${text}\n:" ];
  } // attributes);
  package = attributes: drv: drv // attributes;

  # tools as they are: found by a link
  tools = name: list: script name { } ''
    mkdir -p $out/bin
    for tool in ${builtins.concatStringsSep " " list}; do
      found=$(command -v $tool) || { echo "stub: this machine has no $tool" >&2; exit 1; }
      printf '#!/bin/sh\nexec %s "$@"\n' "$found" > $out/bin/$tool
      chmod +x $out/bin/$tool
    done
  '';
  # what the wrappers of compilers do
  compiler = name: text: script name { inherit text; } ''
    mkdir -p $out/bin
    { echo '#!/bin/bash'; printf '%s\n' "$text"; } > $out/bin/${if name == "cc" then "gcc" else "clang"}
    chmod +x $out/bin/*
    [ ! -e $out/bin/gcc ] || ln -s gcc $out/bin/cc
  '';
  common = ''
    for word in "$@"; do
      case $word in
        # a library is there where its package is among the inputs
        -l*) case " ''${stubLibraries:-} " in *" ''${word#-l} "*) ;; *) echo "stub: no library ''${word#-l} among the inputs" >&2; exit 1 ;; esac ;;
      esac
    done
    hardening=
    [ "''${stubHardening:-all}" = none ] || hardening="-O2 -D_FORTIFY_SOURCE=3 -fPIC -fstack-protector-strong -fno-strict-overflow"
  '';
  gcc = prefix: compiler "cc" (common + ''
    PATH=/usr/bin exec /usr/bin/${prefix}gcc "$@" $hardening
  '');
  wrappedClang = package { version = clangVersion; } (compiler "clang-wrapper" (common + ''
    case " $* " in *" -target bpf "*) echo "stub: the wrapped clang has flags that the bpf target refuses" >&2; exit 1 ;; esac
    PATH=/usr/bin exec /usr/bin/clang "$@" $hardening
  ''));
  # no libc, no linker, and its own headers in another output
  bareClang = package { version = clangVersion; } (script "clang" { outputs = [ "out" "lib" ]; text = ''
    case " $* " in
      *" -resource-dir="*) ;;
      *" -print-file-name=include "*) echo include; exit ;;
    esac
    case " $* " in
      *" -target bpf "* | *" -print-file-name="* | *" -print-resource-dir "* | *" -dumpversion "*) ;;
      *) echo "stub: the bare clang builds nothing for this machine" >&2; exit 1 ;;
    esac
    PATH=/usr/bin exec /usr/bin/clang "$@"
  ''; } ''
    mkdir -p $out/bin $lib/lib/clang
    { echo '#!/bin/bash'; printf '%s\n' "$text"; } > $out/bin/clang
    chmod +x $out/bin/clang
    ln -s $(clang -print-resource-dir) $lib/lib/clang/${builtins.head (builtins.splitVersion clangVersion)}
  '');
  # pkgs/stdenv/generic/common-path.nix, and binutils
  basics = tools "stdenv-tools" [
    "bash" "sh" "basename" "cat" "chmod" "cp" "cut" "date" "dirname" "echo" "env" "expr" "false" "head" "install" "ln" "ls" "mkdir" "mktemp" "mv"
    "printf" "pwd" "readlink" "rm" "rmdir" "sort" "stat" "tail" "test" "touch" "tr" "true" "uname" "wc" "find" "xargs" "cmp" "diff" "sed" "grep"
    "awk" "tar" "gzip" "make" "patch" "${prefix}ar" "${prefix}ld" "${prefix}nm" "${prefix}strip"
  ];

  # ---- mkDerivation

  phases = [ "preBuild" "installPhase" "installCheckPhase" ];
  taken = phases ++ [
    "pname" "version" "src" "strictDeps" "enableParallelBuilding" "hardeningDisable" "depsBuildBuild" "nativeBuildInputs" "buildInputs"
    "makeFlags" "buildFlags" "dontStrip" "dontPatchELF" "dontFixup" "doInstallCheck" "passthru" "meta"
  ];
  metas = [ "description" "license" "mainProgram" "platforms" ];
  refuse = what: known: set:
    let strange = builtins.attrNames (builtins.removeAttrs set known); in
    if strange == [ ] then builtins.foldl' (value: name: trace.seen "${what}.${name}" value) set (builtins.attrNames set)
    else throw "${what}: `${builtins.head strange}' is not known";

  mkDerivation = cc: given:
    let
      attributes = refuse "mkDerivation" taken given;
      meta = refuse "meta" metas (attributes.meta or { platforms = [ system ]; });
      inputs = attributes.depsBuildBuild or [ ] ++ attributes.nativeBuildInputs or [ ]
        ++ (if attributes.strictDeps or false then [ ] else attributes.buildInputs or [ ]);
      drv = derivation (builtins.removeAttrs attributes [ "meta" "passthru" "pname" "doInstallCheck" ] // {
        inherit system;
        name = "${attributes.pname}-${attributes.version}";
        builder = "/bin/bash";
        args = [ ./build.sh ];
        stubPath = builtins.concatStringsSep ":" (map (input: "${input}/bin") (inputs ++ [ cc basics ]));
        stubLibraries = map (input: input.library or "") (attributes.buildInputs or [ ]);
        stubHardening = if builtins.elem "all" (attributes.hardeningDisable or [ ]) then "none" else "all";
        # the compiler of the machine that builds is to be asked for
        stubBuildCompiler = if builtins.elem buildCompiler (attributes.depsBuildBuild or [ ]) then "${buildCompiler}/bin/gcc" else "";
        STRIP = "${prefix}strip";
        CC = if cc ? isClang then "clang" else "gcc";
        doInstallCheck = (attributes.doInstallCheck or false) && native;
      });
    in
    if !builtins.elem system meta.platforms then throw "${attributes.pname} is not for ${system}"
    # nixpkgs looks at it before it lets anybody build
    else builtins.deepSeq meta drv // attributes.passthru or { } // { inherit meta; inherit (attributes) pname version; };

  buildCompiler = gcc "";
  stdenvOf = cc: inner {
    mkDerivation = mkDerivation cc;
    inherit cc;
    hostPlatform = inner { inherit system; };
  };
  mkShell = given:
    let attributes = refuse "mkShell" [ "packages" "hardeningDisable" "shellHook" ] given; in
    derivation {
      name = "nix-shell";
      inherit system;
      inherit (attributes) packages hardeningDisable shellHook;
      builder = "/bin/sh";
      args = [ "-c" "exit 1" ];
    };

  clangs = {
    clang = wrappedClang;
    clang-unwrapped = bareClang;
  };
  program = name: { inherit name system; type = "derivation"; } // script name { } "mkdir $out";
  pkgs = {
    inherit callPackage mkShell;
    stdenv = inner { inherit (stdenvOf (gcc prefix)) mkDerivation hostPlatform; };
    buildPackages = inner {
      stdenv = inner { cc = buildCompiler; };
      llvmPackages = inner { clang-unwrapped = bareClang; };
    };
    llvmPackages = inner (clangs // {
      stdenv = inner { inherit (stdenvOf (wrappedClang // { isClang = true; })) mkDerivation; };
    });
    cmocka = program "cmocka" // { library = "cmocka"; };
    perl = tools "perl" [ "perl" "prove" ];
    procps = tools "procps" [ "pkill" ];
    testers = inner { inherit runNixOSTest; };
  } // builtins.listToAttrs (map (name: { inherit name; value = program name; }) [ "cppcheck" "shellcheck" "mandoc" "bpftools" "libcap" "waybar" ]);

  traced = trace.tree "pkgs" pkgs // { inherit lib; stubNames = names; };
  callPackage = file: given:
    let
      function = import file;
      wanted = builtins.functionArgs function;
      missing = builtins.filter (name: !(traced ? ${name} || given ? ${name} || wanted.${name})) (builtins.attrNames wanted);
      strange = builtins.filter (name: !(wanted ? ${name})) (builtins.attrNames given);
    in
    if missing != [ ] then throw "callPackage: there is no `${builtins.head missing}'"
    else if strange != [ ] then throw "callPackage: `${builtins.head strange}' is not wanted"
    else function (builtins.intersectAttrs wanted traced // given);

  # It needs KVM and NixOS: here only what it would run is worked out.
  runNixOSTest = module:
    let test = hosts.test traced module; in
    derivation {
      name = "vm-test-run-${test.name}";
      inherit system;
      inherit (test) testScript enableOCR;
      nodes = builtins.toJSON test.nodes;
      builder = "/bin/sh";
      args = [ "-c" "echo 'stub: no NixOS to run' >&2; exit 1" ];
    };

  names = trace.names "pkgs" pkgs ++ map (name: "mkDerivation.${name}") taken ++ map (name: "meta.${name}") metas
    ++ map (name: "mkShell.${name}") [ "packages" "hardeningDisable" "shellHook" ];
in
traced
