#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What is left of its powers once the first line is there: as the kernel says, and as who took it over would find.
use strict;
use warnings;
no warnings 'portable';	# addresses are of 64 bits
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Rstat;

needs_root();
plan skip_all => 'needs build/test/inject' unless -x 'build/test/inject';

my $no_landlock = slurp('/sys/kernel/security/lsm') !~ /\blandlock\b/ if -e '/sys/kernel/security/lsm';
my $unprivileged = -e '/proc/sys/kernel/unprivileged_bpf_disabled'
	? slurp('/proc/sys/kernel/unprivileged_bpf_disabled') + 0 : 0;

# A field of a file like /proc/PID/status.
sub field {
	my ($file, $name) = @_;
	return slurp($file) =~ /^\Q$name\E\s*:?\s+(.*?)\s*$/m ? $1 : undef;
}

sub capabilities {
	my ($pid, @sets) = @_;
	my %set = map { $_ => hex field("/proc/$pid/status", "Cap$_") } @sets;
	return \%set;
}

# Linux before 6.0 wants CAP_BPF for each bpf(2) where unprivileged BPF is off.
sub kept {
	my ($way) = @_;
	return 1 << 19 | 1 << 2 if $way eq 'proc';	# CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH: the IO of others
	my ($major) = (POSIX::uname())[2] =~ /^(\d+)/;
	return $major < 6 && $unprivileged ? 1 << 39 : 0;
}

# Fails: any step left out of sandbox_enter() (loader/sandbox.c); seal() left out of loop_run() (emit/loop.c).
sub test_state {
	my ($way, @arguments) = @_;
	my $rstat = Rstat::start('./rstat', '--attach', $way, '-i', 100, '-o', 'json', @arguments);
	next_line($rstat);
	my $pid = $rstat->{pid};
	my $kept = kept($way);
	is_deeply(capabilities($pid, qw(Inh Prm Eff Bnd Amb)),
		{ Inh => 0, Prm => $kept, Eff => $kept, Bnd => 0, Amb => 0 }, "$way: capabilities are given up");
	is(field("/proc/$pid/status", 'NoNewPrivs'), 1, 'no new ones come by exec');
	is(field("/proc/$pid/status", 'Seccomp'), 2, 'system calls are filtered');
	is(field("/proc/$pid/limits", 'Max core file size'), '0                    0                    bytes', 'no core file');
	like(field("/proc/$pid/limits", 'Max processes'), qr/^0 +0 /, 'no processes');
	my ($descriptors) = field("/proc/$pid/limits", 'Max open files') =~ /^(\d+)/;
	my @open = map { /(\d+)$/ ? $1 : () } glob "/proc/$pid/fd/*";
	my $free = grep { my $fd = $_; !grep { $_ == $fd } @open } 0 .. $descriptors - 1;
	# 64 for what a device that comes may want to keep, the places of the folders that Landlock was told and of a file that was
	# there at the start only, and what the loop opens at a time
	ok($free >= 64 && $free <= 69, "of $descriptors descriptors $free are free, as many as the loop may open");
	ok(defined next_line($rstat), 'and lines go on') for 1 .. 2;
	is(rstat_stop($rstat), 15, 'to the end');
}

# A program's descriptor is what runs it: the loop runs two, and the kernel holds the attached ones by links.
sub test_descriptors {
	open my $secret, '<', $0 or die;
	local $^F = 50;
	POSIX::dup2(fileno $secret, 40) or die;
	my $rstat = Rstat::start('./rstat', '--attach', 'btf', '-i', 100, '-o', 'json');
	POSIX::close(40);
	next_line($rstat);
	my %kinds;
	for (glob "/proc/$rstat->{pid}/fd/*") {
		my $target = readlink // next;
		my ($fd) = /(\d+)$/;
		$kinds{$target =~ m{^/} ? 'file' : $target}++ if $fd > 2;
		is($target, '', 'no descriptor that was handed down') if $target =~ /sandbox\.t/;
	}
	is($kinds{'anon_inode:bpf-prog'}, 2, 'two programs are held: those that the loop runs');
	is($kinds{'anon_inode:bpf-map'}, 1, 'and one map: that of the slots, of which more is mapped');
	ok(!(grep { /^(?:socket|pipe)/ } keys %kinds), 'nothing that talks to anybody');
	my $uid = (stat "/proc/$rstat->{pid}/environ")[4];
	is($uid, 0, 'its memory is root\'s');
	rstat_stop($rstat);
}

