#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What comes out: valid in every line, with clear failures. Root.
use strict;
use warnings;
use Test::More;
use JSON::PP;
use Rstat;
use Time::HiRes qw(sleep time);

plan skip_all => 'needs root' if $>;

sub run {
	my (@command) = @_;
	my $pid = open my $out, '-|', 'sh', '-c', '"$@" 2>build/test/stderr', 'sh', @command or die;
	my $stdout = do { local $/; <$out> };
	close $out;
	my $code = $?;
	open my $err, '<', 'build/test/stderr';
	return ($stdout // '', do { local $/; <$err> } // '', $code);
}

my ($stdout, $stderr, $code) = run('./rstat', '--once', '-o', 'json');
ok(eval { decode_json($stdout) }, '--once -o json is JSON') and is($stderr, '', 'nothing on stderr');

SKIP: {
	system('/usr/bin/python3 -c "import jsonschema" 2>/dev/null') == 0 or skip 'no python3-jsonschema', 1;
	open my $file, '>', 'build/test/sample.json';
	print $file $stdout;
	close $file;
	is(system('/usr/bin/python3', '-c', 'import json,jsonschema as j;'
		. 'j.validate(json.load(open("build/test/sample.json")),json.load(open("docs/sample.schema.json")))'),
		0, 'it fits docs/sample.schema.json');
}

# Hostile names, all in the lists: each line must parse, and the tooltip must be well-formed markup.
my $names = load_start('names', 20);
for my $face ('json', 'waybar') {
	my $bad = 0;
	open my $out, '-|', './rstat', '-o', $face, '-i', 100, '-n', 150, '-t', 20, '--min-cpu', 0, '--min-mem', 0 or die;
	while (my $line = <$out>) {
		$bad++ unless eval { decode_json($line) } && $line !~ /[\x00-\x09\x0b-\x1f\x7f]/;
	}
	close $out;
	is($bad, 0, "15 s of $face with hostile names: every line parses");
}
load_stop($names);

for my $case (
	[['--nonsense'], 512, qr/--nonsense/], [['-i', 'x'], 512, qr/x/], [['-i', '9'], 512, qr/10/],
	[['-o', 'none'], 512, qr/none/], [['--text', '{bogus}'], 512, qr/bogus/],
	[['--probe', '/nonexistent'], 256, qr/ENOENT/], [['--probe', '/'], 256, qr/EINVAL/],
	[['--probe', 'Makefile'], 256, qr/ELF/],
) {
	my ($arguments, $want, $names_it) = @$case;
	($stdout, $stderr, $code) = run('./rstat', @$arguments);
	ok($code == $want && $stdout eq '' && $stderr =~ /^rstat: [^\n]+\n\z/ && $stderr =~ $names_it,
		"@$arguments: one clear line") or diag "$code $stderr";
}

# Cut and changed probe objects: an error line or a working probe, never a signal's death.
my $object = do { local (@ARGV, $/) = 'build/probe/rstat.bpf.o'; <> };
srand 1;
my $deaths = 0;
for my $i (1 .. 60) {
	my $changed = $object;
	if ($i % 2) {
		$changed = substr $object, 0, int rand length $object;
	} else {
		substr($changed, int rand length $object, 1) = chr int rand 256 for 1 .. 3;
	}
	open my $file, '>:raw', 'build/test/changed.o';
	print $file $changed;
	close $file;
	(undef, undef, $code) = run('./rstat', '--probe', 'build/test/changed.o', '-n', 1);
	$deaths++ if $code & 127 || $code >> 8 > 2;
}
is($deaths, 0, 'no corrupt object kills it');

# SIGTERM in every phase, and while a full pipe blocks the write.
my $slowest = 0;
for my $i (0 .. 25) {
	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', '/dev/null';
		exec './rstat', '-i', '10', '-o', 'json';
	}
	sleep $i * 0.003;
	my $began = time;
	kill TERM => $pid;
	waitpid $pid, 0;
	my $took = time() - $began;
	$slowest = $took if $took > $slowest;
}
diag sprintf 'SIGTERM: gone within %.0f ms at the most', $slowest * 1000;
cmp_ok($slowest, '<', 0.5, 'SIGTERM ends it in each phase');
my $blocked = open my $unread, '-|', './rstat', '-i', 10, '-o', 'json';
sleep 2;
my $began = time;
kill TERM => $blocked;
waitpid $blocked, 0;
cmp_ok(time() - $began, '<', 0.5, 'SIGTERM ends it while the reader has stopped');

# System calls of the loop.
SKIP: {
	chomp(my $strace = `command -v strace 2>/dev/null`);
	skip "no strace", 2 unless $strace;
	system "strace -o build/test/strace ./rstat -i 100 -n 21 -o json >/dev/null";
	my (%count, $lines);
	open my $file, '<', 'build/test/strace';
	while (<$file>) {
		$lines++ if /^write\(1/;
		$count{$1}++ if $lines && /^(\w+)\(/;
	}
	is_deeply([grep { $count{$_} } qw(open openat brk execve socket munmap)], [], 'the loop opens nothing');
	is($count{bpf}, 20, 'one bpf() per sample');
}

SKIP: {
	system('command -v setcap >/dev/null && command -v setpriv >/dev/null') == 0 or skip 'no setcap or setpriv', 3;
	my $folder = `mktemp -d`;
	chomp $folder;
	chmod 0755, $folder;
	system 'cp', './rstat', $folder;
	my @other = ('setpriv', '--reuid', 65534, '--regid', 65534, '--clear-groups', "$folder/rstat");
	($stdout, $stderr, $code) = run(@other, '--attach', 'btf', '--once');
	ok($code == 256 && $stdout eq '' && $stderr =~ /^rstat: [^\n]*CAP_BPF[^\n]*\n\z/, 'without capabilities: one line');
	system 'setcap', 'cap_bpf,cap_perfmon+ep', "$folder/rstat";
	($stdout, $stderr, $code) = run(@other, '--once', '-o', 'json');
	ok($code == 0 && eval { decode_json($stdout) }, 'another user with the two capabilities gets a sample');
	($stdout, $stderr, $code) = run(@other, '--probe', '/etc/hostname');
	like($stderr, qr/refused/, '--probe is refused with raised privileges');
	system 'rm', '-r', $folder;
}

# Nothing is left in the kernel.
SKIP: {
	system('command -v bpftool >/dev/null') == 0 or skip 'no bpftool', 1;
	my $left = 1;
	for (1 .. 20) {
		$left = () = `bpftool prog show` =~ /name on_(switch|birth|free|seed|sample) /g;
		last unless $left;
		sleep 0.1;
	}
	is($left, 0, 'no program of it is left in the kernel');
}

done_testing;
