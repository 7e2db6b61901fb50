#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# slots.t by another way into the kernel. Fails: what slots.t says, in probe/portable.h.
use strict;
use warnings;

$ENV{RSTAT_ATTACH} = 'raw';
$ENV{RSTAT_PARTS} //= 'turnover,gone,twice';	# there is room for few that have no slot: their number is not known
do './test/kernel/slots.t' or die $@ || "test/kernel/slots.t: $!\n";
