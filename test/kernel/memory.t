#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Memory of processes that sleep while it changes, writers, and tasks that are stuck, beside the kernel's own numbers.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();

sub check_rss_row {
	my ($name, $sample, $pid, $truth, $slack) = @_;
	my $row = entry($sample->{top_memory}, by_pid($pid));
	check_row($name, 'memory', $truth, $row ? $row->{rss_bytes} : 0, 'MB', $slack // rss_slack());
}

# Memory given back and taken again by a process that is asleep afterwards. Fails: record_outgoing() without rss_pages.
sub test_shrink {
	my $load = load_start('shrink', 300_000_000);
	my $rstat = rstat_start('-i', 300, '--min-mem', 0);
	next_sample($rstat);
	for my $order ('shrink', 'grow', 'shrink') {
		is(ask($load, $order), 'done', "madvise: $order");
		my $sample = sample_from_now($rstat, sub { statm_rss($load->{pid}) });
		check_rss_row("asleep after madvise, $order", $sample, $load->{pid}, $sample->{truth});
	}
	rstat_stop($rstat);
	load_stop($load);
}

# Swap on compressed memory for this test: the device's path, and how to take it away.
sub add_swap {
	my $id = slurp('/sys/class/zram-control/hot_add');
	chomp $id;
	return unless $id =~ /^\d+$/;
	my $device = "/dev/zram$id";
	my $remove = sub {
		system "swapoff $device 2>/dev/null";
		put("/sys/block/zram$id/reset", 1);
		put('/sys/class/zram-control/hot_remove', $id);
	};
	return ($device, $remove)
		if put("/sys/block/zram$id/disksize", '512M') && !system "mkswap $device >/dev/null && swapon $device";
	$remove->();
	return;
}

# Pages that another process puts into swap while their owner sleeps. Fails: no passes (emit/monitor.c), or renew()
# without rss_pages (probe): the number stays.
sub test_swap {
	SKIP: {
		skip 'a sleeper pushed out to swap: adds swap to the machine; RSTAT_DISTURB=1 allows it', 1 unless disturbs();
		my ($device, $remove) = add_swap() or skip 'a sleeper pushed out to swap: no zram here', 1;
		my $load = load_start('pageout', 300_000_000);
		my $pid = $load->{ready}[1];
		my $rstat = rstat_start('-i', 1000, '--min-mem', 0);
		my $before = next_sample($rstat, sub { statm_rss($pid) });
		check_rss_row('a sleeper, before it is put into swap', $before, $pid, $before->{truth});
		is(ask($load, 'out'), 'done', 'its pages are put into swap');
		cmp_ok(statm_rss($pid), '<', 0.5 * $before->{truth}, 'most of them are');
		my ($sample, $row);
		for (1 .. 22) {	# two passes, 10 s apart, or 1 s while there is swapping
			$sample = next_sample($rstat, sub { statm_rss($pid) });
			$row = entry($sample->{top_memory}, by_pid($pid));
			last if !$row || $row->{rss_bytes} < 0.5 * $before->{truth};
		}
		# what is left is so little that both numbers are mostly slack
		check_rss_row('the same, in swap', $sample, $pid, $sample->{truth}, 2 * rss_slack());
		cmp_ok($sample->{memory}{swap_used_bytes}, '>', 100_000_000, 'the machine\'s swap says so too');
		rstat_stop($rstat);
		load_stop($load);
		$remove->();
	}
}

# Fails: put_use() without write_bytes (probe).
sub test_writers {
	my $folder = scratch();
	for (['O_DIRECT writes', 'write', "$folder/direct", 50 << 20], ['O_SYNC writes', 'sync', "$folder/sync"]) {
		my ($name, @arguments) = @$_;
		SKIP: {
			my $load = load_start(@arguments);
			skip "$name: not on this disk", 1 if $load->{failed};
			skip "$name: no IO accounting in this kernel", 1 unless defined io_write($load->{pid});
			my @samples = two_samples(sub { io_write($load->{pid}) });
			my $row = entry($samples[1]{top_io}, by_pid($load->{pid}));
			check_row($name, 'written', $samples[1]{truth} - $samples[0]{truth},
				($row ? $row->{write_bytes_per_second} : 0) * $samples[1]{elapsed_us} / 1e6, 'MB', 2 << 20);
			load_stop($load);
		}
	}
}

# A task that waits for a frozen filesystem. Fails: is_blocked() that is never true.
sub test_frozen {
	SKIP: {
		skip 'a frozen filesystem: mounts one; RSTAT_DISTURB=1 allows it', 1 unless disturbs();
		my $folder = scratch();
		skip 'a frozen filesystem: needs mkfs.ext4, mount and fsfreeze', 1
			if system "command -v mkfs.ext4 fsfreeze >/dev/null";
		mkdir "$folder/mount";
		skip 'a frozen filesystem: no loop device here', 1
			if system "truncate -s 16M $folder/disk && mkfs.ext4 -q $folder/disk && mount -o loop $folder/disk $folder/mount";
		system("fsfreeze -f $folder/mount") == 0 or die "fsfreeze\n";
		my $load = Rstat::start('sh', '-c', "echo x > $folder/mount/file; echo written");
		sleep 0.05 until task_state($load->{pid}) eq 'D';
		my $rstat = rstat_start('-i', 300);
		my @samples = map { next_sample($rstat) } 1, 2;
		for my $i (0, 1) {
			my $row = entry($samples[$i]{blocked}, by_pid($load->{pid}));
			is($row ? $row->{state} : 'not listed', 'D', 'a writer on a frozen filesystem is blocked, line ' . ($i + 1));
		}
		system "fsfreeze -u $folder/mount";
		is(next_line($load), 'written', 'it goes on');
		ok(!entry(sample_from_now($rstat)->{blocked}, by_pid($load->{pid})), 'and is blocked no more');
		rstat_stop($rstat);
		ended($load);
		system "umount $folder/mount";
	}
}

# Fails: note_zombie() that forgets to count beyond what is listed.
sub test_zombies {
	my $load = load_start('zombies', 300);
	my $rstat = rstat_start('-i', 300);
	next_sample($rstat) for 1, 2;
	my $sample = next_sample($rstat);
	my @mine = grep { $_->{state} eq 'Z' } @{ $sample->{blocked} };
	cmp_ok(scalar @mine, '>=', 15, '300 zombies: as many are listed as there is room for');
	my (undef, $line) = run('./rstat', '--attach', $ENV{RSTAT_ATTACH} // 'btf', '-o', 'text', '--text', '{blocked}', '-i', 300, '-n', 3);
	my ($count) = (split /\n/, $line)[-1] =~ /(\d+)/;
	cmp_ok($count // 0, '>=', 300, 'and all are counted: ' . ($count // 'none'));
	is(ask($load, 'reap'), 'done', 'they are reaped');
	for (1 .. 20) {	# they are freed after a grace period
		$sample = next_sample($rstat);
		last unless grep { $_->{state} eq 'Z' && $_->{name} eq 'load' } @{ $sample->{blocked} };
	}
	is((grep { $_->{state} eq 'Z' && $_->{name} eq 'load' } @{ $sample->{blocked} }), 0, 'none is listed any more');
	rstat_stop($rstat);
	load_stop($load);
}

run_parts(
	[shrink => \&test_shrink],
	[swap => \&test_swap],
	[writers => \&test_writers],
	[frozen => \&test_frozen],
	[zombies => \&test_zombies],
);
