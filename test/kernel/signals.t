#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Signals and a closed or stopped reader, in every phase; and nothing of it stays in the kernel.
use strict;
use warnings;
use Fcntl;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();

my @ends_s;		# from a signal to the end, each
my $left_s = 0;		# until nothing of it was in the kernel

# rstat as a user starts it, nothing asked of it yet.
sub plain_start {
	return Rstat::start('./rstat', '-o', 'json', @_);
}

# Sends the signal and times the end. The limit is generous, since others use this machine.
sub end_fault {
	my ($process, $signal) = @_;
	my $began = now();
	kill $signal => $process->{pid};
	my $status = ended($process, 10);
	my $took = now() - $began;
	return 'it has not ended' unless defined $status;
	push @ends_s, $took;
	return sprintf '%.0f ms', $took * 1000 if $took > 0.5;
	# the signal's own default action ends it, so that it works in every phase
	return "status $status" unless $status == { TERM => 15, INT => 2, HUP => 1 }->{$signal};
	return;
}

# What living processes hold: { prog => { ID => 1 }, map => ... }, a link holding its program, that its maps.
sub held_ids {
	my ($ids) = @_;
	my %held = (prog => {}, map => {});
	for (glob '/proc/[0-9]*/fdinfo/*') {
		my $facts = slurp($_);
		$held{prog}{$1} = 1 if $facts =~ /^prog_id:\s*(\d+)/m;
		$held{map}{$1} = 1 if $facts =~ /^map_id:\s*(\d+)/m;
	}
	for my $program (keys %{ $held{prog} }) {
		my (undef, @maps) = @{ $ids->{prog}{$program} // [] };
		$held{map}{$_} = 1 for @maps;
	}
	return \%held;
}

# What is new since $before and held by nobody who lives, once the kernel has had 2 s to take it away.
sub left_behind {
	my ($before) = @_;
	my $began = now();
	my @left;
	do {
		my $ids = bpf_ids();
		my $held = held_ids($ids);
		@left = ();
		for my $kind ('prog', 'map') {
			push @left, map { "$kind $_" } grep { !$before->{$kind}{$_} && !$held->{$kind}{$_} } keys %{ $ids->{$kind} };
		}
		sleep 0.02 if @left;
	} while (@left && now() - $began < 2);
	$left_s = now() - $began if now() - $began > $left_s;
	return @left;
}

# Fails: SIGTERM among own_signals() (emit/loop.c): it is then never read; a program pinned by the loader stays.
sub test_phases {
	my (@faults, @left);
	my $before = bpf_ids();
	for (my $ms = 0; $ms <= 40; $ms += 2) {
		my $process = plain_start('-i', 10);
		sleep $ms / 1000;
		my $fault = end_fault($process, 'TERM');
		push @faults, "after $ms ms: $fault" if defined $fault;
	}
	push @left, left_behind($before);
	for my $signal ('TERM', 'INT', 'HUP') {
		my $process = plain_start('-i', 10);
		next_line($process) for 1 .. 20;
		my $fault = end_fault($process, $signal);
		push @faults, "$signal while sampling: $fault" if defined $fault;
		push @left, left_behind($before);
	}
	is_deeply(\@faults, [], 'a signal ends it while it loads and while it samples');
	is_deeply(\@left, [], 'nothing is left in the kernel');
}

# rstat whose reader has stopped and whose pipe is full.
sub blocked_start {
	my $process = plain_start('-i', 10);
	fcntl $process->{out}, 1031, 4096;	# F_SETPIPE_SZ
	next_line($process);
	my $until = now() + 20;
	sleep 0.01 until slurp("/proc/$process->{pid}/wchan") =~ /pipe_?write/ || now() > $until;
	like(slurp("/proc/$process->{pid}/wchan"), qr/pipe_?write/, '(it waits for its reader)');
	return $process;
}

# Fails: SIGTERM blocked in loop_take_signals() (emit/loop.c).
sub test_full_pipe {
	my $before = bpf_ids();
	my $process = blocked_start();
	is(end_fault($process, 'TERM'), undef, 'SIGTERM ends it while a full pipe blocks the write');
	is_deeply([left_behind($before)], [], 'nothing is left in the kernel');
}

# Fails: memory that each write takes and keeps (show_sample() with a new mmap).
sub test_stopped_reader {
	my $process = blocked_start();
	my $rss = sub { slurp("/proc/$process->{pid}/smaps_rollup") =~ /^Rss:\s+(\d+) kB/m ? $1 : undef };
	my $before = $rss->();
	ok($before, "it has $before kB");
	sleep 2;
	is($rss->(), $before, 'a stopped reader costs no memory');
	for (1 .. 100) { next_line($process) }
	# pages of the program come and go, tasks become more: what each of 100 lines would keep is larger
	cmp_ok($rss->(), '<=', $before + 1024, 'nor does one that goes on');
	rstat_stop($process);
}

# Fails: no POLLERR of stdout in run() (emit/loop.c): it then ends only at the next line.
sub test_closed_stdout {
	my $before = bpf_ids();
	for my $interval (10, 60000) {
		my $process = plain_start('-i', $interval);
		next_line($process);
		close $process->{out};
		is(ended($process, 10), 0, "a closed stdout ends it with exit 0, at $interval ms");
		is(slurp($process->{err}->filename), '', 'without a word');
	}
	is_deeply([left_behind($before)], [], 'nothing is left in the kernel');
}

# Fails: take_signal() that returns false for SIGUSR1 (emit/loop.c): no line comes.
sub test_line_now {
	my $rstat = rstat_start('-i', 60000);
	next_sample($rstat);
	for (1 .. 2) {
		sleep 0.2;
		kill USR1 => $rstat->{pid};
		my $sample = next_sample($rstat);
		ok($sample->{elapsed_us} >= 200_000 && $sample->{elapsed_us} < 30_000_000,
			"SIGUSR1: a line now, after $sample->{elapsed_us} us");
	}
	my $bits = '';
	vec($bits, fileno $rstat->{out}, 1) = 1;
	is(select($bits, undef, undef, 0.5), 0, 'and no other');
	rstat_stop($rstat);
}

# The interval, as the mean of some lines shows it, is nearer to this one than to its neighbours. Fails:
# next_interval() without set_timer() (emit/loop.c), or without 34 in own_signals().
sub test_next_interval {
	my $rstat = rstat_start('-i', 1000);
	next_sample($rstat);
	for (['USR2', 500], [34, 250], ['USR2', 100], [34, 2000], ['USR2', 1000], [37, 500], [37, 250], [38, 500]) {
		my ($signal, $ms) = @$_;
		my $lines = $ms > 500 ? 1 : 4;
		kill $signal => $rstat->{pid};
		next_sample($rstat);	# at once
		my $sum = 0;
		$sum += next_sample($rstat)->{elapsed_us} / 1000 for 1 .. $lines;
		my $mean = $sum / $lines;
		ok($mean > $ms * 0.7 && $mean < $ms * 1.4, sprintf "signal %s: every %d ms (%.1f)", $signal, $ms, $mean);
	}
	rstat_stop($rstat);
}

sub is_kernel_thread { return slurp("/proc/$_[0]/stat") =~ /\) \S 2 / }

