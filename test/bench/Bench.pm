# SPDX-License-Identifier: MIT
# What the parts of make bench share: rows of the table, which are lines of the CSV as well; burdens; the kernel's counts.
package Bench;
use strict;
use warnings;
use Exporter 'import';
use IPC::Open2;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(clock_gettime sleep);

our @EXPORT = qw(
	budgets headline row record remark table_end rounds turned median ratios under fill tasks slurp put used_ms memory_kib
	programs_known programs_since switch_id rstat_open rstat_close with_statistics
);

our $rstat = './rstat';
our $burden = 'build/test/burden';
my (@csv, $part, $quarters, $parent);

# How often each thing is measured; the median of these is what a row says, with the least and the largest beside it, or the quarters.
sub rounds { return $ENV{BENCH_ROUNDS} || $_[0] }

# The same list, from another place on in each round: nothing is always measured first, or after the same.
sub turned {
	my ($round, @list) = @_;
	my $from = $round % @list;
	return (@list[$from .. $#list], @list[0 .. $from - 1]);
}

# The numbers of a row of docs/design.md's budgets, by how it begins.
sub budgets {
	my ($row) = @_;
	my ($numbers) = slurp('docs/design.md') =~ /^## Budgets\n.*?^\| \Q$row\E[^|]*\| ([\d \/]+) /ms or die "docs/design.md: no budget of $row\n";
	return $numbers =~ /\d+/g;
}

# ---- the table

sub headline {
	($part, my $text, $quarters) = @_;
	printf "\n%-58s %10s %21s %-4s %8s %6s\n", $text, 'median', $quarters ? 'first .. last quarter' : 'least .. largest', '', 'budget', 'ratio';
}

sub digits { return $_[0] == 0 || $_[0] >= 100 ? 0 : $_[0] >= 1 ? 1 : 3 }

# The ratio is that to the budget, or to what the row is compared with (against => number).
sub row {
	my ($name, $values, $unit, %more) = @_;
	my @sorted = sort { $a <=> $b } @$values;
	return remark($name, 'not measured') unless @sorted;
	my ($median, $low, $high) = spread(@sorted);
	my $digits = $more{digits} // digits($median);
	my $against = $more{against} // $more{budget};
	printf "%-58s %10.*f %21s %-4s %8s %6s\n", $name, $digits, $median,
		@sorted > 1 ? sprintf('%.*f .. %.*f', $digits, $low, $digits, $high) : '', $unit, $more{budget} // '',
		$against ? sprintf('%.2f', $median / $against) : '';
	record($name, \@sorted, $unit, %more);
}

# A number of the table that has a place of its own there.
sub record {
	my ($name, $values, $unit, %more) = @_;
	my @sorted = sort { $a <=> $b } @$values;
	my $full = $name =~ /^ +(.*)/ ? "$parent: $1" : ($parent = $name);	# there a row stands by itself
	push @csv, join ',', $part, '"' . ($full =~ s/"/""/gr) . '"', $more{tasks} // '',
		(map { sprintf '%.5g', $_ } spread(@sorted)), $unit, scalar @sorted, $more{budget} // '';
}

# Median, and how far they are apart.
sub spread {
	my @sorted = @_;
	return (median(@sorted), $quarters ? @sorted[@sorted / 4, 3 * @sorted / 4] : @sorted[0, -1]);
}

sub remark { printf "%-58s %s\n", @_ }

# The CSV has the last run of each part: who measures one again keeps the others.
sub table_end {
	my ($path) = @_;
	my %again = map { (split /,/)[0] => 1 } @csv;
	my @kept = grep { !/^part,/ && !$again{ (split /,/)[0] } } split /\n/, slurp($path);
	@kept = () if !$ENV{BENCH_PARTS};
	open my $file, '>', $path or die "$path: $!\n";
	print $file "$_\n" for 'part,row,tasks,median,low,high,unit,runs,budget', @kept, @csv;
	close $file or die "$path: $!\n";
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[@sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# What was measured in the same round, divided.
sub ratios {
	my ($ours, $theirs) = @_;
	return map { $ours->[$_] / $theirs->[$_] } 0 .. ($#$ours < $#$theirs ? $#$ours : $#$theirs);
}

# ---- burdens

# Runs this while the burdens, each a list of arguments, are under way.
sub under {
	my ($body, @burdens) = @_;
	my @ends;
	for my $arguments (@burdens) {
		my $pid = open2(my $out, my $in, $burden, @$arguments);
		push @ends, [$pid, $in];
		defined readline $out or die "burden @$arguments has ended\n";
	}
	my $done = eval { $body->(); 1 };
	my $error = $@;
	for (@ends) {
		close $_->[1];
		waitpid $_->[0], 0;
	}
	die $error unless $done;
}

sub tasks {
	my @all = glob '/proc/[0-9]*/task/[0-9]*';
	return scalar @all;
}

# The burden that makes this many tasks of the machine's, itself among them.
sub fill {
	my ($count, $hz) = @_;
	my $missing = $count - tasks() - 1;
	return ['sleepers', $missing > 1 ? $missing : 1, $hz];
}

# ---- the kernel's counts

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return <$file> // '';
}

sub put {
	my ($path, $value) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print $file $value;
	close $file or die "$path: $!\n";
	return $path;
}

# The processes' CPU clocks, as clock_getcpuclockid(3) makes them: threads that have ended are in them.
sub used_ms {
	my $sum = 0;
	for (@_) {
		my $s = clock_gettime(-8 * ($_ + 1) + 2);
		$sum += $s * 1000 if $s > 0;
	}
	return $sum;
}

# (resident, of which no other process has it) in KiB
sub memory_kib {
	my ($resident, $own) = (0, 0);
	for (@_) {
		my %kib = slurp("/proc/$_/smaps_rollup") =~ /^(\w+):\s+(\d+) kB/mg;
		$resident += $kib{Rss} // 0;
		$own += ($kib{Private_Clean} // 0) + ($kib{Private_Dirty} // 0);
	}
	return ($resident, $own);
}

sub programs { return @{ decode_json(`bpftool -j prog show 2>/dev/null` || '[]') } }
sub programs_known { return { map { $_->{id} => 1 } programs() } }
sub programs_since { my ($known) = @_; return grep { !$known->{ $_->{id} } } programs() }

# The type by which an empty program is attached to the context switch.
sub switch_id {
	return $1 if `bpftool btf dump file /sys/kernel/btf/vmlinux format raw 2>/dev/null` =~ /^\[(\d+)\] TYPEDEF 'btf_trace_sched_switch'/m;
	return;
}

# Runs this while the kernel counts what programs cost.
sub with_statistics {
	my ($body) = @_;
	my $enabled = '/proc/sys/kernel/bpf_stats_enabled';
	my $was = slurp($enabled) + 0;
	put($enabled, 1);
	my $done = eval { $body->(); 1 };
	my $error = $@;
	put($enabled, $was);
	die $error unless $done;
}

# rstat after its first line: { pid, out }
sub rstat_open {
	my (@arguments) = @_;
	my $pid = open my $out, '-|', $rstat, @arguments or die "$rstat: $!\n";
	defined readline $out or die "rstat @arguments has ended\n";
	return { pid => $pid, out => $out };
}

sub rstat_close {
	my ($process) = @_;
	kill TERM => $process->{pid};
	close $process->{out};
}

1;
