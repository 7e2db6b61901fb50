#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Each JSON face fits its schema: the golden files, the worst that can be, and what this machine gives. The sample's own
# face is in test/kernel/output.t, too.
use strict;
use warnings;
use Test::More;
use Rstat;

my $validate = 'test/lib/validate.py';
my ($missing) = run('/usr/bin/python3', '-c', 'import jsonschema');
plan skip_all => 'needs python3-jsonschema' if $missing;

# What is wrong with bytes, by the schema; nothing where they fit.
sub fault {
	my ($bytes, @schema) = @_;
	my $file = File::Temp->new(DIR => 'build', TEMPLATE => 'schema-XXXXXX');
	print $file $bytes;
	$file->flush;
	my ($status, $stdout, $stderr) = run('sh', '-c', 'exec "$@" < "$0"', $file->filename, '/usr/bin/python3', $validate, @schema);
	return defined $status && $status == 0 ? undef : substr "$stdout$stderr", 0, 400;
}

sub face_fault {
	my ($face, $bytes) = @_;
	return fault($bytes, 'docs/sample.schema.json') if $face eq 'json';
	return fault($bytes, 'docs/waybar.schema.json') if $face eq 'waybar';
	my ($header, $array) = split /\n/, $bytes, 2;
	return fault($header, 'docs/i3bar.schema.json', 'header') // fault($array, 'docs/i3bar.schema.json');
}

# Fails: a key misspelt in emit/waybar.c or emit/i3bar.c, and the golden files written anew.
sub test_golden {
	for my $face ('json', 'waybar', 'i3bar') {
		my @files = glob "test/golden/*.$face";
		cmp_ok(scalar @files, '>=', 2, scalar @files . " golden files of $face");
		is(face_fault($face, slurp($_)), undef, "$_ fits") for @files;
	}
}

# What is wrong is found. Without these the rest would say nothing.
sub test_refusals {
	my $waybar = slurp('test/golden/busy.waybar');
	my $i3bar = slurp('test/golden/busy.i3bar');
	my @waybar = (
		[sub { s/"alt"/"alternative"/ }, 'an unknown key'], [sub { s/"percentage":\d+/"percentage":101/ }, 'more than all'],
		[sub { s/"class":\[[^]]*\]/"class":[]/ }, 'no class'], [sub { s/"class":\["ok"/"class":["good"/ }, 'an unknown class'],
		[sub { s/"percentage":\d+/"percentage":NaN/ }, 'NaN'], [sub { s/\}\n$/\n/ }, 'a brace too few'],
		[sub { s/,"class"/,"text":"","class"/ }, 'a key twice'], [sub { s/CPUs/\xff/ }, 'no UTF-8'],
	);
	my @i3bar = (
		[sub { s/"version":1/"version":2/ }, 'a version'], [sub { s/"urgent":false/"urgent":0/ }, 'a number for a boolean'],
		[sub { s/"full_text":"load/"full_text":"\\n/ }, 'a line feed in a text'], [sub { s/\]\n$/\n/ }, 'a bracket too few'],
		[sub { s/,"full_text":"cpu[^"]*"// }, 'a block without text'], [sub { s/"none"/"pango"/ }, 'markup'],
	);
	for (['waybar', $waybar, @waybar], ['i3bar', $i3bar, @i3bar]) {
		my ($face, $good, @changes) = @$_;
		for my $change (@changes) {
			my ($edit, $what) = @$change;
			my $bad = $good;
			for ($bad) { $edit->() }
			isnt($bad, $good, "(changed: $what)");
			ok(defined face_fault($face, $bad), "refused: $face with $what");
		}
	}
}

# By each source that works here; proc always does.
sub test_live {
	for my $attach ($> ? 'proc' : ('auto', 'proc')) {
		for my $face ('json', 'waybar', 'i3bar') {
			for my $more ([], ['--text', "{load1}\n\"{top_cpu}\" {{\\x2d", '--alt', '{cpu}', '--no-markup']) {
				my ($status, $stdout, $stderr) = run('./rstat', '--attach', $attach, '-o', $face, '-i', 200, '-n', 3,
					'--min-cpu', 0, '--min-mem', 0, '--min-io', 0, '-t', 20, @$more);
				is($status, 0, "$attach: 3 lines of $face @$more[0 .. (@$more ? 0 : -1)]") or diag $stderr;
				is(face_fault($face, $stdout), undef, 'fit');
			}
		}
	}
}

test_golden();
test_refusals();
test_live();
done_testing();
