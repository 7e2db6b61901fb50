#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Real bars: Waybar and swaybar in sway, with the configuration that docs/bars.md gives, as another user with rstat installed as
# `make install-caps` does. What is checked is what is seen; the pictures stay in build/bars.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;
use Desktop;

needs_root();
if (my @missing = desktop_missing()) { plan skip_all => "needs @missing" }

my %colours = (warning => '#ffb52a', critical => '#ff5555');
my $background = '#1a1b26';
my $screen = "output X11-1 mode 1280x900\nxwayland disable\n";
my $bar_height = 30;
my $text_end = 25;	# below it the border of a class may have the same colour
my $hostile = '<b>&"\x2d';
my $document = 'docs/bars.md';

# The module's place in the bar, by its colour.
sub module_box {
	my ($colour) = @_;
	return colour_box(picture(), $colour, 0, $text_end);
}

# What the bar says, once it is as expected, and else what it said last.
sub bar_text {
	my ($name, $colour, $expected) = @_;
	my $text = '';
	wait_for(sub {
		my $picture = picture();
		my $box = colour_box($picture, $colour, 0, $text_end) or return;
		my $left = $box->[0] > 12 ? $box->[0] - 12 : 0;
		my $right = $box->[2] + 12 < $picture->{width} ? $box->[2] + 12 : $picture->{width} - 1;
		$text = read_text($picture, $name, [$left, 0, $right, $bar_height - 2]) =~ s/\s+\z//r;
		return $text =~ $expected;
	});
	return $text;
}

# The pointer over the module, and what the tooltip says once it is as expected in all that is. A click closes a tooltip,
# a movement opens it. What is seen changes, and the OCR's mistakes with it.
sub tooltip_text {
	my ($name, $colour, @expected) = @_;
	my $text = '';
	my $way = 0;
	wait_for(sub {
		my $box = module_box($colour) or return;
		point(($box->[0] + $box->[2]) / 2 + $way++ % 5, $bar_height / 2);
		my $tooltip = wait_for(sub { plain_box(picture(), $background, $bar_height) }, 2) or return;
		my $picture = picture();
		$tooltip = plain_box($picture, $background, $bar_height) or return;
		$text = read_text($picture, $name, $tooltip);
		return !grep { $text !~ $_ } @expected;
	});
	return $text;
}

# rstat's arguments from the next start on, beside those of the configuration.
sub arguments { desktop_write('arguments', join ' ', @_) }

sub configure {
	my ($bar) = @_;
	desktop_write('sway', "$screen$bar");
	return defined swaymsg('reload');
}

sub configure_waybar {
	desktop_write('home/.config/waybar/config', code_block($document, 'Waybar', 'json'));
	desktop_write('home/.config/waybar/style.css', code_block($document, 'Waybar', 'css'));
}

# Exactly one rstat, not one of these.
sub one_rstat {
	my (@old) = @_;
	my %old = map { $_ => 1 } @old;
	my @now;
	wait_for(sub {
		@now = own_processes('rstat');
		return @now == 1 && !$old{ $now[0] };
	});
	return @now;
}

sub none_left {
	my ($name) = @_;
	wait_for(sub { !own_processes($name) });
	return [own_processes($name)];
}

