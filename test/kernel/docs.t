#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The man page says what the program says: each option, face, placeholder and signal, and nothing that is not there.
use strict;
use warnings;
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
done_testing();
