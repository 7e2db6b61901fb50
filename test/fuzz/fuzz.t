#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Each fuzz target over its corpus, then as many fresh inputs as test/fuzz/Fuzz.pm says, from a fixed seed: it ends after so
# many executions, however long they take.
use strict;
use warnings;
use lib 'test/fuzz';
use File::Path ();
use Test::More;
use Fuzz;

my $build = $ENV{FUZZ_BUILD} // 'build/fuzz';
my @targets = targets();
my @missing = grep { !-x "$build/fuzz_$_" } @targets;
die "build the targets first: make fuzz-files (@missing)\n" if @missing;
File::Path::remove_tree("$build/short");
File::Path::make_path(map { "$build/short/$_.new" } @targets);

sub short_run {
	my ($target) = @_;
	open STDOUT, '>', "$build/short/$target.log";
	open STDERR, '>&', \*STDOUT;
	# what is found goes into the first folder
	exec "$build/fuzz_$target", arguments($target), '-seed=1', '-runs=' . runs($target), "-artifact_prefix=$build/short/$target-",
		"$build/short/$target.new", folders($target);
	die "$build/fuzz_$target: $!\n";
}

my @cpus = glob '/sys/devices/system/cpu/cpu[0-9]*';
my $status = in_parallel(@cpus || 1, \&short_run, @targets);
for my $target (@targets) {
	my $log = do { local (@ARGV, $/) = "$build/short/$target.log"; <> };
	my ($executions) = $log =~ /number_of_executed_units: (\d+)/;
	ok($status->{$target} == 0 && $executions && $executions >= runs($target), "$target: " . ($executions // 0) . ' executions');
	next if $status->{$target} == 0;
	diag grep { /not so|ERROR|runtime error|SUMMARY|^    #\d+ .*(?:test|emit|collect|loader)\// } split /^/, $log;
	diag "reproduce it: $build/fuzz_$target $_" for glob "$build/short/$target-*";
	diag "the whole log: $build/short/$target.log";
}

# A corpus is small, and every target has one.
for my $target (@targets) {
	ok(scalar(map { glob "$_/*" } folders($target)), "$target has a corpus");
}
my $size = 0;
$size += -s for map { glob "$_/*" } glob 'test/fuzz/corpus/*';
cmp_ok($size, '<', 1_500_000, "bytes of all corpora: $size");

done_testing();
