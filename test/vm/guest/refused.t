#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The way in that is asked for cannot work in this guest: one line that says why and what to do, and exit 1.
use strict;
use warnings;
use Test::More;
use Rstat;

my $attach = $ENV{RSTAT_ATTACH};
my %setup = map { $_ => 1 } split /\+/, $ENV{VM_SETUP} // '';
# What is missing in this guest must be named.
my $reason = $setup{lockdown} ? qr/lockdown/ : $setup{'no-btf'} ? qr/BTF|btf/ : qr/not offered by this kernel/;

sub test_refused {
	my ($status, $stdout, $stderr) = run('./rstat', '--attach', $attach, '-n', 1, '-o', 'json');
	is($status, 1 << 8, "--attach $attach: exit 1");
	is($stdout, '', 'nothing on stdout');
	like($stderr, qr/\Arstat: [^\n]+\n\z/, 'one line on stderr');
	like($stderr, $reason, 'it names what is missing');
	note $stderr;
}

sub test_check {
	my ($status, $stdout, $stderr) = run('./rstat', '--attach', $attach, '--check');
	is($status, 1 << 8, '--check: exit 1');
	like($stderr, qr/\A(?:rstat: [^\n]+\n)?\z/, 'no more than a line on stderr');
	like($stdout, qr/^tried +\Q$attach\E: ./m, 'it says why');
	note $stdout;
}

test_refused();
test_check();
done_testing();
