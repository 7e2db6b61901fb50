#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The program as a file and in memory: static, position-independent, small, and its relocated data read-only.
use strict;
use warnings;
no warnings 'portable';	# addresses have 64 bits
use Test::More;
use Rstat;

needs_root();
for ('file', 'readelf') {
	plan skip_all => "needs $_" if system "command -v $_ >/dev/null";
}

# Fails: link without -static-pie, or with a library (Makefile).
sub test_file {
	my (undef, $kind) = run('file', 'rstat');
	like($kind, qr/ELF 64-bit.*static-pie linked.*stripped/, 'a static PIE, stripped');
	my (undef, $dynamic) = run('readelf', '--dynamic', 'rstat');
	unlike($dynamic, qr/\(NEEDED\)|\(RUNPATH\)|\(TEXTREL\)/, 'it needs no library, and its code is not relocated');
	my (undef, $segments) = run('readelf', '--program-headers', '--wide', 'rstat');
	unlike($segments, qr/INTERP/, 'nor an interpreter');
	like($segments, qr/GNU_RELRO/, 'it has data that is read-only once relocated');
	like($segments, qr/GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s/, 'its stack is not executable');
	unlike($segments, qr/RWE/, 'nothing is both writable and executable');
	cmp_ok(-s 'rstat', '<', 160 << 10, (-s 'rstat') . ' bytes, under 160 KiB');
}

# [permissions, offset] of each mapping of the program's file; [from, to] of where it is.
sub mappings {
	my ($pid) = @_;
	return map { [ /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+)/ ] } grep { m{/rstat$} } split /\n/, slurp("/proc/$pid/maps");
}

# Fails: protect_relocated() without its mprotect (loader/start.c): all data is rw-p.
sub test_memory {
	my $rstat = rstat_start();
	next_sample($rstat);
	my @own = mappings($rstat->{pid});
	my (undef, $segments) = run('readelf', '--program-headers', '--wide', 'rstat');
	my ($at, $size) = $segments =~ /GNU_RELRO\s+\S+\s+(0x\S+)\s+\S+\s+\S+\s+(0x\S+)/ or die "no GNU_RELRO\n";
	my $base = hex($own[0][0]) - hex($own[0][3]);
	my $page = page_size();
	my ($begin, $end) = ($base + hex($at), $base + int((hex($at) + hex($size)) / $page) * $page);
	SKIP: {
		skip 'the read-only part is smaller than a page', 1 if $end <= $begin;
		my @over = grep { hex($_->[0]) < $end && hex($_->[1]) > $begin } @own;
		is_deeply([map { $_->[2] } @over], ['r--p'], 'relocated data is read-only while it runs');
	}
	is_deeply([grep { $_->[2] =~ /w.*x/ } @own], [], 'nothing is writable and executable');
	my $again = rstat_start();
	next_sample($again);
	isnt((mappings($again->{pid}))[0][0], $own[0][0], 'each start puts it elsewhere');
	rstat_stop($_) for $rstat, $again;
}

# The secret of the stack protector is the variable that the compiler asks for, in writable memory.
sub guard {
	my ($pid, $at) = @_;
	my @own = mappings($pid);
	open my $memory, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";
	sysseek $memory, hex($own[0][0]) - hex($own[0][3]) + $at, 0 or die "seek: $!\n";
	sysread $memory, my $guard, 8 or die "read: $!\n";
	return unpack 'H*', $guard;
}

# Fails: no assignment to __stack_chk_guard (loader/start.c): it is zero in each run.
sub test_guard {
	my (undef, $symbols) = run('nm', 'build/rstat.debug');
	my ($at) = $symbols =~ /^([0-9a-f]+) . __stack_chk_guard$/m or return fail('the stack protector has a secret');
	my %seen;
	for (1 .. 3) {
		my $rstat = rstat_start();
		next_sample($rstat);
		$seen{guard($rstat->{pid}, hex $at)} = 1;
		rstat_stop($rstat);
	}
	is(keys %seen, 3, 'the secret of the stack protector is another one in each run');
	ok(!$seen{'0' x 16}, 'and not zero');
}

test_file();
test_memory();
test_guard();
done_testing();
