# SPDX-License-Identifier: MIT
# make bench: the time of a sample, by the number of tasks.
package Samples;
use strict;
use warnings;
use Time::HiRes qw(sleep);
use Bench;

my @counts = (100, 1000, 4000, 20000);
my %sensors = map { $_ => 1 } qw(temperature frequency gpu battery power);

# { step => [p50, p95, p99] } in us, of samples 1 ms apart. In the real-time class: what a sample costs, and not for how long others
# have the CPU in the middle of one.
sub bench {
	my ($attach, $samples) = @_;
	my %steps;
	for (`chrt --fifo 1 $Bench::rstat --attach $attach --bench $samples -o waybar`) {
		$steps{$1} = [$2, $3, $4] if /^(\w+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)$/;
	}
	die "bench: no times of $attach\n" unless $steps{total};
	return \%steps;
}

sub column {
	my ($runs, $step, $which) = @_;
	return [map { $_->{$step}[$which] } @$runs];
}

sub sample_rows {
	my (%runs, %tasks);
	for my $round (1 .. rounds(5)) {
		for my $count (turned($round, @counts)) {
			under(sub {
				sleep 1;
				$tasks{$count} = tasks();
				push @{ $runs{$count} }, bench('btf', 1000);
			}, fill($count, 5));
		}
	}
	my %budget;
	@budget{@counts[0 .. 2]} = budgets('sample, p50');
	headline('samples', 'A sample, 1 ms apart; the tasks wake 5 times a second');
	for my $count (@counts) {
		my $runs = $runs{$count};
		my %more = (tasks => $tasks{$count});
		row("p50, $count tasks", column($runs, 'total', 0), 'us', %more, budget => $budget{$count});
		row('   p95', column($runs, 'total', 1), 'us', %more);
		row('   p99', column($runs, 'total', 2), 'us', %more);
	}
	step_rows(\%runs, \%tasks);
}

# The medians of each step, one column for each number of tasks.
sub step_rows {
	my ($runs, $tasks) = @_;
	my @steps = grep { $_ ne 'total' && !$sensors{$_} } keys %{ $runs->{$counts[0]}[0] };
	for my $count (@counts) {
		for my $run (@{ $runs->{$count} }) {
			$run->{sensors}[0] += $run->{$_}[0] // 0 for keys %sensors;
		}
	}
	my $of = sub { my ($step, $count) = @_; return median(@{ column($runs->{$count}, $step, 0) }) };
	printf "%-58s %10s %10s %10s %10s\n", 'p50 of its steps in us, by number of tasks', @counts;
	for my $step (sort { $of->($b, $counts[-1]) <=> $of->($a, $counts[-1]) } @steps, 'sensors') {
		printf "   %-55s %10.1f %10.1f %10.1f %10.1f\n", $step, map { $of->($step, $_) } @counts;
		record("step $step", column($runs->{$_}, $step, 0), 'us', tasks => $tasks->{$_}) for @counts;
	}
}

# Tasks that never run: what do they add?
sub asleep_rows {
	my (@alone, @beside);
	for my $round (1 .. rounds(5)) {
		my %take = (
			alone => sub { under(sub { sleep 1; push @alone, bench('btf', 1000) }, ['sleepers', 100, 5]) },
			beside => sub { under(sub { sleep 1; push @beside, bench('btf', 1000) }, ['sleepers', 20000, 0], ['sleepers', 100, 5]) },
		);
		$take{$_}->() for turned($round, 'alone', 'beside');
	}
	headline('asleep', 'A sample, 1 ms apart; tasks that never wake');
	my ($alone, $beside) = (column(\@alone, 'total', 0), column(\@beside, 'total', 0));
	row('p50, 100 tasks that wake 5 times a second, alone', $alone, 'us');
	row('p50, 20,000 beside them that never wake', $beside, 'us');
	row('   the second for each of the first', [ratios($beside, $alone)], '', digits => 2, budget => 1.5);
	for my $step ('scan', 'lists') {
		row("   of it $step, alone", column(\@alone, $step, 0), 'us');
		row("   of it $step, beside them", column(\@beside, $step, 0), 'us');
	}
}

# Without a probe: 1 ms apart, and CPU time in the loop, when all have run since the one before.
sub walk_rows {
	my (@runs, @ms, @kib, $tasks);
	under(sub {
		sleep 1;
		$tasks = tasks();
		push @runs, bench('proc', 300) for 1 .. rounds(5);
		my $loop = rstat_open('--attach', 'proc', '-o', 'json');
		for (1 .. 8) {
			my $before = used_ms($loop->{pid});
			readline $loop->{out};
			push @ms, used_ms($loop->{pid}) - $before;
		}
		@kib = memory_kib($loop->{pid});
		rstat_close($loop);
	}, fill(1000, 5));
	my %more = (tasks => $tasks);
	headline('walk', 'Without the probe, by /proc, 1,000 tasks');
	my @us = map { [map { $_ / 1000 } @{ column(\@runs, 'total', $_) }] } 0 .. 2;
	row('a sample, 1 ms apart, p50', $us[0], 'ms', %more, budget => budgets('sample by /proc'));
	row('   p95', $us[1], 'ms', %more);
	row('   p99', $us[2], 'ms', %more);
	row('CPU time of a sample in the loop, a second apart', \@ms, 'ms', %more);
	row('resident memory', [$kib[0]], 'KiB', %more);
}

1;
