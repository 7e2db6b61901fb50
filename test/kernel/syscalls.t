#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# After the first line, only the calls of the loop: what is opened, allocated and loaded is so before.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Rstat;

needs_root();
plan skip_all => 'needs strace' if system 'command -v strace >/dev/null';

my $folder = scratch();

# The calls of a run, one list for each line that it wrote: those since the line before.
sub trace {
	my ($file) = @_;
	my @lines = ([]);
	for (split /\n/, slurp($file)) {
		next unless /^(?:\d+ +)?(\w+)\((.*)/;
		push @{ $lines[-1] }, { call => $1, arguments => $2 };
		push @lines, [] if $1 eq 'write' && $2 =~ /^1,/;
	}
	return @lines;
}

sub strace_start {
	my ($file, @arguments) = @_;
	return Rstat::start('strace', '-f', '-o', $file, './rstat', '-o', 'json', @arguments);
}

my @blocked;	# of all lines that were read

sub drain {
	my ($process) = @_;
	my $lines = 0;
	while (defined(my $line = next_line($process))) {
		push @blocked, @{ JSON::PP->new->utf8->decode($line)->{blocked} };
		$lines++;
	}
	ended($process);
	return $lines;
}

my %loop = map { $_ => 1 } qw(ppoll read clock_gettime bpf pread64 sysinfo write);

# A piece of the slot array: shared, to be read, put where the range is reserved.
sub is_piece {
	my ($call) = @_;
	return $call->{call} eq 'mmap' && $call->{arguments} =~ /^0x\w+, \d+, PROT_READ, MAP_SHARED\|MAP_FIXED, \d+/;
}

# Memory that goes back after a pass: of pieces without tasks, and of what was kept for them.
sub is_given_back {
	my ($call) = @_;
	return $call->{call} eq 'madvise' && $call->{arguments} =~ /^0x\w+, \d+, MADV_DONTNEED\)/;
}

sub has_pass {
	my ($line) = @_;
	return grep { $_->{call} eq 'bpf' && $_->{arguments} =~ /^(?:BPF_ITER_CREATE|0x21)\b/ } @$line;
}

# A pass that the reading itself asked for, since a switch was not seen: it comes after a run of the sample program,
# the one that is due before.
sub asks_for_pass {
	my ($line) = @_;
	my @bpf = grep { $_->{call} eq 'bpf' } @$line;
	return @bpf && !has_pass([$bpf[0]]) && has_pass($line);
}

sub describe { return join ', ', map { "$_->{call}($_->{arguments}" } @_ }

# Fails: a second bpf() in probe_begin_scan() (loader/load.c); memory opened for each reading (collect/memory.c);
# refresh_every_ns = 0 (emit/monitor.c); for perf also: is_current() that takes the idle task's pid for a pointer (probe/running.h).
sub test_loop {
	my ($attach) = @_;
	my $run = strace_start("$folder/fast", '-i', 400, '-n', 21, '--attach', $attach);
	is(drain($run), 21, "$attach: 21 lines");
	my ($first, @lines) = trace("$folder/fast");
	my $end = pop @lines;
	is(@lines, 20, "$attach: of which 20 are the loop's");
	# a zombie on the machine brings a pass forward, and so does a switch that the kernel did not show: what those call
	# is test_refresh()'s
	@lines = grep { !has_pass($_) } @lines;
	cmp_ok(scalar @lines, '>=', 10, "$attach: most of them without a pass");
	my @other = grep { !$loop{$_->{call}} && !is_piece($_) } map { @$_ } @lines;
	is(describe(@other), '', 'no calls but the loop\'s');
	my @bpf = map { scalar grep { $_->{call} eq 'bpf' } @$_ } @lines;
	# a reading that lost its CPU in the middle is done again: seldom
	my ($last) = slurp('/sys/devices/system/cpu/possible') =~ /(\d+)$/;
	my $runs = int($last / 4) + 1;	# of four CPUs each
	cmp_ok((grep { $_ == $runs } @bpf), '>=', 0.75 * @lines, "$attach: $runs bpf() per sample (" . join(' ', @bpf) . ')');
	is((grep { !$_ } @bpf), 0, 'and none without');
	my @running = grep { $_->{call} eq 'bpf' && $_->{arguments} !~ /^(?:BPF_PROG_TEST_RUN|BPF_PROG_RUN|0xa)\b/ }
		map { @$_ } @lines;
	is(describe(@running), '', 'which runs the sample program');
	my @write = map { scalar grep { $_->{call} eq 'write' } @$_ } @lines;
	is_deeply(\@write, [(1) x @lines], 'and one write()');
	is_deeply([map { $_->{call} } @$end], ['exit_group'], 'then it ends');
	ok((grep { $_->{call} =~ /^openat?$/ } @$first), '(the trace shows what the way in opens)');
}

