#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# rstat's numbers beside the kernel's own, over the same windows. Root.
use strict;
use warnings;
use Test::More;
use Rstat;

plan skip_all => 'needs root' if $>;

my $by_pid = sub { my ($pid) = @_; return sub { ($_[0]{pid} // 0) == $pid } };

sub used_ns {
	my ($sample, $pid) = @_;
	my $row = entry($sample->{top_cpu}, $by_pid->($pid)) or return -1;
	return $row->{cpu_ratio} * $sample->{cpus} * $sample->{elapsed_us} * 1000;
}

sub check_process {
	my ($name, $pid, $truth) = @_;
	$truth //= sub { cpu_ns($pid) };
	my ($first, $second) = window($truth, '-i', 2000, '-n', 2);
	my $kernel = $second->{truth}[0] - $first->{truth}[0];
	my $ours = used_ns($second, $pid);
	ok(near($ours, $kernel), sprintf '%s: %.0f ms, the kernel says %.0f ms', $name, $ours / 1e6, $kernel / 1e6);
	return $second;
}

# Mutation: without overlay() in collect/tasks.c the second line has next to nothing.
my $hog = load_start('-c', 1, 'spin');
check_process('a hog pinned to one CPU', $hog->{pid});
load_stop($hog);

# Mutation: without note_running() in the probe it is missing from the second line.
SKIP: {
	my $never = eval { load_start('-c', 1, '-r', 10, 'spin') };
	skip 'no real-time priority here', 1 unless $never;
	check_process('a hog older than rstat that never switches', $never->{pid});
	load_stop($never);
}

# Mutation: without "n" of SLOT_DEAD threads going to their process (end_slot) what dying threads used is missing.
my $threads = load_start('threads', 2000, 8);
my $row = check_process('a process of 2,000 threads', $threads->{pid},
	sub { process_ns($threads->{pid}) });
load_stop($threads);

# Mutation: without ended_add() nothing is listed; without on_free's epoch the total falls short.
my $storm = load_start('storm', '/bin/true');
my ($first, $second) = window(sub { machine_busy() }, '-i', 3000, '-n', 2);
my ($busy, $all) = map { $second->{truth}[$_] - $first->{truth}[$_] } 0, 1;
my $points = abs($second->{cpu_ratio} - $busy / $all) * 100;
cmp_ok($points, '<=', 2, sprintf 'a storm of true: machine %.1f%%, the kernel says %.1f%%',
	$second->{cpu_ratio} * 100, $busy / $all * 100);
my $ended = entry($second->{top_cpu}, sub { $_[0]{name} eq 'true' && $_[0]{ended} });
ok($ended && $ended->{ended} > 100, 'true is listed as ended, ' . ($ended ? $ended->{ended} : 0) . ' times');
load_stop($storm);

my $exec = load_start('exec-thread');
print { $exec->{in} } "\n";
$exec->{in}->flush;
readline $exec->{out};
check_process('exec from a thread that is not the first', $exec->{pid});
load_stop($exec);

# Mutation: is_blocked() always false.
my $vfork = load_start('vfork');
($first, $second) = window(undef, '-i', 500, '-n', 2);
my $blocked = entry($second->{blocked}, $by_pid->($vfork->{pid}));
is($blocked ? $blocked->{state} : 'absent', 'D', 'the parent of a vfork is blocked');
load_stop($vfork);

# Mutation: zombie_after_ns = 0 lists it in the first line as well.
my $zombie = load_start('zombie');
my ($dead) = glob "/proc/$zombie->{pid}/task/$zombie->{pid}/children";
my ($child) = do { open my $f, '<', $dead; split ' ', <$f> // '' };
($first, $second) = window(undef, '-i', 500, '-n', 2);
ok(!entry($first->{blocked}, $by_pid->($child)), 'a zombie is not in the first line');
$blocked = entry($second->{blocked}, $by_pid->($child));
is($blocked ? $blocked->{state} : 'absent', 'Z', 'a zombie older than rstat is in the second line');
load_stop($zombie);

# Mutation: rss_of() returning 0 in on_seed.
my $memory = load_start('memory', 400 << 20);
($first) = window(sub { statm_rss($memory->{pid}) }, '-n', 1);
my $sleeper = entry($first->{top_memory}, $by_pid->($memory->{pid}));
my $rss = $sleeper ? $sleeper->{rss_bytes} : 0;
ok(abs($rss - $first->{truth}[0]) <= $first->{truth}[0] * 0.03,
	"the first line lists a sleeper of 400 MB: $rss, the kernel says $first->{truth}[0]");
load_stop($memory);

# A run of true leaves no slot behind: 256 slots serve 5,000 processes, one after another.
my $forks = load_start('forks', 1000);
my @samples = do {
	open my $out, '-|', './rstat', '-o', 'json', '--max-tasks', 256, '-i', 200, '-n', 20 or die;
	my @lines;
	while (my $line = <$out>) {
		push @lines, JSON::PP::decode_json($line);
		print { $forks->{in} } "\n" if @lines <= 5;
		$forks->{in}->flush;
	}
	@lines;
};
is($samples[-1]{tasks}{slots}, 256, 'as many slots as asked for');
load_stop($forks);

done_testing;
