#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A release, made twice from two folders, at two times: the same bytes. Its parts, each where it belongs: the Debian package and
# the service in a bare Debian 12 of its own, Arch's package by makepkg and pacman, the binary for aarch64 by qemu; and README's
# commands in a Debian 12 that has nothing.
#
# What is released is the last commit, not the working tree. RSTAT_PARTS=dist,deb runs these parts; RSTAT_BARE_TESTS=1 has the part
# bare install all that the tests need, too, and run the unit tests there.
use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

plan skip_all => 'needs root, for a Debian of its own' if $>;
plan skip_all => 'needs /sys/kernel/btf/vmlinux' unless -e '/sys/kernel/btf/vmlinux';
my @missing = grep { system "command -v $_ > /dev/null" } qw(lintian debootstrap aarch64-linux-gnu-gcc git gcc clang xz qemu-aarch64
	makepkg bsdtar pacman systemd-nspawn systemd-analyze setpriv nsenter);
plan skip_all => "needs @missing" if @missing;
plan skip_all => 'needs a clone: a release is made of a commit' if system 'git rev-parse HEAD > /dev/null 2>&1';

# In a mount namespace of its own, which takes all mounts with it.
if (!$ENV{RSTAT_PACKAGES}) {
	$ENV{RSTAT_PACKAGES} = 1;
	exec 'unshare', '--mount', $^X, $0;
	die "unshare: $!\n";
}
# Not below build/, where make looks for files. In memory where there is enough; else on a disk, where files have capabilities.
my $work = File::Temp->newdir('rstat-packages-XXXXXX', DIR => '/var/tmp');
system 'mount', '-t', 'tmpfs', 'rstat-packages', $work if slurp('/proc/meminfo') =~ /^MemAvailable:\s+(\d+)/m && $1 > 8 << 20;
plan skip_all => "needs a filesystem with file capabilities at /var/tmp"
	if system "cp /bin/true $work/true && setcap cap_bpf+ep $work/true && ! findmnt -n -o OPTIONS -T $work | grep -qE 'nosuid|nodev|noexec'";
chmod 0755, "$work";
my ($version) = slurp('Makefile') =~ /^VERSION := (\S+)$/m;
my $dist = "$work/one/rstat/build/dist";
my $deb = "rstat_$version-1_amd64.deb";
my $owner = $$;

# What a shell says, both streams; the exit status is in $?.
sub shell {
	my ($command) = @_;
	return scalar qx(exec 2>&1; $command);
}

