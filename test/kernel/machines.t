#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The program itself on machines that this one is not: what it shows of their sensors, what it leaves alone, and that slow
# ones do not slow it down.
use strict;
use warnings;
use Cwd qw(abs_path);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);
use Machine;
use Rstat;

needs_root();
plan skip_all => 'needs unshare and strace' if grep { system "command -v $_ >/dev/null" } 'unshare', 'strace';

my $json = JSON::PP->new->utf8;

# A folder with that machine in it. Not on a path with /sys in it.
sub machine {
	my ($name) = @_;
	my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);
	unpack_machine($name, $folder);
	return $folder;
}

# Fails: any sensor taken for another one (collect/thermal.c, gpu.c, battery.c).
sub test_machine {
	my ($name) = @_;
	my $folder = machine($name);
	my ($status, $stdout, $stderr) = run(in_machine($folder, './rstat', '--once', '-i', 200, '-o', 'json'));
	is($status, 0, "$name: exit 0") or diag $stderr;
	is($stderr, '', 'nothing on stderr');
	my $sample = eval { $json->decode($stdout) } // {};
	my $golden = $json->decode(slurp("test/golden/machines/$name.json"));
	# what the second reading of the unit test differs in is not of this one
	delete $_->{busy_ratio} for grep { $_->{driver} && $_->{driver} ne 'amdgpu' } map { @{ $_->{gpus} // [] } } $sample, $golden;
	delete @$_{'throttled', 'frequency_hz'} for map { @{ $_->{gpus} // [] } } $sample, $golden;
	delete @$_{'age_seconds'} for map { @{ $_->{gpus} // [] }, @{ $_->{batteries} // [] } } $sample;
	is_deeply($sample->{$_}, $golden->{$_}, "$_ as in test/golden")
		for qw(temperature_celsius frequency_fastest_hz frequency_max_hz power_profile gpus batteries);
}

# Fails: the state of power not asked first, or files opened before it is awake (collect/gpu.c).
sub test_suspended {
	my $folder = machine('amd-laptop');
	my $log = "$folder/strace";
	# traced, each reading takes longer than an average sample may
	for my $action (['-n', 5, '-i', 50, '-o', 'json', '--budget', 1000000], ['--check'], ['--temperature', 'amdgpu', '-n', 1, '-o', 'json']) {
		my ($status) = run(in_machine($folder, 'strace', '-f', '-y', '-e', 'trace=%file,read,pread64,getdents64', '-o', $log, './rstat', @$action));
		is($status, 0, "traced: rstat @$action");
		my @calls = split /\n/, slurp($log);
		my @all = grep { m{drm/card0\b|hwmon5/(?!name\b|device/|temp1_label)} } @calls;
		my @touched = grep { !/\breadlinkat\(/ && !m{device/power/runtime_status|device/power_state} } @all;
		is_deeply(\@touched, [], 'nothing of a suspended GPU is opened or read but its power state');
		cmp_ok(scalar(grep { /\bpread64\(.*runtime_status/ } @all), '>=', $action->[0] eq '-n' ? 5 : 1, 'which is read each time');
		cmp_ok(scalar(grep { m{pread64\(.*drm/card1/device/gpu_busy_percent} } @calls), '>=', 1, 'the other GPU is read');
	}
}

# Fails: budget_begin() that is always true (collect/budget.c); 50 ms that turn nothing off.
sub test_slow {
	SKIP: {
		# on a machine that tests may disturb nothing of this may be missing
		ok(!disturbs() || -e '/dev/fuse', '/dev/fuse is there where it has to be');
		skip 'slow sensors: needs /dev/fuse', 11 unless -e '/dev/fuse';
		skip 'slow sensors: needs python3-fusepy', 11 if !disturbs() && system '/usr/bin/python3 -c "import fusepy" 2>/dev/null';
		my $folder = machine('virtual-machine');
		my ($sensor, $battery) = ("$folder/sys/class/hwmon/hwmon0", "$folder/sys/class/power_supply/BAT0");
		File::Path::make_path($sensor, $battery);
		my @slow = map { Rstat::start('/usr/bin/python3', 'test/lib/slowfs.py', @$_) }
			[$sensor, "$folder/sensor", 'name=coretemp@0', 'temp1_input=57000@5'],
			[$battery, "$folder/battery", 'type=Battery@0', 'status=Discharging@200', 'capacity=55@0'];
		is(next_line($_), 'ready', 'a folder of slow files') for @slow;
		my $samples = 400;
		my ($status, $stdout, $stderr) = run(in_machine($folder, './rstat', '-i', 10, '-n', $samples, '-o', 'json'));
		is($status, 0, 'exit 0');
		my @samples = map { $json->decode($_) } split /\n/, $stdout;
		is(scalar @samples, $samples, 'the line keeps coming');
		my $reads = () = slurp("$folder/sensor") =~ /^temp1_input$/mg;
		# 200 us of each sample for what takes 5 ms, with two readings to find that out, one more when it is opened, and
		# one that may be under way
		my $allowed = $samples * 0.2 / 5 + 4;
		cmp_ok($reads, '<=', $allowed, "a sensor that takes 5 ms is read $reads times in $samples samples");
		cmp_ok($reads, '>=', 4, 'and not forgotten');
		is((grep { ($_->{temperature_celsius} // 0) == 57 } @samples), $samples, 'what it said last stands');
		cmp_ok((grep { $_->{temperature_age_seconds} } @samples), '>=', $samples / 2, 'with its age');
		my $status_reads = () = slurp("$folder/battery") =~ /^status$/mg;
		is($status_reads, 1, 'one that takes 200 ms is read once, and off for a minute');
		is($stderr, "rstat: BAT0 took more than 50 ms to read: it is read a minute later, then less and less often\n",
			'which is said once');
		my $battery_shown = $samples[-1]{batteries}[0] // {};
		is($battery_shown->{status}, 'Discharging', 'and what it said stands');
		rstat_stop($_) for @slow;
		system 'umount', $_ for grep { !system "mountpoint -q $_" } $sensor, $battery;
	}
}

# What cannot be read costs its field, and is tried again.
sub test_failing {
	SKIP: {
		skip 'failing sensors: needs /dev/fuse', 4 unless -e '/dev/fuse';
		skip 'failing sensors: needs python3-fusepy', 4 if system '/usr/bin/python3 -c "import fusepy" 2>/dev/null';
		my $folder = machine('virtual-machine');
		my $battery = "$folder/sys/class/power_supply/BAT0";
		File::Path::make_path($battery);
		my $slow = Rstat::start('/usr/bin/python3', 'test/lib/slowfs.py', $battery, "$folder/battery", 'type=Battery@0',
			'status=x@EIO', 'capacity=55@0', 'power_now=1@EAGAIN', 'energy_full=9@EACCES', 'energy_now=5@0');
		is(next_line($slow), 'ready', 'a folder of files that fail');
		my ($status, $stdout, $stderr) = run(in_machine($folder, './rstat', '-i', 50, '-n', 5, '-o', 'json'));
		is($status, 0, 'exit 0');
		is($stderr, '', 'nothing on stderr');
		my @samples = map { $json->decode($_) } split /\n/, $stdout;
		my %shown = %{ $samples[-1]{batteries}[0] // {} };
		delete $shown{age_seconds};
		is_deeply(\%shown, { name => 'BAT0', ratio => 0.55 }, 'EIO, EAGAIN and EACCES cost a field each');
		rstat_stop($slow);
		system 'umount', $battery unless system "mountpoint -q $battery";
	}
}

# Fails: put_verdict() (emit/check_sensors.c) that says the same of all.
sub test_check {
	my $folder = machine('amd-desktop');
	my ($status, $stdout) = run(in_machine($folder, './rstat', '--check'));
	is($status, 0, '--check: exit 0');
	my $read = qr/, read in \d+(?:\.\d+)?(?:ns|µs|ms)/;
	like($stdout, qr{^temperature +hwmon/hwmon2/temp2_input k10temp:Tdie 52 °C$read: chosen$}m, 'which sensor was chosen');
	like($stdout, qr{^temperature +hwmon/hwmon2/temp1_input k10temp:Tctl 72 °C$read: left out, another}m, 'which not');
	like($stdout, qr{^temperature +hwmon/hwmon0/temp1_input nvme:Composite 41 °C$read: left out, not known}m, 'and why');
	like($stdout, qr{^gpu +card0 amdgpu awake 17% busy 1\.3GHz$read$}m, 'the GPU');
	like($stdout, qr{^frequency +1 policies of cpufreq, the fastest 2\.2GHz$read$}m, 'the frequency');
	like($stdout, qr{^power +profile performance}m, 'and the profile');
	($status, $stdout, my $stderr) = run(in_machine($folder, './rstat', '--temperature', 'nvme', '--gpu', 'none', '--once', '-i', 100, '-o', 'json'));
	my $sample = $json->decode($stdout);
	is($sample->{temperature_celsius}, 41.85, '--temperature nvme');
	ok(!exists $sample->{gpus}, '--gpu none');
	($status, $stdout, $stderr) = run(in_machine($folder, './rstat', '--battery', 'BAT7', '-n', 3, '-i', 100, '-o', 'json'));
	is($status, 0, 'a battery that is not there: exit 0');
	is($stderr, "rstat: --battery BAT7 is not on this machine; rstat --check lists what is\n", 'is said once');
}

# More sensors than a report has room for, with labels made to be seen. Fails: no left_out in put_temperature()
# (emit/check_sensors.c): the report ends in the middle of a sensor, without a word of what has been given up.
sub test_many {
	my $folder = machine('virtual-machine');
	for my $device (0 .. 31) {
		my $hwmon = "$folder/sys/class/hwmon/hwmon$device";
		File::Path::make_path($hwmon);
		my %files = (name => "disk$device", map { ("temp${_}_input" => 40_000, "temp${_}_label" => "\e[2J\e]0;x\a\"Composite of a disk $_\xe2\x80") } 1 .. 16);
		while (my ($name, $content) = each %files) {
			open my $file, '>:raw', "$hwmon/$name" or die;
			print $file "$content\n";
		}
	}
	my ($status, $stdout) = run(in_machine($folder, './rstat', '--check'));
	is($status, 0, '--check of many sensors: exit 0');
	my $listed = () = $stdout =~ /^temperature +hwmon/mg;
	my ($more) = $stdout =~ /^temperature +(\d+) more sensors/m;
	is($listed + ($more // 0), 32 * 16, "$listed are listed, it says that there are more");
	like($stdout, qr/^sample .* works$/m, 'whether it works is told');
	like($stdout, qr/^given up +system calls: [^\n]+\n\z/m, 'and what has been given up');
	unlike($stdout, qr/[^\n -~\x80-\xff]/, 'no label reaches the terminal as it is');
}

test_many();
test_machine($_) for machine_names();
test_suspended();
test_slow();
test_failing();
test_check();
done_testing();
