#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What is taken unasked in this guest, by root and by a user without rights, and the reason where it is not the best.
# Which it has to be stands in the matrix, as chosen:btf.
use strict;
use warnings;
use JSON::PP ();
use Test::More;
use Rstat;

my $wanted = $ENV{RSTAT_PARTS} or die "chosen:WHAT?\n";
my %setup = map { $_ => 1 } split /\+/, $ENV{VM_SETUP} // '';
# What it was that stood in the way, in words that help.
my $reason = $setup{lockdown} ? qr/lockdown/i : $setup{'no-btf'} ? qr/BTF/ : qr/not offered by this kernel/;
my @as_nobody = ('setpriv', '--reuid', 65534, '--regid', 65534, '--clear-groups', '--inh-caps=-all');

# The second of two lines, which has rates, and what came on stderr.
sub second_sample {
	my (@command) = @_;
	my ($status, $stdout, $stderr) = run(@command, '-o', 'json', '-i', 500, '-n', 2, '-t', 20, '--min-cpu', 0, '--min-io', 0, '--min-mem', 1);
	is($status, 0, 'exit 0') or diag $stderr;
	is($stderr, '', 'nothing on stderr');
	my @lines = split /\n/, $stdout;
	is(scalar @lines, 2, 'two lines');
	return eval { JSON::PP->new->utf8->decode($lines[1] // '') } // {};
}

# CPU, RSS and IO of the machine and of its processes.
sub check_content {
	my ($sample, $who) = @_;
	ok(exists $sample->{cpu_ratio}, "$who: CPU") or return;
	cmp_ok(scalar @{ $sample->{top_cpu} }, '>', 0, 'of processes, too');
	cmp_ok(scalar @{ $sample->{top_memory} }, '>', 0, 'RSS');
	cmp_ok($sample->{top_memory}[0]{rss_bytes} // 0, '>', 1 << 20, 'of more than a megabyte');
	ok(exists $sample->{io}{write_bytes_per_second}, 'IO');
	cmp_ok($sample->{tasks}{total}, '>', 20, 'and tasks');
}

sub check_source {
	my ($sample, $source, $why, $who) = @_;
	is($sample->{source}, $source, "$who gets $source");
	if (defined $why) {
		like($sample->{source_reason}, $why, 'and why not a better one');
	} else {
		ok(!exists $sample->{source_reason}, 'which is the best, so no reason is given');
	}
}

# Fails: a rung taken out of ladder[] (emit/ladder.c); source_reason left out (emit/json.c).
sub test_root {
	my $spin = load_start('spin');
	my $sample = second_sample('./rstat');
	check_source($sample, $wanted, $wanted eq 'btf' ? undef : $reason, 'root');
	check_content($sample, 'root');
	ok((grep { ($_->{pid} // 0) == $spin->{pid} } @{ $sample->{top_cpu} // [] }), 'the one that works is in the list');
	load_stop($spin);
	my ($status, $stdout) = run('./rstat', '--check');
	is($status, 0, '--check: exit 0');
	like($stdout, qr/^source +\Q$wanted\E /m, 'it names the source');
	like($stdout, qr/^tried +btf: .*$reason/m, 'and what was tried in vain') if $wanted ne 'btf';
}

sub test_nobody {
	my $spin = load_start('spin');
	my $sample = second_sample(@as_nobody, './rstat');
	check_source($sample, 'proc', $setup{lockdown} ? qr/lockdown|CAP_BPF/i : $setup{'no-btf'} ? qr/BTF|CAP_BPF/ : qr/CAP_BPF/, 'a user without capabilities');
	check_content($sample, 'a user without capabilities');
	ok((grep { ($_->{pid} // 0) == $spin->{pid} } @{ $sample->{top_cpu} // [] }), 'the one that works is in the list');
	load_stop($spin);
	my ($status, $stdout) = run(@as_nobody, './rstat', '--once', '-o', 'waybar');
	is($status, 0, 'for the bar, too');
	like($stdout, qr/proc[^"]*\bCAP_BPF|proc[^"]*\bBTF|proc[^"]*lockdown/, 'its tooltip says why');
}

test_root();
test_nobody();
done_testing();
