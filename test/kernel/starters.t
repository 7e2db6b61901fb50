#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Who starts it may be hostile: what is handed down, what is limited, what is closed, and whose rights the file has.
use strict;
use warnings;
use File::Temp ();
use Test::More;
use Rstat;

needs_root();
for ('setcap', 'setpriv', 'strace') {
	plan skip_all => "needs $_" if system "command -v $_ >/dev/null";
}

my $attach = $ENV{RSTAT_ATTACH} // 'btf';
my $own = $attach eq 'perf' ? 'raw' : $attach;	# what others than root can attach
my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);
chmod 0755, $folder;
my ($setpriv) = grep { -x } map { "$_/setpriv" } split /:/, $ENV{PATH};
my ($starter, $other) = (65533, 65534);

# A copy of the program with owner, group, mode and capabilities; undef where there can be none.
sub install {
	my ($name, $user, $group, $mode) = @_;
	system('cp', 'rstat', "$folder/$name") == 0 or die;
	chown $user, $group, "$folder/$name";
	chmod $mode, "$folder/$name";
	return if system "setcap cap_bpf,cap_perfmon+ep $folder/$name";
	return "$folder/$name";
}

sub as_starter {
	my (@command) = @_;
	return ($setpriv, '--reuid', $starter, '--regid', $starter, '--clear-groups', '--inh-caps=-all', @command);
}

sub check_refusal {
	my ($name, $why, $status, $stdout, $stderr) = @_;
	is($status, 1 << 8, "$name: exit 1");
	is($stdout, '', "$name: nothing on stdout");
	like($stderr, qr/\Arstat: [^\n]*$why[^\n]*\n\z/, "$name: one line that says why");
}

# Files are written with the caller's rights or not at all. Fails: has_rights_of_another() without start_facts()->another
# (emit/main.c), ids of users only (loader/start.c).
sub test_file {
	for (['set-uid', $other, 0, 04755], ['set-gid', 0, $other, 02755]) {
		my ($name, @rights) = @$_;
		my $program = install($name, @rights) or plan skip_all => 'needs file capabilities where temporary files are';
		my $place = "$folder/place-$name";
		mkdir $place;
		chown @rights[0, 1], $place;
		chmod 0770, $place;
		check_refusal("--file, $name", 'refused', run(as_starter($program, '--attach', $attach, '--file', "$place/x.prom", '-n', 1)));
		is_deeply([glob "$place/*"], [], 'no file is there');
	}
	my $program = install('capable', 0, 0, 0755);
	mkdir "$folder/own";
	chown $starter, $starter, "$folder/own";
	my ($status) = run(as_starter($program, '--attach', 'proc', '--file', "$folder/own/x.prom", '-n', 1));
	is($status, 0, 'in a folder of its own who starts it may');
	is((stat "$folder/own/x.prom")[4], $starter, 'and the file is his');
}

# Words for strace(1), by which the kernel refuses the nth such call with that error.
sub refusing {
	my ($call, $error, $nth) = @_;
	return ('strace', '-o', '/dev/null', '-e', "inject=$call:error=$error:when=$nth");
}