# Kernel threads that used CPU: forks give those of RCU work. Fails: 35 that changes nothing in take_signal().
sub test_kernel_threads {
	my $storm = load_start('-n', 10, 'storm', '/bin/true');
	my $rstat = rstat_start('-i', 1000);
	next_sample($rstat);
	for my $wanted (1, 0, 1) {
		my $sample = next_sample($rstat);
		my @kernel = grep { $_->{pid} && is_kernel_thread($_->{pid}) } @{ $sample->{top_cpu} };
		if ($wanted) { cmp_ok(@kernel, '>', 0, 'kernel threads are listed') }
		else { is(@kernel, 0, 'signal 35: they are not') }
		kill 35 => $rstat->{pid};
		next_sample($rstat);
	}
	rstat_stop($rstat);
	load_stop($storm);
}

# 36: one list alone has three times the rows. Fails: control_rows() left out of take_sample() (emit/loop.c).
sub test_next_list {
	my $names = load_start('names', map { unpack 'H*', "row$_" } 1 .. 12);
	my $rstat = rstat_start('-i', 60000, '-t', 2, '--min-mem', 0);
	is(scalar @{ next_sample($rstat)->{top_memory} }, 2, 'a list has the rows that were asked for');
	for my $rows (6, 6, 6, 2) {
		kill 36 => $rstat->{pid};
		is(scalar @{ next_sample($rstat)->{top_memory} }, $rows, "signal 36: $rows rows");
	}
	rstat_stop($rstat);
	load_stop($names);
}