# Fails: another colour in style.css, a class that Waybar does not get (emit/waybar.c), names that are not escaped (safe.c).
sub test_waybar {
	my $loads = load_start('names', map { unpack 'H*', $_ } $hostile, 'firefox', 'cc1');
	configure_waybar();
	arguments('--class-on', 'mem', '--warning', 0, '--critical', 100, '--min-cpu', 0, '--no-kernel', '-t', 20);
	ok(configure("bar {\n    swaybar_command waybar\n}\n"), 'sway starts waybar');
	like(bar_text('waybar-text', $colours{warning}, qr/\d+%\s+\d+%/), qr/^\d+\.\d+\s+\d+%\s+\d+%$/, 'its text in the colour of its class');
	my @tooltip = (
		[qr/^Load\s+\d/m, 'the tooltip opens'],
		[qr/every [1lI]\s*s/, 'and tells the interval'],
		[qr/^\s*[\d.]+%\s+firefox\s+\d+/m, 'and has the top list'],
		[qr/^\s*[\d.]+%\s+<b>&\s*["“”'‘’]+\s*[-—_]?/m, 'a hostile name is shown as it is'],
	);
	my $tooltip = tooltip_text('waybar-tooltip', $colours{warning}, map { $_->[0] } @tooltip);
	like($tooltip, $_->[0], $_->[1]) for @tooltip;
	test_clicks();
	test_reload();
	load_stop($loads);
}

# Fails: take_signal() without one of the signals (emit/loop.c), on-click spelt wrong in the document.
sub test_clicks {
	my @ways = (
		[1, qr/every 500\s*ms/, 'a click changes the interval'],
		[4, qr/every 250\s*ms/, 'the wheel up makes it shorter'], [5, qr/every 500\s*ms/, 'and down longer'],
	);
	for (@ways) {
		my ($button, $expected, $what) = @$_;
		press($button);
		like(tooltip_text('waybar-click', $colours{warning}, $expected), $expected, $what);
	}
	my $memory_alone = qr/\ALoad[^\n]*\n\s*CPU[^\n]*\n(?:(?!firefox).)*Memory/s;
	press(3);
	press(3);
	like(tooltip_text('waybar-list', $colours{warning}, $memory_alone), $memory_alone, 'the right button shows one list alone');
}

# Fails: no PDEATHSIG and no POLLERR of stdout (emit/main.c, loop.c): orphans.
sub test_reload {
	my @old = own_processes('rstat');
	is(scalar @old, 1, 'one rstat');
	arguments('--class-on', 'mem', '--warning', 0, '--critical', 0);
	ok(configure("bar {\n    swaybar_command waybar\n}\n"), 'sway reloads');
	like(bar_text('waybar-critical', $colours{critical}, qr/\d%/), qr/\d%/, 'the new one is critical, and says so by its colour');
	my @now = one_rstat(@old);
	is(scalar @now, 1, 'a reload leaves exactly one rstat') or diag "@old, then @now";
	my ($waybar) = own_processes('waybar');
	is(parent_of($now[0]), $waybar, 'the bar is its parent: no shell stands between');
	kill KILL => $waybar;
	is_deeply(none_left('rstat'), [], 'killing waybar leaves none');
}

# Fails: click_events false or no input (emit/i3bar.c), a button exchanged in obey(), own_signals() without 39 or 40 (loop.c):
# hiding the bar then ends rstat.
sub test_swaybar {
	arguments('--class-on', 'mem', '--warning', 0, '--critical', 100, '--text', "'every {interval}, mem {mem}%'");
	ok(configure(code_block($document, 'sway and i3', '')), 'sway starts swaybar');
	like(bar_text('swaybar', $colours{warning}, qr/every [1lI]\s*s, mem \d+%/), qr/every [1lI]\s*s, mem \d+%/, 'it runs the face i3bar, and shows a block');
	my @rstat = own_processes('rstat');
	is(scalar @rstat, 1, 'one rstat');
	for ([1, qr/every 500\s*ms/, 'a click'], [4, qr/every 250\s*ms/, 'the wheel up'], [5, qr/every 500\s*ms/, 'the wheel down']) {
		my ($button, $expected, $what) = @$_;
		# its left end: on a busy machine blocks of the same colour follow it
		my $box = wait_for(sub { module_box($colours{warning}) }) // [0, 0, 0, 0];
		point($box->[0] + 4, ($box->[1] + $box->[3]) / 2);
		press($button);
		like(bar_text('swaybar-click', $colours{warning}, $expected), $expected, "$what is delivered and obeyed");
	}
	ok(defined swaymsg('bar', 'mode', 'invisible'), 'the bar hides');
	ok(wait_for(sub { !module_box($colours{warning}) }), 'and is not seen');
	ok(defined swaymsg('bar', 'mode', 'dock'), 'the bar is back');
	like(bar_text('swaybar-back', $colours{warning}, qr/every 500\s*ms/), qr/every 500\s*ms/, 'with its text');
	is_deeply([own_processes('rstat')], \@rstat, 'of the same rstat');
	kill TERM => own_processes('swaybar');
	is_deeply(none_left('rstat'), [], 'the end of swaybar is its end');
}

# ---- the picture of README, for `make pictures`: processes of our own, and none of the machine's

# A process of this name that does something again and again, until the test ends.
sub actor {
	my ($name, $memory_mib, $act) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	local $SIG{TERM} = 'DEFAULT';
	$0 = $name;
	my $memory = 'x' x ($memory_mib << 20);
	my $parent = getppid;
	$act->() while getppid == $parent;
	POSIX::_exit(0);
}

sub burn {
	my ($s) = @_;
	my $until = now() + $s;
	1 while now() < $until;
}

sub compile {
	for (1 .. 3) {
		my $pid = fork // return;
		if (!$pid) { $0 = 'cc1'; burn(0.03); POSIX::_exit(0) }
		waitpid $pid, 0;
	}
	sleep 0.1 + 0.15 * (1 + sin(now() / 6));
}

sub save_picture {
	my ($picture, $tooltip) = @_;
	mkdir 'docs/pictures';
	open my $file, '>:raw', 'build/bars/readme.ppm' or die "readme.ppm: $!\n";
	print $file "P6\n$picture->{width} $picture->{height}\n255\n$picture->{pixels}";
	close $file;
	my ($left, $bottom) = ($tooltip->[0] - 24, $tooltip->[3] + 16);
	my ($status) = run('convert', 'build/bars/readme.ppm', '-crop', ($picture->{width} - $left) . "x$bottom+$left+0", '+repage', '-strip',
		'-colors', 64, 'PNG8:docs/pictures/waybar.png');
	unlink 'build/bars/readme.ppm';
	return $status == 0;
}

sub test_picture {
	my ($disk) = File::Temp->new(DIR => 'build', TEMPLATE => 'picture-XXXXXX');
	my %ours = map { $_ => 1 } 'firefox', 'Web Content', 'make', 'cc1', 'ccl', 'rsync';	# OCR's cc1
	my $piece = 'x' x (1 << 20);
	my @actors = (
		actor('firefox', 1400, sub { burn(0.03 + 0.025 * sin(now() / 9)); sleep 0.15 }),
		actor('Web Content', 620, sub { burn(0.01); sleep 0.1 }),
		actor('make', 1, \&compile),
		actor('rsync', 1, sub { sysseek $disk, 0, 0; syswrite $disk, $piece; $disk->sync; sleep 0.12 }),
	);
	arguments('--no-kernel', '--min-cpu', 2.5, '--min-mem', '600M', '--min-io', '4M', '--class-on', 'mem', '--top', 4);
	configure_waybar();
	ok(configure("bar {\n    swaybar_command waybar\n}\n"), 'waybar for the picture');
	my $way = 0;
	my $taken = wait_for(sub {
		# the graphs have 54 columns, a second each; nothing else of the test runs meanwhile
		sleep($way ? 8 : 62);
		for (1 .. 4) {
			point(1190 + $way++ % 9, $bar_height / 2);
			sleep 1;
		}
		sleep 2;
		my $picture = picture();
		my $tooltip = plain_box($picture, $background, $bar_height) or return;
		my $text = read_text($picture, 'waybar-readme', $tooltip);
		my @names = map { s/\s+$//r } $text =~ /^\s*[\d.]+[%KMGT]?(?:\/s)?\s+([A-Za-z<][\w .:\/<>-]*?)\s\s+(?:\d|[x×])/mg;
		note "seen: @names";
		return if @names < 5 || grep { !$ours{$_} } @names;
		return if $text =~ /tokio|kdamond|memfd|sealed/i;
		return save_picture($picture, $tooltip);
	}, 200);
	ok($taken, 'a picture with nothing of this machine in it');
	cmp_ok(-s 'docs/pictures/waybar.png' // 1e9, '<', 100 << 10, 'under 100 KiB');
	kill KILL => @actors;
	waitpid $_, 0 for @actors;
}

if (defined(my $reason = desktop_open($screen))) { plan skip_all => $reason }
if ($ENV{RSTAT_PICTURE}) {
	test_picture();
} else {
	test_waybar();
	test_swaybar();
}
done_testing();
