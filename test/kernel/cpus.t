#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A machine that may have many CPUs: the probe is verified in time, and works.
use strict;
use warnings;
use JSON::PP ();
use Test::More;
use Rstat;

needs_root();
plan skip_all => 'a walk does not care' if walks();
plan skip_all => 'needs unshare and mount' if system q(unshare --mount true 2>/dev/null);

my $folder = scratch();

# Fails: SAMPLE_STEP = 1024 (probe/abi.h): a program that goes over all CPUs is refused from about 90 on.
for my $cpus (5, 128, 1024) {
	my $list = "$folder/possible";
	open my $file, '>', $list or die "$list: $!";
	print {$file} '0-', $cpus - 1, "\n";
	close $file;
	for my $way ($ENV{RSTAT_ATTACH} // ("btf", "raw")) {
		my ($status, $stdout, $stderr) = run('unshare', '--mount', 'sh', '-c',
			'mount --bind "$0" /sys/devices/system/cpu/possible && exec "$@"', $list,
			'./rstat', '--attach', $way, '-o', 'json', '--once', '-i', 100);
		is($status, 0, "$cpus CPUs, $way: exit 0") or diag $stderr;
		my $sample = eval { JSON::PP->new->utf8->decode($stdout) } // {};
		ok(exists $sample->{cpu_ratio}, 'and a sample with rates');
		is($sample->{cpus}, scalar(my @online = cpus()), 'of the CPUs that are online');
	}
}
done_testing();
