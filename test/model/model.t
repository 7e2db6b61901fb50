#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The models of this folder: no state of the right ones may break a rule, and in each broken one spin has to find a state that
# does. Every step of a right model has to be reached in one of its runs. RSTAT_PARTS=life,running,broken only these.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $here = abs_path(dirname(__FILE__));
my %wanted = map { $_ => 1 } split /,/, $ENV{RSTAT_PARTS} // '';

# model, what it shows, its sizes
my @right = (
	[ 'life', 'two tasks, one slot, three epochs', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'two tasks, two slots', '-DNO_PASS -DROUNDS=1' ],
	[ 'life', 'the next scan sees what is marked, and what was under way during one or two', '-DTASKS=1 -DRUNS=2 -DNO_PASS -DFRESH -DSLEEPER' ],
	[ 'life', 'a birth that is not seen, passes', '-DTASKS=1 -DRUNS=2 -DUNBORN' ],
	[ 'life', 'the same, where switches adopt nobody', '-DTASKS=1 -DRUNS=2 -DUNBORN -DNO_ADOPTION' ],
	[ 'life', 'an end that is not seen', '-DTASKS=1 -DRUNS=2 -DUNBORN -DBLIND' ],
	[ 'life', 'two tasks, one slot, births and ends that are not seen', '-DSLOTS=1 -DROUNDS=1 -DUNBORN -DBLIND' ],
	[ 'life', 'who is found among those that ran lately', '-DTASKS=1 -DRUNS=3 -DUNBORN -DRECENT' ],
	[ 'life', 'two of them, one slot, ends that are not seen', '-DSLOTS=1 -DROUNDS=1 -DRUNS=2 -DBLIND -DRECENT' ],
	[ 'life', 'who waits for a slot and sleeps', '-DSLOTS=1 -DROUNDS=1 -DSLEEPER' ],
	[ 'running', 'all switches seen', '-DSWITCHES=4' ],
	[ 'running', 'switches that are not seen', '-DUNSEEN' ],
	[ 'running', 'the same, of what ran when the probe came', '-DUNSEEN -DBEGAN' ],
	[ 'running', 'the number of who left unseen is given out again', '-DUNSEEN -DREUSE' ],
);

# model, what is broken in it, sizes that suffice
my @broken = (
	[ 'life', 'POP', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'NO_RECHECK', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'NO_MARK', '-DTASKS=1 -DRUNS=2 -DNO_PASS -DFRESH -DSLEEPER' ],
	[ 'life', 'WINDOW', '-DTASKS=1 -DRUNS=2 -DNO_PASS -DFRESH -DSLEEPER' ],
	[ 'life', 'HIGH', '-DNO_PASS -DROUNDS=1' ],
	[ 'life', 'CLAIM', '-DTASKS=1 -DRUNS=2 -DUNBORN' ],
	[ 'life', 'FILL', '-DTASKS=1 -DRUNS=2 -DUNBORN' ],
	[ 'life', 'BASE', '-DTASKS=1 -DRUNS=2 -DUNBORN' ],
	[ 'life', 'FREE', '-DTASKS=1 -DRUNS=2' ],
	[ 'life', 'FREE_AT_EXIT', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'EPOCH_FIRST', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'NO_PUSH', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'OTHER', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'SETTLE', '-DSLOTS=1 -DROUNDS=1 -DSLEEPER' ],
	[ 'life', 'LATE_STATE', '-DTASKS=1 -DRUNS=2 -DUNBORN -DBLIND' ],
	[ 'life', 'STALE', '-DTASKS=1 -DRUNS=2' ],
	[ 'life', 'GENERATION', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'ODD', '-DSLOTS=1 -DNO_PASS' ],
	[ 'life', 'LAST', '-DSLOTS=1 -DNO_PASS' ],
	[ 'running', 'SEQUENCE', '' ],
	[ 'running', 'CURRENT', '-DUNSEEN' ],
	[ 'running', 'UNSEEN', '-DUNSEEN' ],
	[ 'running', 'SEED_SEQUENCE', '-DUNSEEN -DSWITCHES=5' ],
	[ 'running', 'ONCE', '-DUNSEEN -DREUSE' ],
);

# Compiles and runs a model: what pan says, and where its program lies.
sub explore {
	my ($model, $defines, $optimize) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $said = `cd $dir && cp $here/$model.pml . && spin -a $defines $model.pml 2>&1 &&
		gcc $optimize -w -DSAFETY -DCOLLAPSE -DMEMLIM=2000 -DVECTORSZ=512 -o pan pan.c 2>&1 && nice -n 5 ./pan -m100000 2>&1`;
	return ($said, $dir);
}

# Steps of each line of a model's file.
sub steps {
	my ($dir, $model) = @_;
	my (%steps, $process);
	for (`cd $dir && ./pan -d`) {
		$process = $1 if /^proctype (\S+)/;
		$steps{$2}{"$process $1"} = 1 if /state\s+(\d+)\s.*\s\Q$model\E\.pml:(\d+)\s/;
	}
	return %steps;
}

sub unreached {
	my ($said, $model) = @_;
	my (%unreached, $process);
	for (split /\n/, $said) {
		$process = $1 if /^unreached in (?:proctype )?(\S+)/;
		$unreached{$1}{"$process $2"} = 1 if /^\s+\Q$model\E\.pml:(\d+), state (\d+),/;
	}
	return %unreached;
}

plan skip_all => 'spin is not installed' if system 'command -v spin >/dev/null';
my (%line, %reached, %source);
for (@right) {
	my ($model, $what, $defines) = @$_;
	next if %wanted && !$wanted{$model};
	my ($said, $dir) = explore($model, $defines, '-O1');
	my ($states) = $said =~ /(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/;
	my ($memory) = $said =~ /([\d.]+)\s+total actual memory usage/;
	my ($seconds) = $said =~ /elapsed time ([\d.]+) seconds/;
	ok($said =~ /errors: 0$/m && $said =~ /^Full statespace search/m && $said !~ /not completed|max search depth too small|out of memory/,
		"$model: $what: no rule is broken in any of " . ($states // 'no') . ' states') or diag($said);
	note("$model $defines: $states states, $memory MB, $seconds s");
	my %steps = steps($dir, $model);
	my %missed = unreached($said, $model);
	for my $line (keys %steps) {
		$line{$model}{$line} = 1;
		$reached{$model}{$line} = 1 if keys %{ $steps{$line} } > keys %{ $missed{$line} // {} };
	}
}
for my $model (sort keys %line) {
	my @never = sort { $a <=> $b } grep { !$reached{$model}{$_} } keys %{ $line{$model} };
	open my $file, '<', "$here/$model.pml" or die "$model: $!\n";
	my @text = <$file>;
	my @surprises = map { "$model.pml:$_: $text[$_ - 1]" } grep { $text[$_ - 1] !~ m{/\* never\b} } @never;
	is("@surprises", '', "$model: every step but those that say so is reached in one of its runs");
	cmp_ok(scalar keys %{ $line{$model} }, '>', 50, "$model: and its steps are known");
}
for (@broken) {
	my ($model, $what, $defines) = @$_;
	next if %wanted && !$wanted{broken};
	my ($said) = explore($model, "$defines -DBROKEN_$what", '-O0');
	my ($found) = $said =~ /^pan:\d+: (assertion violated .*|invalid end state)/m;
	ok($found && $said =~ /errors: 1$/m, "$model: BROKEN_$what is found" . ($found ? ": $found" : '')) or diag($said);
}
done_testing();
