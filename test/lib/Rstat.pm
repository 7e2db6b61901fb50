# SPDX-License-Identifier: MIT
# What the live tests share: loads, rstat's lines, and the kernel's own numbers. Times are in ns, sizes in bytes.
#
# Both sides of a comparison are amounts over the same window: the kernel's number is read when a line arrives, and
# again when the next one does. How long that takes, and whether the machine is busy, decides nothing.
package Rstat;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);

our @EXPORT = qw(
	needs_root walks load_start load_stop ask
	rstat_start rstat_stop ended next_line next_sample sample_from_now skip_lines run
	slurp cpu_ns process_ns statm_rss io_write machine_busy storm_busy task_state rss_slack page_size cpus scratch
	entry by_pid used_ns near check_near late_ns bpf_ids now order
	two_samples samples_in_time check_row check_machine check_total window_ms disturbs put threads_here run_parts
);

my $json = JSON::PP->new->utf8;
my @ends = qw(INT TERM HUP);
my %started;	# pid => 1: what is to be ended when the test is

# The way into the kernel that is tested; `RSTAT_ATTACH=raw prove ...` tests another.
my $attach = $ENV{RSTAT_ATTACH} // 'btf';
my $deadline_s = 60;	# for what must come at all; no measure of speed

# Whether that is a walk over /proc, which does not see what lived between two walks only.
sub walks { return $attach eq 'proc' }

sub now { return clock_gettime(CLOCK_MONOTONIC) }

# Ends the test file as skipped where its world is missing. A rstat that does not work is no reason to skip.
sub needs_root {
	Test::More::plan(skip_all => 'needs root, to load the probe') if $>;
	Test::More::plan(skip_all => 'needs /sys/kernel/btf/vmlinux') unless walks() || -e '/sys/kernel/btf/vmlinux';
	# A line is to be seen when it comes, whatever else wants the CPUs: the kernel's numbers are read then. What is
	# started from here is not in the real-time class.
	setpriority 0, 0, -10 if system "chrt --fifo --reset-on-fork --pid 10 $$ 2>/dev/null";
	die "build rstat and build/test/load first: make test\n" unless -x 'rstat' && -x 'build/test/load';
}

sub scratch {
	return File::Temp->newdir('rstat-test-XXXXXX', DIR => 'build/test');
}

# ---- processes