# 39 and 40, as a bar sends them that hides and comes back. Fails: take_sample() instead of show_sample() for a pause
# left out of run() (emit/loop.c).
sub test_pause {
	my $rstat = rstat_start('-i', 50);
	next_sample($rstat) for 1 .. 3;
	kill 39 => $rstat->{pid};
	# what was in the pipe comes first
	my $bits = '';
	vec($bits, fileno $rstat->{out}, 1) = 1;
	my ($late, $slow) = (0, 0);
	while ($late + $slow < 100) {
		my $began = now();
		last unless select(my $ready = $bits, undef, undef, 7) > 0;	# paused samples are 5 s apart
		next_sample($rstat);
		now() - $began > 4 ? $slow++ : $late++;
		last if $slow;
	}
	is($slow, 0, 'signal 39: no line comes of a paused sample');
	cmp_ok($late, '<', 100, "and none of another, after $late");
	kill 40 => $rstat->{pid};
	next_sample($rstat) for 1 .. 4;
	pass('signal 40: lines again');
	rstat_stop($rstat);
}

# Why a sample is absurd; nothing where it is not.
sub absurdity {
	my ($value, $name) = @_;
	if (ref $value eq 'HASH') {
		for (keys %$value) { my $why = absurdity($value->{$_}, $_); return "$name.$why" if $why }
	} elsif (ref $value eq 'ARRAY') {
		for (@$value) { my $why = absurdity($_, $name); return $why if $why }
	} elsif ($value =~ /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i) {
		return "$name $value" if $value < 0 || $value >= 2**53 || $name =~ /ratio/ && $value > 1;
		return "$name $value" if $name =~ /_per_second/ && $value > 1e12;
	}
	return;
}

# A bar that is hidden stops it. Fails: elapsed_ns as the interval asked for (emit/monitor.c): the hog is at 100%,
# far from its own clock.
sub test_stopped {
	my $hog = load_start('-c', (cpus())[-1], 'spin');
	my $truth = sub { cpu_ns($hog->{pid}) };
	my $rstat = rstat_start('-i', 200);
	next_sample($rstat);
	my @sample = next_sample($rstat, $truth);
	kill STOP => $rstat->{pid};
	sleep 3;
	kill CONT => $rstat->{pid};
	# what was in the pipe when it stopped is read now: only the time of the first long line is of use
	do { push @sample, next_sample($rstat, $truth) } until $sample[-1]{elapsed_us} > 2_000_000 || @sample > 20;
	push @sample, next_sample($rstat, $truth) for 1 .. 3;
	is_deeply([grep { defined } map { absurdity($_, 'sample') } map { my %s = %$_; delete $s{truth}; \%s } @sample], [],
		'SIGSTOP, 3 s, SIGCONT: no absurd number');
	my ($long) = grep { $sample[$_]{elapsed_us} > 2_000_000 } 1 .. $#sample;
	ok($long, 'one line is of the time in between');
	SKIP: {
		skip 'no long line', 1 unless $long;
		check_near(used_ns($sample[$long], by_pid($hog->{pid})),
			$sample[$long]{truth} - $sample[$long - 1]{truth}, 'it has what a hog used');
	}
	rstat_stop($rstat);
	load_stop($hog);
}

test_phases();
test_full_pipe();
test_stopped_reader();
test_closed_stdout();
test_line_now();
test_next_interval();
test_kernel_threads();
test_next_list();
test_pause();
test_stopped();
@ends_s = sort { $a <=> $b } @ends_s;
cmp_ok($ends_s[@ends_s / 2], '<=', 0.05, sprintf '%d ends: half of them within %.1f ms of the signal, all within %.1f ms',
	scalar @ends_s, $ends_s[@ends_s / 2] * 1000, $ends_s[-1] * 1000);
diag sprintf 'out of the kernel within %.0f ms', $left_s * 1000;
done_testing();
