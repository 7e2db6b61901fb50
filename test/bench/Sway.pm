# SPDX-License-Identifier: MIT
# make bench: Waybar in a sway that has no screen, of a user without rights, with rstat as `make install-caps` leaves it. It is the same
# sway for all that is measured.
package Sway;
use strict;
use warnings;
use File::Temp ();
use POSIX ();
use Time::HiRes qw(sleep);
use Bench;

my $user = 65534;	# nobody; sway refuses to run as root
my ($folder, $session);

sub environment {
	my ($wayland) = map { m{.*/(.*)} } grep { /wayland-\d+$/ } glob "$folder/wayland-*";
	my ($socket) = glob "$folder/sway-ipc.*.sock";
	return (
		HOME => $folder, XDG_RUNTIME_DIR => $folder, XDG_CONFIG_HOME => $folder, PATH => "$folder/bin:$ENV{PATH}", LANG => 'C.UTF-8',
		WLR_BACKENDS => 'headless', WLR_LIBINPUT_NO_DEVICES => 1, WLR_RENDERER => 'pixman', GDK_BACKEND => 'wayland', NO_AT_BRIDGE => 1,
		defined $wayland ? (WAYLAND_DISPLAY => $wayland) : (), defined $socket ? (SWAYSOCK => $socket) : (),
	);
}

sub start {
	my ($name, @command) = @_;
	my %environment = environment();
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		%ENV = %environment;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$folder/$name.log";
		open STDERR, '>&', \*STDOUT;
		exec { 'setpriv' } 'setpriv', '--reuid', $user, '--regid', $user, '--clear-groups', @command or POSIX::_exit(127);
	}
	return $pid;
}

sub enter {
	$folder = File::Temp->newdir('rstat-sway-XXXXXX', TMPDIR => 1);
	mkdir "$folder/bin";
	system 'install', '-m', '755', $Bench::rstat, "$folder/bin/rstat" and die "install\n";
	system 'setcap', 'cap_bpf,cap_perfmon+ep', "$folder/bin/rstat" and die "needs file capabilities where temporary files are\n";
	chmod 0700, $folder;
	chown $user, $user, "$folder";
	my $configuration = put("$folder/config", "output HEADLESS-1 mode 1920x1080\nxwayland disable\n");
	$session = start('sway', 'dbus-run-session', '--', 'sway', '-c', $configuration);
	for (1 .. 200) {
		my %environment = environment();
		return if $environment{WAYLAND_DISPLAY} && $environment{SWAYSOCK};
		sleep 0.05;
	}
	my $said = slurp("$folder/sway.log");
	leave();
	die "sway does not start: $said";
}

sub leave {
	return unless $session;
	Peers::end($session);
	undef $session;
	undef $folder;
}
END { leave() }

# A bar with this configuration: { pids, stop }
sub bar {
	my ($name, $configuration) = @_;
	enter() unless $session;
	my @command = ('waybar', '-c', put("$folder/$name.json", $configuration), '-s', put("$folder/style.css", '* { font-size: 13px; }'));
	my $bar = start($name, 'dbus-run-session', '--', @command);
	my $of_it = sub {
		return grep { slurp("/proc/$_/comm") !~ /^dbus/ } Peers::descendants($bar);
	};
	return { pids => $of_it, stop => sub { Peers::end($bar) } };
}

1;
