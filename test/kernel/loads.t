#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Loads that monitors get wrong, each beside the kernel's own accounting over the same window: the machine within 2
# points, a process within 3% or 10 ms. `make accuracy` runs these with long windows and writes the table.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();

my @cpus = cpus();

sub machine { return { machine => machine_busy(), map { $_ => process_ns($_) } @_ } }

# Row of a process: its CPU in the window.
sub check_process_row {
	my ($name, $pid, $first, $second) = @_;
	check_row($name, 'process', $second->{truth}{$pid} - $first->{truth}{$pid}, used_ns($second, by_pid($pid)), 'ms');
}

sub test_idle {
	my @samples = two_samples(sub { machine() });
	check_machine('idle', @samples);
}

sub test_hog {
	my $hog = load_start('-c', $cpus[-1], 'spin');
	my @samples = two_samples(sub { machine($hog->{pid}) });
	check_machine('a hog pinned to one CPU', @samples);
	check_process_row('a hog pinned to one CPU', $hog->{pid}, @samples);
	load_stop($hog);
}

# Fails: overlay_one() that takes one CPU only (collect/tasks.c).
sub test_hogs {
	my $name = 'one hog per CPU, and one more';
	my $hogs = load_start('hogs', @cpus + 1);
	my (undef, @pids) = @{ $hogs->{ready} };
	my @samples = two_samples(sub { machine(@pids) });
	check_machine($name, @samples);
	check_process_row($name, $_, @samples) for @pids;
	load_stop($hogs);
}

# /proc/stat is sampled by tick and wrong for what timers drive (test: it is not asked here).
sub test_sleepers {
	my $name = '500 threads that wake 50 times a second';
	my $sleepers = load_start('sleepers', 500, 50);
	sleep 0.5;
	my @samples = two_samples(sub { machine($sleepers->{pid}) });
	check_process_row($name, $sleepers->{pid}, @samples);
	load_stop($sleepers);
}

# Fails: end_slot() or on_free() without what was used last.
sub test_storm {
	my @storms = map { load_start('storm', '/bin/true') } @cpus;
	my @samples = two_samples(sub { machine() });
	check_machine('storms of true', @samples);
	load_stop($_) for @storms;
}

sub test_compile {
	my $name = 'make -j4 of 300 small files';
	SKIP: {
		skip "$name: needs gcc and make", 1 if system 'command -v gcc make >/dev/null';
		my $folder = scratch();
		for my $i (1 .. 300) {
			open my $file, '>', "$folder/f$i.c" or die;
			print $file "#include <stdio.h>\n#include <stdlib.h>\n";
			print $file "int f${i}_$_(int a) { char b[64]; snprintf(b, sizeof b, \"%d\", a + $_); return atoi(b); }\n"
				for 1 .. 20;
		}
		open my $file, '>', "$folder/Makefile" or die;
		print $file 'all: $(patsubst %.c,%.o,$(wildcard *.c))', "\n%.o: %.c\n\tgcc -O2 -c -o \$@ \$<\n";
		close $file;
		my $make = Rstat::start('setpriv', '--pdeathsig', 'KILL', 'make', '-s', '-j4', '-C', "$folder");
		sleep 0.5;
		my @samples = two_samples(sub { machine() });
		my $over = defined ended($make, 0);
		ok(!$over, "$name: it lasted to the end of the window");
		check_machine($name, @samples);
		kill TERM => $make->{pid} unless $over;
		ended($make) unless $over;
	}
}

# Fails: note_zombie() without threads, take_rss() of a leader that has left.
sub test_leader {
	my $name = 'a process whose first thread has left';
	my $load = load_start('leader-spin');
	my @samples = two_samples(sub { machine($load->{pid}) });
	check_process_row($name, $load->{pid}, @samples);
	load_stop($load);
}

