#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A fork storm on all CPUs: no process of it, and none of its CPU time, is lost; also where the kernel's recursion guard
# skips births, which the next switch then adopts.
use strict;
use warnings;
use Test::More;
use Rstat;

needs_root();

my $forks = $ENV{RSTAT_FORKS} // 10000;
my $storms = cpus();
my $each = int $forks / $storms;
my $folder = scratch();
my $name = "forks$$";	# its own: other loads on the machine are not counted
system('cp', 'build/test/load', "$folder/$name") == 0 or die "cp\n";

# What a storm has used: its own process by its clock, and the children it has waited for, whose times the kernel keeps
# to the nanosecond and shows in ticks.
sub storm_ns {
	my ($load) = @_;
	my @stat = split ' ', slurp("/proc/$load->{pid}/stat") =~ s/.*\) //sr;
	return process_ns($load->{pid}) + ($stat[13] + $stat[14]) * 1e9 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub ended_count {
	my $sum = 0;
	$sum += $_->{ended} // 0 for grep { is_storm($_) } @{ $_[0]{top_cpu} };
	return $sum;
}

# All of its rows: its own process, and those that ended.
sub is_storm { return $_[0]{name} eq $name }

# Fails: on_birth() without its body and may_adopt() 0 (probe): the time is nobody's, and no process is counted.
sub test_storm {
	my @loads = map { Rstat::start("$folder/$name", '-n', 0, 'forks', $each) } 1 .. $storms;
	is(next_line($_), 'ready', 'a storm stands by') for @loads;
	my $rstat = rstat_start('-i', 500);
	sample_from_now($rstat) for 1 .. 3;	# what an earlier test has left is freed by now
	my $truth = sub {
		my $sum = 0;
		$sum += storm_ns($_) for @loads;
		return [$sum, @{ storm_busy() }];
	};
	my @sample = sample_from_now($rstat, $truth);
	Rstat::order($_, 'go') for @loads;
	my %busy = map { $_->{pid} => $_ } @loads;
	# the last are freed after a grace period, which takes its time on a busy machine
	my $more = 30;
	my $ended = 0;
	while ($more && ($more > 28 || $ended < $each * $storms)) {
		push @sample, next_sample($rstat, $truth);
		$ended += ended_count($sample[-1]);
		$more-- unless %busy;
		for my $load (values %busy) {
			my $bits = '';
			vec($bits, fileno $load->{out}, 1) = 1;
			delete $busy{ $load->{pid} } if select $bits, undef, undef, 0;
		}
	}
	is(next_line($_), 'done', "$each processes have come and gone") for @loads;
	rstat_stop($rstat);
	check_storm(@sample);
	load_stop($_) for @loads;
}

sub check_storm {
	my ($first, @sample) = @_;
	my ($ours, $count, $without, $machine, $window) = (0) x 5;
	for my $sample (@sample) {
		my $used = used_ns($sample, \&is_storm);
		my $all_ns = $sample->{elapsed_us} * 1000 * $sample->{cpus};
		$ours += $used if $used > 0;
		$count += ended_count($sample);
		$without += $sample->{tasks}{other_cpu_ratio} * $all_ns;
		$machine += $sample->{cpu_ratio} * $all_ns;
		$window += $all_ns;
	}
	my ($kernel, @busy) = map { $sample[-1]{truth}[$_] - $first->{truth}[$_] } 0 .. 4;
	# a child's last switch comes after its parent was told, and is in no number of the kernel's: up to 20 us each
	ok(near($ours, $kernel, 0.05, 30e6), sprintf 'CPU of the storm: %.0f ms, the kernel says %.0f ms; %.0f ms had no slot',
		$ours / 1e6, $kernel / 1e6, $without / 1e6);
	check_total($machine / $window, @busy, 0.03, 'all the time');
	# a real-time kernel, which can be interrupted nearly everywhere, skips more ends; they are found by passes, later. On perf
	# events births are skipped, too, and what ends before it is adopted has no name
	my $way = $ENV{RSTAT_ATTACH} // 'btf';
	my $skipped = $way eq 'perf' || slurp('/sys/kernel/realtime') =~ /^1/ ? 0.02 : 0.01;
	ok(near($count, $each * $storms, $skipped, 0), sprintf '%d of %d are counted as ended', $count, $each * $storms);
	is($sample[-1]{tasks}{dropped} - $first->{tasks}{dropped}, 0, 'none was without a slot');
	# on perf events the kernel runs nothing that interrupts another program or a map's system call (bpf_prog_active); before
	# 6.2 a look into a task's storage that interrupts another such look finds nothing, and what is freed then is a batch
	my ($major, $minor) = (POSIX::uname())[2] =~ /^(\d+)\.(\d+)/;
	my $busy_storage = $way eq 'btf' && $major * 100 + $minor < 602;
	my $unseen = $each * $storms * ($way eq 'perf' ? 0.05 : $busy_storage ? 0.03 : 0.01);
	my $lost = $sample[-1]{tasks}{lost} - $first->{tasks}{lost};
	cmp_ok($lost, '<=', $unseen, "ends that were not seen: $lost");
}

# What --check tells of a storm that runs meanwhile, for the reader of the log.
sub test_check {
	my $load = load_start('storm', '/bin/true');
	my (undef, $stdout) = run('./rstat', '--check', '--attach', $ENV{RSTAT_ATTACH} // 'btf');
	load_stop($load);
	note join "\n", grep { /^(?:program|slots|attached) / } split /\n/, $stdout;
	like($stdout, qr/^sample .*: works$/m, 'a sample works in a storm');
}

test_storm();
test_check();
done_testing();
