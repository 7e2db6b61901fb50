#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What make bench says is what was measured: its rows, their place in the CSV, its budgets, and the picture of them. No number is judged.
use strict;
use warnings;
use lib 'test/bench';
use Test::More;
use Bench ();
use Rstat;

needs_root();
die "build build/test/burden first: make live-files\n" unless -x 'build/test/burden';
my $scratch = scratch();
my $csv = "$scratch/bench.csv";

is(Bench::median(3, 1, 2), 2, 'the median of three');
is(Bench::median(4, 1, 2, 30), 3, 'of four it lies between two');
is_deeply([Bench::ratios([4, 9], [2, 3])], [2, 3], 'what was measured in one round is divided');
my @first = map { (Bench::turned($_, 'a' .. 'c'))[0] } 0 .. 5;
is_deeply(\@first, [qw(a b c a b c)], 'each is first in turn');

# The CPU time of a process that goes on using it, between two readings of the same clock.
my $busy = load_start('spin');
my $before;
do { $before = process_ns($busy->{pid}) } until $before > 0;	# it moves with the kernel's ticks
my $ours = Bench::used_ms($busy->{pid}) * 1e6;
my $after = process_ns($busy->{pid});
ok(0 < $ours && $before - 1 <= $ours && $ours <= $after + 1, 'CPU time of a process') or diag "$before $ours $after";
load_stop($busy);

sub bench {
	my (%environment) = @_;
	local @ENV{keys %environment} = values %environment;
	local $ENV{BENCH_CSV} = $csv;
	return run('test/bench/run');
}

my ($status, $table) = bench(BENCH_PARTS => 'start switch', BENCH_ROUNDS => 1);
is($status, 0, 'two parts are run') or diag $table;
for my $row (qr/exec to first line/, qr/btf, net of an empty program of the same kind/) {
	like($table, qr/^$row +\d+(?:\.\d+)? .*(?:ms|ns) +\d+ +\d+\.\d\d$/m, "$row: a number, its budget and the ratio");
}
my ($head, @lines) = split /\n/, slurp($csv);
is($head, 'part,row,tasks,median,low,high,unit,runs,budget', 'the CSV says what its columns are');
is_deeply([grep { !/^\w+,"[^"]+",\d*,(?:[\d.e+-]+,){3}\w+,\d+,\d*$/ } @lines], [], 'each of its lines has them');
is_deeply([map { /^(\w+),"(raw[^"]*)"/ ? "$1 $2" : () } @lines],
	[map { "switch raw, net of an empty program of the same kind$_" } '', ': gross', ': the empty one'],
	'a row below another has its name');

($status) = bench(BENCH_PARTS => 'start', BENCH_ROUNDS => 3);
my @again = (split /\n/, slurp($csv))[1 .. @lines];
is_deeply([sort map { /^(\w+,"[^"]+")/ } @again], [sort map { /^(\w+,"[^"]+")/ } @lines], 'a part that is run again stands once, the others stay');
like(slurp($csv), qr/^start,"exec to first line",,.*,ms,3,20$/m, 'and has its new runs');

($status, undef, my $said) = bench(BENCH_PARTS => 'start none');
is($status >> 8, 255, 'a part that is not there is refused');
like($said, qr/^no such part: none$/m, 'by name');

my ($design) = slurp('docs/design.md') =~ /^\| exec to first line \| (\d+) ms/m;
like($table, qr/^exec to first line .*ms +$design +\d/m, 'the budget is that of docs/design.md');
is(() = Bench::budgets('sample, p50'), 3, 'a row may have several');

SKIP: {
	skip 'a picture: needs gnuplot', 2 if system 'command -v gnuplot > /dev/null';
	open my $file, '>', $csv or die "$csv: $!\n";
	print $file "part,row,tasks,median,low,high,unit,runs,budget\n";
	print $file qq(samples,"p50, $_ tasks",$_,@{[$_ / 10]},1,900,us,5,\npeers-$_,"top",$_,@{[$_ / 100]},1,90,ms,3,\n) for 100, 1000;
	close $file;
	my ($drawn) = run('test/bench/plot', $csv, "$scratch/cost.svg");
	is($drawn, 0, 'test/bench/plot draws it');
	my $svg = slurp("$scratch/cost.svg");
	my %lines = map { $_ => 1 } $svg =~ />(all|top)</g;
	is(keys %lines, 2, 'with a line for each');
}
done_testing();
