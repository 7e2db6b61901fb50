#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Shell completions: what is committed is what the option table gives, and real shells complete with it.
use strict;
use warnings;
use Cwd ();
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

$ENV{PWD} = Cwd::getcwd();
my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);

# Fails: an option added to the table, and `make completions` not run.
sub test_fresh {
	my ($status, undef, $stderr) = run('docs/completions/generate', './rstat', "$folder");
	is($status, 0, 'the completions can be made') or diag $stderr;
	for my $file ('rstat.bash', '_rstat', 'rstat.fish') {
		is(slurp("docs/completions/$file"), slurp("$folder/$file"), "$file is up to date: make completions");
	}
}

# What bash offers for a command line, the last word of which is being typed.
sub bash {
	my (@words) = @_;
	my $script = 'source docs/completions/rstat.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rstat; printf "%s\n" "${COMPREPLY[@]}"';
	my (undef, $stdout) = run('bash', '-c', $script, 'bash', @words);
	return [sort grep { length } split /\n/, $stdout];
}

sub fish {
	my ($line) = @_;
	my (undef, $stdout) = run('env', "HOME=$folder", "XDG_CONFIG_HOME=$folder", "XDG_DATA_HOME=$folder", 'fish', '--no-config', '-c',
		"source docs/completions/rstat.fish; complete -C '$line'");
	return [sort map { s/\t.*//r } split /\n/, $stdout];
}

# zsh completes only on a terminal, which tmux gives it: the screen once $awaited is on it.
my $servers = 0;

sub zsh {
	my ($line, $awaited) = @_;
	my @tmux = ('tmux', '-S', "$folder/tmux" . $servers++, '-f', '/dev/null');
	system(@tmux, 'new-session', '-d', '-x', 100, '-y', 30, "zsh -f") == 0 or return '';
	my $send = sub { system @tmux, 'send-keys', @_ };
	my $screen = sub { return scalar qx(@tmux capture-pane -p) };
	my $await = sub {
		my ($what) = @_;
		for (1 .. 300) {
			return 1 if $screen->() =~ $what;
			sleep 0.1;
		}
		return;
	};
	$send->("PS1='> '; fpath=($ENV{PWD}/docs/completions \$fpath); autoload -Uz compinit; compinit -u -d $folder/dump; print re''ady", 'Enter');
	$await->(qr/^ready$/m);
	$send->('-l', $line);
	$send->('Tab');
	$await->($awaited);
	my $shown = $screen->();
	system @tmux, 'kill-server';
	return $shown;
}

sub test_bash {
	SKIP: {
		skip 'needs bash', 4 if system 'command -v bash >/dev/null';
		my @faces = sort 'auto', slurp_faces();
		is_deeply(bash('rstat', '-o', ''), \@faces, 'bash: faces after -o');
		is_deeply(bash('rstat', '--output', '=', 'js'), ['json'], 'and after --output=');
		is_deeply(bash('rstat', '--attach', 'p'), ['perf', 'proc'], 'ways to attach');
		ok((grep { $_ eq '--interval' } @{ bash('rstat', '--in') }), 'and options');
	}
}

sub slurp_faces {
	my (undef, $list) = run('./rstat', '--list');
	my ($faces) = split /^Placeholders/m, $list;
	return $faces =~ /^  (\w+)/mg;
}

sub test_fish {
	SKIP: {
		skip 'needs fish', 3 if system 'command -v fish >/dev/null';
		is_deeply(fish('rstat -o '), [sort 'auto', slurp_faces()], 'fish: faces after -o');
		is_deeply(fish('rstat --attach p'), ['perf', 'proc'], 'ways to attach');
		ok((grep { $_ eq '--interval' } @{ fish('rstat --inter') }), 'and options');
	}
}

sub test_zsh {
	SKIP: {
		skip 'needs zsh and tmux', 2 if grep { system "command -v $_ >/dev/null" } 'zsh', 'tmux';
		like(zsh('rstat --attach p', qr/perf\s+proc/), qr/\bperf\b.*\bproc\b|\bproc\b.*\bperf\b/s, 'zsh: ways to attach');
		like(zsh('rstat --inter', qr/--interval/), qr/--interval/, 'and options');
	}
}

test_fresh();
test_bash();
test_fish();
test_zsh();
done_testing();
