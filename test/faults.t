#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Every system call of the start and of the loop made to fail, one at a time, with each errno that it may have; reads and
# writes that are short; signals in the middle. What may come of it is a rule (rules()), what came of it is a table,
# docs/faults.md, in which what is seen must stand. Nothing may stay: in the kernel, in a folder, on the terminal.
#
# RSTAT_FAULTS=write: the table is written anew. RSTAT_PARTS=btf,proc: only these runs. RSTAT_FAULTS_ONLY=PATTERN: only the sites
# ("bpf MAP_CREATE slots_map") that match.
use strict;
use warnings;
use Cwd ();
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Test::More;
use Rstat;
use Machine;

my $json = JSON::PP->new->utf8->canonical;
my $table = $ENV{RSTAT_FAULTS_TABLE} // 'docs/faults.md';
my $workers = $ENV{RSTAT_FAULTS_WORKERS} // 4;
my $writes = ($ENV{RSTAT_FAULTS} // '') eq 'write';
my $only = defined $ENV{RSTAT_FAULTS_ONLY} ? qr/$ENV{RSTAT_FAULTS_ONLY}/ : undef;

# ---- a worker: runs the cases of a file, one after the other, and writes what came of each

sub run_case {
	my ($case, $folder) = @_;
	remove_tree("$folder/F");
	mkdir "$folder/F" or die "$folder/F: $!";
	pipe my $out, my $child_out or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', $case->{stdin} // '/dev/null' or die;
		open STDOUT, '>&', $child_out or die;
		open STDERR, '>', "$folder/err" or die;
		$ENV{TERM} = 'xterm';
		delete $ENV{NO_COLOR};
		my @command = map { s/^FOLDER/$folder/r } @{ $case->{command} };
		my @fault = ('build/test/fault', '-t', 60, '-d', "$folder/F", @{ $case->{fault} }, "$folder/report");
		@command = ('unshare', '--mount', 'sh', '-c', "$case->{words}; exec \"\$@\"", 'sh', @fault, @command) if $case->{words};
		@command = (@fault, @command) unless $case->{words};
		exec { $command[0] } @command or POSIX::_exit(125);
	}
	close $child_out;
	my $stdout = do { local $/; <$out> } // '';
	waitpid $pid, 0;
	my %result = (id => $case->{id}, status => $?, out => $stdout, err => slurp("$folder/err"), report => slurp("$folder/report"));
	$result{err} =~ s/\Q$folder\E\/F/F/g;
	opendir my $dir, "$folder/F" or die;
	$result{files} = { map { $_ => slurp("$folder/F/$_") } grep { !/^\.\.?$/ } readdir $dir };
	return \%result;
}

if (@ARGV && $ARGV[0] eq '--worker') {
	my (undef, $cases, $results, $folder) = @ARGV;
	open my $in, '<', $cases or die "$cases: $!";
	open my $to, '>', $results or die "$results: $!";
	print {$to} $json->encode(run_case($json->decode($_), $folder)), "\n" while <$in>;
	close $to or die;
	exit 0;
}

needs_root();
plan skip_all => 'needs build/test/fault' unless -x 'build/test/fault';
plan skip_all => 'needs unshare' if system 'command -v unshare >/dev/null';

my $folder = File::Temp->newdir('rstat-faults-XXXXXX', TMPDIR => 1);
my $here = Cwd::getcwd();
make_path("$folder/bare/sys");
unpack_machine('intel-laptop', "$folder/laptop");

