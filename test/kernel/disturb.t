#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What happens to a machine while rstat watches it: CPUs that come and go, stopped clocks and processes, pids that
# begin again. No number is negative, above 100% or a spike. Changes the machine for moments: RSTAT_DISTURB=1.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep CLOCK_REALTIME clock_gettime);
use Rstat;

needs_root();
plan skip_all => 'stops a CPU, steps the clock, lowers pid_max; RSTAT_DISTURB=1 allows it' unless disturbs();

my @cpus = cpus();

# What is wrong with a line, or ''.
sub absurdity {
	my ($sample) = @_;
	return '' unless exists $sample->{cpu_ratio};	# the first
	return "cpu_ratio $sample->{cpu_ratio}" if $sample->{cpu_ratio} < 0 || $sample->{cpu_ratio} > 1;
	my $sum = 0;
	for (@{ $sample->{top_cpu} }) {
		return "$_->{name} $_->{cpu_ratio}" if $_->{cpu_ratio} < 0 || $_->{cpu_ratio} > 1;
		$sum += $_->{cpu_ratio};
	}
	return "the list adds up to $sum" if $sum > 1.02;
	for (values %{ $sample->{io} }) { return "io $_" if $_ < 0 || $_ > 1e12 }
	return '';
}

# One core's worth of a hog in each line, whatever happens: never more, and not less than what the kernel gave it.
sub check_lines {
	my ($name, $hog, @samples) = @_;
	my @absurd = grep { $_ } map { absurdity($_) } @samples;
	is_deeply(\@absurd, [], "$name: nothing absurd in " . @samples . ' lines');
	my $ours = 0;
	for (@samples) {
		my $used = used_ns($_, by_pid($hog->{pid}));
		$ours += $used if $used > 0;
	}
	return $ours;
}

# Samples with the hog's CPU, from now on, while $body runs in between.
sub watch {
	my ($name, $interval, $body) = @_;
	my $hog = load_start('-c', $cpus[0], 'spin');
	my $truth = sub { process_ns($hog->{pid}) };
	my $rstat = rstat_start('-i', $interval);
	my $first = sample_from_now($rstat, $truth);
	my @samples = $body->($rstat, $truth);
	my $ours = check_lines($name, $hog, @samples);
	rstat_stop($rstat);
	load_stop($hog);
	check_row($name, 'process', $samples[-1]{truth} - $first->{truth}, $ours, 'ms', 50e6);
	return @samples;
}

# Fails: rates by the CPUs of the start.
sub test_hotplug {
	my $cpu = $cpus[-1];
	my $online = "/sys/devices/system/cpu/cpu$cpu/online";
	SKIP: {
		skip 'CPU hotplug: this machine has one CPU, or its last cannot be stopped', 1 if @cpus < 2 || !-w $online;
		my @samples = watch('a CPU that goes and comes', 1000, sub {
			my ($rstat, $truth) = @_;
			my @samples;
			for my $state (0, 1) {
				put($online, $state) or die "$online: $!\n";
				push @samples, map { next_sample($rstat, $truth) } 1 .. 3;
			}
			return @samples;
		});
		put($online, 1);
		is($samples[2]{cpus}, @cpus - 1, 'the number of CPUs follows');
		is($samples[-1]{cpus}, scalar @cpus, 'and comes back');
		cmp_ok($samples[2]{cpu_ratio}, '>=', 0.9 / (@cpus - 1), 'a hog is all of the CPUs that are left') if @cpus == 2;
	}
}

# Fails: elapsed_ns taken for the interval that was asked for.
sub test_stop {
	watch('SIGSTOP for 10 s, SIGCONT', 1000, sub {
		my ($rstat, $truth) = @_;
		kill STOP => $rstat->{pid};
		sleep 10;
		kill CONT => $rstat->{pid};
		return map { next_sample($rstat, $truth) } 1 .. 3;
	});
}

# Sets the clock so many seconds ahead of what it would be.
sub step_clock {
	my ($seconds) = @_;
	my $now = Time::HiRes::time() + $seconds;
	my $time = pack 'qq', int $now, ($now - int $now) * 1e9;
	return syscall(227, CLOCK_REALTIME, $time) == 0;	# clock_settime, x86_64
}

# Fails: elapsed_ns from the realtime clock.
sub test_clock {
	SKIP: {
		skip 'clock steps: the number of clock_settime is x86_64\'s', 1 if (POSIX::uname())[4] ne 'x86_64';
		watch('a clock that is set an hour ahead and back', 500, sub {
			my ($rstat, $truth) = @_;
			my @samples;
			for my $hours (1, -1) {
				step_clock($hours * 3600) or die "clock_settime: $!\n";
				push @samples, map { next_sample($rstat, $truth) } 1, 2;
			}
			return @samples;
		});
	}
}

# Numbers that begin again, some times over. Fails: identity by pid.
sub test_pids {
	my $path = '/proc/sys/kernel/pid_max';
	my $old = 0 + slurp($path);
	my $highest = 0;
	for (glob '/proc/[0-9]*/task/[0-9]*') { m{(\d+)$} and $1 > $highest and $highest = $1 }
	# room for a few hundred: new pids come round every few thousand forks
	my $limit = 3000;
	SKIP: {
		skip 'pids that begin again: pid_max cannot be changed here', 1 unless put($path, $limit);
		my $forks = load_start('forks', 12_000);
		my $rstat = rstat_start('-i', 500);
		my $truth = sub { return { machine => machine_busy() } };
		my @samples = (sample_from_now($rstat, $truth));
		order($forks, 'go');
		my ($bits, $more) = ('', 3);
		while ($more) {
			push @samples, next_sample($rstat, $truth);
			$bits = '';
			vec($bits, fileno $forks->{out}, 1) = 1;
			$more-- if $more < 3 || select $bits, undef, undef, 0;
		}
		put($path, $old) or die "$path: $!\n";
		my $ended = 0;
		for (@samples) {
			my $row = entry($_->{top_cpu}, sub { $_[0]{name} eq 'load' && $_[0]{ended} });
			$ended += $row->{ended} if $row;
		}
		is_deeply([grep { $_ } map { absurdity($_) } @samples], [], 'pids that begin again: nothing absurd');
		ok(near($ended, 12_000, 0.01, 0), "$ended ended processes are counted, of 12,000 that shared $limit pids");
		my ($busy, $all) = map { $samples[-1]{truth}{machine}[$_] - $samples[0]{truth}{machine}[$_] } 0, 1;
		my ($used, $time) = (0, 0);
		for (@samples[1 .. $#samples]) {
			$used += $_->{cpu_ratio} * $_->{elapsed_us};
			$time += $_->{elapsed_us};
		}
		check_row('pids that begin again', 'machine', $busy / $all, $used / $time, 'points');
		rstat_stop($rstat);
		load_stop($forks);
	}
}

run_parts(
	[hotplug => \&test_hotplug],
	[stop => \&test_stop],
	[clock => \&test_clock],
	[pids => \&test_pids],
);
