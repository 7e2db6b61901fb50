#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The man page says what the program says: each option, face, placeholder and signal, and nothing that is not there. The commands of
# README and docs are run, here or by another test, and their links lead somewhere.
use strict;
use warnings;
use Cwd ();
use Test::More;
use Rstat;

plan skip_all => 'needs mandoc' if system 'command -v mandoc >/dev/null';

my (undef, $help) = run('./rstat', '--help');
my (undef, $list) = run('./rstat', '--list');
my $page = slurp('docs/rstat.1');

# The words of a kind in two texts, as sorted lists.
sub same {
	my ($ours, $theirs, $name) = @_;
	is_deeply([sort keys %$theirs], [sort keys %$ours], $name);
}

my %options = map { $_ => 1 } $help =~ /--([a-z-]+)/g;
my %documented = map { $_ => 1 } map { /Fl -([a-z-]+)/g } $page =~ /^\.It (.*)$/mg;
delete $options{list} if !$documented{list};
same(\%options, \%documented, 'each option of --help, and no other, has its item in the man page');

my ($faces, $placeholders) = split /^Placeholders.*$/m, $list;
my %faces = map { $_ => 1 } $faces =~ /^  ([a-z0-9]+) /mg;
my ($section) = $page =~ /^\.Sh FACES\n(.*?)^\.Sh /ms;
my %page_faces = map { $_ => 1 } $section =~ /^\.It Cm (\w+)$/mg;
same(\%faces, \%page_faces, 'each face');

my %placeholders = map { $_ => 1 } $placeholders =~ /\{(\w+)\}/g;
($section) = $page =~ /^\.Sh PLACEHOLDERS\n(.*?)^\.Sh /ms;
my %page_placeholders = map { $_ => 1 } map { split / , / } $section =~ /^\.It Cm (.*)$/mg;
same(\%placeholders, \%page_placeholders, 'each placeholder');

my ($status, $stdout, $stderr) = run('mandoc', '-T', 'lint', '-W', 'warning', 'docs/rstat.1');
is($status, 0, 'mandoc finds nothing to warn of') or diag $stdout, $stderr;

# ---- commands

# How each command of README and docs/ is run, less a sudo before it: "FILE: TEXT" names the file that does it, by that text; "not: "
# says why none does, and then it must be there at least. Else it is run here, where one rstat is running, alone in a pid namespace.
my $head = sub { "$_[0] | head -n 1 | grep -q ." };	# an output that is closed ends it
my $as_is = sub { $_[0] };
my %how = (
	'apt-get install -y clang gcc make && make && sudo ./rstat' => 'test/packages.t: commands(\'Two commands\')',
	'apt-get install ./rstat_*_amd64.deb' => 'test/packages.t: commands(\'Releases\')',
	'install rstat-*-x86_64 /usr/local/bin/rstat && sudo setcap cap_bpf,cap_perfmon+ep /usr/local/bin/rstat' => 'test/packages.t: commands(\'Releases\')',
	'make install-caps' => 'test/packages.t: sudo make install-caps',
	'makepkg -si' => 'test/packages.t: makepkg --config',
	'make dist' => 'test/packages.t: rstat dist',
	'systemctl enable --now rstat-openmetrics' => 'test/packages.t: enable --now $unit',
	'systemd-analyze security' => 'test/packages.t: systemd-analyze security',
	'test/run' => '.ci/run: test/run',
	'make vm' => '.ci/run: make vm',
	'make check' => 'test/run: exec make "${1:-check}"',
	'make analyze' => 'Makefile: check: analyze',
	'make test' => 'Makefile: $(MAKE) --no-print-directory test',
	'make unit' => 'test/packages.t: $tests unit',
	'prove -Itest/lib test/kernel/cli.t' => sub { 'perl -c test/kernel/cli.t' },
	'make completions' => sub { 'docs/completions/generate ./rstat "$scratch"' },
	'make size' => $as_is,
	'make model' => 'test/model/model.t: RSTAT_PARTS=',
	'make fuzz' => 'test/fuzz/fuzz.t: build/fuzz',
	'make fuzz FUZZ_SECONDS=175 FUZZ_JOBS=2' => 'test/fuzz/fuzz.t: build/fuzz',
	"make fuzz FUZZ_SECONDS=300 FUZZ_JOBS=2 FUZZ_ONLY='^(elf|tasks)\$'" => 'test/fuzz/fuzz.t: build/fuzz',
	'build/fuzz/fuzz_NAME FILE' => 'test/fuzz/fuzz.t: $build/fuzz_$target',
	'make fuzz-coverage' => 'test/fuzz/coverage.t: test/fuzz/coverage $build',
	'test/fuzz/minimise' => 'not: it changes the corpora',
	'make soak' => 'test/soak.t: SOAK_MINUTES',
	'make bench' => 'not: it measures, on a machine that does nothing else',
	'test/bench/copies' => 'not: it measures, on a machine that does nothing else',
	'make accuracy' => 'not: the same tests with longer windows',
	'make cost' => 'test/cost/cost.t: test/cost/figures',
	'RSTAT_COST=write make cost' => 'test/cost/cost.t: RSTAT_COST',
	'make mutants' => 'not: it takes too long',
	'make faults' => 'test/faults.t: RSTAT_FAULTS',
	'RSTAT_FAULTS=write make faults' => 'test/faults.t: RSTAT_FAULTS',
	'rstat --check' => $as_is,
	'rstat --list' => $as_is,
	'rstat --bench' => $as_is,
	'rstat --help' => $as_is,
	'rstat -o json' => $head,
	'rstat -o text' => $head,
	'rstat -o openmetrics' => $head,
	'status_command exec rstat -o i3bar' => 'test/bars/sway.t: docs/bars.md',
	'rstat --file X.prom' => sub { 'cd "$scratch" && rstat --file X.prom -n 1 && test -s X.prom' },
	'rstat --file /var/lib/prometheus/node-exporter/rstat.prom -i 5000' =>
		sub { ($_[0] =~ s{/var/lib/prometheus/node-exporter}{"\$scratch"}r) . ' -n 1 && test -s "$scratch/rstat.prom"' },
	"grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/\$(pidof rstat)/status" => $as_is,
	'cat /proc/$(pidof rstat)/limits' => $as_is,
	'ls -l /proc/$(pidof rstat)/fd' => $as_is,
	'strace -f rstat -n 3 > /dev/null' => $as_is,
	'bpftool prog dump xlated' => sub { 'bpftool prog dump xlated name on_switch | grep -q .' },
	'pkill -USR2 -x rstat' => sub { "$_[0] && sleep 1 && pidof rstat" },
	'pkill -x rstat' => sub { "pkill -0 -x rstat" },
	'pkill -9 rstat' => 'test/bars/term.t: KILL',
	'rstat &' => 'test/bars/term.t: &',
	'exec rstat' => 'test/bars/text.t: docs/bars.md',
);

