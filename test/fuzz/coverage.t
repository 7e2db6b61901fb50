#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# docs/fuzzing.md lists the functions that no corpus reaches, and why: the list is what it is. Numbers of lines are not held
# against the page, since each change of a file would change them.
use strict;
use warnings;
use Test::More;

my $build = 'build/coverage';
plan skip_all => 'needs llvm-cov' if system 'command -v llvm-cov llvm-profdata > /dev/null';
die "build it first: make coverage-files\n" unless -x "$build/everything";

my $said = `test/fuzz/coverage $build 2>&1`;
is($?, 0, 'functions that no target reaches are those that docs/fuzzing.md lists') or diag $said;
like($said, qr/^\| all \| \d+ of \d+ /m, 'coverage was measured');
done_testing();