# Starts a program between pipes: { pid, in, out, err (a file), buffer }.
sub start {
	my (@command) = @_;
	pipe my $child_in, my $in or die "pipe: $!";
	pipe my $out, my $child_out or die "pipe: $!";
	my $err = File::Temp->new(DIR => 'build/test', TEMPLATE => 'stderr-XXXXXX');
	# our handlers would keep a signal that comes between fork and exec, and lose it
	my $all = POSIX::SigSet->new(map { POSIX->can("SIG$_")->() } @ends);
	my $before = POSIX::SigSet->new;
	POSIX::sigprocmask(POSIX::SIG_BLOCK(), $all, $before);
	my $pid = fork // die "fork: $!";
	$SIG{$_} = 'DEFAULT' for $pid ? () : @ends;
	POSIX::sigprocmask(POSIX::SIG_SETMASK(), $before);
	if (!$pid) {
		POSIX::dup2(fileno $child_in, 0);
		POSIX::dup2(fileno $child_out, 1);
		POSIX::dup2(fileno $err, 2);
		no warnings 'exec';
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	$started{$pid} = 1;
	select((select($in), $| = 1)[0]);
	return { pid => $pid, in => $in, out => $out, err => $err, buffer => "", command => "@command" };
}

# Waits for its end: the wait status, or undef where it has not ended in time.
sub ended {
	my ($process, $within_s) = @_;
	my $until = now() + ($within_s // $deadline_s);
	until (waitpid($process->{pid}, POSIX::WNOHANG()) == $process->{pid}) {
		return if now() > $until;
		sleep 0.001;
	}
	delete $started{$process->{pid}};
	return $process->{status} = $?;
}

sub stop {
	my ($process, $signal) = @_;
	return unless $started{$process->{pid}};
	close $process->{in};
	kill $signal => $process->{pid};
	defined ended($process) or die "$process->{pid} has not ended\n";
	return $process->{status};
}

END {
	my $code = $?;
	for my $pid (keys %started) {
		kill KILL => $pid;
		waitpid $pid, 0;
	}
	$? = $code;
}
$SIG{$_} = sub { exit 1 } for @ends;
$SIG{PIPE} = 'IGNORE';

# The next line, without its end; undef at the end of file. Dies where none comes.
sub next_line {
	my ($process, $within_s) = @_;
	my $until = now() + ($within_s // $deadline_s);
	my $bits = '';
	vec($bits, fileno $process->{out}, 1) = 1;
	my $end;
	while (($end = index $process->{buffer}, "\n") < 0) {
		my $left = $until - now();
		die "no line from $process->{command}\n" if $left <= 0;
		next unless select(my $ready = $bits, undef, undef, $left) > 0;
		sysread $process->{out}, $process->{buffer}, 65536, length $process->{buffer} or return;
	}
	return substr substr($process->{buffer}, 0, $end + 1, ''), 0, $end;
}

# Runs a command to its end: (wait status, stdout, stderr); the status is undef where it had to be killed.
sub run {
	my (@command) = @_;
	my $process = start(@command);
	my $stdout = '';
	my $alarm = now() + $deadline_s;
	my $bits = '';
	vec($bits, fileno $process->{out}, 1) = 1;
	close $process->{in};
	while (now() < $alarm) {
		next unless select(my $ready = $bits, undef, undef, 1) > 0;
		last unless sysread $process->{out}, $stdout, 65536, length $stdout;
	}
	my $status = ended($process, $alarm - now() > 1 ? $alarm - now() : 1);
	stop($process, 'KILL') unless defined $status;
	return ($status, $stdout, slurp($process->{err}->filename));
}

# ---- loads

# build/test/load in a mode, when it stands: { pid, ready (the words it said), ... }
sub load_start {
	my (@arguments) = @_;
	my $load = start('build/test/load', '-n', 0, @arguments);
	my $line = next_line($load) // '';
	$load->{ready} = [split ' ', $line];
	$load->{failed} = $line unless $line =~ /^ready/;
	return $load;
}

# A line to the load, and its answer.
sub ask {
	my ($load, $line) = @_;
	order($load, $line);
	return next_line($load);
}

sub order {
	my ($load, $line) = @_;
	syswrite $load->{in}, "$line\n" or die "load: $!";
}

# What it forked dies with it.
sub load_stop { return stop($_[0], 'KILL') }

# ---- rstat

# rstat -o json with all rows, that of the way in that is tested; later arguments win.
sub rstat_start {
	my (@arguments) = @_;
	return start('./rstat', '--attach', $attach, '-o', 'json', '-t', 20, '--min-cpu', 0, '--min-io', 0,
		@arguments);
}

sub rstat_stop { return stop($_[0], 'TERM') }

# The next sample; what $truth returns is read the moment its line has come, and kept in {truth}. {late_s} is how long
# after rstat's own reading that was.
sub next_sample {
	my ($rstat, $truth) = @_;
	my $line = next_line($rstat) // die "rstat has ended: " . slurp($rstat->{err}->filename);
	my $read_s = Time::HiRes::time();
	my $read = $truth ? $truth->() : undef;
	my $sample = $json->decode($line);
	$sample->{late_s} = $read_s - $sample->{time_unix_ms} / 1000;
	die "this is from source $sample->{source}\n" if $sample->{source} ne $attach;
	$sample->{truth} = $read;
	return $sample;
}

# The first sample that was begun after this call: lines may have been waiting in the pipe.
sub sample_from_now {
	my ($rstat, $truth) = @_;
	my $now_ms = int(Time::HiRes::time() * 1000);
	my $sample;
	do { $sample = next_sample($rstat, $truth) } until $sample->{time_unix_ms} > $now_ms;
	return $sample;
}

sub skip_lines {
	my ($rstat, $count) = @_;
	next_sample($rstat) for 1 .. $count;
}

sub by_pid {
	my ($pid) = @_;
	return sub { ($_[0]{pid} // 0) == $pid };
}

# The row of a list that $test accepts.
sub entry {
	my ($list, $test) = @_;
	for (@{ $list // [] }) { return $_ if $test->($_) }
	return;
}

# CPU time in the sample's interval of what $test accepts in top_cpu, all such rows added; -1: there is none.
sub used_ns {
	my ($sample, $test) = @_;
	my @rows = grep { $test->($_) } @{ $sample->{top_cpu} } or return -1;
	my $ratio = 0;
	$ratio += $_->{cpu_ratio} for @rows;
	return $ratio * $sample->{cpus} * $sample->{elapsed_us} * 1000;
}

# ---- the kernel's numbers

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or return '';
	local $/;
	return <$file> // '';
}

# Run time of all living threads of a process: the first field of schedstat.
sub cpu_ns {
	my ($pid) = @_;
	my $sum = 0;
	$sum += (split ' ', slurp($_) || '0')[0] for glob "/proc/$pid/task/*/schedstat";
	return $sum;
}

# The process's CPU clock, as clock_getcpuclockid(3) makes it: the same counters (sum_exec_runtime), and what the
# threads that have ended used. /proc/PID/stat counts these too, but in ticks of 10 ms.
sub process_ns {
	my ($pid) = @_;
	return clock_gettime(-8 * ($pid + 1) + 2) * 1e9;	# (~pid << 3) | CPUCLOCK_SCHED
}

sub page_size { return POSIX::sysconf(POSIX::_SC_PAGESIZE()) }
sub statm_rss { return (split ' ', slurp("/proc/$_[0]/statm"))[1] * page_size() }
sub io_write { return slurp("/proc/$_[0]/io") =~ /^write_bytes: (\d+)/m ? $1 : undef }
sub task_state { return slurp("/proc/$_[0]/stat") =~ /\) (\S)/ ? $1 : '' }

# Writes one line to a file of the kernel; false where it refuses.
sub put {
	my ($path, $line) = @_;
	open my $file, '>', $path or return 0;
	syswrite $file, "$line\n" or return 0;
	return close $file;
}

sub threads_here {
	my @threads = glob '/proc/[0-9]*/task/[0-9]*';
	return scalar @threads;
}

# The online CPUs' numbers.
sub cpus {
	my @cpus;
	for (split /,/, slurp('/sys/devices/system/cpu/online')) {
		push @cpus, /(\d+)-(\d+)/ ? ($1 .. $2) : $_ + 0;
	}
	return @cpus;
}

# How far the RSS that the probe reads may be off: three counters, each with a batch on every CPU.
sub rss_slack {
	my $cpus = cpus();
	my $batch = 2 * $cpus > 32 ? 2 * $cpus : 32;
	return $cpus * $batch * 3 * page_size();
}

# [busy, all, stolen] ticks of the machine. Stolen time, which the host gave to others, is part of all and not of busy.
sub machine_busy {
	my ($user, $nice, $system, $idle, $wait, $irq, $soft, $steal) =
		slurp('/proc/stat') =~ /^cpu +(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/;
	my $busy = $user + $nice + $system + $irq + $soft;
	return [$busy, $busy + $idle + $wait + $steal, $steal];
}

# [busy, all, busy by ticks, stolen] in ns where tasks come and go all the time: by the scheduler's own sums where the kernel keeps
# them (CONFIG_SCHEDSTATS). They have a task's time when it leaves its CPU.
sub storm_busy {
	my $tick_ns = 1e9 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
	my ($busy_ns, $all_ns, $stolen_ns) = map { $_ * $tick_ns } @{ machine_busy() };
	my @ran_ns = schedstat() or return [$busy_ns, $all_ns, $busy_ns, $stolen_ns];
	my $ran_ns = 0;
	$ran_ns += $_ for @ran_ns;
	return [$ran_ns, now() * 1e9 * @ran_ns, $busy_ns, 0];	# a sum of tasks' clocks, as ours
}

# What ran on each CPU, ns; nothing where the kernel does not tell. The place is the same in versions 15 to 17 (5.10 to 7.2).
sub schedstat { return slurp('/proc/schedstat') =~ /^cpu\d+ (?:\d+ ){6}(\d+) /mg }

# { prog => { ID => [name, its maps' ids] }, map => { ID => name }, link => { ID => '' }, btf => ... } of all BPF that is loaded.
sub bpf_ids {
	my (undef, $lines) = run('build/test/load', 'ids');
	my %ids = (prog => {}, map => {}, link => {}, btf => {});
	for (split /\n/, $lines) {
		my ($kind, $id, $name, @maps) = split ' ';
		$ids{$kind}{$id} = $kind eq 'prog' ? [$name, @maps] : $name // '';
	}
	return \%ids;
}

# Runs the parts of a test, [name => sub]; RSTAT_PARTS=hog,storm only these of them.
sub run_parts {
	my (@parts) = @_;
	my %wanted = map { $_ => 1 } split /,/, $ENV{RSTAT_PARTS} || join ',', map { $_->[0] } @parts;
	$_->[1]->() for grep { delete $wanted{ $_->[0] } } @parts;
	die "no such part: @{[keys %wanted]}\n" if %wanted;
	Test::More::done_testing();
}

# ---- verdicts

my @rows;	# [load, what, truth, rstat, difference]

# How long a window of the loads is; `make accuracy` takes longer ones.
sub window_ms { return $ENV{RSTAT_WINDOW_MS} // 2000 }

# Whether tests may disturb the machine: stop a CPU, step the clock, add swap. Asked for by RSTAT_DISTURB=1.
sub disturbs { return $ENV{RSTAT_DISTURB} }

# How long after the tasks were read the line was here, in ms. The kernel's numbers are read then, so that a line that comes
# late, since others have the CPU, cannot be compared with them, nor one of a walk over /proc, which takes that long.
my $in_time_ms = 10;

# Two samples one window apart, each with what the truth was when it came; the first such pair that was in time.
sub two_samples {
	my ($truth, @arguments) = @_;
	my $rstat = rstat_start('-i', window_ms(), @arguments);
	my @samples = samples_in_time($rstat, $truth);
	rstat_stop($rstat);
	return @samples;
}

sub samples_in_time {
	my ($rstat, $truth) = @_;
	my ($first, $late);
	for my $window (0 .. 20) {
		my $second = next_sample($rstat, sub { $late = Time::HiRes::time() * 1000; return $truth->() });
		$late -= $second->{time_unix_ms};
		return ($first, $second) if $first && $late <= $in_time_ms;
		$first = $late <= $in_time_ms ? $second : undef;
	}
	die "no two lines came in time\n";
}

# One row of the table, and one test: CPU in ns within 3% or 10 ms, bytes within 3% or what is said ($more); of the machine within
# 2 points, and more by what is said.
sub check_row {
	my ($load, $what, $truth, $ours, $unit, $more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($scale, $digits) = @{ { ms => [1e6, 1], MB => [1e6, 1], points => [0.01, 2] }->{$unit} };
	my @shown = map { sprintf "%.${digits}f %s", $_ / $scale, $unit eq 'points' ? '%' : $unit } $truth, $ours;
	push @rows, [$attach, $load, $what, @shown, sprintf '%+.*f %s', $digits, ($ours - $truth) / $scale, $unit];
	my $good = $unit eq 'points' ? $ours >= $truth - 0.02 && $ours <= $truth + 0.02 + ($more // 0) : near($ours, $truth, 0.03, $more // 10e6);
	return Test::More::ok($good, "$load: $what: $shown[1], the kernel says $shown[0]");
}

# The machine's total beside /proc/stat, which machine_busy() must have read into {truth}{machine}. What was stolen while a task
# ran is in its clock, and not in the kernel's ticks.
sub check_machine {
	my ($load, $first, $second) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($busy, $all, $stolen) = map { $second->{truth}{machine}[$_] - $first->{truth}{machine}[$_] } 0 .. 2;
	return check_row($load, 'machine', $busy / $all, $second->{cpu_ratio}, 'points', $stolen / $all);
}

# The table: as comments, and as lines of a Markdown table at the end of the file that RSTAT_TABLE names.
END {
	if (@rows) {
		Test::More::note(sprintf '%-5s %-44s %-12s %12s %12s %14s', @$_) for @rows;
		if (my $path = $ENV{RSTAT_TABLE}) {
			open my $file, '>>', $path or die "$path: $!\n";
			print $file '| ' . join(' | ', @$_) . " |\n" for @rows;
		}
	}
}

sub near {
	my ($ours, $kernel, $share, $least) = @_;
	my $slack = $kernel * $share > $least ? $kernel * $share : $least;
	return abs($ours - $kernel) <= $slack;
}

# By how much the windows of the two sides differ between two samples: nothing to speak of where this test is woken when a
# line comes, hundreds of ms in a guest.
sub late_ns {
	my ($first, $second) = @_;
	return abs($second->{late_s} - $first->{late_s}) * 1e9;
}

# CPU times: within 3% or 10 ms, whichever is larger, and what fits into the difference of the windows ($late_ns, if any);
# in a guest whose CPUs take turns, a turn more (RSTAT_TURN_MS).
sub check_near {
	my ($ours, $kernel, $name, $late_ns) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $turn = ($ENV{RSTAT_TURN_MS} // 0) * 1e6;
	return Test::More::ok(near($ours, $kernel, 0.03, 10e6 + $turn + ($late_ns // 0)), sprintf '%s: %.1f ms, the kernel says %.1f ms',
		$name, $ours / 1e6, $kernel / 1e6);
}

# CPU of the whole machine, of 1, as storm_busy() has it between two samples. Ticks of a guest are lost while its CPUs wait for
# their turn: RSTAT_TICKS=lost says that they are none to compare with. There the walk, which has nothing else of what lives
# between two walks, lies between them and the truth.
sub check_total {
	my ($ours, $busy, $all, $busy_by_ticks, $stolen, $slack, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $lost = ($ENV{RSTAT_TICKS} // '') eq 'lost';
	my $by_ticks = !schedstat();
	my ($kernel, $ticks) = ($busy / $all, $busy_by_ticks / $all);
	my $least = $lost && walks() ? $ticks : $kernel;
	$name = sprintf '%s: machine %.1f%%, the kernel says %.1f%%%s', $name, $ours * 100, $kernel * 100,
		$by_ticks ? ' by its ticks' : $least == $kernel ? '' : sprintf ', by its ticks %.1f%%', $ticks * 100;
	SKIP: {
		Test::More::skip("$name; this guest loses ticks", 1) if $by_ticks && $lost;
		Test::More::ok($ours >= $least - $slack && $ours <= $kernel + $slack + $stolen / $all, $name);
	}
}

1;