# In indented blocks all lines are commands but these: a configuration, a drawing.
my %no_command = map { $_ => 1 } ('bar {', '}', 'probe/ -> loader/ -> collect/ -> emit/', 'in the kernel into the kernel one sample bytes out');
my $begins = qr/sudo |make(?: |$)|rstat(?: |$)|exec rstat|\.\/rstat|pkill |bpftool |prove |strace |systemd-analyze |systemctl |makepkg |RSTAT_\w+=\S+ \w/;

# { command => [the pages that have it] }, of README, CONTRIBUTING and all pages of docs/.
my @pages = ('README.md', 'CONTRIBUTING.md', glob('docs/*.md'), glob('docs/*/*.md'));
my (%commands, @broken);
my $nix = 'test/nix/flake.t';
for my $page (@pages) {
	my $text = slurp($page);
	$text =~ s/^ *```.*?^ *```$//msg;	# configurations: test/bars
	for my $line ($text =~ /(?:^\n|\A)((?:^    .*\n)+)/mg) {
		for my $command (split /\n/, $line) {
			$command =~ s/^ +|\s+# .*| +$//g;
			$command =~ s/^sudo //;
			next if $no_command{ $command =~ s/ +/ /gr } || $command =~ /^\|/ || !length $command;
			next if $command =~ /^nix / && -e $nix;	# which has the page's other parts, too
			push @{ $commands{$command} }, $page;
		}
	}
	$text =~ s/^    .*\n//mg;
	push @{ $commands{$_} }, $page for map { s/^sudo //r =~ s/\s+/ /gr } grep { /^$begins/ && !/^(?:rstat_|RSTAT_FORKS)/ } $text =~ /`([^`]+)`/g;
	# where a link leads, and what is named by its path
	my $folder = $page =~ m{^(.*/)} ? $1 : '';
	push @broken, map { "$page: $_" } grep { !-e "$folder$_" } map { s/#.*//r } grep { !/^https?:/ } $text =~ /\]\(([^)]+)\)/g;
	push @broken, map { "$page: $_" } grep { my ($first) = glob; !defined $first || !-e $first } grep { !/NAME/ } $text =~ /`((?:test|docs|probe|loader|collect|emit|\.ci)\/[\w.\/*-]*)`/g;
}
is_deeply(\@broken, [], 'what the pages link to and name is there');
is_deeply([grep { !$how{$_} } sort keys %commands], [], 'each command of the pages is known here')
	or diag map { "$_: @{ $commands{$_} }\n" } grep { !$how{$_} } sort keys %commands;
is_deeply([grep { !$commands{$_} && $_ !~ /i3bar/ } sort keys %how], [], 'and no others');

my %here;
for my $command (sort keys %commands) {
	my $how = $how{$command} or next;
	if (ref $how) { $here{$command} = $how->($command); next }
	my ($file, $text) = split /: /, $how, 2;
	my ($target) = $command =~ /\bmake ([\w-]+)/;
	if ($file ne 'not') {
		cmp_ok(index(slurp($file), $text), '>=', 0, "$command: in $file there is \"$text\"");
	} elsif (defined $target) {
		my (undef, undef, $said) = run('make', '-n', $target);
		unlike($said, qr/No rule to make target '$target'/, "$command: $how");
	} else {
		my ($program) = $command =~ m{(\S*/\S+)};
		ok(-x $program, "$command: $how");
	}
}

SKIP: {
	my @missing = grep { system "command -v $_ > /dev/null" } qw(unshare strace bpftool pidof pkill);
	skip 'commands: needs root, to see one rstat alone', scalar keys %here if $>;
	skip "commands: needs @missing", scalar keys %here if @missing;
	my $scratch = scratch();
	my $folder = "$scratch" =~ m{^/} ? "$scratch" : Cwd::getcwd() . "/$scratch";
	for my $command (sort keys %here) {
		open my $script, '>', "$folder/script" or die "$folder/script: $!\n";
		print $script "rstat -o json > /dev/null &\nuntil grep -q '^Seccomp:.*2' /proc/\$(pidof rstat)/status; do sleep 0.1; done 2> /dev/null\n",
			"$here{$command}\n";
		close $script;
		my ($status, $stdout, $stderr) = run('unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'env',
			"scratch=$folder", 'PATH=' . Cwd::getcwd() . ":$ENV{PATH}", 'bash', '-o', 'pipefail', "$folder/script");
		is($status, 0, "$command: run") or diag $here{$command}, "\n", $stdout, $stderr;
	}
}
done_testing();