sub succeeds {
	my ($command, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $said = shell($command);
	return ok($? == 0, $name) || do { diag "$command: status $?\n", substr $said, -4000; 0 };
}

sub within {
	my ($what) = @_;
	for (1 .. 1200) {
		my $result = $what->();
		return $result if $result;
		sleep 0.1;
	}
	return;
}

sub write_file {
	my ($path, $text, $mode) = @_;
	open my $out, '>', $path or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
	chmod $mode // 0644, $path;
}

# What a child that was forked here does next.
sub become {
	my (@command) = @_;
	no warnings 'exec';
	exec { $command[0] } @command or POSIX::_exit(127);
}

# ---- a release

my %released;

sub release {
	my ($folder) = @_;
	return if $released{$folder}++;
	system 'mkdir', '-p', "$work/$folder";
	sleep 1.1;	# so that no two times are the same
	succeeds("git clone -q . $work/$folder/rstat && make -s -C $work/$folder/rstat dist", "make dist in $folder");
}

# Fails: a time in what is built that is not the commit's (SOURCE_DATE_EPOCH of docs/packages/dist).
sub test_dist {
	release($_) for 'one', 'a-longer-name/two';
	is(shell("diff -r $dist $work/a-longer-name/two/rstat/build/dist"), '', 'the same bytes from another folder, at another time');
	my @parts = ($deb, "rstat_$version-1_arm64.deb", map { "rstat-$version$_" } '-aarch64', '-x86_64', '.spdx.json', '.tar.gz');
	is_deeply([sort map { s{.*/}{}r } glob "$dist/*"], [sort 'PKGBUILD', 'SHA256SUMS', 'rstat.install', @parts], 'its parts');
	succeeds("cd $dist && sha256sum -c --quiet SHA256SUMS", 'the checksums are right');
	my %sums = map { reverse split ' ' } split /\n/, slurp("$dist/SHA256SUMS");
	is_deeply([sort keys %sums], [sort 'PKGBUILD', 'rstat.install', @parts], 'and there is one for each part');
	my ($pkgbuild) = slurp("$dist/PKGBUILD") =~ /^sha256sums=\((\S+)/m;
	is($pkgbuild, $sums{"rstat-$version.tar.gz"}, 'PKGBUILD names the source');
	cmp_ok(-s "$dist/rstat-$version-x86_64", '<=', 163_840, 'the binary is within its 160 KiB');
	my (undef, $line) = run("$dist/rstat-$version-x86_64", '-o', 'json', '-n', 1);
	like($line, qr/"source":"btf"/, 'and runs');
	like(shell("file $dist/rstat-$version-aarch64"), qr/ELF 64-bit.*aarch64.*static-pie/, 'the other one is for aarch64');
	is(shell("qemu-aarch64 $dist/rstat-$version-aarch64 --version"), "rstat $version\n", 'and starts');
	# changes that are in no commit are in no release
	write_file("$work/one/rstat/stray", '');
	like(shell("cd $work/one/rstat && docs/packages/dist 1 $work/none"), qr/not committed/,
		'with a stray file there is no release');
	ok(!-e "$work/none", 'nor anything of one');
	test_bill(\%sums);
}

# The bill of materials: what SPDX 2.3 wants of a document without files, and that it is about these files.
sub test_bill {
	my ($sums) = @_;
	my $bill = JSON::PP->new->utf8->decode(slurp("$dist/rstat-$version.spdx.json"));
	is_deeply([sort keys %$bill], [sort qw(spdxVersion dataLicense SPDXID name documentNamespace creationInfo packages relationships)],
		'bill of materials: the document');
	my %ids = ('SPDXRef-DOCUMENT' => 1, map { $_->{SPDXID} => 1 } @{ $bill->{packages} });
	is(keys %ids, 1 + @{ $bill->{packages} }, 'each component once');
	my @empty = grep { my $p = $_; grep { !length($p->{$_} // '') } qw(name versionInfo downloadLocation licenseDeclared) } @{ $bill->{packages} };
	is_deeply(\@empty, [], 'with name, version and licence');
	my @astray = grep { !$ids{ $_->{spdxElementId} } || !$ids{ $_->{relatedSpdxElement} } } @{ $bill->{relationships} };
	is_deeply(\@astray, [], 'relations are between them');
	my %described = map { $_->{packageFileName} => $_->{checksums}[0]{checksumValue} } grep { $_->{checksums} } @{ $bill->{packages} };
	my %binaries = map { $_ => $sums->{$_} } grep { !/PKGBUILD|install$|spdx/ } keys %$sums;
	is_deeply(\%described, \%binaries, 'and it knows the checksum of each file');
	my %tools = map { $_->{name} => $_->{versionInfo} } grep { !$_->{checksums} } @{ $bill->{packages} };
	is_deeply([sort keys %tools], [qw(binutils binutils-aarch64-linux-gnu clang gcc gcc-aarch64-linux-gnu)], 'the tools are named');
	is($tools{clang}, shell('clang -dumpversion') =~ s/\n//r, 'with their versions');
}

# Fails: an override taken out; a file with a wrong mode.
sub test_lintian {
	release('one');
	is(shell("cd $dist && lintian --allow-root --display-info *.deb"), '', 'lintian has nothing to say');
}

# ---- a bare Debian

my $bootstrap;	# pid

# Begun early: it waits for the network most of the time.
sub start_bootstrap {
	my $mirror = shell(q{apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | awk '$2 !~ /-/ { print $1; exit }'}) =~ s/\n//r;
	my %proxy = map { $_ => shell("apt-config dump --format %v Acquire::${_}::Proxy") } 'http', 'https';
	$bootstrap = fork // die "fork: $!";
	return $mirror if $bootstrap;
	for (keys %proxy) { $ENV{"${_}_proxy"} = $proxy{$_} if $proxy{$_} =~ /:/ }
	open STDOUT, '>', "$work/bootstrap.log";
	open STDERR, '>&', \*STDOUT;
	become('debootstrap', '--variant=minbase', ($mirror =~ /^https/ ? '--include=ca-certificates' : ()), 'bookworm', "$work/root", $mirror);
}

# A copy of it, in which apt works.
sub debian {
	my ($name) = @_;
	if ($bootstrap) {
		waitpid $bootstrap, 0;
		$bootstrap = 0;
		ok($? == 0, 'a bare Debian 12') or BAIL_OUT(substr slurp("$work/bootstrap.log"), -2000);
		# the world outside, which a machine brings: names, and whom to trust
		system "cp -L /etc/resolv.conf /etc/hosts $work/root/etc/";
		system "mkdir -p $work/root/etc/ssl && cp -rL /etc/ssl/certs $work/root/etc/ssl/" if -d "$work/root/etc/ssl/certs";
		my $proxies = shell('apt-config dump') =~ s/^(?!Acquire::https?::Proxy).*\n//mgr;
		write_file("$work/root/etc/apt/apt.conf.d/10outside", $proxies . qq(APT::Sandbox::User "root";\n));
		write_file("$work/root/etc/dpkg/dpkg.cfg.d/unsafe", "force-unsafe-io\n");
		write_file("$work/root/usr/local/bin/sudo", qq(#!/bin/sh\nexec "\$@"\n), 0755);
	}
	system('cp', '-a', '--reflink=auto', "$work/root", "$work/$name") == 0 or die "cp: $?\n";
	return "$work/$name";
}

# A command in there, by a shell; mounts go with it.
sub inside {
	my ($root, $command) = @_;
	write_file("$root/run/command", "cd /root\n$command\n");
	return "unshare --mount --fork sh -c 'mount -t proc proc $root/proc && mount --rbind /sys $root/sys && " .
		"exec chroot $root env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive sh /run/command'";
}

# What is there: names, modes, sizes, links; without what apt and dpkg write down, and what ldconfig keeps.
sub files_there {
	my ($root) = @_;
	return shell("cd $root && find . -xdev \\( -path ./proc -o -path ./sys -o -path ./run -o -path ./root -o -path ./tmp -o -path ./var/lib/dpkg" .
		" -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \\) -prune -o -path ./etc/ld.so.cache -o" .
		" \\( -type d -printf '%p/ %M\\n' -o -printf '%p %M %s %l\\n' \\) | sort");
}

# Whether that is what it was, with the difference said.
sub nothing_left {
	my ($root, $before, $name, $but) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my (%was, %is);
	@was{split /\n/, $before} = ();
	@is{grep { !$but || !/$but/ } split /\n/, files_there($root)} = ();
	return is_deeply([(map { "gone: $_" } sort grep { !exists $is{$_} } keys %was), sort grep { !exists $was{$_} } keys %is], [], $name);
}

my $apt = 'apt-get install -y --no-install-recommends';

# A package with a version below, which has a file that the next one does not have.
sub older {
	my ($to) = @_;
	return succeeds("rm -rf $work/older && dpkg-deb -R $dist/$deb $work/older && sed -i 's/^Version:.*/Version: 0.0.1-1/' $work/older/DEBIAN/control &&" .
		" touch $work/older/usr/share/rstat.old && dpkg-deb --root-owner-group -Zgzip -b $work/older $to/rstat_0.0.1-1_amd64.deb", 'an older package');
}

# The commands of README below a title, as one text.
sub commands {
	my ($title) = @_;
	my ($section) = slurp('README.md') =~ /^## \Q$title\E\n(.*?)^## /ms or return;
	return map { s/^    //r } $section =~ /^(    .*)$/mg;
}

# Fails: no setcap in postinst; a file that a script makes and none removes; a dependency that is not named.
sub test_deb {
	release('one');
	my $root = debian('deb');
	system inside($root, 'apt-get -qq update; useradd --create-home visitor') . ' > /dev/null 2>&1';
	system "cp $dist/$deb $root/root/";
	older("$root/root");
	my $before = files_there($root);
	succeeds(inside($root, "$apt ./rstat_0.0.1-1_amd64.deb"), 'an older one is installed');
	ok(-e "$root/usr/share/rstat.old", 'with its files');
	unlink "$root/root/rstat_0.0.1-1_amd64.deb";
	my ($install) = grep { /apt-get install .*\.deb/ } commands('Releases');
	succeeds(inside($root, $install), "README's command installs the new one over it");
	is(shell(inside($root, q(dpkg-query -W -f '${Status} ${Version}' rstat))), "install ok installed $version-1", 'it is the new one');
	ok(!-e "$root/usr/share/rstat.old", 'what is not in it any more is gone');
	like(shell(inside($root, 'getcap /usr/bin/rstat')), qr/cap_perfmon,cap_bpf=ep/, 'the program has its two capabilities');
	my $line = shell(inside($root, 'setpriv --reuid visitor --regid visitor --clear-groups rstat --once -o json'));
	is($?, 0, 'a user without privileges runs rstat --once') or diag $line;
	like($line, qr/^\{.*"source":"btf".*"cpu_ratio":.*\}$/, 'with the probe');
	is(shell(inside($root, 'setpriv --reuid visitor --regid visitor --clear-groups grep CapEff /proc/self/status')), "CapEff:\t0000000000000000\n",
		'who has none elsewhere');
	ok(-s "$root/usr/share/$_", "it has $_") for 'man/man1/rstat.1.gz', 'bash-completion/completions/rstat', 'zsh/vendor-completions/_rstat',
		'fish/vendor_completions.d/rstat.fish', 'doc/rstat/copyright';
	is(shell(inside($root, 'dpkg --verify rstat')), '', 'all its files are as packaged');
	succeeds(inside($root, 'apt-get remove -y rstat && apt-get autoremove -y --purge'), 'it is removed');
	# which links there may be of the unit's is kept for the next time, as usual
	nothing_left($root, $before, 'and nothing is left', qr{^\./var/lib/systemd/deb-systemd-helper-enabled/.*rstat});
	succeeds(inside($root, 'apt-get purge -y rstat'), 'it is purged');
	nothing_left($root, $before, 'and nothing at all is left');
	is(shell(inside($root, 'dpkg-query -W rstat 2> /dev/null')), '', 'dpkg does not know it any more');
	system "rm -rf $root";
}

my ($nspawn, $leader);	# pids: of systemd-nspawn, and of the first process in it

sub stop_container {
	kill KILL => $leader || $nspawn;
	waitpid $nspawn, 0;
	($nspawn, $leader) = ();
}

# Fails: landlock_* missing in SystemCallFilter; postinst without try-restart; postrm without purge.
sub test_service {
	release('one');
	my $unit = 'rstat-openmetrics.service';
	my $file = '/var/lib/prometheus/node-exporter/rstat.prom';
	my ($score) = shell("systemd-analyze security --offline=yes --no-pager docs/packages/$unit") =~ /Overall exposure level.*: ([0-9.]+)/;
	my ($stated) = slurp('docs/prometheus/README.md') =~ /exposure level of ([0-9]\.[0-9])/;
	is($score, $stated, "systemd-analyze security says what docs/prometheus says");
	my $root = debian('service');
	system "cp $dist/$deb $root/root/";
	older("$root/root") or return;
	succeeds(inside($root, "apt-get -qq update && $apt systemd dbus prometheus-node-exporter ./rstat_0.0.1-1_amd64.deb"),
		'installed where systemd and node_exporter are');
	is(shell(inside($root, "systemd-analyze verify --man=no $unit")), '', 'systemd has nothing to say about the unit');
	$nspawn = fork // die "fork: $!";
	if (!$nspawn) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$work/console";
		open STDERR, '>&', \*STDOUT;
		become('systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--private-network', '--resolv-conf=off',
			'--capability=CAP_BPF,CAP_PERFMON', '--system-call-filter=bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self',
			'-M', "rstat-$$", '-D', $root, '-b');
	}
	my $in = sub {
		return shell("nsenter --target $leader --mount --uts --ipc --net --pid --cgroup -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin " .
			"DEBIAN_FRONTEND=noninteractive sh -c '$_[0]'");
	};
	my $up = within(sub {
		waitpid($nspawn, POSIX::WNOHANG()) == $nspawn and return;
		($leader) = shell("cat /proc/$nspawn/task/*/children") =~ /^(\d+)/;
		return $leader && $in->('systemctl is-system-running') =~ /^(running|degraded)/;
	});
	SKIP: {
		skip 'no systemd runs in a container here: ' . substr(slurp("$work/console"), -300), 1 unless $up;
		is($in->("systemctl is-enabled $unit"), "disabled\n", 'it is not started unasked');
		is($in->("systemctl --quiet enable --now $unit; systemctl is-active $unit"), "active\n", 'it starts');
		my $text = within(sub { my $t = $in->("cat $file"); $t =~ /^rstat_cpu_ratio /m && $t });
		like($text, qr/^rstat_build_info\{.*source="btf"/m, 'and writes its file, with the probe') or diag $in->("journalctl -u $unit");
		is($in->("stat -L -c %a $file"), "644\n", 'which all may read');
		my $pid = $in->("systemctl show -P MainPID $unit") =~ s/\n//r;
		my $status = $in->("cat /proc/$pid/status");
		like($status, qr/^Uid:\t[1-9]\d+\t/m, 'as a user of its own');
		is_deeply([$status =~ /^(?:CapEff|NoNewPrivs|Seccomp):\s*(\w+)$/mg], ['0' x 16, 1, 2], 'without any capability, and filtered');
		unlike($in->("journalctl -u $unit -o cat"), qr/^rstat: /m, 'it has nothing to complain of');
		# what a start gives up, in the same box: a call that the filter lacks may be taken for one that this kernel lacks
		my $check = $in->("sed -e \"s|^ExecStart=.*|ExecStart=/usr/bin/rstat --check|\" -e s/^Restart=.*/Type=oneshot/ -e /^ExecSt.*-+/d " .
			"-e s/^RuntimeDirectory=.*/RuntimeDirectory=check/ /lib/systemd/system/$unit > /run/systemd/system/check.service; " .
			'systemctl daemon-reload; systemctl start check; journalctl -u check -o cat; rm /run/systemd/system/check.service; systemctl daemon-reload');
		my (undef, $bare) = run("$dist/rstat-$version-x86_64", '--check');
		is_deeply([$check =~ /^(given up .*)$/mg], [$bare =~ /^(given up .*)$/mg], 'it gives up what it gives up without the box');
		ok(within(sub { $in->('perl -MIO::Socket::INET -e "' .
			'my \$s = IO::Socket::INET->new(q(127.0.0.1:9100)) or exit; print \$s qq(GET /metrics HTTP/1.0\r\n\r\n); print <\$s>"')
			=~ /^rstat_cpu_ratio /m }), 'node_exporter shows it');
		is($in->("apt-get install -y /root/$deb > /dev/null 2>&1; echo \$?"), "0\n", 'it is upgraded while it runs');
		isnt($in->("systemctl show -P MainPID $unit") =~ s/\n//r, $pid, 'which starts the new one');
		is($in->("systemctl is-active $unit"), "active\n", 'and it is running');
		is($in->('apt-get purge -y rstat > /dev/null 2>&1; echo $?'), "0\n", 'it is purged while it runs');
		is($in->('pidof rstat'), '', 'and has ended');
		is($in->('find /etc /lib/systemd /run /var/lib ! -path "/var/lib/dpkg/*" -name "*rstat*"'), '', 'no link to it is left');
	}
	stop_container();
	system "rm -rf $root";
}

# ---- Arch

# Fails: options without !buildflags; an install file without setcap.
sub test_arch {
	release('one');
	my $folder = "$work/arch";
	system "mkdir $folder && cp $dist/PKGBUILD $dist/rstat.install $dist/rstat-$version.tar.gz $folder && chown -R nobody $folder";
	# Arch's own flags, which would break a program without a C library
	write_file("$work/makepkg.conf", slurp('/etc/makepkg.conf') . qq(CFLAGS="-march=x86-64 -O2 -pipe -fno-plt -fexceptions -Wp,-D_FORTIFY_SOURCE=3 ) .
		qq(-fstack-clash-protection -fcf-protection -flto=auto"\nLDFLAGS="-Wl,-O1,--as-needed"\nOPTIONS=(strip docs !libtool !staticlibs emptydirs zipman purge debug lto)\n));
	# no pacman has installed what it needs here, hence --nodeps
	succeeds("cd $folder && setpriv --reuid nobody --regid nogroup --clear-groups env HOME=$folder makepkg --config $work/makepkg.conf --nodeps",
		'makepkg makes a package');
	my ($package) = glob "$folder/rstat-$version-1-x86_64.pkg.tar.*" or return fail('where is it?');
	my $root = debian('arch-root');
	system inside($root, 'apt-get -qq update && apt-get install -y libcap2-bin') . ' > /dev/null 2>&1';
	my $before = files_there($root);
	system "mkdir -p $work/pacman $root/tmp && cp $package $root/tmp/";
	my $pacman = "pacman --noconfirm --root $root --dbpath $work/pacman --cachedir $work/pacman --logfile $work/pacman.log --hookdir $work/none";
	succeeds("$pacman -Udd $package", 'pacman installs it');
	like(shell(inside($root, 'getcap /usr/bin/rstat')), qr/cap_perfmon,cap_bpf=ep/, 'with its capabilities');
	is(shell(inside($root, 'rstat --version')), "rstat $version\n", 'it runs');
	cmp_ok(-s "$root/usr/bin/rstat", '<=', 163_840, 'built with its own flags');
	ok(-s "$root/usr/$_", "it has $_") for 'share/man/man1/rstat.1.gz', 'lib/systemd/system/rstat-openmetrics.service', 'share/zsh/site-functions/_rstat';
	succeeds("$pacman -Udd $package", 'over itself');
	like(shell(inside($root, 'getcap /usr/bin/rstat')), qr/cap_perfmon,cap_bpf=ep/, 'with its capabilities again');
	succeeds("$pacman -Rdd rstat", 'pacman removes it');
	nothing_left($root, $before, 'and nothing is left');
	system "rm -rf $root";
}

# ---- README in a Debian that has nothing

# Fails: a package that README's first command does not name; a command of README that does not work.
sub test_bare {
	release('one');
	my $root = debian('bare');
	system inside($root, 'apt-get -qq update') . ' > /dev/null 2>&1';
	system "git clone -q --no-hardlinks . $root/root/rstat";
	my ($build, $tests) = commands('Two commands');
	# the output is closed after a line, which ends rstat
	my $said = shell(inside($root, "cd rstat; { $build; } 2> /root/log | grep -m 1 '^{'"));
	like($said, qr/^\{"text":.*"tooltip":/, "$build") or diag substr slurp("$root/root/log"), -2000;
	like($said, qr/, by btf</, 'with the probe');
	# the static binary needs nothing
	my ($static) = grep { /setcap/ } commands('Releases');
	system "cp $dist/rstat-$version-x86_64 $root/root/";
	succeeds(inside($root, "$apt libcap2-bin > /dev/null 2>&1; $static && getcap /usr/local/bin/rstat | grep -q cap_bpf && /usr/local/bin/rstat -n 1"), $static);
	succeeds(inside($root, 'rm /usr/local/bin/rstat; cd rstat; sudo make install-caps && getcap /usr/local/bin/rstat | grep -q cap_bpf'),
		'sudo make install-caps');
	SKIP: {
		skip "$tests: RSTAT_BARE_TESTS=1 runs its installation and the unit tests", 2 unless $ENV{RSTAT_BARE_TESTS};
		is($tests, 'sudo test/run', "README's second command");
		succeeds(inside($root, "cd rstat; $tests unit"), "$tests unit");
	}
	system "rm -rf $root";
}

# What is under way when the test ends, ends with it.
END {
	if ($$ == $owner) {
		my $code = $?;
		stop_container() if $nspawn;
		if ($bootstrap) { kill TERM => $bootstrap; waitpid $bootstrap, 0 }
		system "mountpoint -q $work && umount -l $work";
		$? = $code;
	}
}

start_bootstrap();
run_parts([dist => \&test_dist], [lintian => \&test_lintian], [deb => \&test_deb], [service => \&test_service], [arch => \&test_arch],
	[bare => \&test_bare]);
