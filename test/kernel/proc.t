#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The walk over /proc, where there is no probe: what is its own here, then the numbers that every source is held to.
use strict;
use warnings;
BEGIN { $ENV{RSTAT_ATTACH} = 'proc' }
use JSON::PP;
use Test::More;
use Rstat;
use Time::HiRes qw(sleep);

needs_root();

# Fails: a ladder that tries btf first whatever was asked for (emit/ladder.c).
sub test_nothing_loaded {
	my $before = bpf_ids();
	my $rstat = rstat_start('-i', 100);
	skip_lines($rstat, 2);
	my @links = grep { (readlink $_ // '') =~ /bpf/ } glob "/proc/$rstat->{pid}/fd/*";
	is(@links, 0, 'no descriptor of the probe');
	my @ours = grep { $_->[0] =~ /^on_(?:switch|birth|free|seed|sample)$/ && !exists $before->{prog}{$_->[1]} }
		map { [bpf_ids()->{prog}{$_}[0], $_] } keys %{ bpf_ids()->{prog} };
	SKIP: {
		skip 'programs: others load theirs meanwhile', 1 if @ours;
		is(@ours, 0, 'no program of it');
	}
	rstat_stop($rstat);
}

# The calls that collect/proc.h names, and no others. Fails: read_file() that leaves a file open (collect/proc.c).
sub test_calls {
	SKIP: {
		skip 'calls: needs strace', 3 if system 'command -v strace >/dev/null';
		my $folder = scratch();
		my $run = Rstat::start('strace', '-o', "$folder/trace", './rstat', '--attach', 'proc', '-o', 'json', '-i', 100,
			'-n', 6);
		1 while defined next_line($run);
		ended($run);
		my @lines = split /\n/, slurp("$folder/trace");
		my ($first) = grep { $lines[$_] =~ /^write\(1,/ } 0 .. $#lines;
		my @loop = @lines[$first + 1 .. $#lines];
		my %named = map { $_ => 1 }
			qw(lseek getdents64 openat read close pread64 clock_gettime sysinfo ppoll write exit_group);
		is_deeply([grep { /^(\w+)\(/ && !$named{$1} } @loop], [], 'only the calls of the walk and the loop');
		my ($opened, $closed) = map { my $call = $_; scalar grep { /^$call\(.*= (?!-)\d/ } @loop } 'openat', 'close';
		is($opened, $closed, "all is closed that is opened ($opened)");
		cmp_ok($opened, '>', 0, '(the trace shows it)');
	}
}

# Fails: take_record() without its bound (collect/proc.c).
sub test_overflow {
	my $sleepers = load_start('sleep', 100);
	my $rstat = rstat_start('-i', 300, '--max-tasks', 64);
	my @sample = map { next_sample($rstat) } 1 .. 3;
	rstat_stop($rstat);
	is($sample[2]{tasks}{slots}, 64, '64 slots');
	cmp_ok($sample[2]{tasks}{without_slot}, '>=', 37, "$sample[2]{tasks}{without_slot} processes have none");
	cmp_ok($sample[2]{tasks}{dropped} - $sample[1]{tasks}{dropped}, '<', 37, 'each is counted once');
	load_stop($sleepers);
}

# A storm of processes that vanish at any moment of the walk. Fails: pass_records() that buries nobody: the slots fill
# up (collect/proc.c).
sub test_vanishing {
	my $storm = load_start('-n', 5, 'storm', '/bin/true');
	my $rstat = rstat_start('-i', 20);
	my ($bad, $used) = (0, 0);
	for (1 .. 150) {
		my $sample = next_sample($rstat);
		$bad++ if exists $sample->{cpu_ratio} && $sample->{cpu_ratio} > 1;
		$used = $sample->{tasks}{slots_used};
	}
	is(rstat_stop($rstat), 15, '150 walks through a storm of short-lived processes');
	load_stop($storm);
	my @processes = glob '/proc/[0-9]*';
	is($bad, 0, 'all with sound numbers');
	cmp_ok($used, '<', 1.5 * @processes + 50, "$used slots are in use");
}

# Runs rstat where a command sets up the world; its sample.
sub sample_in {
	my ($script, @arguments) = @_;
	my ($status, $stdout, $stderr) = run('unshare', @arguments, 'sh', '-c', $script);
	is($status, 0, 'it ends well') or diag $stderr;
	return eval { decode_json($stdout) } // {};
}

# Fails: visit() that cannot do without the stat of a listed process (collect/proc.c): under hidepid=1.
sub test_hidepid {
	for my $mode (1, 2) {
		SKIP: {
			my $mount = "mount -t proc -o hidepid=$mode proc /proc";
			skip "hidepid=$mode: cannot be mounted here", 4 if (run('unshare', '--mount', 'sh', '-c', $mount))[0];
			my $sample = sample_in("$mount && exec setpriv --reuid 65534 --regid 65534 --clear-groups "
				. './rstat --attach proc --once -o json --min-cpu 0 -t 20', '--mount');
			is($sample->{source}, 'proc', "under hidepid=$mode there is a sample");
			is_deeply([map { $_->{name} } @{ $sample->{top_cpu} }], ['rstat'], 'that lists our own process only');
			ok(exists $sample->{cpu_ratio}, 'and knows the CPU time of the machine');
		}
	}
}

# Our pids are not those of this /proc. Fails: own_pids() that is always true (collect/proc.c): no ticks.
sub test_foreign_pids {
	SKIP: {
		skip 'pid namespace: none here', 3 if (run('unshare', '--pid', '--fork', 'true'))[0];
		my $hog = load_start('spin');
		my $sample = sample_in('./rstat --attach proc --once -o json --min-cpu 0 -t 20', '--pid', '--fork');
		my $row = entry($sample->{top_cpu}, by_pid($hog->{pid}));
		cmp_ok($row ? $row->{cpu_ratio} : 0, '>', 0.01, 'from within a pid namespace: a hog outside of it is seen');
		load_stop($hog);
		like((run('unshare', '--pid', '--fork', './rstat', '--attach', 'proc', '--check'))[1], qr/CPU time in ticks/,
			'in ticks');
	}
}

# Fails: profile_run() without a look at what there is (emit/profile.c).
sub test_profile {
	my ($status, $stdout, $stderr) = run('./rstat', '--attach', 'proc', '--profile', 1);
	is($status, 1 << 8, '--profile: exit 1');
	like($stderr, qr/\Arstat: [^\n]*there is none with --attach proc\n\z/, 'and one line that says why');
	($status, $stdout) = run('./rstat', '--attach', 'proc', '--bench', 10);
	ok($status == 0 && $stdout =~ /^walk .*^total /ms, '--bench times the walk');
}

test_nothing_loaded();
test_calls();
test_overflow();
test_vanishing();
test_hidepid();
test_foreign_pids();
test_profile();
do './test/kernel/accuracy.t' or die $@ || $!;	# with its done_testing()
