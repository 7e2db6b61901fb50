# SPDX-License-Identifier: MIT
# For NixOS: the program, the wrapper that gives it its two capabilities, and a service for node_exporter.
self:
{ config, lib, pkgs, utils, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.rstat;
  metrics = cfg.openmetrics;
  folder = "/run/rstat";
in
{
  options.programs.rstat = {
    enable = lib.mkEnableOption "rstat, a system monitor for status bars";

    package = mkOption {
      type = types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.rstat;
      defaultText = lib.literalExpression "rstat.packages.\${system}.rstat";
      description = "The rstat to use.";
    };

    wrapper = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Gives `rstat` the capabilities with which it loads its probe, whoever starts it: then it shows each user what runs on
          this machine, as `top` does. Without it rstat walks /proc.
        '';
      };

      group = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "wheel";
        description = "Only who is in this group may run the wrapper; null is everybody.";
      };
    };

    openmetrics = {
      enable = lib.mkEnableOption "a service that writes ${folder}/rstat.prom, for node_exporter's textfile collector";

      interval = mkOption {
        type = types.ints.between 10 60000;
        default = 5000;
        description = "Milliseconds from one sample to the next.";
      };

      extraArgs = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--names" ];
        description = "Further options, see rstat(1).";
      };

      nodeExporter = mkOption {
        type = types.bool;
        default = config.services.prometheus.exporters.node.enable;
        defaultText = lib.literalExpression "config.services.prometheus.exporters.node.enable";
        description = "Tells `services.prometheus.exporters.node` to read ${folder}.";
      };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      environment.systemPackages = [ cfg.package ];

      security.wrappers = lib.mkIf cfg.wrapper.enable {
        rstat = {
          source = lib.getExe cfg.package;
          capabilities = "cap_bpf,cap_perfmon+ep";
          owner = "root";
          group = if cfg.wrapper.group == null then "root" else cfg.wrapper.group;
          permissions = if cfg.wrapper.group == null then "u+rx,g+x,o+x" else "u+rx,g+x";
        };
      };
    })

    (lib.mkIf metrics.enable {
      # docs/packages/rstat-openmetrics.service is the same for others: what is changed here is changed there
      systemd.services.rstat-openmetrics = {
        description = "rstat, task and sensor metrics for node_exporter";
        documentation = [ "man:rstat(1)" ];
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          ExecStart = utils.escapeSystemdExecArgs (
            [ (lib.getExe cfg.package) "--file" "${folder}/rstat.prom" "--interval" (toString metrics.interval) ] ++ metrics.extraArgs
          );
          # The folder goes when the service does: no figures that nobody writes any more.
          DynamicUser = true;
          RuntimeDirectory = baseNameOf folder;
          Restart = "on-failure";

          # rstat gives up most of this by itself before its first line; here it is for the time before, and once more.
          AmbientCapabilities = [ "CAP_BPF" "CAP_PERFMON" ];
          CapabilityBoundingSet = [ "CAP_BPF" "CAP_PERFMON" ];
          NoNewPrivileges = true;
          ProtectSystem = "strict";
          ProtectHome = true;
          PrivateTmp = true;
          PrivateDevices = true;
          PrivateMounts = true;
          PrivateNetwork = true;
          PrivateIPC = true;
          ProtectClock = true;
          ProtectHostname = true;
          ProtectKernelTunables = true;
          ProtectKernelModules = true;
          ProtectKernelLogs = true;
          ProtectControlGroups = true;
          RestrictAddressFamilies = "none";
          RestrictNamespaces = true;
          RestrictRealtime = true;
          RestrictSUIDSGID = true;
          LockPersonality = true;
          MemoryDenyWriteExecute = true;
          RemoveIPC = true;
          KeyringMode = "private";
          UMask = "0077";
          DevicePolicy = "closed";
          IPAddressDeny = "any";
          MemoryMax = "64M";
          TasksMax = 8;
          SystemCallArchitectures = "native";
          SystemCallErrorNumber = "EPERM";
          # the calls of a start and of the loop, besides those that systemd always allows
          SystemCallFilter = lib.splitString " " (
            "bpf capget capset close close_range fstat getdents64 getpid ioctl lseek madvise mmap mprotect munmap openat "
            + "landlock_add_rule landlock_create_ruleset landlock_restrict_self ppoll prctl pread64 prlimit64 read readlinkat "
            + "renameat rt_sigaction rt_sigprocmask seccomp signalfd4 sysinfo timerfd_create timerfd_settime umask uname "
            + "unlinkat write"
          );
        };
      };

      services.prometheus.exporters.node.extraFlags =
        lib.mkIf metrics.nodeExporter [ "--collector.textfile.directory=${folder}" ];
    })
  ];
}
