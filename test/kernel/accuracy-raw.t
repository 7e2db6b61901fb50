#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# accuracy.t by another way into the kernel. Fails: what accuracy.t says, in probe/portable.h.
use strict;
use warnings;

$ENV{RSTAT_ATTACH} = 'raw';
do './test/kernel/accuracy.t' or die $@ || "test/kernel/accuracy.t: $!\n";
