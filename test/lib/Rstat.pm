# SPDX-License-Identifier: MIT
# What the live tests share: loads, rstat's lines, and the kernel's own numbers.
package Rstat;
use strict;
use warnings;
use Exporter 'import';
use IPC::Open2;
use JSON::PP;

our @EXPORT = qw(load_start load_stop cpu_ns process_ns statm_rss io_write machine_busy window entry near);

my $json = JSON::PP->new->utf8;

# A load under way: { pid, in, out }.
sub load_start {
	my @arguments = @_;
	my $pid = open2(my $out, my $in, 'build/test/load', @arguments);
	my $line = <$out> // '';
	die "load @arguments: $line" unless $line =~ /^ready/;
	chomp $line;
	return { pid => $pid, in => $in, out => $out, ready => $line };
}

sub load_stop {
	my ($load) = @_;
	close $load->{in};
	kill KILL => $load->{pid};	# what it forked dies with it
	waitpid $load->{pid}, 0;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return <$file> // '';
}

# Run time of all threads of a process, ns (schedstat, first field).
sub cpu_ns {
	my ($pid) = @_;
	my $sum = 0;
	$sum += (split ' ', slurp($_) || '0')[0] for glob "/proc/$pid/task/*/schedstat";
	return $sum;
}

# The same from /proc/PID/stat, in ticks of 10 ms: it keeps what threads that have died used.
sub process_ns {
	my ($pid) = @_;
	my @field = split ' ', slurp("/proc/$pid/stat") =~ s/^.*\) //sr;
	return ($field[11] + $field[12]) * 10e6;
}

sub statm_rss { my ($pid) = @_; return (split ' ', slurp("/proc/$pid/statm"))[1] * 4096 }
sub io_write { my ($pid) = @_; return slurp("/proc/$pid/io") =~ /^write_bytes: (\d+)/m ? $1 : 0 }

# (busy, all) ticks of the machine, stolen time left out of the busy.
sub machine_busy {
	my ($user, $nice, $system, $idle, $wait, $irq, $soft, $steal) =
		slurp('/proc/stat') =~ /^cpu +(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/;
	return ($user + $nice + $system + $irq + $soft,
		$user + $nice + $system + $idle + $wait + $irq + $soft + $steal);
}

# The samples of one run, each with what $measure returned when its line came.
sub window {
	my ($measure, @arguments) = @_;
	my @all = ('-o', 'json', '-t', 20, '--min-cpu', 0, '--min-mem', 0, '--min-io', 0, @arguments);
	open my $out, '-|', './rstat', @all or die "rstat: $!\n";
	my @result;
	while (my $line = <$out>) {
		my @truth = $measure ? $measure->() : ();
		push @result, { %{ $json->decode($line) }, truth => \@truth };
	}
	close $out;
	return @result;
}

# The row of a list that $test accepts.
sub entry {
	my ($list, $test) = @_;
	for (@{ $list // [] }) { return $_ if $test->($_) }
	return;
}

# Within 3% of the truth or 10 ms, whichever is larger (ns).
sub near {
	my ($measured, $truth) = @_;
	my $slack = $truth * 0.03 > 10e6 ? $truth * 0.03 : 10e6;
	return abs($measured - $truth) <= $slack;
}

1;
