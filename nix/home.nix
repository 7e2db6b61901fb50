# SPDX-License-Identifier: MIT
# For Home Manager: the module in Waybar's configuration. What loads the probe is NixOS's to install (nix/nixos.nix).
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.rstat;
  bar = cfg.waybar;
in
{
  options.programs.rstat = {
    enable = lib.mkEnableOption "rstat in Waybar";

    command = mkOption {
      type = types.str;
      default = "/run/wrappers/bin/rstat";
      description = ''
        What Waybar runs, with its path, since a bar that systemd started has another PATH than a shell. The default is what
        `programs.rstat.enable` of the NixOS module makes. Where rstat has no capabilities it walks /proc.
      '';
    };

    text = mkOption {
      type = types.str;
      default = "{load1}  {cpu}%  {mem}%";
      description = "The text in the bar; `rstat --list` has the placeholders.";
    };

    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--class-on" "pressure" ];
      description = "Further options, see rstat(1).";
    };

    waybar = {
      bar = mkOption {
        type = types.str;
        default = "mainBar";
        description = "The name of the bar in `programs.waybar.settings`, which must be a set, not a list.";
      };

      position = mkOption {
        type = types.nullOr (types.enum [ "modules-left" "modules-center" "modules-right" ]);
        default = "modules-right";
        description = "The list that gets `custom/rstat`; null where you put it into one yourself.";
      };

      clicks = mkOption {
        type = types.bool;
        default = true;
        description = "Clicks and the wheel change the interval and the lists, for all copies of rstat.";
      };

      settings = mkOption {
        type = types.attrsOf types.anything;
        default = { };
        example = { min-length = 20; };
        description = "Further settings of the module, see waybar-custom(5). `interval` and `signal` are not for it.";
      };

      style = mkOption {
        type = types.bool;
        default = false;
        description = "Adds colours for `warning` and `critical` to `programs.waybar.style`, which must then be text, not a path.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !(bar.settings ? interval || bar.settings ? signal);
        message = "programs.rstat.waybar.settings: with `interval` or `signal` Waybar does not keep rstat running";
      }
    ];

    programs.waybar.settings.${bar.bar} = lib.mkMerge [
      {
        "custom/rstat" = import ./waybar.nix {
          inherit lib pkgs;
          inherit (cfg) command;
          inherit (bar) clicks;
          arguments = [ "--text" cfg.text ] ++ cfg.extraArgs;
        } // bar.settings;
      }
      (lib.optionalAttrs (bar.position != null) { ${bar.position} = [ "custom/rstat" ]; })
    ];

    programs.waybar.style = lib.mkIf bar.style ''
      #custom-rstat.warning {
          color: #ffb52a;
      }

      #custom-rstat.critical {
          color: #ff5555;
      }
    '';
  };
}