# Fails: processes kept by name.
sub test_rename {
	my $name = 'a process with another name each 10 ms';
	my $load = load_start('rename');
	my @samples = two_samples(sub { machine($load->{pid}) });
	check_process_row($name, $load->{pid}, @samples);
	my @rows = grep { ($_->{pid} // 0) == $load->{pid} } @{ $samples[1]{top_cpu} };
	is(@rows, 1, "$name: one row");
	like(@rows ? $rows[0]{name} : '', qr/^re\d+$/, "$name: one of its names");
	load_stop($load);
}

sub test_classes {
	for (['SCHED_FIFO', '-c', $cpus[-1], '-r', 50, 'spin'], ['SCHED_DEADLINE', 'deadline']) {
		my ($class, @arguments) = @$_;
		SKIP: {
			skip "$class: one CPU would be all there is", 1 if @cpus < 2;
			my $load = load_start(@arguments);
			skip "$class: refused: $load->{failed}", 1 if $load->{failed};
			my @samples = two_samples(sub { machine($load->{pid}) });
			check_process_row("a $class task", $load->{pid}, @samples);
			load_stop($load);
		}
	}
}

# A folder of the pids controller for this test, gone with it.
sub pids_group {
	for my $root ('/sys/fs/cgroup/pids', '/sys/fs/cgroup') {
		next unless -e "$root/cgroup.procs";
		put("$root/cgroup.subtree_control", '+pids') if -e "$root/cgroup.subtree_control";
		my $group = "$root/rstat-test-$$";
		mkdir $group or next;
		return $group if -e "$group/pids.max";
		rmdir $group;
	}
	return;
}

# Fails: births that get no slot without other_ns (probe).
sub test_bomb {
	my $name = 'a fork bomb in a pids cgroup of 300';
	SKIP: {
		my $group = pids_group() // skip "$name: no pids cgroup here", 1;
		my $bomb = load_start('bomb');
		put("$group/pids.max", 300) && put("$group/cgroup.procs", $bomb->{pid}) or die "cgroup: $!\n";
		is(ask($bomb, 'go'), 'going', "$name: it goes");
		my @samples = two_samples(sub { machine() });
		check_machine($name, @samples);
		order($bomb, 'stop');
		load_stop($bomb);
		for (1 .. 200) {	# what is left is on its way out
			kill KILL => split ' ', slurp("$group/cgroup.procs");
			last if rmdir $group;
			sleep 0.05;
		}
		ok(!-e $group, "$name: it is gone");
	}
}

# A switch away and back.
sub stop_and_go {
	my ($pid) = @_;
	kill STOP => $pid;
	for (1 .. 1000) {
		last if task_state($pid) eq 'T';
		sleep 0.01;
	}
	die "$pid does not stop\n" if task_state($pid) ne 'T';
	kill CONT => $pid;
}

# All pids are those of the first namespace; births outside are seen, and what is switched is adopted. Alone on its CPU
# the hog may run for a second without one, which is not seen (docs/design.md).
# Fails: on_reclaim that trusts passes which do not see everything; take_ends() left out: it does not end.
sub test_namespace {
	my $name = 'rstat in a pid namespace of its own';
	my $hog = load_start('-c', $cpus[-1], 'spin');
	my @arguments = ('-o', 'json', '-i', window_ms(), '-t', 20, '--min-cpu', 0);
	my $rstat = Rstat::start('unshare', '--pid', '--fork', '--kill-child=KILL', './rstat', '--attach',
		$ENV{RSTAT_ATTACH} // 'btf', @arguments);
	next_sample($rstat);
	stop_and_go($hog->{pid});
	sample_from_now($rstat);
	my @samples = samples_in_time($rstat, sub { machine($hog->{pid}) });
	check_machine($name, @samples);
	check_process_row($name, $hog->{pid}, @samples);
	my ($inside) = slurp("/proc/$rstat->{pid}/task/$rstat->{pid}/children") =~ /(\d+)/;
	ok($inside, "$name: it runs as process 1 there");
	kill TERM => $inside;
	my $status = ended($rstat, 10);
	is(defined $status ? $status >> 8 : 'still there', 128 + 15, "$name: SIGTERM ends it");
	load_stop($hog);
}

run_parts(
	[idle => \&test_idle],
	[hog => \&test_hog],
	[hogs => \&test_hogs],
	[sleepers => \&test_sleepers],
	[storm => \&test_storm],
	[compile => \&test_compile],
	[leader => \&test_leader],
	[rename => \&test_rename],
	[classes => \&test_classes],
	[bomb => \&test_bomb],
	[namespace => \&test_namespace],
);
