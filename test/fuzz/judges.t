#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What the faces make of every sample in the corpora, read by those who read them in earnest: promtool, Prometheus' own
# parsers in Python, and the JSON schemas of docs/.
use strict;
use warnings;
use lib 'test/fuzz';
use File::Temp ();
use Test::More;
use Fuzz;

my $build = $ENV{FUZZ_BUILD} // 'build/fuzz';
my $folder = File::Temp->newdir('rstat-fuzz-XXXXXX', TMPDIR => 1);
my $python = '/usr/bin/python3';

# Runs the target once over its corpus; its outputs, by their ending.
sub outputs {
	my ($target, $ending) = @_;
	local $ENV{RSTAT_FUZZ_KEEP} = $folder;
	unlink glob "$folder/*";
	is(system("$build/fuzz_$target -runs=0 @{[folders($target)]} > /dev/null 2>&1"), 0, "$target over its corpus");
	my @files = sort glob "$folder/*.$ending";
	cmp_ok(scalar @files, '>', 10, "outputs of $target: " . @files);
	return @files;
}

sub has_module {
	my ($module) = @_;
	return !system "$python -c 'import $module' 2>/dev/null";
}

# Each file by a Python program that gets their names on stdin and prints what is wrong, a line each.
sub judged_by_python {
	my ($program, $name, @files) = @_;
	my $source = File::Temp->new;
	print $source $program;
	close $source;
	my $list = File::Temp->new;
	print $list "$_\n" for @files;
	close $list;
	my $said = `$python $source < $list 2>&1`;
	is($? . $said, '0', $name);
}

# Prometheus' parsers take any type of a family for one that has no samples, but no series twice.
my $metrics = <<'END';
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
for name in sys.stdin.read().split():
    text = open(name, encoding='utf-8', newline='').read()
    try:
        families = list((openmetrics if name.endswith('.openmetrics') else prometheus)(text))
        series = [(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples]
        if len(families) < 10 or len(set(series)) != len(series):
            print(name, 'too few families, or a series twice')
    except Exception as error:
        print(name, repr(error))
END

my $schema = <<'END';
import json, sys
from jsonschema import Draft202012Validator
def strict(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError('a key twice')
    return dict(pairs)
validator = Draft202012Validator(json.load(open('SCHEMA')))
for name in sys.stdin.read().split():
    text = open(name, encoding='utf-8').read().lstrip(',')
    try:
        for error in validator.iter_errors(PARTS(json.loads(text, object_pairs_hook=strict))):
            print(name, list(error.path), error.message[:200])
    except ValueError as error:
        print(name, error)
END

SKIP: {
	skip 'needs python3-prometheus-client', 1 unless has_module('prometheus_client');
	judged_by_python($metrics, 'OpenMetrics, by prometheus_client', outputs('openmetrics', 'openmetrics'));
	judged_by_python($metrics, 'the text format, by prometheus_client', outputs('openmetrics', 'prom'));
}

SKIP: {
	skip 'needs promtool', 1 if system 'command -v promtool > /dev/null';
	my @wrong;
	for my $file (outputs('openmetrics', 'prom')) {
		my $said = `promtool check metrics < $file 2>&1`;
		# status 3 is for names that it finds ugly
		push @wrong, "$file: $said" if $? && $? >> 8 != 3;
	}
	is("@wrong", '', 'the text format, by promtool');
}

SKIP: {
	skip 'needs python3-jsonschema', 1 unless has_module('jsonschema');
	judged_by_python($schema =~ s/SCHEMA/docs\/sample.schema.json/r =~ s/PARTS//r, 'json, by docs/sample.schema.json',
		outputs('json', 'json'));
	judged_by_python($schema =~ s/SCHEMA/docs\/waybar.schema.json/r =~ s/PARTS//r, 'waybar, by docs/waybar.schema.json',
		outputs('waybar', 'waybar'));
	judged_by_python($schema =~ s/SCHEMA/docs\/i3bar.schema.json/r =~ s/PARTS/(lambda line: [[], line])/r, 'i3bar, by docs/i3bar.schema.json',
		outputs('i3bar', 'i3bar'));
}

done_testing();
