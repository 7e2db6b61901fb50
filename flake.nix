# SPDX-License-Identifier: MIT
# docs/nixos.md says how to use it, test/nix how it is tested.
{
  description = "A system monitor for status bars, whose numbers come from inside the kernel";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      each = make: nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: make nixpkgs.legacyPackages.${system});
      build = callPackage: rec {
        rstat-probe = callPackage ./nix/probe.nix { };
        rstat = callPackage ./nix/package.nix { inherit rstat-probe; };
      };
    in
    {
      packages = each (pkgs: rec {
        inherit (build pkgs.callPackage) rstat-probe rstat;
        default = rstat;
      });

      # By `final`, so that an overlay after this one can replace the probe.
      overlays.default = final: _: {
        rstat-probe = final.callPackage ./nix/probe.nix { };
        rstat = final.callPackage ./nix/package.nix { };
      };

      checks = each (pkgs: {
        unit = pkgs.callPackage ./nix/unit.nix { inherit (build pkgs.callPackage) rstat-probe; };
        desktop = pkgs.testers.runNixOSTest (import ./nix/desktop.nix { inherit self; });
      });

      devShells = each (pkgs: { default = pkgs.callPackage ./nix/shell.nix { }; });

      nixosModules.default = import ./nix/nixos.nix self;
      homeManagerModules.default = import ./nix/home.nix;
    };
}