# Fails: a call added to calls[] in allow_loop(), STREAM_MAX = 5, allow_probe() without sizes (loader/sandbox.c); the upper
# half of an argument not looked at (loader/seccomp.c).
sub test_calls {
	my ($way, %expected) = @_;
	my (undef, $list) = run('build/test/inject', 'list');
	my @calls = split ' ', $list;
	cmp_ok(scalar @calls, '>', 15, scalar @calls . ' calls to try');
	for my $call (@calls) {
		my $rstat = Rstat::start('./rstat', '--attach', $way, '-i', 50, '-o', 'json');
		next_line($rstat);
		my (undef, $result) = run('build/test/inject', $rstat->{pid}, $call);
		chomp $result;
		my $expected = $expected{$call} // qr/^killed SYS$/;
		like($result, $expected, "$way: $call");
		if ($result !~ /^killed/) {
			ok(defined next_line($rstat), 'and it goes on') for 1 .. 2;
		}
		rstat_stop($rstat);
	}
}

# Rstat with --file, once the file is there.
sub start_file {
	my ($folder, @arguments) = @_;
	unlink "$folder/x.prom";
	my $rstat = Rstat::start('./rstat', '-i', 200, '--file', "$folder/x.prom", @arguments);
	my $until = time + 60;
	select undef, undef, undef, 0.05 until -s "$folder/x.prom" || time > $until;
	return $rstat;
}

# Where the two names stand: the one page of anonymous memory that is only to be read.
sub names_at {
	my ($pid) = @_;
	open my $memory, '<:raw', "/proc/$pid/mem" or die;
	for (grep { m{^\S+ r--p 0+ 00:00 0 *$} } split /\n/, slurp("/proc/$pid/maps")) {
		my ($from, $to) = map { hex } /^(\w+)-(\w+)/;
		sysseek $memory, $from, 0;
		sysread $memory, my $bytes, $to - $from;
		my ($name, $fresh) = map { index $bytes, "$_\0" } 'x.prom', '.x.prom.new';
		return ($from + $name, $from + $fresh) if !$name && $fresh > 0;
	}
	die "no page with the names\n";
}

