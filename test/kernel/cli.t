#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Bad input of every kind: one line on stderr, an exit code, nothing on stdout.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use Rstat;

needs_root();

my $folder = scratch();
my $object = slurp('build/probe/rstat.bpf.o');

# Why the end of a run is no proper refusal with this exit code (undef: 1 or 2); nothing where it is one.
sub refusal_fault {
	my ($want, $status, $stdout, $stderr) = @_;
	return 'it had to be killed' unless defined $status;
	return 'signal ' . ($status & 127) if $status & 127;
	return 'exit ' . ($status >> 8) if defined $want ? $status >> 8 != $want : $status >> 8 < 1 || $status >> 8 > 2;
	return "stdout: $stdout" if $stdout ne '';
	return "stderr: $stderr" if $stderr !~ /\Arstat: [^\n\x00-\x1f\x7f]+\n\z/;
	return;
}

sub check_refused {
	my ($want, $says, @arguments) = @_;
	my @end = run('./rstat', @arguments);
	my $fault = refusal_fault($want, @end);
	my $shown = join ' ', map { length > 30 ? substr($_, 0, 30) . '...' : $_ } @arguments;
	$shown =~ s/[^ -~]/?/g;
	ok(!defined $fault && $end[2] =~ $says, "refused: $shown") or diag $fault // $end[2];
}

# Fails: options_parse() that passes over what it does not know; whole() without its limits (emit/options.c).
sub test_usage {
	check_refused(2, @$_) for (
		[qr/'--nonsense'/, '--nonsense'],
		[qr/'-x'/, '-x'],
		[qr/'--intervals'/, '--intervals', 5],
		[qr/'---'/, '---'],
		[qr/'more'/, 'more'],
		[qr/''/, ''],
		[qr/'after'/, '--', 'after'],
		[qr/--interval needs/, '-i'],
		[qr/--interval ''/, '-i', ''],
		[qr/10 to 60000/, '-i', 9],
		[qr/10 to 60000/, '-i', 60001],
		[qr/10 to 60000/, '-i', -1000],
		[qr/10 to 60000/, '-i', '1e3'],
		[qr/10 to 60000/, '-i', '1000ms'],
		[qr/10 to 60000/, '-i', ' 1000'],
		[qr/10 to 60000/, '--interval=0x3e8'],
		[qr/10 to 60000/, '-i', '18446744073709552616'],
		[qr/10 to 60000/, '-i', '9' x 4000],
		[qr/--count/, '-n', -1],
		[qr/--count/, '-n', 4294967296],
		[qr/0 to 20/, '-t', 21],
		[qr/--min-cpu/, '--min-cpu', 101],
		[qr/--min-cpu/, '--min-cpu', '1.00001'],
		[qr/--min-cpu/, '--min-cpu', '.5'],
		[qr/--min-cpu/, '--min-cpu', 'nan'],
		[qr/--min-mem/, '--min-mem', '1X'],
		[qr/--min-mem/, '--min-mem', '16777216T'],
		[qr/--min-io/, '--min-io', '1.5M'],
		[qr/there are auto .*waybar.*json/, '-o', 'xml'],
		[qr/there are auto/, '-o', ''],
		[qr/--text/, '--text', '{nonsense}'],
		[qr/--text/, '--text', '{load1'],
		[qr/--class-on/, '--class-on', 'gpu'],
		[qr/--warning/, '--warning', 5, '--critical', 4],
		[qr/--attach/, '--attach', 'ptrace'],
		[qr/--max-tasks/, '--max-tasks', 63],
		[qr/--max-tasks/, '--max-tasks', 4194305],
		[qr/--bench/, '--bench', 0],
		[qr/takes no value/, '--once=yes'],
		[qr/unknown option/, "--\x1b[31m\n<b>\xff"],
	);
}

# Fails: read_probe_file() that goes on after an error (emit/main.c).
sub test_files {
	my %file = (empty => '', text => "rstat\n" x 1000, elf => "\x7fELF" . "\0" x 60, zeroes => "\0" x 65536);
	for my $name (sort keys %file) {
		write_file($name, $file{$name});
		check_refused(1, qr/./, '--probe', "$folder/$name", '-n', 1, '-o', 'json');
	}
	check_refused(1, qr/EISDIR|EINVAL|directory/, '--probe', "$folder", '-n', 1);
	check_refused(1, qr/ENOENT|no such/i, '--probe', "$folder/missing", '-n', 1);
	check_refused(1, qr/./, '--probe', './rstat', '-n', 1);
	check_refused(1, qr/./, '--probe', '/dev/null', '-n', 1);
	system('mkfifo', "$folder/pipe") == 0 or die;
	check_refused(1, qr/EINVAL/, '--probe', "$folder/pipe", '-n', 1);	# fails: no O_NONBLOCK (loader/machine.c)
	check_refused(2, qr/--probe/, '--probe', '');
}

sub write_file {
	my ($name, $bytes) = @_;
	open my $file, '>:raw', "$folder/$name" or die;
	print $file $bytes;
	close $file or die;
}

sub run_object {
	my ($bytes) = @_;
	write_file('object', $bytes);
	return run('./rstat', '--probe', "$folder/object", '-n', 1, '-o', 'json');
}

# Fails: bytes_at() without its bounds (loader/bytes.h): SIGSEGV.
sub test_truncated {
	my $size = length $object;
	my %lengths = map { $_ => 1 } 1, 15, 16, 63, 64, 65, $size - 1, $size - 63, $size - 64, map { int $size * $_ / 60 } 1 .. 59;
	my @faults;
	for my $length (sort { $a <=> $b } keys %lengths) {
		my $fault = refusal_fault(1, run_object(substr $object, 0, $length));
		push @faults, "$length bytes: $fault" if defined $fault;
	}
	is_deeply(\@faults, [], keys(%lengths) . ' lengths of a truncated object are refused');
}

# A changed byte may change nothing that matters: then there is a sample. Fails: as above.
sub test_changed {
	my (@faults, $works);
	srand 20240607;
	for my $round (1 .. 300) {
		my $bytes = $object;
		my $what = '';
		for (1 .. 1 + int rand 4) {
			# a third of them in the header and the table of sections
			my $at = int rand 3 ? int rand length $bytes : (int rand 2 ? int rand 64 : length($bytes) - 1 - int rand 1024);
			my $byte = int rand 256;
			substr($bytes, $at, 1) = chr $byte;
			$what .= " $at=$byte";
		}
		my @end = run_object($bytes);
		my $good = defined $end[0] && !$end[0] && $end[2] eq '' && eval { decode_json($end[1]) };
		$works++ if $good;
		my $fault = $good ? undef : refusal_fault(1, @end);
		push @faults, "round $round,$what: $fault" if defined $fault;
	}
	is_deeply(\@faults, [], '300 changed objects: refused, or good for a sample');
	note "$works were";
	cmp_ok($works, '<', 300, 'not all were');
}

# Standard descriptors that are closed. Fails: no fill_standard_descriptors() (emit/main.c).
sub test_closed {
	my ($status, $stdout, $stderr) = run('sh', '-c', './rstat -n 1 >&-');
	is(refusal_fault(1, $status, $stdout, $stderr), undef, 'a closed stdout is refused');
	($status, $stdout) = run('sh', '-c', './rstat -o json -n 1 <&- 2>&-');
	ok($status == 0 && eval { decode_json($stdout) }, 'closed stdin and stderr do no harm');
}

test_usage();
test_files();
test_truncated();
test_changed();
test_closed();
done_testing();
