# SPDX-License-Identifier: MIT
# make bench: what a refresh costs, of rstat and of other monitors, one after the other and in several rounds, each once a second
# in a terminal of its own, or in a bar. Who is not installed is skipped by name, and who ends by itself is said to.
#
#	PEERS_SECONDS=5		how long each is watched
package Peers;
use strict;
use warnings;
use File::Temp ();
use POSIX ();
use Time::HiRes qw(sleep time);
use Bench;
use Probe qw(probe_us);
use Sway;

my $seconds = $ENV{PEERS_SECONDS} || 5;
my $warm_s = 3;	# until its first screens are drawn
my $folder;

# Load, CPU and memory of the machine: no processes.
sub i3status {
	return <<'END';
general { output_format = "i3bar" interval = 1 }
order += "load"
order += "cpu_usage"
order += "memory"
load { format = "%1min" }
cpu_usage { format = "%usage" }
memory { format = "%used" }
END
}

# { name, needs, start => sub that returns { pids, stop } }
sub monitors {
	mkdir "$folder/btop";
	put("$folder/btop/btop.conf", "update_ms=1000\ncheck_temp=False\n");
	my @terminals = (
		['rstat, Waybar\'s line', './rstat', './rstat -o waybar'],
		['rstat, live view', './rstat', './rstat -o term'],
		['rstat without the probe, Waybar\'s line', './rstat', './rstat --attach proc -o waybar'],
		['i3status: load, CPU, memory', 'i3status', 'i3status -c ' . put("$folder/i3status", i3status())],
		['top', 'top', 'top -d 1'],
		['htop', 'htop', 'htop -d 10'],
		['btop', 'btop', "env XDG_CONFIG_HOME=$folder btop"],
		['atop', 'atop', 'atop 1'],
	);
	my @bars = (
		['Waybar: its modules cpu and memory', 'cpu', '{"layer":"top","modules-right":["cpu","memory"],"cpu":{"interval":1},"memory":{"interval":1}}'],
		['Waybar: rstat in it, both together', 'rstat', '{"layer":"top","modules-right":["custom/rstat"],"custom/rstat":{' .
			'"exec":"exec rstat --text \'{load1} {cpu}% {mem}%\'","return-type":"json"}}'],
	);
	return (
		(map { my $command = $_->[2]; { name => $_->[0], needs => [$_->[1], 'script'], start => sub { terminal($command) } } } @terminals),
		(map { my ($name, $configuration) = @$_[1, 2]; { name => $_->[0], needs => [qw(waybar sway dbus-run-session setpriv setcap)],
			start => sub { Sway::bar($name, $configuration) } } } @bars),
	);
}

# Its keyboard is a pipe that nobody writes to: what reads an end, or zeros, would be busy with that.
sub terminal {
	my ($command) = @_;
	pipe my $keyboard, my $hand or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		POSIX::dup2(fileno $keyboard, 0);
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		@ENV{qw(TERM LANG)} = ('xterm-256color', 'C.UTF-8');
		delete @ENV{qw(DISPLAY COLUMNS LINES)};
		exec { 'script' } 'script', '-q', '-f', '-c', "stty rows 40 cols 120; exec $command", '/dev/null' or POSIX::_exit(127);
	}
	return { pids => sub { descendants($pid) }, stop => sub { end($pid); undef $hand } };
}

# Those below a process, not itself.
sub descendants {
	my ($root) = @_;
	my %children;
	for (glob '/proc/[0-9]*/stat') {
		my ($pid, $rest) = slurp($_) =~ /^(\d+) \(.*\) (.*)/s or next;
		push @{ $children{ (split ' ', $rest)[1] } }, $pid;
	}
	my @found = @{ $children{$root} // [] };
	for (my $i = 0; $i < @found; $i++) {
		push @found, @{ $children{ $found[$i] } // [] };
	}
	return @found;
}

# A child of ours and all below it; atop takes its time, to switch off what it switched on.
sub end {
	my ($child) = @_;
	my @below = descendants($child);
	kill TERM => @below;
	for (1 .. 40) {
		last unless grep { kill 0, $_ } @below;
		sleep 0.05;
	}
	kill KILL => grep { kill 0, $_ } @below;
	kill TERM => $child;
	waitpid $child, 0;
}

# { ms (CPU of the processes in a second), rstat_ms, probe_ms, resident, own } or why not
sub watch {
	my ($monitor) = @_;
	my $known = programs_known();
	my $it = $monitor->{start}->();
	sleep $warm_s;
	my @pids = $it->{pids}->();
	my @rstats = grep { slurp("/proc/$_/comm") eq "rstat\n" } @pids;
	my ($before, $rstat_before, $began) = (used_ms(@pids), used_ms(@rstats), time);
	sleep $seconds;
	my ($after, $rstat_after, $took) = (used_ms(@pids), used_ms(@rstats), time() - $began);
	my %seen = (ms => ($after - $before) / $took, rstat_ms => ($rstat_after - $rstat_before) / $took);
	@seen{qw(resident own)} = memory_kib(@pids);
	if (programs_since($known)) {	# in a time of its own: counting costs something, too
		my $id = switch_id();
		my $take = sub { $seen{probe_ms} = (probe_us($known, 2))[0] / 1000 };
		$id ? under($take, ['empty', $id]) : $take->();
	}
	my $alive = grep { kill 0, $_ } @pids;
	$it->{stop}->();
	return $alive && @pids && $seen{ms} > 0 ? \%seen : 'has ended, or does nothing';
}

sub peer_rows {
	my ($count) = @_;
	$folder = File::Temp->newdir('rstat-bench-XXXXXX', TMPDIR => 1);
	my @monitors = monitors();
	my (%seen, %said, $tasks);
	my $body = sub {
		sleep 1;
		$tasks = tasks();
		for my $round (1 .. rounds(3)) {
			for my $monitor (turned($round, @monitors)) {
				my $name = $monitor->{name};
				my @missing = grep { system "command -v $_ > /dev/null" } @{ $monitor->{needs} };
				my $one = @missing ? "not installed: @missing" : eval { watch($monitor) } // "$@" =~ s/\n//r;
				ref $one ? push @{ $seen{$name} }, $one : ($said{$name} = $one);
			}
		}
	};
	under($body, fill($count, 5));
	Sway::leave();
	undef $folder;
	headline("peers-$count", "Monitors, once a second, $count tasks: CPU time and memory");
	my $ours;
	for my $name (map { $_->{name} } @monitors) {
		my $all = $seen{$name} or do { remark($name, $said{$name}); next };
		my $of = sub { my ($what) = @_; return [map { $_->{$what} // 0 } @$all] };
		my @sum = map { $_->{ms} + ($_->{probe_ms} // 0) } @$all;
		$ours //= median(@sum);
		row($name, \@sum, 'ms', tasks => $tasks, against => $ours);
		row('   of it the probe', $of->('probe_ms'), 'ms') if defined $all->[0]{probe_ms};
		row('   of it rstat', $of->('rstat_ms'), 'ms') if $name =~ /^Waybar: rstat/;
		row('   resident', $of->('resident'), 'KiB');
		row('   of it no other process has', $of->('own'), 'KiB');
	}
}

1;
