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
my %markup;

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
my %faces;
for my $face ('json', 'waybar') {
	open $faces{$face}, '-|', './rstat', '-o', $face, '-i', 100, '-n', 300, '-t', 20, '--min-cpu', 0, '--min-mem', 0
		or die;
}
for my $face ('json', 'waybar') {
	my $bad = 0;
	while (my $line = readline $faces{$face}) {
		my $object = eval { decode_json($line) };
		$bad++ if !$object || $line =~ /[\x00-\x09\x0b-\x1f\x7f]/;
		$markup{$object->{tooltip}} = 1 if $object && $face eq 'waybar';
	}
	close $faces{$face};
	is($bad, 0, "30 s of $face with hostile names: every line parses");
}
SKIP: {
	system('/usr/bin/python3 -c "" 2>/dev/null') == 0 or skip 'no python3', 1;
	open my $parser, '|-:utf8', '/usr/bin/python3', '-c', 'import sys,xml.etree.ElementTree as e;'
		. '[e.fromstring("<r>"+t+"</r>") for t in sys.stdin.buffer.read().decode().split(chr(30)) if t]' or die;
	print $parser join chr(30), keys %markup;
	ok(close $parser, scalar(keys %markup) . ' different tooltips are well-formed markup');
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
	skip "no strace", 3 unless $strace;
	# 11 s: one refresh pass, every 10 s, is among them
	system 'strace -o build/test/strace ./rstat -i 500 -n 23 -o json >/dev/null';
	my (%count, %bpf, $lines);
	open my $file, '<', 'build/test/strace';
	while (<$file>) {
		$lines++ if /^write\(1/;
		next unless $lines && /^(\w+)\((\w*)/;
		$count{$1}++;
		$bpf{$2}++ if $1 eq 'bpf';
	}
	is_deeply([grep { !/^(ppoll|read|pread64|bpf|clock_gettime|sysinfo|write|close|exit_group|mmap)$/ } sort keys %count],
		[], 'the loop has only its calls');
	cmp_ok($count{mmap} // 0, '<=', 1, 'no mmap but for a new piece of the slot array');
	is_deeply(\%bpf, { BPF_PROG_TEST_RUN => 22, BPF_ITER_CREATE => 1 }, 'one bpf() per sample, one for the refresh pass');
}

# A reader that has stopped: blocked in the write, it uses no more memory than before.
{
	my $pid = open my $out, '-|', './rstat', '-i', 10, '-o', 'json', '-t', 20, '--min-mem', 0 or die;
	<$out> for 1 .. 5;
	my $rss = sub { open my $f, '<', "/proc/$pid/status"; my ($kib) = map { /^VmRSS:\s+(\d+)/ } <$f>; $kib };
	sleep 2;
	my $before = $rss->();
	sleep 2;
	is($rss->(), $before, 'a stopped reader costs no memory');
	kill TERM => $pid;
	close $out;
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

# Nothing is left in the kernel: the programs and maps that its descriptors and links name are gone with it.
# Mutation: a copy of it kept alive (a child that inherits the descriptors) leaves them all.
SKIP: {
	system('command -v bpftool >/dev/null') == 0 or skip 'no bpftool', 2;
	my $pid = open my $out, '-|', './rstat', '-i', 100, '-o', 'json' or die;
	<$out> for 1 .. 3;
	my (%id, @left);
	for my $path (glob "/proc/$pid/fdinfo/*") {
		open my $info, '<', $path or next;
		while (<$info>) { $id{$1}{$2} = 1 if /^(prog|map)_id:\s+(\d+)/ }
	}
	cmp_ok(keys(%{ $id{prog} }), '>=', 5, 'it holds its programs: ' . join ' ', sort keys %{ $id{prog} });
	kill TERM => $pid;
	close $out;
	for (1 .. 20) {
		@left = ();
		for my $kind (keys %id) {
			system("bpftool $kind show id $_ >/dev/null 2>&1") or push @left, "$kind $_" for keys %{ $id{$kind} };
		}
		last unless @left;
		sleep 0.1;
	}
	is("@left", '', 'none of its programs and maps is left 2 s after SIGTERM');
}

done_testing;
