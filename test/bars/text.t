#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The text face in bars that are not Waybar, with the configurations that docs/bars.md has: polybar and yambar in X, whose
# pictures are read, and tmux's status line.
use strict;
use warnings;
use Cwd ();
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();
my $limit_s = $ENV{RSTAT_TERM_SECONDS} // 90;
my $folder = File::Temp->newdir('rstat-text-XXXXXX', TMPDIR => 1);
my $here = Cwd::getcwd();
$ENV{PATH} = "$here:$ENV{PATH}";
$ENV{OMP_THREAD_LIMIT} = 1;	# of tesseract
my $docs = slurp('docs/bars.md');

my @servers;	# tmux's
END {
	my $code = $?;
	kill KILL => $_ for grep { kill 0 => $_ } @servers;
	$? = $code;
}

sub missing { return grep { system "command -v $_ >/dev/null 2>&1" } @_ }

sub until_true {
	my ($true) = @_;
	my $end = now() + $limit_s;
	my $value;
	until ($value = $true->()) {
		return if now() > $end;
		sleep 0.1;
	}
	return $value;
}

# The block of the page with this language, as a file.
sub config {
	my ($language, $name) = @_;
	my ($block) = $docs =~ /^```\Q$language\E\n(.*?)^```$/ms or die "docs/bars.md has no $language\n";
	open my $file, '>', "$folder/$name" or die;
	print $file $block;
	close $file;
	return "$folder/$name";
}

# What the screen says, by OCR.
sub read_screen {
	system "import -window root -crop 1280x24+0+0 +repage -resize 300% -colorspace gray -negate $folder/screen.png 2>/dev/null";
	my (undef, $text) = run('tesseract', "$folder/screen.png", '-', '--psm', '6');
	return $text // '';
}

# rstat of this test: below this process.
sub rstats {
	my %parent;
	for (glob '/proc/[0-9]*/stat') {
		$parent{$1} = [$4, $2] if slurp($_) =~ /^(\d+) \((.*)\) ([^Z]) (\d+)/s;
	}
	my @found;
	for my $pid (keys %parent) {
		my $at = $pid;
		$at = $parent{$at}[0] while $at > 1 && $at != $$ && $parent{$at};
		push @found, $pid if $at == $$ && $parent{$pid}[1] eq 'rstat';
	}
	return @found;
}

# A bar in X: shows the figures, and takes rstat with it. Fails: a recipe whose option is misspelt.
sub test_bar {
	my ($name, @command) = @_;
	SKIP: {
		my @missing = missing($name, 'Xvfb', 'import', 'tesseract');
		skip "$name: needs @missing", 3 if @missing;
		my $x = Rstat::start('Xvfb', '-displayfd', 1, '-screen', 0, '1280x400x24', '-nolisten', 'tcp');
		local $ENV{DISPLAY} = ':' . next_line($x);
		delete local $ENV{WAYLAND_DISPLAY};
		my $bar = Rstat::start(@command);
		my $text = '';
		ok(until_true(sub { ($text = read_screen()) =~ /load\s*\d.*cpu\s*\d.*mem\s*\d/i }), "$name shows the figures")
			or diag $text, slurp($bar->{err}->filename);
		is(scalar(my @pid = rstats()), 1, "$name runs one rstat");
		kill TERM => $bar->{pid};
		Rstat::ended($bar);
		ok(until_true(sub { !rstats() && !grep { kill 0 => $_ and slurp("/proc/$_/stat") !~ /\) Z/ } @pid }), "$name ends, and rstat with it");
		Rstat::stop($x, 'TERM');
	}
}

sub test_tmux {
	SKIP: {
		skip 'needs tmux', 2 if missing('tmux');
		my @tmux = ('tmux', '-u', '-S', "$folder/socket");
		my $config = config('tmux', 'tmux.conf');
		run(@tmux, '-f', $config, 'new-session', '-d', '-x', 120, '-y', 10, 'cat');
		my (undef, $server) = run(@tmux, 'display-message', '-p', '#{pid}');
		# an attached client, whose status line is a row of the outer one's screen
		run('tmux', '-u', '-S', "$folder/outer", '-f', '/dev/null', 'new-session', '-d', '-x', 120, '-y', 12,
			"env -u TMUX TERM=screen @tmux attach");
		my (undef, $outer) = run('tmux', '-S', "$folder/outer", 'display-message', '-p', '#{pid}');
		@servers = grep { $_ } map { /(\d+)/ } $outer, $server;
		my $text = '';
		ok(until_true(sub {
			(undef, $text) = run('tmux', '-S', "$folder/outer", 'capture-pane', '-p');
			return $text =~ /load \d+\.\d\d cpu \d+ mem \d+/;
		}), 'tmux shows the figures') or diag $text;
		kill TERM => @servers;
		ok(until_true(sub { !grep { kill 0 => $_ } @servers }), 'and ends');
	}
}

test_bar('polybar', 'polybar', '-c', config('ini', 'polybar.ini'), 'main');
test_bar('yambar', 'yambar', '-b', 'xcb', '-c', config('yaml', 'yambar.yml'));
test_tmux();
done_testing();
