# SPDX-License-Identifier: MIT
# A machine as docs/nixos.md makes it: sway with Waybar, which an ordinary user starts, the module in its bar, and the service.
{ self }:
{ lib, ... }:
{
  name = "rstat-desktop";

  nodes.machine = { pkgs, ... }: {
    imports = [ self.nixosModules.default ];

    programs.rstat = {
      enable = true;
      openmetrics.enable = true;
    };
    services.prometheus.exporters.node.enable = true;

    users.users.alice = {
      isNormalUser = true;
      uid = 1000;
    };
    services.getty.autologinUser = "alice";
    programs.sway.enable = true;
    programs.bash.loginShellInit = ''
      if [ "$(tty)" = /dev/tty1 ]; then
        exec sway
      fi
    '';
    environment.systemPackages = [ pkgs.waybar ];
    environment.variables.WLR_RENDERER = "pixman";
    environment.etc."sway/config".text = ''
      bar {
        swaybar_command waybar
      }
    '';
    environment.etc."xdg/waybar/config".text = builtins.toJSON {
      position = "top";
      modules-right = [ "custom/rstat" ];
      "custom/rstat" = import ./waybar.nix {
        inherit lib pkgs;
        command = "/run/wrappers/bin/rstat";
        arguments = [ "--text" "rstat {mem}%" ];
      };
    };

    virtualisation.memorySize = 2048;
    virtualisation.qemu.options = [ "-vga virtio" ];
  };

  enableOCR = true;

  testScript = ''
    machine.wait_for_unit("multi-user.target")

    # the wrapper: an ordinary user has the probe, and the capabilities are gone with the first line
    line = machine.succeed("su - alice -c '/run/wrappers/bin/rstat -o json -n 1'")
    assert '"source":"btf"' in line, line

    # the bar: one rstat, whose parent is Waybar
    machine.wait_until_succeeds("pgrep -u alice -x rstat")
    pid = machine.succeed("pgrep -u alice -x rstat").strip()
    parent = machine.succeed(f"ps -o comm= -p $(ps -o ppid= -p {pid})")
    assert "waybar" in parent, parent
    status = machine.succeed(f"cat /proc/{pid}/status")
    assert "CapEff:\t0000000000000000" in status and "Seccomp:\t2" in status, status
    machine.wait_for_text(r"rstat \d+%")
    machine.screenshot("waybar")

    # the service, and what node_exporter makes of it
    machine.wait_for_unit("rstat-openmetrics.service")
    machine.wait_for_file("/run/rstat/rstat.prom")
    machine.wait_for_open_port(9100)
    machine.wait_until_succeeds("curl -sf http://localhost:9100/metrics | grep '^rstat_'")
    print(machine.succeed("systemd-analyze security --no-pager rstat-openmetrics.service | tail -1"))
  '';
}
