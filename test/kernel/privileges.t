#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Another user: with the two capabilities, and without any.
use strict;
use warnings;
use File::Temp ();
use JSON::PP;
use Test::More;
use Rstat;

needs_root();
for ('setcap', 'setpriv') {
	plan skip_all => "needs $_" if system "command -v $_ >/dev/null";
}

my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);
chmod 0755, $folder;
system('cp', 'rstat', "$folder/plain") == 0 or die;
system('cp', 'rstat', "$folder/capable") == 0 or die;
system('cp', 'build/probe/rstat.bpf.o', "$folder/probe.o") == 0 or die;
chmod 0644, "$folder/probe.o";
plan skip_all => 'needs file capabilities where temporary files are'
	if system "setcap cap_bpf,cap_perfmon+ep $folder/capable";

# By its path, since the shell may have a command of that name built in.
my ($setpriv) = grep { -x } map { "$_/setpriv" } split /:/, $ENV{PATH};

# A program of $folder as nobody, after the words of the shell.
sub run_as_nobody_after {
	my ($words, $program, @arguments) = @_;
	return run('sh', '-c', "$words exec \"\$@\"", 'sh', $setpriv, '--reuid', 65534, '--regid', 65534, '--clear-groups', '--inh-caps=-all',
		"$folder/$program", @arguments);
}

sub run_as_nobody { return run_as_nobody_after('', @_) }

sub check_refusal {
	my ($name, $why, $status, $stdout, $stderr) = @_;
	is($status, 1 << 8, "$name: exit 1");
	is($stdout, '', "$name: nothing on stdout");
	like($stderr, qr/\Arstat: [^\n]*$why[^\n]*\n\z/, "$name: one line that says why");
}

# Fails: a loader that wants CAP_SYS_ADMIN (any call of BPF_PROG_GET_FD_BY_ID in loader/load.c).
sub test_capable {
	my ($way) = @_;
	my @command = ('capable', '--attach', $way, '--once', '-o', 'json');
	my ($status, $stdout, $stderr) = run_as_nobody(@command);
	if ($stderr =~ /locked memory/) {	# before 5.11, and only there
		check_refusal("$way, with both capabilities", 'raise the limit', $status, $stdout, $stderr);
		($status, $stdout, $stderr) = run_as_nobody_after('ulimit -l unlimited;', @command);
	}
	if ($way eq 'btf' && $stderr =~ /tenancy_map: EINVAL/) {
		note 'this kernel has no task storage';
		return;
	}
	is($status, 0, 'with CAP_BPF and CAP_PERFMON: exit 0') or diag $stderr;
	is($stderr, '', 'and nothing on stderr');
	my $sample = eval { decode_json($stdout) } // {};
	is($sample->{source}, $way, "a sample by $way");
	cmp_ok($sample->{tasks}{total} // 0, '>', 1, 'which sees the tasks of others');
	ok(exists $sample->{cpu_ratio}, 'with rates');
}

# tracefs is root's. Fails: tracepoint_folder() without a failure of its own.
sub test_perf {
	check_refusal('perf with both capabilities', 'tracefs: E[A-Z]+: (?:only root may read it|not mounted)',
		run_as_nobody('capable', '--attach', 'perf', '--once', '-o', 'json'));
	my ($status, $stdout) = run_as_nobody('capable', '--attach', 'perf', '--check');
	is($status, 1 << 8, '--check: exit 1');
	like($stdout, qr/^tried +perf: open tracefs: /m, 'which says what was tried');
}

# Fails: advice() without the capabilities' names (loader/load.c); an exit code of 0.
sub test_incapable {
	check_refusal('without', 'CAP_BPF', run_as_nobody('plain', '--attach', 'btf', '--once', '-o', 'json'));
}

# Fails: a ladder of one rung (emit/ladder.c); no ladder_reason() in monitor_open() (emit/monitor.c); an io that cannot
# be read as the end of the walk (collect/proc.c).
sub test_walk {
	my $hog = load_start('spin');
	my ($status, $stdout, $stderr) = run_as_nobody('plain', '--once', '-o', 'json', '--min-cpu', 0, '-t', 20);
	is($status, 0, 'without any, by itself: exit 0') or diag $stderr;
	is($stderr, '', 'and nothing on stderr');
	my $sample = eval { decode_json($stdout) } // {};
	is($sample->{source}, 'proc', 'a sample by proc');
	my $row = entry($sample->{top_cpu}, by_pid($hog->{pid}));
	cmp_ok($row ? $row->{cpu_ratio} : 0, '>', 0, 'with the CPU time of a process of another user');
	ok(exists $sample->{io}{read_bytes_per_second}, 'and the IO of the machine');
	load_stop($hog);
	($status, $stdout) = run_as_nobody('plain', '-n', 1, '-o', 'waybar', '--no-markup');
	my $tooltip = (eval { decode_json($stdout) } // {})->{tooltip} // '';
	is((split /\n/, $tooltip)[-1], 'no probe: needs CAP_BPF and CAP_PERFMON', 'the last line of the tooltip says why');
	($status, $stdout) = run_as_nobody('plain', '--check');
	is($status, 0, '--check finds that it works');
	like($stdout, qr/^tried +btf: [^\n]*EPERM[^\n]*CAP_BPF[^\n]*make install-caps\n(?:tried +(?:raw|perf): [^\n]+\n)*source +proc /m,
		'and says what was tried, the error, and what to do');
}

# Fails: has_raised_rights() without AT_SECURE, or without the permitted set (emit/main.c): the object is loaded.
sub test_probe_file {
	check_refusal('--probe with file capabilities', 'refused',
		run_as_nobody('capable', '--probe', "$folder/probe.o", '-n', 1, '-o', 'json'));
	# as a wrapper does that hands its capabilities down
	check_refusal('--probe with ambient capabilities', 'refused',
		run('setpriv', '--reuid', 65534, '--regid', 65534, '--clear-groups', '--inh-caps=+bpf,+perfmon',
			'--ambient-caps=+bpf,+perfmon', "$folder/plain", '--probe', "$folder/probe.o", '-n', 1));
	my ($status, $stdout) = run('./rstat', '--probe', "$folder/probe.o", '-n', 1, '-o', 'json');
	ok($status == 0 && eval { decode_json($stdout) }, 'root may');
}

test_capable($_) for 'btf', 'raw';
test_perf();
test_incapable();
test_walk();
test_probe_file();
done_testing();
