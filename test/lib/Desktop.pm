# SPDX-License-Identifier: MIT
# A desktop for the tests of real bars: sway, headless in Xvfb, as a user of its own, with rstat in PATH as `make
# install-caps` leaves it. Pictures are what the user sees; text in them is read by OCR.
package Desktop;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(:flock);
use File::Temp ();
use POSIX ();
use Time::HiRes qw(sleep);
use Rstat;

our @EXPORT = qw(
	desktop_missing desktop_open desktop_write desktop_run swaymsg wait_for
	picture colour_box plain_box read_text point press point_away own_processes parent_of code_block
);

my $user = 'rstat-bars';
my @programs = qw(sway waybar swaybar grim Xvfb xdotool tesseract convert dbus-run-session setpriv setcap useradd userdel pkill);
$ENV{OMP_THREAD_LIMIT} = 1;	# of tesseract
my ($uid, $gid, $folder, $display, $lock, $owner);

# What is not here.
sub desktop_missing {
	return grep { system "command -v $_ >/dev/null 2>&1" } @programs;
}

# Until it returns something true, which is returned; undef after a long time.
sub wait_for {
	my ($what, $within_s) = @_;
	my $until = now() + ($within_s // 60);
	for (;;) {
		my $value = $what->();
		return $value if $value;
		return if now() > $until;
		sleep 0.05;
	}
}

# The processes of the test's user, by what they call themselves.
sub own_processes {
	my ($name) = @_;
	my @pids;
	for (glob '/proc/[0-9]*') {
		my $status = slurp("$_/status");
		next unless $status =~ /^Uid:\s+$uid\s/m && $status =~ /^State:\s+[^ZX]/m;
		next if defined $name && $status !~ /^Name:\s+\Q$name\E$/m;
		push @pids, /(\d+)$/;
	}
	@pids = sort { $a <=> $b } @pids;
	return @pids;
}

sub parent_of { return slurp("/proc/$_[0]/status") =~ /^PPid:\s+(\d+)/m ? $1 : 0 }

sub end_all {
	return unless defined $uid;
	wait_for(sub {
		kill KILL => $_ for own_processes();
		return !own_processes();
	}, 20);
}

# One at a time on this machine: the user is one, too.
sub make_user {
	open $lock, '>', '/tmp/rstat-bars.lock' or die "lock: $!\n";
	flock $lock, LOCK_EX or die "lock: $!\n";
	if (!getpwnam $user) {
		system('useradd', '--system', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/bin/sh', $user) == 0
			or die "useradd\n";
	}
	(undef, undef, $uid, $gid) = getpwnam $user or die "no user $user\n";
	$owner = $$;
	end_all();
}

END {
	my $code = $?;
	if (defined $owner && $owner == $$) {
		end_all();
		system "userdel $user >/dev/null 2>&1";
		undef $folder;
	}
	$? = $code;
}

sub desktop_write {
	my ($name, $text, $mode) = @_;
	open my $file, '>:raw', "$folder/$name" or die "$name: $!\n";
	print $file $text;
	close $file or die "$name: $!\n";
	chmod $mode // 0644, "$folder/$name";
	return "$folder/$name";
}

sub as_user {
	my (@command) = @_;
	my ($socket) = glob "$folder/run/sway-ipc.*.sock";
	my ($wayland) = grep { /wayland-\d+$/ } glob "$folder/run/wayland-*";
	my %environment = (
		HOME => "$folder/home", XDG_RUNTIME_DIR => "$folder/run", PATH => "$folder/bin:$ENV{PATH}", LANG => 'C.UTF-8',
		XDG_CONFIG_HOME => "$folder/home/.config", LIBGL_ALWAYS_SOFTWARE => 1, WLR_BACKENDS => 'x11', WLR_RENDERER => 'pixman',
		GDK_BACKEND => 'wayland', NO_AT_BRIDGE => 1,
		defined $display ? (DISPLAY => ":$display") : (), defined $socket ? (SWAYSOCK => $socket) : (),
		defined $wayland ? (WAYLAND_DISPLAY => $wayland =~ s{.*/}{}r) : (),
	);
	return ('setpriv', '--reuid', $uid, '--regid', $gid, '--clear-groups', 'env', '-i', (map { "$_=$environment{$_}" } sort keys %environment),
		@command);
}

# Runs a command as the user: what it wrote, or undef where it failed.
sub desktop_run {
	my ($status, $stdout) = run(as_user(@_));
	return defined $status && $status == 0 ? $stdout : undef;
}

sub swaymsg { return desktop_run('swaymsg', @_) }

# rstat as an installed one, behind a script that adds what is in $folder/arguments: the bar's own line stays as it is.
sub install {
	mkdir "$folder/$_" or die "$_: $!\n" for 'bin', 'real', 'home', 'home/.config', 'home/.config/waybar', 'run';
	chown $uid, $gid, map { "$folder/$_" } 'home', 'home/.config', 'home/.config/waybar', 'run';
	chmod 0700, "$folder/run";
	system('cp', 'rstat', "$folder/real/rstat") == 0 or die "cp\n";
	system("setcap cap_bpf,cap_perfmon+ep $folder/real/rstat 2>/dev/null") == 0 or return 0;
	desktop_write('arguments', '');
	desktop_write('bin/rstat', "#!/bin/sh\neval \"exec '$folder/real/rstat' \\\"\\\$\@\\\" \$(cat '$folder/arguments')\"\n", 0755);
	return 1;
}

# Starts X and sway with this configuration. Returns an error that is a reason to skip, or nothing.
sub desktop_open {
	my ($configuration) = @_;
	make_user();
	$folder = File::Temp->newdir('rstat-bars-XXXXXX', TMPDIR => 1);
	chmod 0755, $folder;
	install() or return 'needs file capabilities where temporary files are';
	mkdir '/tmp/.X11-unix' and chmod 01777, '/tmp/.X11-unix';
	my $x = Rstat::start(as_user('Xvfb', '-displayfd', 1, '-screen', 0, '1280x900x24', '-nolisten', 'tcp'));
	$display = next_line($x) // die 'Xvfb: ' . slurp($x->{err}->filename);
	desktop_write('sway', $configuration);
	my $sway = Rstat::start(as_user('dbus-run-session', 'sway', '-c', "$folder/sway"));
	wait_for(sub { defined swaymsg('-t', 'get_outputs') }) or die 'sway: ' . slurp($sway->{err}->filename);
	return;
}

# ---- what is seen

# Takes a picture: { width, height, pixels }.
sub picture {
	my $bytes = wait_for(sub { desktop_run('grim', '-t', 'ppm', '-') }) // die "no picture\n";
	my ($width, $height) = $bytes =~ /\AP6\s+(\d+)\s+(\d+)\s+255\s/ or die "no picture\n";
	my $picture = { width => $width, height => $height, pixels => substr $bytes, length($bytes) - 3 * $width * $height };
	return $picture;
}

# [left, top, right, bottom, pixels] of what has this colour ("#rrggbb"), nearly; undef where nothing has.
sub colour_box {
	my ($picture, $colour, $from, $to) = @_;
	my @want = map { hex } $colour =~ /^#(..)(..)(..)$/;
	my ($left, $top, $right, $bottom, $count) = (1e9, 1e9, -1, -1, 0);
	for my $y ($from // 0 .. ($to // $picture->{height}) - 1) {
		my $row = substr $picture->{pixels}, 3 * $y * $picture->{width}, 3 * $picture->{width};
		my @row = unpack 'C*', $row;
		for (my $x = 0; $x < $picture->{width}; $x++) {
			next if abs($row[3 * $x] - $want[0]) > 12 || abs($row[3 * $x + 1] - $want[1]) > 12 || abs($row[3 * $x + 2] - $want[2]) > 12;
			$left = $x if $x < $left;
			$right = $x if $x > $right;
			$top = $y if $y < $top;
			$bottom = $y if $y > $bottom;
			$count++;
		}
	}
	return $count ? [$left, $top, $right, $bottom, $count] : undef;
}

# The box of what has exactly this colour, as a background has, below a line.
sub plain_box {
	my ($picture, $colour, $from) = @_;
	my $want = pack 'C3', map { hex } $colour =~ /^#(..)(..)(..)$/;
	my ($left, $top, $right, $bottom) = (1e9, undef, -1);
	for my $y ($from .. $picture->{height} - 1) {
		my $row = substr $picture->{pixels}, 3 * $y * $picture->{width}, 3 * $picture->{width};
		my $first = index $row, $want;
		$first = index $row, $want, $first + 1 while $first >= 0 && $first % 3;
		next if $first < 0;
		my $last = rindex $row, $want;
		$left = $first / 3 if $first / 3 < $left;
		$right = int($last / 3) if $last / 3 > $right;
		$top //= $y;
		$bottom = $y;
	}
	return defined $top ? [$left, $top, $right, $bottom] : undef;
}

# The text in a picture, or in a part of it [left, top, right, bottom]; it is kept as build/bars/NAME.png.
sub read_text {
	my ($picture, $name, $part) = @_;
	mkdir 'build/bars';
	my ($left, $top, $right, $bottom) = $part ? @$part : (0, 0, $picture->{width} - 1, $picture->{height} - 1);
	open my $file, '>:raw', "build/bars/$name.ppm" or die "build/bars/$name.ppm: $!\n";
	print $file "P6\n$picture->{width} $picture->{height}\n255\n$picture->{pixels}";
	close $file;
	run('convert', "build/bars/$name.ppm", '-crop', ($right - $left + 1) . 'x' . ($bottom - $top + 1) . "+$left+$top", '+repage',
		"build/bars/$name.png");
	run('convert', "build/bars/$name.png", '-colorspace', 'Gray', '-negate', '-resize', '300%', '-bordercolor', 'white', '-border', '20',
		"build/bars/$name.ocr.png");
	my ($status, $text) = run('tesseract', "build/bars/$name.ocr.png", '-', '--psm', '6', '-c', 'preserve_interword_spaces=1');
	unlink map { "build/bars/$name.$_" } 'ppm', 'ocr.png';
	return $text;
}

# ---- hands

sub point { return desktop_run('xdotool', 'mousemove', int $_[0], int $_[1]) }
sub point_away { return point(300, 700) }
sub press { return desktop_run('xdotool', 'click', $_[0]) }

# The n-th block of code of a language below a headline of a file.
sub code_block {
	my ($path, $headline, $language, $number) = @_;
	my ($section) = slurp($path) =~ /^## \Q$headline\E\n(.*?)(?=^## |\z)/ms or die "$path: no $headline\n";
	my @blocks = $section =~ /^```\Q$language\E\n(.*?)^```$/msg;
	return $blocks[$number // 0] // die "$path: no block of $language below $headline\n";
}

1;
