#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# How many instructions the steps of a sample take (cost.c), as valgrind's callgrind counts them, held against test/cost/figures. The
# same program and the same work are the same number, whatever else the machine does, so that a step may take 2% more and no more;
# that of 2% less the figure is to be lowered, since it would let the cost come back unseen.
#
# RSTAT_COST=write: the figures are written anew. They are of one compiler and its options. Where CI is set, nothing is a reason to skip.
use strict;
use warnings;
use Test::More;
use Rstat;
use Machine;

my $figures = 'test/cost/figures';
my $program = 'build/test/cost/cost';
my $allowed = 0.02;
my $writes = ($ENV{RSTAT_COST} // '') eq 'write';
my $must = $ENV{CI};

sub lacks {
	my ($what) = @_;
	die "$what\n" if $must || $writes;
	plan skip_all => $what;
}

# { step => instructions }, and the first line: what they are of.
sub read_figures {
	my ($first, @lines) = split /\n/, slurp($figures);
	return ($first // '', { map { split ' ' } grep { !/^#/ } @lines });
}

# ---- a machine in a folder: its sensors, and a /proc of 200 processes

sub write_file {
	my ($path, $content) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} $content;
	close $file or die "$path: $!\n";
}

my @memory = qw(
	MemTotal 16306968 MemFree 1823412 MemAvailable 9123456 Buffers 312456 Cached 7123456 SwapCached 1234 Active 6123456 Inactive 5123456
	Active(anon) 4123456 Inactive(anon) 123456 Active(file) 2000000 Inactive(file) 5000000 Unevictable 123456 Mlocked 64 SwapTotal 8388604
	SwapFree 7340028 Zswap 0 Zswapped 0 Dirty 1232 Writeback 0 AnonPages 3794172 Mapped 866236 Shmem 408952 KReclaimable 338996 Slab 582780
	SReclaimable 338996 SUnreclaim 243784 KernelStack 17452 PageTables 46656 SecPageTables 0 NFS_Unstable 0 Bounce 0 WritebackTmp 0
	CommitLimit 16541828 Committed_AS 12843368 VmallocTotal 34359738367 VmallocUsed 65828 VmallocChunk 0 Percpu 11040 HardwareCorrupted 0
	AnonHugePages 716800 ShmemHugePages 0 ShmemPmdMapped 0 FileHugePages 2048 FilePmdMapped 0 CmaTotal 0 CmaFree 0 Hugetlb 0
	DirectMap4k 520480 DirectMap2M 12076672 DirectMap1G 4165824);

sub make_machine {
	my ($folder) = @_;
	unpack_machine('intel-laptop', $folder);
	mkdir "$folder/$_" or die "$folder/$_: $!\n" for 'proc', 'proc/pressure';
	my @pairs = @memory;
	my $meminfo = '';
	while (my ($name, $kib) = splice @pairs, 0, 2) { $meminfo .= sprintf "%-15s %8d kB\n", "$name:", $kib }
	write_file("$folder/proc/meminfo", $meminfo);
	# pswpin is line 75 of it
	write_file("$folder/proc/vmstat", join('', map { "nr_counter_$_ " . $_ * 7919 . "\n" } 1 .. 74) . "pswpin 1234\npswpout 5678\npgpgin 9\npgpgout 8\n");
	write_file("$folder/proc/pressure/$_", "some avg10=1.23 avg60=0.45 avg300=0.06 total=123456789\nfull avg10=0.12 avg60=0.03 avg300=0.00 total=23456789\n")
		for qw(cpu memory io);
	write_file("$folder/proc/stat", "cpu  1234567 2345 345678 98765432 12345 0 2345 0 0 0\ncpu0 1234567 2345 345678 98765432 12345 0 2345 0 0 0\n");
	write_file("$folder/proc/loadavg", "0.20 0.18 0.12 1/200 11206\n");
	for my $pid (map { 1000 + $_ } 1 .. 200) {
		my $kernel = $pid % 5 == 0;
		mkdir "$folder/proc/$pid" or die "$folder/proc/$pid: $!\n";
		write_file("$folder/proc/$pid/stat", join(' ', $pid, $kernel ? "(kworker/$pid:1-events)" : "(a process)", $kernel ? 'I' : 'S', 1, $pid, $pid, 0, -1,
			$kernel ? 2129984 : 4194304, 12345, 0, 12, 0, $pid * 3, $pid, 0, 0, 20, 0, 1 + $pid % 4, 0, $pid * 11, 123456789, $pid * 13, (0) x 27) . "\n");
		write_file("$folder/proc/$pid/io", "rchar: 1234567\nwchar: 234567\nsyscr: 1234\nsyscw: 234\nread_bytes: " . $pid * 4096 .
			"\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n");
	}
}

# ---- counting

# { step => instructions }: what callgrind says that calls from main() took, all that they call included.
sub count {
	my ($folder) = @_;
	my $out = "$folder/callgrind";
	my ($status, $stdout, $stderr) = run('valgrind', '--tool=callgrind', '--compress-strings=no', '--compress-pos=no',
		"--callgrind-out-file=$out", $program, "$folder");
	die "the steps did not run: $stdout$stderr" if !defined $status || $status || !-s $out;
	my (%count, $step);
	for (split /\n/, slurp($out)) {
		if (/^cfn=step_(\w+)/) {
			$step = $1;
		} elsif (/^calls=/) {
			next;
		} elsif (defined $step && /^\d+ (\d+)$/) {
			$count{$step} += $1;
			undef $step;
		} else {
			undef $step;
		}
	}
	return \%count;
}

sub write_figures {
	my ($built, $count) = @_;
	write_file($figures, "# $built\n# Instructions of the steps of test/cost/cost.c; RSTAT_COST=write make cost writes them.\n" .
		join '', map { sprintf "%-24s %9d\n", $_, $count->{$_} } sort keys %$count);
	pass("$figures is written");
}

die "build it first: make cost\n" unless -x $program;
my (undef, $built) = run($program);
chomp $built;
my ($first, $figure) = read_figures();
lacks('needs valgrind') if system 'command -v valgrind > /dev/null';
lacks("the figures are of$1, this is $built") if !$writes && $first =~ /^#(.*)/ && $1 ne " $built";

my $folder = scratch();
make_machine($folder);
my $count = count($folder);
if ($writes) {
	write_figures($built, $count);
	done_testing();
	exit;
}
is_deeply([sort keys %$count], [sort keys %$figure], 'each step has a figure, and each figure a step');
for my $step (grep { $figure->{$_} } sort keys %$count) {
	my ($was, $is) = ($figure->{$step}, $count->{$step});
	my $change = $is / $was - 1;
	my $text = sprintf '%s: %d instructions, %d in the figures, %+.2f%%', $step, $is, $was, 100 * $change;
	ok(abs $change <= $allowed, $text) or diag $change > 0 ? 'It costs more than it did. Where that is worth it:' : 'It costs less, so that the figure is to be lowered:',
		' RSTAT_COST=write make cost';
}
done_testing();
