#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# No address of the kernel leaves it: not in the memory that rstat maps, not in what --check tells of the verifier.
use strict;
use warnings;
use Test::More;
use Rstat;

needs_root();
plan skip_all => 'a walk maps nothing' if walks();

my ($slot_size, $stamp_at) = (64, 56);	# probe/abi.h
my $passes = 20;

# What rstat has mapped of the probe's maps, as words of 8 bytes: ([where it lies in its map, word], ...) by mapping.
sub mapped {
	my ($pid) = @_;
	my @parts;
	no warnings 'portable';	# of hexadecimal numbers: addresses
	open my $memory, '<:raw', "/proc/$pid/mem" or die "/proc/$pid/mem: $!";
	for (split /\n/, slurp("/proc/$pid/maps")) {
		my ($from, $to, $at) = /^(\w+)-(\w+) \S+ (\w+) .*anon_inode:bpf-map/ or next;
		($from, $to, $at) = map { hex } $from, $to, $at;
		sysseek $memory, $from, 0 or die "seek: $!";
		my $size = sysread $memory, my $bytes, $to - $from;
		die "/proc/$pid/mem: $!" unless defined $size;
		push @parts, { at => $at, size => $size, whole => $size == $to - $from, bytes => $bytes };
	}
	return @parts;
}

# The kernel's half of the addresses begins with ff on both architectures, whatever the levels of its page tables. In a
# slot the last word is the time, state and flags, which have few bits: soon after the boot jiffies begin with ff, too.
sub addresses {
	my ($part) = @_;
	my @words = unpack 'Q<*', $part->{bytes};
	return map { sprintf '%x at %d', $words[$_], $part->{at} + 8 * $_ }
		grep { $words[$_] >> 56 == 0xff && !(8 * $_ % $slot_size == $stamp_at && ($words[$_] & 0xffffffff) < 1 << 18) } 0 .. $#words;
}

# The pids of the slots in it.
sub pids {
	my ($part) = @_;
	return map { unpack 'L<', substr $part->{bytes}, $slot_size * $_, 4 } 0 .. length($part->{bytes}) / $slot_size - 1;
}

# Reads all of it many times while tasks are born, run, change their names and end: (how often an address was met, one of
# them, words read, whether the slots of @pids were there).
sub look {
	my ($rstat, @pids) = @_;
	my ($found, $one, $words, %seen) = (0, '', 0);
	for (1 .. $passes) {
		next_line($rstat);
		for my $part (mapped($rstat->{pid})) {
			die "a mapping that cannot be read\n" unless $part->{whole};
			my @addresses = addresses($part);
			$found += @addresses;
			$one ||= $addresses[0] // '';
			$words += $part->{size} / 8;
			$seen{$_} = 1 for pids($part);
		}
	}
	return ($found, $one, $words, !grep { !$seen{$_} } @pids);
}

# Fails: slot->used.read_bytes = (uint64_t)task in record() (probe/rstat.bpf.c), write_record() (probe/portable.h): the
# second half of it shows that.
sub test_mapped {
	my ($way) = @_;
	my @loads = map { load_start(@$_) } ['spin'], ['storm', '/bin/true'], ['threads', 20, 2], ['rename'];
	my @start = ('./rstat', '--attach', $way, '-o', 'json', '-i', 50);
	for my $probe (undef, 'build/test/probe-leaky.bpf.o') {
		my $rstat = Rstat::start(@start, $probe ? ('--probe', $probe) : ());
		next_line($rstat);
		my ($found, $one, $words, $all) = look($rstat, $loads[0]{pid}, $$);
		ok($all, "$way: the slots are what is read, $words words in $passes readings") unless $probe;
		is($found, 0, "$way: none of them looks like an address of the kernel") or diag $one unless $probe;
		cmp_ok($found, '>', 0, "$way: of a probe that stores addresses $found do ($one)") if $probe;
		rstat_stop($rstat);
	}
	load_stop($_) for @loads;
}

# The log has the addresses of maps in it for who may load programs, as we may. Fails: keep_log() without
# failure_hide_addresses() (loader/load.c).
sub test_log {
	my ($status, $stdout) = run('./rstat', '--attach', 'btf', '--check', '--probe', 'build/test/probe-refused.bpf.o');
	is($status, 1 << 8, '--check with a probe that is refused: exit 1');
	like($stdout, qr/^The end of the verifier's log:\n.*^processed \d+ insns/ms, 'the log is there');
	SKIP: {
		skip 'this kernel writes no addresses into its log', 1 if $stdout !~ /\(18\) r\d = 0x[?f]/;
		like($stdout, qr/\(18\) r\d = 0x\?{16}(?!\?)/, 'with the places of addresses');
	}
	unlike($stdout, qr/0xff[0-9a-f]{7}/i, 'which are not told');
}

my $way = $ENV{RSTAT_ATTACH};
SKIP: {
	skip 'needs the variants of the probe: make live-files', 1 unless -e 'build/test/probe-leaky.bpf.o';
	my %works;
	for my $try (qw(btf raw perf)) {
		my (undef, $report) = run('./rstat', '--attach', $try, '--check');
		$works{$try} = $report !~ /^source +none works/m;
		SKIP: {
			skip "$try does not work here", 1 unless $works{$try} || $try eq ($way // '');
			test_mapped($try) if !$way || $try eq $way;
		}
	}
	SKIP: {
		skip 'what is refused is a program of btf', 1 unless $works{btf};
		test_log();
	}
}
done_testing();
