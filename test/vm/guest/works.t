#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The way in that is asked for works in this guest, and says so.
use strict;
use warnings;
use Test::More;
use Rstat;

my $attach = $ENV{RSTAT_ATTACH};

# Fails: a program that this kernel's verifier refuses.
sub test_check {
	my ($status, $stdout, $stderr) = run('./rstat', '--attach', $attach, '--check');
	is($status, 0, "--check --attach $attach: exit 0");
	is($stderr, '', 'nothing on stderr');
	like($stdout, qr/^sample .*: works$/m, 'it says that it works') or diag $stdout;
	note $stdout;
}

sub test_first_line {
	my $rstat = rstat_start('-i', 500);
	my $first = next_sample($rstat);
	my $second = next_sample($rstat);
	rstat_stop($rstat);
	my @tasks = grep { -e } glob '/proc/[0-9]*/task/[0-9]*';
	is($first->{source}, $attach, "the first line comes by $attach");
	is($first->{cpus}, scalar(cpus()), "of $first->{cpus} CPUs");
	cmp_ok(abs($first->{tasks}{total} - @tasks), '<=', 20,
		sprintf '%d tasks, /proc has %d', $first->{tasks}{total}, scalar @tasks);
	my ($total) = slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+) kB/m;
	is($first->{memory}{total_bytes}, $total * 1024, 'memory as in /proc/meminfo');
	my @known = grep { $first->{pressure}{$_} } 'cpu', 'memory', 'io';
	my @there = grep { slurp("/proc/pressure/$_") ne '' } 'cpu', 'memory', 'io';
	is_deeply(\@known, \@there, 'pressure where the kernel has it');
	ok(exists $second->{cpu_ratio}, 'rates in the second');
}

test_check();
test_first_line();
done_testing();
