# SPDX-License-Identifier: MIT
# A stand-in for nixpkgs and home-manager, for test/nix/flake.t: it has the names of test/nix/names and no others, says which are
# used, and builds for real with this machine's compilers. Its functions take what those of nixpkgs do, as far as rstat's
# flake goes; what they would tolerate and nixpkgs would not, they refuse.
{
  outputs = _:
    let
      trace = import ./trace.nix;
      modules = import ./modules.nix;
      plain = import ./lib.nix { inherit modules; };
      lib = trace.tree "lib" plain;
      packages = system: import ./packages.nix { inherit system plain lib modules trace hosts; };
      hosts = import ./hosts.nix { inherit plain lib modules trace; };
      systems = [ "x86_64-linux" "aarch64-linux" ];
    in
    {
      lib = lib // {
        nixosSystem = { system, modules }@arguments:
          trace.seen "lib.nixosSystem" (hosts.nixos { inherit (arguments) modules; pkgs = packages system; });
        # home-manager's
        homeManagerConfiguration = { pkgs, modules }:
          trace.seen "home-manager.lib.homeManagerConfiguration" (hosts.home { inherit pkgs modules; });
      };
      legacyPackages = builtins.listToAttrs (map (name: { inherit name; value = packages name; }) systems);
      # all names that there are
      names = trace.names "lib" plain ++ [ "lib.nixosSystem" "home-manager.lib.homeManagerConfiguration" ]
        ++ hosts.names ++ (packages "x86_64-linux").stubNames;
    };
}
