# SPDX-License-Identifier: MIT
# What the scripts of this folder share: which targets there are, and what belongs to each.
package Fuzz;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(targets folders arguments in_parallel runs);

# The longest input worth trying; what is not named here: 4096 bytes.
my %longest = (sources => 8192, proc => 8192, object => 512, keys => 512, click => 1024, safe => 256, options => 1024, tasks => 2048,
	history => 2048, unpack => 1024, text => 4096, screen => 4096);

# Folders of inputs that the tree has for other reasons, too.
my %beside = (sources => ['test/fixtures/machines'], core => ['test/fixtures/btf']);

# Executions of the short run, the corpus included: a minute of CPU time for all.
my %runs = (btf => 30000, click => 30000, elf => 30000, history => 20000, keys => 20000, parse => 50000, unpack => 30000,
	core => 10000, safe => 4000, options => 15000, tracepoint => 4000, object => 2500, json => 2000, waybar => 2000,
	i3bar => 4000, openmetrics => 2000, panel => 1250, text => 3000, screen => 750, sources => 2000, proc => 3000,
	tasks => 4000, load => 500);

sub targets { return map { m{/fuzz_(\w+)\.c$} ? $1 : () } sort glob 'test/fuzz/fuzz_*.c' }

sub folders {
	my ($target) = @_;
	return grep { -d } "test/fuzz/corpus/$target", @{ $beside{$target} // [] };
}

sub runs { return $runs{ $_[0] } // 4000 }

sub arguments {
	my ($target) = @_;
	return ('-max_len=' . ($longest{$target} // 4096), '-timeout=20', '-rss_limit_mb=2048', '-print_final_stats=1',
		-f "test/fuzz/$target.dict" ? "-dict=test/fuzz/$target.dict" : ());
}

# Calls $do->(item) for each item in a process of its own, $jobs at a time: { item => exit status }.
sub in_parallel {
	my ($jobs, $do, @items) = @_;
	my (%item, %status);
	while (@items || %item) {
		while (@items && keys %item < $jobs) {
			my $next = shift @items;
			my $pid = fork // die "fork: $!\n";
			exit $do->($next) if !$pid;
			$item{$pid} = $next;
		}
		my $pid = wait;
		$status{ delete $item{$pid} } = $? if exists $item{$pid};
	}
	return \%status;
}

1;