# Fails: no refresh_if_due() in monitor_take() (emit/monitor.c).
sub test_refresh {
	my ($run) = @_;
	is(drain($run), 25, '25 lines in 12 s');
	my ($first, @lines) = trace("$folder/slow");
	pop @lines;
	my (@passes, @other);
	for my $line (@lines) {
		my @made = has_pass($line);
		push @passes, $line if @made && !asks_for_pass($line);
		push @other, grep { !$loop{$_->{call}} && !is_piece($_) && !(@made && ($_->{call} eq 'close' || is_given_back($_))) } @$line;
	}
	SKIP: {
		skip 'pages are swapped out, or there are zombies: passes are more frequent', 1
			if @passes > 1 && (slurp('/proc/swaps') =~ /\n./ || grep { $_->{state} eq 'Z' } @blocked);
		is(@passes, 1, 'one refresh pass');
	}
	is(describe(@other), '', 'no calls but the loop\'s and that pass\'s');
	my @calls = map { $_->{call} } @{ $passes[0] // [] };
	# the reading may have asked for another one, once it had run the sample program
	my @made = has_pass($passes[0] // []);
	my ($first_bpf) = grep { $_->{call} eq 'bpf' } @{ $passes[0] // [] };
	is(scalar has_pass([grep { defined } $first_bpf]), 1, 'the pass is one bpf() more, the first');
	cmp_ok(scalar @made, '<=', 2, 'and not more often than the reading asks for');
	is((grep { $_ eq 'close' } @calls), scalar @made, 'and what it opens it closes');
}

# The verifier gives up when a signal comes, a stop or the freezer's too: that is no refusal. Fails: load_undisturbed()
# without its loop (loader/load.c).
sub test_interrupted {
	my @command = ('./rstat', '--attach', 'btf', '--once', '-i', 10, '-o', 'json');
	run('strace', '-e', 'trace=bpf', '-o', "$folder/loads", @command);
	my @bpf = grep { /^bpf\(/ } split /\n/, slurp("$folder/loads");
	my @loads = grep { $bpf[$_ - 1] =~ /^bpf\((?:BPF_PROG_LOAD|0x5)\b/ } 1 .. @bpf;
	cmp_ok(scalar @loads, '>=', 4, scalar @loads . ' programs are loaded');
	for my $which ($loads[0], $loads[-1]) {
		my ($status, $stdout) = run('strace', '-e', 'trace=bpf', '-e', "inject=bpf:error=EAGAIN:when=$which..@{[$which + 2]}",
			'-o', "$folder/loads", @command);
		is(() = slurp("$folder/loads") =~ /^bpf\((?:BPF_PROG_LOAD|0x5).*EAGAIN.*INJECTED/mg, 3, "bpf() $which is interrupted three times");
		is((eval { JSON::PP->new->utf8->decode($stdout) } // {})->{source}, 'btf', 'and is tried again');
	}
}

# The whole of a sample is measured on one that does not look at the clock for each of its steps. Fails: take_whole() that
# leaves timed as it was (emit/bench.c); budget_sample() with a clock of its own (collect/budget.c).
sub test_bench {
	my ($status) = run('strace', '-f', '-o', "$folder/bench", './rstat', '--bench', 20);
	is($status, 0, '--bench 20');
	my @samples;
	for (split /\n/, slurp("$folder/bench")) {
		my ($call) = /^(?:\d+ +)?(\w+)\(/ or next;
		$call eq 'ppoll' ? push @samples, 0 : @samples && $call eq 'clock_gettime' && $samples[-1]++;
	}
	is(scalar @samples, 40, 'are 20 samples as a whole and 20 for the steps');
	my %times = (whole => [], steps => []);
	push @{ $times{ (sprintf '%b', $_) =~ tr/1// % 2 ? 'steps' : 'whole' } }, $samples[$_] for 0 .. $#samples;
	# one that was interrupted has read again; the first whole comes before any step
	my ($whole, $steps) = map { (sort { $a <=> $b } @{ $times{$_} })[2] } 'whole', 'steps';
	is($steps - $whole, 12, 'which look at the clock after each of 12 steps');
	my (undef, $line) = run('./rstat', '--once', '-o', 'json');
	my $sample = JSON::PP->new->utf8->decode($line);
	SKIP: {
		my @sensors = grep { ref $sample->{$_} eq 'ARRAY' ? @{ $sample->{$_} } : defined $sample->{$_} }
			qw(temperature_celsius frequency_mean_hz power_profile throttled gpus batteries);
		skip "sensors look at the clock, too: @sensors", 1 if @sensors;
		is($whole, 7, 'in the whole it is read five times, and twice for the report');
	}
}

my $slow = strace_start("$folder/slow", '-i', 500, '-n', 25);
test_loop($_) for 'auto', 'perf';
test_interrupted() if ($ENV{RSTAT_ATTACH} // 'btf') eq 'btf';
test_refresh($slow);
test_bench();
done_testing();