# Fails: any check left out of allow_replacing() or allow_closing(), fchmod allowed (loader/sandbox.c); names in memory that
# can be written (emit/replace.c).
sub test_names {
	my ($way) = @_;
	my $folder = scratch();
	my $new = 0300 | 1 | 02000000;	# O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
	my @calls = (
		# name, call, whether it is allowed; D, N, F stand for the folder, its file and the new one
		['the new file is removed', 'unlink 0=D 1=F 2=0', qr/^refused ENOENT$/],
		['it is made', "open-write 0=D 1=F 2=$new 3=0644", qr/^done \d+$/],
		['one that is set-uid', "open-write 0=D 1=F 2=$new 3=04755"],
		['one of another name', "open-write 0=D 1=:evil 2=$new 3=0644"],
		['one elsewhere', "open-write 0=D 1=:/tmp/rstat-injected 2=$new 3=0644"],
		['the file itself', "open-write 0=D 1=N 2=$new 3=0644"],
		['one from another descriptor', "open-write 0=0 1=F 2=$new 3=0644"],
		['one that is there', 'open-write 0=D 1=F 2=1 3=0644'],
		['another is removed', 'unlink 0=D 1=N 2=0'],
		['a folder is removed', 'unlink 0=D 1=F 2=0x200'],
		['the other way around', 'rename 0=D 1=N 2=D 3=F'],
		['one elsewhere takes the file\'s place', 'rename 0=D 1=:/etc/passwd 2=D 3=N'],
		['the new file goes elsewhere', 'rename 0=D 1=F 2=D 3=:/tmp/rstat-injected'],
		['the new file stays', 'rename 0=D 1=F 2=D 3=F'],
		['a mode is changed', 'fchmod 0=1 1=0644'],
		['the folder\'s descriptor is closed', 'close 0=D'],
		['so, in other words', 'close 0=0x1D'],
	);
	for (@calls) {
		my ($what, $call, $expected) = @$_;
		# one line only: it shall not be writing the file when it is stopped
		my $rstat = start_file($folder, '-i', 60000, '--attach', $way);
		my $pid = $rstat->{pid};
		my ($fd) = grep { (readlink "/proc/$pid/fd/$_" // '') =~ m{/\Q$folder\E$} } map { m{(\d+)$} } glob "/proc/$pid/fd/*";
		my ($name, $fresh) = names_at($pid);
		my $upper = 1 << 32 | $fd;
		s/=0x1D$/=$upper/, s/=D\b/=$fd/g, s/=N\b/=$name/g, s/=F\b/=$fresh/g for $call;
		my (undef, $result) = run('build/test/inject', $pid, split ' ', $call);
		chomp $result;
		like($result, $expected // qr/^killed SYS$/, "$way --file: $what");
		rstat_stop($rstat);
	}
	ok(!-e '/tmp/rstat-injected', 'nothing is there');
}

# Memory may be given back, that of the names, too: then they are empty, which is no file's name. Fails: madvise(2) allowed
# with any advice (loader/sandbox.c).
sub test_given_back {
	my ($way) = @_;
	my $folder = scratch();
	my $rstat = start_file($folder, '-i', 60000, '--attach', $way);
	my $pid = $rstat->{pid};
	my ($fd) = grep { (readlink "/proc/$pid/fd/$_" // '') =~ m{/\Q$folder\E$} } map { m{(\d+)$} } glob "/proc/$pid/fd/*";
	my ($name, $fresh) = names_at($pid);
	my (undef, $result) = run('build/test/inject', $pid, 'madvise', "0=$name", '2=4');	# MADV_DONTNEED
	like($result, qr/^done 0$/, "$way --file: the page of the names is given back");
	SKIP: {
		# the first call leaves it in the middle of its ppoll(2), which only x86 takes up again after a call from outside
		skip "$way --file: calls after that one: this processor does not go on after the first", 4 if (POSIX::uname())[4] ne 'x86_64';
		my $new = 0300 | 1 | 02000000;
		for my $call ("open-write 0=$fd 1=$fresh 2=$new 3=0644", "unlink 0=$fd 1=$fresh 2=0", "rename 0=$fd 1=$fresh 2=$fd 3=$name") {
			(undef, $result) = run('build/test/inject', $pid, split ' ', $call);
			like($result, qr/^refused ENOENT$/, "$way --file: and then " . $call =~ s/ .*//r);
		}
		(undef, $result) = run('build/test/inject', $pid, 'madvise', "0=$name");
		like($result, qr/^killed SYS$/, "$way --file: any other advice");
	}
	is_deeply([glob "$folder/* $folder/.*.new"], ["$folder/x.prom"], 'nothing has come of it');
	rstat_stop($rstat);
}

# Fails: allow_pieces() without the range (loader/sandbox.c): what the kernel writes could take the place of the names.
sub test_pieces {
	for my $place ('slots', 'elsewhere') {
		my $rstat = Rstat::start('./rstat', '--attach', 'btf', '-i', 200, '-o', 'json');
		next_line($rstat);
		my $maps = slurp("/proc/$rstat->{pid}/maps");
		my ($map) = map { m{(\d+)$} } grep { (readlink // '') =~ /bpf-map/ } glob "/proc/$rstat->{pid}/fd/*";
		# behind those that are mapped is what is reserved for more
		my ($at) = $place eq 'slots' ? $maps =~ /^(\w+)-(\w+) r--s .*bpf-map\n\2-\w+ ---p/m : $maps =~ /^(\w+)-\w+ rw-p .*\[stack\]/m;
		my (undef, $result) = run('build/test/inject', $rstat->{pid}, 'mmap-code', '0=' . hex $at, '2=1', '3=0x11', "4=$map");
		like($result, $place eq 'slots' ? qr/^done \d+/ : qr/^killed SYS/, "a piece of the slot array, mapped to $place");
		rstat_stop($rstat);
	}
}

# A face that replaces a file may do that in its one folder.
sub test_file {
	my $folder = scratch();
	my $rstat = Rstat::start('./rstat', '--attach', $ENV{RSTAT_ATTACH} // 'btf', '-i', 50, '--file', "$folder/x.prom");
	my $until = time + 60;
	select undef, undef, undef, 0.05 until -s "$folder/x.prom" || time > $until;
	ok(-s "$folder/x.prom", 'with --file: the file is there');
	my $sets = capabilities($rstat->{pid}, qw(Prm Eff));
	my $kept = kept($ENV{RSTAT_ATTACH} // 'btf') | 1 << 1;	# CAP_DAC_OVERRIDE: the folder may be another user's
	is_deeply($sets, { Prm => $kept, Eff => $kept }, 'only what writing there needs is left');
	for my $call ('open', 'open-write', 'execve', 'socket') {
		my (undef, $result) = run('build/test/inject', $rstat->{pid}, $call);
		is($result, "killed SYS\n", "with --file: $call");
		rstat_stop($rstat);
		$rstat = Rstat::start('./rstat', '--attach', $ENV{RSTAT_ATTACH} // 'btf', '-i', 50, '--file', "$folder/x.prom");
		unlink "$folder/x.prom";
		$until = time + 60;
		select undef, undef, undef, 0.05 until -s "$folder/x.prom" || time > $until;
	}
	rstat_stop($rstat);
}

# As another user, with the two capabilities on the file.
sub test_user {
	my ($way) = @_;
	SKIP: {
		skip 'another user: needs setcap and setpriv', 3
			if grep { system "command -v $_ >/dev/null" } 'setcap', 'setpriv';
		my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);
		chmod 0755, $folder;
		system('cp', 'rstat', "$folder/rstat") == 0 or die;
		skip 'another user: needs file capabilities where temporary files are', 3
			if system "setcap cap_bpf,cap_perfmon+ep $folder/rstat";
		my ($setpriv) = grep { -x } map { "$_/setpriv" } split /:/, $ENV{PATH};
		my $rstat = Rstat::start('sh', '-c', 'ulimit -l unlimited; exec "$@"', 'sh', $setpriv, '--reuid', 65534, '--regid', 65534,
			'--clear-groups', '--inh-caps=-all', "$folder/rstat", '--attach', $way, '-i', 100, '-o', 'json');
		next_line($rstat);
		my $sets = capabilities($rstat->{pid}, qw(Inh Prm Eff Amb));
		is_deeply($sets, { Inh => 0, Prm => kept($way), Eff => kept($way), Amb => 0 }, 'another user: none are left');
		is(field("/proc/$rstat->{pid}/status", 'Seccomp'), 2, 'system calls are filtered');
		is((stat "/proc/$rstat->{pid}/environ")[4], 0, 'its memory is not its user\'s to read');
		rstat_stop($rstat);
	}
}

# What is given up does not cost what is to be shown. Fails: want_walk() without CAP_DAC_READ_SEARCH (emit/seal.c).
sub test_io_of_others {
	SKIP: {
		skip 'the IO of others: needs setpriv', 1 if system 'command -v setpriv >/dev/null';
		skip 'the IO of others: this kernel counts none', 1 unless -e "/proc/$$/io";
		my @nobody = ('setpriv', '--reuid', 65534, '--regid', 65534, '--clear-groups');
		# on a disk, since what is written to memory counts as no IO, and where another user may go
		my $folder;
		for my $place ('build/test', grep { -d } '/var/tmp') {
			$folder = File::Temp->newdir('rstat-test-XXXXXX', DIR => $place);
			chmod 0777, $folder;
			last unless system "@nobody test -w $folder 2>/dev/null";
			undef $folder;
		}
		skip 'the IO of others: another user may go nowhere here', 1 unless $folder;
		my $write = '$| = 1; print "up\n"; while (1) { open my $f, ">", $ARGV[0] or die; syswrite $f, "x" x 4194304; select undef, undef, undef, 0.02 }';
		my $writer = Rstat::start(@nobody, 'perl', '-e', $write, "$folder/file");
		is(next_line($writer), 'up', 'another user writes');
		my $rstat = Rstat::start('./rstat', '--attach', 'proc', '-o', 'json', '-i', 500, '-t', 20, '--min-io', 0);
		my @found;
		for (1 .. 20) {
			my $sample = JSON::PP->new->utf8->decode(next_line($rstat) // '{}');
			@found = grep { ($_->{pid} // 0) == $writer->{pid} && $_->{write_bytes_per_second} } @{ $sample->{top_io} // [] };
			last if @found;
		}
		is(scalar @found, 1, 'root sees it without a probe, too');
		rstat_stop($_) for $rstat, $writer;
	}
}

# Fails: seal_print() left out of check_run() (emit/check.c).
sub test_check {
	my ($way) = @_;
	my ($status, $stdout) = run('./rstat', '--attach', $way, '--check');
	is($status, 0, "--check by $way");
	my $kept = kept($way);
	like($stdout, $kept ? qr/^given up +capabilities: all but CAP_(?:BPF|SYS_PTRACE CAP_DAC_READ_SEARCH)$/m : qr/^given up +capabilities: all$/m,
		'says which capabilities are left');
	like($stdout, qr/^given up +system calls: all but \d+ forms, by seccomp$/m, 'and how many calls');
	like($stdout, $way eq 'proc' ? qr/^given up +files: all but reading;/m :
		$no_landlock ? qr/^given up +files: not here: E\w+$/m : qr/^given up +files: all.*, by Landlock \d+$/m,
		'and which files');
}

my $attach = $ENV{RSTAT_ATTACH} // 'btf';
my @ways = $attach eq 'proc' ? 'proc' : ($attach, 'proc');
test_state($_) for @ways;
test_descriptors() if $attach eq 'btf';
# below /sys files may be read, where Landlock confines it
test_calls($attach, clock_gettime => qr/^done 0$/,
	close => qr/^refused EBADF$/,
	$no_landlock ? () : ((map { $_ => qr/^refused EACCES$/ } 'open-below', 'open-sys-kernel'), 'open-sys' => qr/^done \d+$/))
	if $attach ne 'proc';
# reading is allowed there, within the rights of a user without capabilities; nothing else is
test_calls('proc', clock_gettime => qr/^done 0$/, close => qr/^refused EBADF$/,
	map { $_ => qr/^done \d+$/ } 'open-below', 'open-sys', 'open-sys-kernel');
test_file();
test_names($_) for @ways;
test_given_back($_) for grep { $_ ne 'proc' } @ways;
test_pieces() if $attach eq 'btf';
test_io_of_others();
test_user($attach) if $attach eq 'btf' || $attach eq 'raw';
test_check($_) for @ways;
done_testing();
