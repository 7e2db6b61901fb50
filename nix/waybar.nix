# SPDX-License-Identifier: MIT
# Waybar's module, as docs/bars.md has it. It has neither `interval` nor `signal`: only then does Waybar keep rstat running. `exec`,
# so that the bar's signals reach rstat and not a shell.
{ lib, pkgs, command, arguments, clicks ? true }:
let
  signal = name: "${pkgs.procps}/bin/pkill -${name} -x rstat";
in
{
  exec = "exec ${lib.escapeShellArgs ([ command ] ++ arguments)}";
  return-type = "json";
  restart-interval = 5;
}
// lib.optionalAttrs clicks {
  on-click = signal "USR2";
  on-click-middle = signal "RTMIN+1";
  on-click-right = signal "RTMIN+2";
  on-scroll-up = signal "RTMIN+3";
  on-scroll-down = signal "RTMIN+4";
}