# Runs them in that machine, several at a time: the results in their order.
sub run_cases {
	my ($run, @cases) = @_;
	my (@running, %result);
	$cases[$_]{id} = $_ for 0 .. $#cases;
	for my $worker (0 .. $workers - 1) {
		my @share = grep { $_->{id} % $workers == $worker } @cases or next;
		my $place = "$folder/worker-$worker";
		make_path($place);
		open my $file, '>', "$place/cases" or die "$place: $!";
		print {$file} $json->encode($_), "\n" for @share;
		close $file;
		push @running, [Rstat::start(in_machine("$folder/$run->{machine}", $run->{few} ? qw(unshare --pid --fork --mount-proc) : (), $^X,
			(map { "-I$_" } @INC), $0, '--worker', "$place/cases", "$place/results", $place)), "$place/results"];
	}
	for (@running) {
		my ($worker, $file) = @$_;
		my $status = ended($worker, 3600);
		die "a worker: " . ($status // 'late') . ' ' . slurp($worker->{err}->filename) if !defined $status || $status;
		for (split /\n/, slurp($file)) {
			my $result = $json->decode($_);
			$result{ $result->{id} } = $result;
		}
	}
	return map { $result{ $_->{id} } } @cases;
}

# ---- the runs

# sites: which are made to fail; without it, those that no run before has, and `more`. words: of a shell, said before it in a
# mount namespace of its own. Most are made without a probe, and among few processes, as they are quick then.
my @runs = (
	{ name => 'proc', what => 'without a probe; three lines of JSON', command => [qw(--attach proc -o json)] },
	{ name => 'laptop', what => 'the sensors of a laptop', machine => 'laptop',
		sites => qr{^\w+ /sys/(?!kernel/|devices/system/cpu/(?:online|possible))}, command => [qw(--attach proc -o json)] },
	{ name => 'btf', what => 'the probe, `btf`', command => [qw(--attach btf -o json)], more => qr/^(?:write|ppoll|bpf)/ },
	{ name => 'auto', what => 'the same, but whatever works', command => [qw(-o json)],
		sites => qr/^bpf (?!.* for its log)|vmlinux|^mmap memory [1-5]$/ },
	{ name => 'raw', what => 'the probe, `raw`', command => [qw(--attach raw -o json)] },
	{ name => 'perf', what => 'the probe, `perf`', words => 'mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing',
		command => [qw(--attach perf -o json)] },
	{ name => 'perf without tracefs', what => 'the probe, `perf`, where tracefs is not mounted',
		words => 'umount -l /sys/kernel/tracing 2>/dev/null; umount -l /sys/kernel/debug 2>/dev/null',
		command => [qw(--attach perf -o json)], sites => qr/^fs(?:open|config|mount)|tracefs|tracing/ },
	{ name => 'once', what => '`--once`', lines => 1, command => [qw(--attach btf -o json --once)], sites => qr/^(?:write|ppoll|read timer)/ },
	{ name => 'waybar', what => 'a bar', command => [qw(--attach proc -o waybar)], sites => qr/^(?:write|ppoll)/ },
	{ name => 'i3bar', what => 'a bar that sends clicks', stdin => "$folder/clicks",
		command => [qw(--attach proc -o i3bar)], sites => qr/^(?:write|ppoll|read std)/ },
	{ name => 'signal', what => 'a signal that asks for a longer interval', fault => [qw(-g 38)],
		command => [qw(--attach proc -o json)], sites => qr/^(?:read signals|timerfd_settime)/ },
	{ name => 'metrics', what => 'OpenMetrics', command => [qw(--attach proc -o openmetrics)], sites => qr/^write/ },
	{ name => 'file', what => '`--file F/x.prom`', command => [qw(--attach btf --file), 'FOLDER/F/x.prom'],
		more => qr/^(?:mprotect|landlock|capset|seccomp|ppoll)/ },
	{ name => 'closed', what => 'with stdin closed', words => 'exec <&-', sites => qr{/dev/null}, command => [qw(--attach proc -o json)] },
	{ name => 'live', what => 'the live view, in which two keys are typed', fault => [qw(-p -k k0)],
		command => [qw(--attach proc -o term)], more => qr/^(?:write|ppoll|clone|rt_sig)/ },
	{ name => 'killed', what => 'the live view, killed: what its guard does', fault => [qw(-p -K 3)], lines => 0,
		command => [qw(--attach proc -o term)], sites => qr/^guard: (?!prctl|capset|capget|prlimit|landlock|seccomp|fstat|rt_)/ },
	{ name => 'check', what => '`--check`', lines => 0, command => [qw(--attach btf --check)],
		more => qr/^(?:prctl|capset|capget|prlimit64|landlock|seccomp|write)/ },
	{ name => 'check auto', what => '`--check`, whatever works', lines => 0, command => [qw(--check)],
		sites => qr/^bpf (?:PROG_LOAD on_(?:switch|birth)$|MAP_CREATE slots)|vmlinux/ },
);
for (@runs) {
	$_->{lines} //= 3;
	$_->{machine} //= 'bare';
	# processes of its own, but for the probe, which counts the machine's
	$_->{few} = "@{ $_->{command} }" =~ /--attach proc/;
	# nothing is put off because others keep the CPU
	push @{ $_->{command} }, '--budget', 1000000;
	push @{ $_->{command} }, '-i', 10 if $_->{lines} || $_->{name} eq 'killed';
	push @{ $_->{command} }, '-n', $_->{lines} if $_->{lines} > 1;
}

# Signals, clicks: what is not asked for here is nothing.
{
	open my $file, '>', "$folder/clicks" or die;
	print {$file} qq([{"name":"rstat","instance":"cpu","button":1}\n);
}

# ---- what may fail how

my %errors = (
	openat => [qw(ENOENT EACCES EMFILE ENFILE EIO ENOMEM EINTR ELOOP)],
	readlinkat => [qw(ENOENT EACCES EIO ENOMEM)],
	read => [qw(EINTR EAGAIN EIO ENODEV short zero)],
	pread64 => [qw(EINTR EAGAIN EIO ENODEV short zero)],
	write => [qw(EINTR EAGAIN EPIPE ENOSPC EIO short)],
	close => [qw(EINTR EIO)],
	fstat => [qw(EIO ENOMEM)],
	lseek => [qw(EIO)],
	getdents64 => [qw(EIO ENOENT EINTR ENOMEM zero)],
	mmap => [qw(ENOMEM EPERM EAGAIN)],
	munmap => [qw(ENOMEM EINVAL)],
	madvise => [qw(ENOMEM EINVAL)],
	mprotect => [qw(ENOMEM EACCES)],
	ioctl => [qw(EIO ENOTTY)],
	ppoll => [qw(EINTR ENOMEM EINVAL)],
	timerfd_create => [qw(EMFILE ENFILE ENOMEM)],
	signalfd4 => [qw(EMFILE ENFILE ENOMEM)],
	timerfd_settime => [qw(EINVAL)],
	rt_sigaction => [qw(EINVAL)],
	rt_sigprocmask => [qw(EINVAL)],
	clock_gettime => [qw(EINVAL)],
	sysinfo => [qw(ENOSYS EPERM)],
	uname => [qw(ENOSYS)],
	capget => [qw(EPERM EINVAL)],
	capset => [qw(EPERM EINVAL)],
	prctl => [qw(EPERM EINVAL)],
	prlimit64 => [qw(EPERM EINVAL)],
	close_range => [qw(ENOSYS)],
	seccomp => [qw(EINVAL ENOSYS ENOMEM EACCES)],
	landlock_create_ruleset => [qw(ENOSYS EOPNOTSUPP EMFILE ENOMEM)],
	landlock_add_rule => [qw(EINVAL ENOMEM)],
	landlock_restrict_self => [qw(EPERM E2BIG ENOMEM)],
	clone => [qw(EAGAIN ENOMEM EPERM)],
	pipe2 => [qw(EMFILE ENFILE)],
	setpgid => [qw(EPERM ESRCH)],
	getpgid => [qw(ESRCH)],
	kill => [qw(EPERM)],
	wait4 => [qw(EINTR ECHILD)],
	unlinkat => [qw(ENOENT EACCES EROFS EISDIR EIO)],
	renameat => [qw(EACCES ENOSPC EROFS EIO ENOENT)],
	fchmod => [qw(EPERM EROFS EIO)],
	fsopen => [qw(ENOSYS EPERM ENODEV ENOMEM)],
	fsconfig => [qw(EPERM EBUSY ENOMEM)],
	fsmount => [qw(EPERM EMFILE ENOMEM)],
	perf_event_open => [qw(EACCES EPERM EMFILE EINVAL ENODEV ENOMEM)],
	'bpf MAP_CREATE' => [qw(EPERM ENOMEM EINVAL E2BIG ENOSYS EMFILE)],
	'bpf MAP_UPDATE_ELEM' => [qw(EPERM ENOMEM EBUSY)],
	'bpf MAP_FREEZE' => [qw(EPERM EBUSY EINVAL)],
	'bpf BTF_LOAD' => [qw(EPERM ENOMEM EINVAL)],
	'bpf PROG_LOAD' => [qw(EPERM EACCES ENOMEM EINVAL E2BIG ENOSYS EAGAIN EMFILE)],
	'bpf RAW_TRACEPOINT_OPEN' => [qw(EPERM ENOMEM EINVAL EBUSY ENOENT EMFILE)],
	'bpf LINK_CREATE' => [qw(EPERM ENOMEM EINVAL ENOSYS)],
	'bpf ITER_CREATE' => [qw(EPERM ENOMEM EINVAL EMFILE)],
	'bpf PROG_TEST_RUN' => [qw(EPERM ENOMEM ENOSYS)],
	'bpf OBJ_GET_INFO_BY_FD' => [qw(EPERM EINVAL)],
);
# Calls that are made for each of many thousand numbers when they fail take too long under ptrace(2).
my %never = map { $_ => 1 } qw(exit_group getpid restart_syscall umask close_range);	# they have no errors

# Of sensors, where one error is as good as another, fewer. sysfs(5) never gives less than all of a file.
my %sensor_errors = (openat => [qw(ENOENT EMFILE EINTR)], pread64 => [qw(EINTR EIO ENODEV zero)], close => ['EIO'],
	getdents64 => [qw(EIO EINTR zero)], readlinkat => [qw(ENOENT EIO)]);

sub errors_of {
	my ($run, $site) = @_;
	my ($call, $first) = $site =~ /^(?:guard: )?(\w+)(?: (\w+))?/;
	return () if $never{$call};
	return () if $site =~ /fstat of each/;
	return qw(EINTR EAGAIN) if $site =~ /^read (?:timer|signals)/;
	return 'EINTR' if $site eq 'guard: read pipe';
	return qw(EINTR EIO ENOTTY) if $site =~ /TCSETS/;
	return qw(ENOSYS EOPNOTSUPP) if $site =~ /landlock_create_ruleset version/;
	return qw(EINVAL E2BIG EPERM ENOMEM) if $site =~ /PERF_EVENT_IOC/;
	return @{ $sensor_errors{$call} // die "no errors for $site\n" } if $run->{machine} eq 'laptop';
	return @{ $errors{ $call eq 'bpf' ? "bpf $first" : $call } // die "no errors for $site\n" };
}

# From the first to the last of how many: a signal comes once.
sub times_of {
	my ($run, $site, $what, $count) = @_;
	return 'once' if $count == 1;
	# how many processes there are is not known; neither how often a clock is read
	return $what =~ /^(?:EINTR|EAGAIN|short)$/ ? 'first' : ('first', 'all') if $site =~ m{/proc/PID|of a process|^clock_gettime|PROG_TEST_RUN|slots_map|iterator|ITER_CREATE};
	return $what =~ /^(?:EINTR|EAGAIN|short)$/ ? ('first', 'last') : ('first', 'last', 'all');
}

# ---- what came of it

# What there is to be known of a value: "memory.used_bytes"; lists are what they are.
sub keys_of {
	my ($value, $prefix) = @_;
	return ($prefix) if ref $value ne 'HASH';
	return map { keys_of($value->{$_}, length $prefix ? "$prefix.$_" : $_) } sort keys %$value;
}

# The names in @$before that @$now lacks; where all below one is missing, that one.
sub missing {
	my ($before, $now) = @_;
	my %now = map { $_ => 1 } @$now;
	my @gone = grep { !$now{$_} } @$before;
	my %gone;
	for my $name (@gone) {
		my $shown = $name;
		while ($shown =~ /^(.+)\.[^.]+$/) {
			my $above = $1;
			last if grep { index($_, "$above.") == 0 } keys %now;
			$shown = $above;
		}
		$gone{$shown} = 1;
	}
	return sort keys %gone;
}

# What a line of JSON says: the names of what is known, and the values that no fault may change.
sub read_sample {
	my ($line) = @_;
	my $sample = eval { $json->decode($line) };
	return { broken => $line } unless ref $sample eq 'HASH' && $sample->{tasks};
	my @names = grep { $_ ne 'source_reason' && !/_age_seconds$/ } keys_of($sample, '');
	push @names, 'any tasks' if $sample->{tasks}{total};
	my %fixed = (cpus => $sample->{cpus}, memory => $sample->{memory}{total_bytes}, slots => $sample->{tasks}{slots});
	return { names => \@names, source => $sample->{source}, fixed => \%fixed };
}

sub read_bar {
	my ($line) = @_;
	my $bar = eval { $json->decode($line) };
	return { broken => $line } unless ref $bar;
	# those blocks say what is wrong with the machine at that moment
	return { names => [sort ref $bar eq 'HASH' ? keys %$bar : grep { !/^(?:pressure|blocked|throttled)$/ } map { $_->{instance} } @$bar] };
}

sub read_metrics {
	my ($text) = @_;
	my @lines = split /\n/, $text, -1;
	return { broken => $text } if pop @lines ne '' || grep { !/^(?:# |rstat_\w+(?:\{.*\})? \S+$)/ } @lines;
	my %names = map { /^(\w+)/ ? ($1 => 1) : () } @lines;
	my ($source) = $text =~ /source="(\w+)"/;
	return { names => [sort keys %names], source => $source };
}

# What was written, piece by piece.
my %read = (
	json => sub { map { read_sample($_) } split /\n/, $_[0]{out} },
	waybar => sub { map { read_bar($_) } split /\n/, $_[0]{out} },
	i3bar => sub {
		my ($version, $open, @lines) = split /\n/, $_[0]{out};
		return { broken => $version } if defined $version && !eval { $json->decode($version) };
		return { broken => $open } if defined $open && $open !~ /^\[(?:\[\])?$/;
		return map { read_bar($_) } map { s/^,//r } grep { $_ ne ']' } @lines;
	},
	openmetrics => sub { map { read_metrics("$_") } grep { length } split /(?<=^# EOF\n)/m, $_[0]{out} },
	file => sub { map { read_metrics($_) } grep { defined } $_[0]{files}{'x.prom'} },
	term => sub { map { { names => [] } } 1 .. (() = $_[0]{out} =~ /\x1b\[1;1H/g) },
	check => sub { length $_[0]{out} ? { names => [], source => $_[0]{out} =~ /^source +(\w+) \(/m ? $1 : undef } : () },
);

sub face_of {
	my ($run) = @_;
	my $words = join ' ', @{ $run->{command} };
	return $words =~ /--file/ ? 'file' : $words =~ /-o (\w+)/ ? $1 : 'check';
}

# A report of --check without what differs from run to run, and what else there is with another source.
sub report_lines {
	my ($out) = @_;
	my ($log, @lines) = (0);
	my $other = $out =~ /^source +(?:raw|perf|proc) /m;
	for (split /\n/, $out) {
		$log = 0 if /^source /;
		next if $log;
		if (/^The end of the verifier's log/) {
			$log = 1;
			push @lines, "the verifier's log";
			next;
		}
		next if /^source +\w+ \(/ || $other && (/^(?:program|hidden)/ || /^given up/ && !/: E[A-Z0-9]+/);
		s/\d[\d.]*(?: ms)?/#/g unless /: E[A-Z0-9]+/;
		s/ +/ /g;
		s/^(sample).*(: .*)/$1$2/;
		push @lines, short_advice($_);
	}
	return @lines;
}

# What is said of rights depends on what else this user may.
sub short_advice { return $_[0] =~ s/(: (?:EPERM|EACCES)): (?:this kernel counts|needs CAP_BPF).*/$1: .../r }

sub read_report {
	my ($result) = @_;
	my %report = (calls => [], fds => [], bpf => [], ends => {}, memory => 0, made => 0);
	for (split /\n/, $result->{report}) {
		if (/^call (.*)/) { push @{ $report{calls} }, $1 }
		elsif (/^fd (.*)/) { push @{ $report{fds} }, $1 }
		elsif (/^memory (\d+)/) { $report{memory} = $1 }
		elsif (/^end (guard: )?(.*)/) { $report{ends}{ $1 ? 'guard' : 'main' } = $2 }
		elsif (/^made (\w+ \d+)/) { push @{ $report{bpf} }, $1 }
		elsif (/^done (\d+)/) { $report{made} = $1 }
		elsif (/^terminal (.*)/) { $report{terminal} = $1 }
	}
	return \%report;
}

# Of each source, without a fault: the lines, and the report.
my (%sources, %held);

# Which of the lines lack what, or have more: "without x", "one line without x".
sub describe_lines {
	my ($run, $base, @lines) = @_;
	my @said;
	my (%lacks, %more);
	for my $i (0 .. $#lines) {
		my $line = $lines[$i];
		return ('broken: ' . substr $line->{broken}, 0, 60) if exists $line->{broken};
		my $of = $base;
		$of = $sources{ $line->{source} } // $base if face_of($run) ne 'check' && ($line->{source} // '') ne ($base->[-1]{source} // '');
		my $like = $of->[$i] // $of->[-1] // next;
		my $lacks = join ', ', missing($like->{names}, $line->{names});
		push @{ $lacks{$lacks} }, $i if length $lacks;
		my $more = join ', ', missing($line->{names}, $like->{names});
		push @{ $more{$more} }, $i if length $more;
		for my $name (grep { defined $line->{fixed}{$_} } sort keys %{ $like->{fixed} // {} }) {
			my ($now, $then) = ($line->{fixed}{$name}, $like->{fixed}{$name});
			next if !defined $then || $now == $then;
			push @said, $name eq 'slots' ? "with $now slots" : "wrong: $name $now";
		}
	}
	my $count = sub {
		my (@which) = @_;
		return '' if @which == @lines;
		return 'one line ' if @which == 1;
		return 'but the first line ' if @which == @lines - 1 && $which[0] == 1;
		return 'lines ' . join(' ', map { $_ + 1 } @which) . ' ';
	};
	push @said, map { $count->(@{ $lacks{$_} }) . "without $_" } sort keys %lacks;
	push @said, map { $count->(@{ $more{$_} }) . "with $_" } sort keys %more;
	my ($source) = map { $_->{source} // () } @lines;
	my ($usual) = map { $_->{source} // () } @$base;
	unshift @said, "source $source" if defined $source && $source ne ($usual // $source);
	return do { my %seen; grep { !$seen{$_}++ } @said };
}

# What came of it in words, and what must not be in any case.
sub judge {
	my ($run, $base, $result) = @_;
	my $report = read_report($result);
	my (@said, @wrong);
	my @lines = $read{ face_of($run) }->($result);
	my $end = $report->{ends}{main} // 'nothing';
	my $good = $end eq $base->{report}{ends}{main};
	# that others keep the CPU is no fault
	$result->{err} =~ s/^rstat: [^\n]* took more than 50 ms to read[^\n]*\n//mg;
	my $message = short_advice($result->{err} =~ s/^rstat: //r =~ s/\n\z//r);

	push @wrong, "the tool: $result->{status}" if $result->{status};
	push @wrong, $end if $end !~ /^exit [01]$/ && !$good;
	push @wrong, 'stderr is not one line' if length $result->{err} && $result->{err} !~ /\A(?:rstat: [ -~]+\n){1,2}\z/;
	push @wrong, 'two lines on stderr' if $message =~ s/\n(?:rstat: )?/; /g && face_of($run) ne 'file';
	push @said, $end unless $good;
	push @said, $message if length $message;
	push @wrong, 'exit 1 without a word' if $end eq 'exit 1' && !length $message && face_of($run) ne 'check';
	if ($end eq 'exit 0' || $good) {
		push @said, describe_lines($run, $base->{lines}, @lines);
		push @wrong, grep { /^(?:wrong|broken)/ } @said;
		my $lines = @lines;
		push @said, "$lines of $run->{lines} lines" if $run->{lines} && $lines < $run->{lines} && face_of($run) ne 'file';
		push @said, 'no file' if face_of($run) eq 'file' && !$lines;
		my ($source) = map { $_->{source} // () } @lines;
		my ($own) = map { $_->{source} // () } @{ $base->{lines} };
		my $usual = ($source // '') eq ($own // '') || !defined $source ? $base->{report} : $held{$source};
		my %may;
		$may{$_}++ for @{ $usual->{fds} };
		# another sensor may take the place of one that fails
		my @more = grep { --($may{$_} //= m{^/sys/} ? 1 : 0) < 0 } grep { !/^guard: pipe:/ } @{ $report->{fds} };
		push @wrong, "open: @more" if @more;
		push @wrong, "memory: $report->{memory} pages, not $usual->{memory}"
			if $report->{memory} > $usual->{memory} && ($result->{site} // '') !~ /^munmap|possible$/;
	}
	if (face_of($run) eq 'check') {
		my %usual = map { $_ => 1 } report_lines($base->{out});
		my @report = report_lines($result->{out});
		push @wrong, 'the report does not say why none works' if grep { $_ eq 'source none works' } @report
			and !grep { $_ eq "tried btf: $message" } @report;
		if ($good && !grep { /^tried/ } @report) {
			my ($had, $has) = map { my $lines = $_; +{ map { /^(\w+)/ ? ($1 => 1) : () } @$lines } } [keys %usual], \@report;
			push @said, map { "without $_" } grep { !$has->{$_} } sort keys %$had;
		}
		# what stderr says, too
		push @said, grep { !$usual{$_} && $_ ne "tried btf: $message" } @report;
		push @wrong, 'no report' unless length $result->{out} || $result->{site} eq 'write stdout';
	}
	if (defined $report->{terminal}) {
		push @said, 'settings changed' if $report->{terminal} ne 'restored';
		my ($enter, $leave) = map { rindex $result->{out}, $_ } "\e[?1049h", "\e[?1049l";
		push @said, 'the other screen' if $enter > $leave;
		push @said, 'no cursor' if rindex($result->{out}, "\e[?25l") > rindex($result->{out}, "\e[?25h");
		push @said, 'no view' if $enter < 0 && $end eq 'exit 0';
		push @said, "guard: $report->{ends}{guard}" if ($report->{ends}{guard} // '') !~ /^(?:exit 0)?$/;
	}
	push @wrong, map { "left behind: $_" } grep { $_ ne 'x.prom' } sort keys %{ $result->{files} };
	return (join('; ', @said) || 'as without', @wrong);
}

# ---- the rules

# The files that cost a field each, and those that cost none that is always there.
my %costs = (
	'/proc/meminfo' => 'memory', '/proc/pressure/cpu' => 'pressure.cpu', '/proc/pressure/memory' => 'pressure.memory',
	'/proc/pressure/io' => 'pressure.io', '/sys/class/hwmon' => 'temperature_celsius', '/sys/class/thermal' => 'temperature_celsius',
	'/sys/devices/system/cpu/cpufreq' => '(?:frequency_\w+, )*frequency_\w+', '/sys/firmware/acpi/platform_profile' => 'power_profile',
	'/sys/class/drm' => 'gpus', '/sys/class/power_supply' => 'batteries', '/sys/devices/system/cpu' => 'throttled',
);

sub cost_of {
	my ($path) = @_;
	for my $start (sort { length $b <=> length $a } keys %costs) {
		return $costs{$start} if index($path, $start) == 0;
	}
	return;
}

my $some_lines = qr/(?:one line |but the first line |lines [\d ]+)?/;
my $nothing = qr/as without/;
my $view = qr/0 of 3 lines; no view|2 of 3 lines/;

# Steps of the start and what they say, the first that fits: site, message.
my @steps = (
	[qr/^mprotect/, 'the kernel does not let memory be protected'],
	[qr/^openat \/$/, 'open /: ERROR'],
	[qr/^openat \/proc(?:\/stat)?$/, 'open /proc: ERROR'],
	[qr/^mmap memory/, 'reserve memory for (?:the loader|the processes|the tasks|slots_map): ERROR|read /sys/kernel/btf/vmlinux: ERROR|unpack the probe: ERROR'],
	[qr/^(?:openat|fstat|mmap|read) \/sys\/kernel\/btf/, 'read /sys/kernel/btf/vmlinux: ERROR'],
	[qr/^mmap (\w+_map)$/, 'map memory of NAME: ERROR'],
	[qr/^bpf MAP_CREATE constants/, 'create map .rodata: ERROR'],
	[qr/^bpf MAP_CREATE (\w+)/, 'create map NAME\w*: ERROR'],
	[qr/^bpf BTF_LOAD/, 'create map tenancy_map: ERROR'],
	[qr/^bpf MAP_(?:UPDATE|FREEZE)/, 'fill map .rodata: ERROR'],
	[qr/^bpf PROG_LOAD/, 'load program \w+/\w+(?:/\w+)?: ERROR'],
	[qr/^bpf RAW_TRACEPOINT_OPEN|^bpf LINK_CREATE|^perf_event_open|^ioctl PERF/, 'attach \w+/\w+(?:/\w+)?: ERROR'],
	[qr/^bpf ITER_CREATE|^read iterator/, 'run iter/task: ERROR'],
	[qr/^bpf PROG_TEST_RUN program-on_portable_fil/, 'run portable_run/fill: ERROR'],
	[qr/^bpf PROG_TEST_RUN/, 'run test_run/sample: ERROR'],
	[qr/^(?:openat|read) .*events.*\/(?:id|format)$/, 'find tracepoint \w+/\w+: (?:ERROR|EINVAL)'],
	[qr/tracing\/events$|^fsopen|^fsconfig|^fsmount|^openat tracefs/, 'open tracefs: ERROR'],
	[qr/^(?:timerfd_create|signalfd4|timerfd_settime)/, 'set up timer and signals: ERROR'],
	[qr/^(?:capget|capset|prctl SET_NO_NEW|prlimit64|seccomp|landlock|fstat of each|openat \/sys$)/, 'give up what is not needed: ERROR'],
	[qr/^ppoll of the loop/, 'wait for the next sample: ERROR'],
	[qr/^openat F\/?\.?$/, 'open the folder of F/x.prom: ERROR'],
	[qr{^openat /dev/null}, 'open /dev/null: ERROR'],
);

sub said_by {
	my ($site, $what) = @_;
	for (@steps) {
		my ($of, $says) = @$_;
		next unless my ($name) = $site =~ $of;
		$says =~ s/ERROR/$what/g;
		$says =~ s/NAME/\Q$name\E/;
		return qr/(?:$says)(?::.*)?/;
	}
	return;
}

# Of --check: it says what is so, and why the probe was not loaded or what was not given up; then it does not work.
sub report_rule {
	my ($run, $site, $what) = @_;
	my $said = said_by($site, $what);
	my $types = $site =~ /vmlinux/ ? qr/(?:; )?kernel types $what: [^;]*/ : qr/(?!)/;
	return $what eq 'EPIPE' ? qr/^exit 1$/ : qr/^exit 1; write stdout: $what$/ if $site eq 'write stdout';
	return qr/^without capabilities$/ if $site eq 'capget 1';
	return qr/^(?:as without|kernel |program \w+|unprivileged \(.*|[a-z ]+ $what(?: \(.*)?)$/ unless $said;
	# what a kernel, or what confines us already, may lack
	my %lacks = (prlimit64 => qr/EPERM/, seccomp => qr/EINVAL|ENOSYS/, 'landlock_create_ruleset version' => qr/E/);
	for my $call (keys %lacks) {
		return qr/^given up [^:]+: not here: $what$/ if $site =~ /^$call/ && $what =~ $lacks{$call};
	}
	return qr/^(?:as without|(?:source (?:raw|proc))?(?:$types)?(?:; tried \w+: $said)*(?:; the verifier's log)?)$/
		if $run->{name} eq 'check auto';
	return qr/^(?:as without|exit 1; $said.*)$/;
}

# What may come of it.
sub rules {
	my ($run, $site, $what, $times) = @_;
	my ($call, $object) = $site =~ /^(?:guard: )?(\w+) ?(.*)/;
	my $once = $times ne 'all';
	# what is asked again, done again, or only tidies up, is not seen
	return $nothing if $what eq 'EINTR' || $call =~ /^(?:close|munmap|madvise|close_range|wait4|setpgid|kill|lseek|rt_)/;
	return $nothing if $what eq 'short' && $call =~ /^(?:read|write)/ && $site !~ m{/proc/PID|tracing};
	return $nothing if $what eq 'EAGAIN' && $site =~ /^(?:write|read (?:timer|signals|std|iterator)|bpf PROG_LOAD)/ && $once
		|| $what eq 'EAGAIN' && $site =~ /^guard: write/;
	return report_rule($run, $site, $what) if $run->{name} =~ /^check/;
	# the guard is not us; it alone gives the terminal back where we are killed
	return qr/^(?:settings changed|the other screen; no cursor|guard: exit 1|as without)$/ if $run->{name} eq 'killed';
	return qr/^(?:as without|guard: exit 1)$/ if $site =~ /^guard:/;
	# stdout
	if ($site eq 'write stdout') {
		return qr/^(?:$view|as without)(?:; no view)?$/ if $run->{name} eq 'live';
		return $what eq 'EPIPE' ? qr/^\d of \d lines$|^as without$/ : qr/^exit 1; write stdout: $what$/;
	}
	# a live view without a guard, or in the background
	return qr/^(?:as without|$view)$/ if $run->{name} eq 'live' && $call =~ /^(?:ioctl|getpgid|mmap|pipe2|clone)$/ && $object !~ /^memory/;
	# the place where the names of --file are kept
	return qr/^exit 1; (?:${\said_by($site, $what)}|open the folder of F\/x\.prom: $what)$/
		if $run->{name} eq 'file' && $site =~ /^m(?:protect|map memory)/;
	# the next try of --file
	return qr/^(?:as without|no file|write x\.prom: $what: it is tried again with each sample(?:; write x\.prom works again)?(?:; no file)?|exit 1; write F\/x\.prom: ENOENT.*(?:; no file)?)$/
		if $run->{name} eq 'file' && $site =~ /F\// && $site !~ /^openat F\/\.$/;
	# what can be read
	if ($site =~ m{^(?:openat|pread64|read|getdents64|readlinkat) (/(?:proc|sys)/.*)} && !said_by($site, $what)) {
		my $cost = cost_of($1);
		return defined $cost ? qr/^(?:as without|${some_lines}without $cost(?:\.full_ratio)?)$/ : $nothing;
	}
	return qr/^(?:as without|(?:with 4096 slots; )?${some_lines}without load)$/ if $call eq 'sysinfo';
	return qr/^(?:as without|but the first line without cpu_ratio, .*top_io)$/ if $call eq 'clock_gettime';
	# no rates of what was not read
	my $rates = qr/(?:${some_lines}without cpu_ratio, [^;]*)/;
	my $said = said_by($site, $what);
	return $nothing unless $said;
	my $other = $run->{name} eq 'auto' ? '|source (?:raw|perf|proc)(?:; .*)?' : '';
	return qr/^(?:as without|exit 1; $said$other|$rates)$/;
}

# ---- all of it

my %base;

sub command_of {
	my ($run, @fault) = @_;
	return { command => ['./rstat', @{ $run->{command} }], fault => [@{ $run->{fault} // [] }, @fault],
		stdin => $run->{stdin}, words => $run->{words} };
}

sub count_sites {
	my %count;
	$count{$_}++ for @{ $_[0]{calls} };
	return \%count;
}

# As it is without a fault, twice: only sites that are there both times are counted on.
sub take_base {
	my ($run) = @_;
	my ($result, $again) = run_cases($run, map { command_of($run) } 1, 2);
	my $report = read_report($result);
	my @lines = $read{ face_of($run) }->($result);
	my ($one, $two) = map { count_sites(read_report($_)) } $result, $again;
	delete @$one{ grep { !$two->{$_} } keys %$one };
	$base{ $run->{name} } = { report => $report, lines => \@lines, sites => $one, two => $two, out => $result->{out} };
	if (face_of($run) eq 'json' && $run->{machine} eq 'bare' && !$sources{ $lines[-1]{source} // '' }) {
		$sources{ $lines[-1]{source} } = \@lines;
		$held{ $lines[-1]{source} } = $report;
	}
	is($result->{err}, '', "$run->{name}: says nothing on stderr without a fault");
	is_deeply([grep { exists $_->{broken} } @lines], [], "$run->{name}: can be read");
}

# The sites of a run, in the order of the calls.
sub sites_of {
	my ($run, $known) = @_;
	my %sites = %{ $base{ $run->{name} }{sites} };
	my @order = do { my %seen; grep { exists $sites{$_} && !$seen{$_}++ } @{ $base{ $run->{name} }{report}{calls} } };
	return grep { $_ =~ $run->{sites} } @order if $run->{sites};
	return grep { !$known->{$_} || $run->{more} && $_ =~ $run->{more} } @order;
}

sub cases_of {
	my ($run, $known) = @_;
	my @cases;
	my @sites = sites_of($run, $known);
	for my $site (@sites) {
		my $count = $base{ $run->{name} }{sites}{$site};
		next if $only && $site !~ $only;
		for my $what (errors_of($run, $site)) {
			for my $times (times_of($run, $site, $what, $count)) {
				my $number = $times =~ /^(?:once|first)$/ ? 1 : $times eq 'last' ? $count : undef;
				push @cases, { %{ command_of($run, '-s', $site, '-e', $what, defined $number ? ('-n', $number) : ()) },
					run => $run, site => $site, what => $what, times => $times };
			}
		}
	}
	$known->{$_} = 1 for @sites;
	return @cases;
}

# ---- the table

# As it stands in the table: the error that was made, and what it was made of, by one word each.
sub fact_of {
	my ($fact) = @_;
	my ($call, $object) = $fact->{site} =~ /^((?:guard: )?\w+(?: [A-Z]+(?:_\w+)?(?= ))?) ?(.*)/;
	my $outcome = $fact->{outcome} =~ s/\b$fact->{what}\b/ERROR/gr;
	(my $name = $object) =~ s/^program-//;
	$outcome =~ s/\Q$name\E/NAME/g if length $name > 3;
	return { %$fact, call => $call, object => length $object ? $object : '-', outcome => $outcome };
}

my %when = (once => '', first => 'the first time', last => 'the last time', all => 'each time');

# With '' where it is the same whenever it fails.
sub merge_times {
	my (%by, @merged);
	push @{ $by{"$_->{run}\t$_->{site}\t$_->{what}"} }, $_ for @_;
	for my $key (sort keys %by) {
		my %of;
		push @{ $of{ $_->{outcome} } }, $_ for @{ $by{$key} };
		for my $same (values %of) {
			my $times = keys %of == 1 ? '' : join ', ', sort map { $when{ $_->{times} } } @$same;
			push @merged, fact_of({ %{ $same->[0] }, times => $times });
		}
	}
	return @merged;
}

# Of what a row or a fact is about, that many columns.
sub key_of {
	my ($fact, $columns) = @_;
	return join "\t", @$fact{ (qw(run call object what))[0 .. $columns - 1] };
}

sub distinct {
	my %seen;
	return grep { !$seen{$_}++ } @_;
}

sub write_table {
	my (@merged) = @_;
	open my $file, '>', $table or die "$table: $!";
	print {$file} <<'END';
# What comes of a system call that fails

Every system call of the start and of the loop, made to fail one at a time with each error that it may have: `test/faults.t`
does it to the program itself, by ptrace(2), holds what comes of it against rules, and this table against what it sees;
`RSTAT_FAULTS=write make faults` writes it anew. Nothing hangs, is killed by a signal, keeps a descriptor or
memory that it would not have without the error, or leaves a program, a map or a link in the kernel, or a second file in the
folder of `--file`. Where a terminal does not get its settings, its screen or its cursor back, the table says so. Calls that a
table above has are not in the ones below.

`short`: less was read or written than was asked for; `zero`: nothing was read. `as without`: nothing is seen of it. `without x`: that
field is missing. Other words are what is on stderr. ERROR and NAME are those of the row.
END
	for my $run (@runs) {
		my %by;
		push @{ $by{"$_->{call}\t$_->{outcome}\t$_->{times}"}{ $_->{object} } }, $_->{what} for grep { $_->{run} eq $run->{name} } @merged;
		my @rows;
		for my $key (keys %by) {
			my ($call, $outcome, $times) = split /\t/, $key, -1;
			my %with;
			push @{ $with{ join ' ', sort @{ $by{$key}{$_} } } }, $_ for keys %{ $by{$key} };
			push @rows, join ' | ', $call, join(', ', sort @{ $with{$_} }), $_, length $times ? "$times: $outcome" : $outcome for keys %with;
		}
		next unless @rows;
		print {$file} "\n## $run->{name}: $run->{what}\n\n| call | of | error | outcome |\n|---|---|---|---|\n";
		print {$file} "| $_ |\n" for sort @rows;
	}
	close $file or die "$table: $!";
	return;
}

sub read_table {
	my ($run, @found);
	for (split /\n/, slurp($table)) {
		$run = $1 if /^## ([^:]+):/;
		my ($call, $objects, $errors, $outcome) = /^\| (.+?) \| (.+?) \| (.+?) \| (.+) \|$/ or next;
		next if $call eq 'call';
		my $times = $outcome =~ s/^((?:(?:the first time|the last time|each time)(?:, )?)+): // ? $1 : '';
		for my $object (split /, /, $objects) {
			push @found, { run => $run, call => $call, object => $object, what => $_, times => $times, outcome => $outcome }
				for split / /, $errors;
		}
	}
	return @found;
}


# ---- the table, by what a case is

my @table = -e $table ? read_table() : ();
my %told;	# run, call, object => error => [when, outcome]...
push @{ $told{ key_of($_, 3) }{ $_->{what} } }, [$_->{times}, $_->{outcome}] for @table;

sub told_of {
	my ($case) = @_;
	my $fact = fact_of({ %$case, outcome => '' });
	return $told{ key_of({ %$fact, run => $case->{run}{name} }, 3) };
}

# The outcomes that the table has for it.
sub told_outcomes {
	my ($case) = @_;
	my @rows = @{ (told_of($case) // {})->{ $case->{what} } // [] };
	my $when = $when{ $case->{times} };
	# what is made once here may be made more often elsewhere
	my @fit = grep { !length $when || !length $_->[0] || grep { $_ eq $when } split /, /, $_->[0] } @rows;
	return map { $_->[1] } @fit;
}

# ---- all of it

# What only some machines or kernels have, and whose loss is seen only there.
my $sometimes = qr/landlock|ruleset|arcstats|vmlinux|tracing|debug|tracefs|^fs(?:open|config|mount)|vmstat|slots_map|memory to|lockdown|unprivileged/;
# what is shown of these is the machine's
my $varies = qr/arcstats|lockdown|unprivileged/;
$sometimes = qr/$sometimes|pressure/ unless -e '/proc/pressure/cpu';

my (@facts, %known, $again);
my %parts = map { $_ => 1 } split /,/, $ENV{RSTAT_PARTS} // '';
sub is_tried { return !%parts || $parts{ $_[0]{name} } }

# What is wrong with that result; a fact is made of it.
sub verdict {
	my ($case, $result) = @_;
	my $run = $case->{run};
	$result->{site} = $case->{site};
	my ($outcome, @wrong) = judge($run, $base{ $run->{name} }, $result);
	my $rule = rules($run, $case->{site}, $case->{what}, $case->{times});
	$case->{fact} = { run => $run->{name}, site => $case->{site}, what => $case->{what}, times => $case->{times}, outcome => $outcome };
	push @wrong, "no rule allows it" if $outcome !~ $rule;
	push @wrong, 'it was not made to fail' if !read_report($result)->{made};
	my $said = fact_of($case->{fact})->{outcome};
	push @wrong, "not in $table" if !$writes && $case->{site} !~ $varies && (told_of($case) || $case->{site} !~ $sometimes)
		&& !grep { $_ eq $said } told_outcomes($case);
	return @wrong ? "$case->{site}: $case->{what} ($case->{times}): $outcome: " . join ', ', @wrong : ();
}

# The cases that have left BPF in the kernel, which takes a moment to take it away.
sub left_of {
	my (@made) = @_;	# [what, "prog ID"...]
	my ($until, @left) = now() + 30;
	do {
		my $ids = bpf_ids();
		@left = ();
		for (@made) {
			my ($what, @things) = @$_;
			my @there = grep { my ($kind, $id) = split ' '; exists $ids->{$kind}{$id} } @things;
			push @left, "$what: @there" if @there;
		}
		sleep 0.1 if @left;
	} while (@left && now() < $until);
	return @left;
}

sub try_run {
	my ($run) = @_;
	my $began = now();
	my @cases = cases_of($run, \%known);
	return unless @cases;
	my @made;
	my $try = sub {
		my @results = run_cases($run, map { { %$_, run => undef } } @_);
		push @made, ["$_[$_]{site}: $_[$_]{what}", @{ read_report($results[$_])->{bpf} }] for 0 .. $#_;
		return map { [$_[$_], verdict($_[$_], $results[$_])] } 0 .. $#_;
	};
	my @bad = grep { @$_ > 1 } $try->(@cases);
	# others use this machine: what is seen again, alone, was not theirs
	for my $case (map { $_->[0] } splice @bad) {
		my ($second) = $try->($case);
		$again++ if @$second == 1;
		push @bad, $second if @$second > 1;
	}
	push @facts, map { $_->{fact} } @cases;
	is(scalar @bad, 0, sprintf '%s: %d faults', $run->{name}, scalar @cases) or diag join "\n", map { $_->[1] } @bad;
	my @left = left_of(@made);
	is(scalar @left, 0, sprintf '%s: of %d programs, maps and links none is left', $run->{name}, scalar map { @$_[1 .. $#$_] } @made)
		or diag join "\n", @left;
	note sprintf '%s: %.1f s', $run->{name}, now() - $began;
	return;
}

take_base($_) for @runs;
for my $run (@runs) {
	if (is_tried($run)) { try_run($run) } else { cases_of($run, \%known) }
}
note "$again were otherwise the first time" if $again;

# ---- the table, and what was seen

if ($writes) {
	my %other = map { $_->{name} => 1 } grep { !is_tried($_) } @runs;
	write_table(merge_times(@facts), grep { $other{ $_->{run} } } @table);
	pass("$table is written");
	done_testing();
	exit;
}
my @seen = map { fact_of($_) } @facts;
my %here = map { key_of($_, 3) => 1 } @seen;
my %tried = map { key_of($_, 4) => 1 } @seen;
my %other = map { $_->{name} => 1 } grep { !is_tried($_) } @runs;
my @rows = grep { !$other{ $_->{run} } } @table;
my @sites = distinct(map { key_of($_, 3) } @rows);
my @absent = grep { !$here{$_} } @sites;
note 'not met here: ' . join ', ', map { s/\t/ /gr } @absent if @absent;
if (!$only) {
	my @unseen = distinct(map { key_of($_, 4) } grep { $here{ key_of($_, 3) } && !$tried{ key_of($_, 4) } } @rows);
	is(scalar @unseen, 0, "what $table has of the calls that are here was tried") or diag join "\n", map { s/\t/ /gr } @unseen;
}
# a machine may lack some
cmp_ok(@sites - @absent, '>=', @sites * 0.9, sprintf '%d faults; met %d of the %d calls in %s', scalar @facts, @sites - @absent, scalar @sites, $table)
	unless $only;
done_testing();
