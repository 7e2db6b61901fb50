#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# README's picture of the live view: what it writes for the sample of test/unit/test_screen.c (test/golden/picture.screen), in a
# real terminal, xterm. RSTAT_PICTURES names the folder where it is kept.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

my @missing = grep { system "command -v $_ >/dev/null 2>&1" } qw(Xvfb xterm import tesseract);
plan skip_all => "needs @missing" if @missing;
plan skip_all => 'needs fonts-dejavu-core' unless `fc-list` =~ /DejaVu Sans Mono/;

my $folder = File::Temp->newdir('rstat-picture-XXXXXX', TMPDIR => 1);
my $picture = ($ENV{RSTAT_PICTURES} // $folder) . '/terminal.png';
$ENV{OMP_THREAD_LIMIT} = 1;	# of tesseract

mkdir $ENV{RSTAT_PICTURES} if $ENV{RSTAT_PICTURES} && !-d $ENV{RSTAT_PICTURES};

my $screen = slurp('test/golden/picture.screen') =~ s/\n//gr;
open my $file, '>', "$folder/screen" or die;
print $file "\e[?25l$screen";
close $file;

my $x = Rstat::start('Xvfb', '-displayfd', 1, '-screen', 0, '1200x800x24', '-nolisten', 'tcp');
$ENV{DISPLAY} = ':' . next_line($x);
my $xterm = Rstat::start('xterm', '-u8', '-fa', 'DejaVu Sans Mono', '-fs', 12, '-geometry', '100x30+0+0', '-b', 8,
	'-bg', '#16181d', '-fg', '#d8dee9', '-e', 'sh', '-c', "cat $folder/screen; sleep 600");

# It is there when its last row can be read.
my $text = '';
my $until = now() + 90;
until ($text =~ /every .*keys/ || now() > $until) {
	sleep 0.2;
	my $id = `xwininfo -root -tree 2>/dev/null` =~ /(0x[0-9a-f]+) .*"XTerm"/ ? $1 : next;
	next if system "import -window $id $folder/shot.png 2>/dev/null";
	system "convert $folder/shot.png -colorspace gray -negate -resize 250% $folder/ocr.png";
	(undef, $text) = run('tesseract', "$folder/ocr.png", '-', '--psm', '6');
}
system 'cp', "$folder/shot.png", $picture if "$folder/shot.png" ne $picture;

# Fails: a line feed at the end of the screen, which scrolls the first row away.
like($text, qr/$_/, "it says $_") for 'Load', '8 CPUs', 'CPU', 'Memory', 'Swap', 'read 121M', 'firefox', 'Web Content',
	'emacs', '1234567|3120', '212 ended', 'by btf';
my $size = -s $picture // 0;
cmp_ok($size, '>', 5000, "a picture of $size bytes");
cmp_ok($size, '<', 200000, 'not too large');
Rstat::stop($xterm, 'KILL');
Rstat::stop($x, 'TERM');
done_testing();
