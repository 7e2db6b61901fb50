#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The live view and the guard of its terminal, as who took one of them over would find: what is forbidden ends that one, and
# the other gives the terminal back.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();
plan skip_all => 'needs build/test/inject' unless -x 'build/test/inject';
plan skip_all => 'needs script' if system 'command -v script >/dev/null';

my $attach = $ENV{RSTAT_ATTACH} // 'btf';
my $folder = scratch();
my $limit_s = 60;

sub until_true {
	my ($true) = @_;
	my $end = now() + $limit_s;
	my $value;
	until ($value = $true->()) {
		return if now() > $end;
		sleep 0.01;
	}
	return $value;
}

# The children of a process by that name.
sub child_of {
	my ($parent, $name) = @_;
	for (glob '/proc/[0-9]*/stat') {
		my ($pid, $state, $of) = slurp($_) =~ /^(\d+) \(\Q$name\E\) (\S) (\d+)/ or next;
		return $pid if $of == $parent && $state ne 'Z';
	}
	return;
}

# A live view on a terminal of its own, between two looks at the settings: { shell, rstat, guard }.
sub start_view {
	my ($way) = @_;
	unlink glob "$folder/*";
	my $line = "echo \$\$ >$folder/shell; stty -g >$folder/before; ./rstat --attach $way -o term -i 50; "
		. "while [ ! -e $folder/go ]; do sleep 0.02; done; stty -g >$folder/after";
	my $view = Rstat::start('env', 'TERM=xterm', 'script', '-q', '-f', '-c', $line, "$folder/screen");
	$view->{shell} = until_true(sub { slurp("$folder/shell") + 0 || undef }) if until_true(sub { -s "$folder/shell" });
	$view->{rstat} = until_true(sub { child_of($view->{shell}, 'rstat') });
	$view->{guard} = until_true(sub { child_of($view->{rstat}, 'terminal-guard') });
	# a frame: both are in their loops then
	until_true(sub { slurp("$folder/screen") =~ /\e\[\?1049h.*\e\[1;1H/s }) or die "no view\n";
	until_true(sub { slurp("/proc/$view->{guard}/status") =~ /^Seccomp:\s*2$/m }) or die "the guard is not confined\n";
	return $view;
}

sub check_left {
	my ($view, $what) = @_;
	# the guard comes when it is woken, as fast as a shell
	ok(until_true(sub { !-e "/proc/$view->{guard}" }), "$what: no guard is left");
	open my $go, '>', "$folder/go" or die;
	close $go;
	ok(until_true(sub { -s "$folder/after" }), "$what: the shell goes on");
	is(slurp("$folder/after"), slurp("$folder/before"), "$what: settings are those of before");
	ended($view, $limit_s);
	my $screen = slurp("$folder/screen");
	cmp_ok(rindex($screen, "\e[?1049l"), '>', rindex($screen, "\e[?1049h"), "$what: the screen of before is back");
}

my (undef, $list) = run('build/test/inject', 'list');
my @calls = split ' ', $list;
cmp_ok(scalar @calls, '>', 15, scalar @calls . ' calls to try');

# Fails: restore() that does nothing, in the guard (emit/guard.c); a call added to allow_terminal() (loader/sandbox.c).
sub test_view {
	my ($way, %allowed) = @_;
	for my $call (grep { !$allowed{$_} } @calls) {
		my $view = start_view($way);
		my (undef, $result) = run('build/test/inject', $view->{rstat}, $call);
		is($result, "killed SYS\n", "$way: the view: $call");
		check_left($view, $call);
	}
}

# Fails: watch() without sandbox_enter() (emit/guard.c).
sub test_guard {
	my ($way) = @_;
	for my $call (grep { $_ !~ /^(?:clock_gettime|close)$/ } @calls) {
		my $view = start_view($way);
		my (undef, $result) = run('build/test/inject', $view->{guard}, $call);
		is($result, "killed SYS\n", "the guard: $call");
		my $size = -s "$folder/screen";
		ok(until_true(sub { -s "$folder/screen" > $size }), 'the view goes on');
		kill TERM => $view->{rstat};
		check_left($view, $call);
	}
}

# these sandbox.t tries: reading below /sys, and what the loop needs
my %allowed = map { $_ => 1 } 'clock_gettime', 'close', grep { /^open-(?:below|sys)/ } @calls;
test_view($attach, %allowed);
test_guard('proc');
done_testing();