# Where /dev/null cannot be opened, for a limit that is raised again later, 2 would be a descriptor of ours. Fails:
# fill_standard_descriptors() that does not look again (emit/main.c).
sub test_descriptors {
	my ($status) = run('sh', '-c', 'exec "$@" 2>&-', 'sh', refusing('openat', 'EMFILE', 1), './rstat', '--attach', $attach, '-n', 1);
	is($status, 1 << 8, '2 is closed and cannot be opened on nothing: exit 1');
	($status) = run(refusing('openat', 'EMFILE', 1), './rstat', '--attach', $attach, '-n', 1, '-o', 'json');
	is($status, 0, 'where all three are open it need not be');
	# Fails: no loop in close_handed_down() (emit/main.c).
	my @old = ('strace', '-f', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=close_range', '-e', 'inject=close_range:error=ENOSYS');
	for (['by close_range(2)'], ['one by one', @old]) {
		my ($how, @words) = @$_;
		my $rstat = Rstat::start('perl', '-e', 'use POSIX; open my $f, "<", $0 or open $f, "<", "/dev/null"; dup2(fileno $f, 40); exec @ARGV',
			@words, './rstat', '--attach', $attach, '-i', 100, '-o', 'json');
		next_line($rstat);
		my ($pid) = @words ? grep { slurp("/proc/$_/comm") eq "rstat\n" } split ' ', slurp("/proc/$rstat->{pid}/task/$rstat->{pid}/children")
			: $rstat->{pid};
		ok($pid && -e "/proc/$pid/fd/1" && !-e "/proc/$pid/fd/40", "what was handed down is closed, $how");
		kill TERM => $pid // $rstat->{pid};
		rstat_stop($rstat);
	}
}

# Whoever may start it may ask for many samples. Fails: no seal() in bench_run() (emit/bench.c).
sub test_bench {
	my $program = install('bench', 0, 0, 0755);
	my $rstat = Rstat::start('sh', '-c', 'ulimit -l unlimited; exec "$@"', 'sh', as_starter($program, '--attach', $own, '--bench', 1000000));
	my $status;
	for (1 .. 600) {
		$status = slurp("/proc/$rstat->{pid}/status");
		last if $status =~ /^Seccomp:\s+2$/m || $status !~ /^State/m;
		select undef, undef, undef, 0.05;
	}
	like($status, qr/^Seccomp:\s+2$/m, '--bench confines itself');
	my ($permitted) = $status =~ /^CapPrm:\s+(\w+)$/m;
	# CAP_BPF: kernels before 6.0 (test/kernel/sandbox.t)
	is(hex($permitted) & ~(1 << 39), 0, 'and gives the capabilities up');
	rstat_stop($rstat);
}

# Slots are memory of the kernel. Fails: no limit in act() (emit/main.c).
sub test_slots {
	my $program = install('slots', 0, 0, 0755);
	my $most = slurp('/proc/sys/kernel/threads-max') + 0;
	my @run = ($program, '--attach', $own, '--max-tasks', 4194304, '--check');
	my ($status, $stdout) = run('sh', '-c', 'ulimit -l unlimited; exec "$@"', 'sh', as_starter(@run));
	my ($slots) = $stdout =~ /^slots +\d+ ever used of (\d+);/m;
	SKIP: {
		skip 'this kernel may have that many threads', 1 if $most >= 4194304;
		# whole pages of them
		cmp_ok($slots // 4194304, '<', $most + 1024, "who starts it has room for $most tasks at the most");
	}
}

# What the kernel offers must be had. Fails: fatal() without the step (loader/sandbox.c).
sub test_steps {
	my @run = ('./rstat', '--attach', $attach, '-n', 1, '-o', 'json');
	for (['seccomp', 'ENOMEM', 1], ['landlock_create_ruleset', 'EMFILE', 2], ['landlock_restrict_self', 'E2BIG', 1]) {
		my ($call, $error, $nth) = @$_;
		SKIP: {
			skip "$call: no Landlock without a probe", 3 if $call =~ /^landlock/ && walks();
			skip "$call: this kernel has no Landlock", 3 if $call =~ /^landlock/ && !has_landlock();
			check_refusal("$call fails", "give up what is not needed: $error", run(refusing($call, $error, $nth), @run));
		}
	}
	for (['prlimit64', 'EPERM', '1+'], ['seccomp', 'ENOSYS', 1], ['landlock_create_ruleset', 'ENOSYS', 1]) {
		my ($call, $error, $nth) = @$_;
		my ($status, $stdout, $stderr) = run(refusing($call, $error, $nth), @run);
		is($status, 0, "$call is not there: exit 0") or diag $stderr;
	}
}

sub has_landlock {
	my (undef, $stdout) = run('./rstat', '--attach', $attach, '--check');
	return $stdout =~ /^given up +files: .*by Landlock \d/m;
}

# Its memory is not the starter's, at any moment. Fails: PR_SET_DUMPABLE 1 (loader/sandbox.c).
sub test_trace {
	my $program = install('traced', 0, 0, 0755);
	system('cp', 'build/test/inject', "$folder/inject") == 0 or die;
	chmod 0755, "$folder/inject";
	my $rstat = Rstat::start('sh', '-c', 'ulimit -l unlimited; exec "$@"', 'sh', as_starter($program, '--attach', $own, '-i', 100, '-o', 'json'));
	for my $when ('before', 'after') {
		next_line($rstat) if $when eq 'after';
		my (undef, $result) = run(as_starter("$folder/inject", $rstat->{pid}, 'clock_gettime'));
		# it may not be executed yet
		redo if $when eq 'before' && slurp("/proc/$rstat->{pid}/comm") ne "traced\n";
		like($result, qr/^failed seize: Operation not permitted$/, "who starts it may not trace it, $when its first line");
	}
	rstat_stop($rstat);
	# who traces it when it is executed gets it without the capabilities
	my ($status, undef, $stderr) = run(as_starter('strace', '-o', '/dev/null', $program, '--attach', 'btf', '-n', 1));
	is($status, 1 << 8, 'who traces it from the beginning: exit 1');
	like($stderr, qr/EPERM: needs CAP_BPF and CAP_PERFMON/, 'since it has no capability');
}

# A parent's own signals, umask and environment. Fails: loop_take_signals() with SIG_BLOCK (emit/loop.c).
sub test_inherited {
	my ($status, $stdout) = run('perl', '-e', 'use POSIX; sigprocmask(SIG_SETMASK, POSIX::SigSet->new(1 .. 31)); $SIG{$_} = "IGNORE" for qw(TERM PIPE USR1); '
		. 'umask 0777; %ENV = (); chdir "/"; exec { $ARGV[0] } @ARGV or exit 99', $ENV{PWD} . '/rstat', '--attach', $attach, '-n', 1, '-o', 'json');
	is($status, 0, 'signals blocked and ignored, no environment: exit 0');
	my $process = Rstat::start('perl', '-e', 'use POSIX; sigprocmask(SIG_SETMASK, POSIX::SigSet->new(1 .. 31)); $SIG{TERM} = "IGNORE"; exec { $ARGV[0] } @ARGV',
		'./rstat', '--attach', $attach, '-o', 'json');
	next_line($process);
	is(rstat_stop($process), 15, 'and SIGTERM ends it');
}

test_file();
test_descriptors();
test_bench();
test_slots();
test_steps();
test_trace();
test_inherited();
done_testing();
