#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Boots each cell of test/vm/matrix in qemu, one test per cell. `make vm` builds what this needs.
#
#	VM_JOBS=N	guests at a time (default: as many as there are CPUs; each keeps one busy)
#	VM_ONLY=REGEX	only the cells whose name matches, for example 'VM_ONLY=^newest'
#
# What each guest said is in build/vm/log, the table in build/vm/result; after a run of all cells in which all have passed
# README.md's table of kernels is written anew. A guest that prints no plan has failed, and so
# has one whose kernel complained. Guests are emulated on a machine that others load: a cell that fails is run a second
# time, alone, once all others are done, and the table says so; a defect fails twice. Where a kernel complained there is
# no second try.
use strict;
use warnings;
use IO::Select ();
use TAP::Parser ();
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $cache = $ENV{VM_CACHE} // 'build/vm/cache';
my $only = $ENV{VM_ONLY} // '';
my $jobs = $ENV{VM_JOBS} || qx(nproc) + 0;
my %boot_s = (amd64 => 120, arm64 => 180);	# a boot now and then hangs; it is tried once more
my %tests_s = (amd64 => 600, arm64 => 1200);

my (%kernel, %tests, @cells);

sub now { return clock_gettime(CLOCK_MONOTONIC) }

# ---- the table

sub read_matrix {
	open my $file, '<', 'test/vm/matrix' or die "test/vm/matrix: $!\n";
	while (<$file>) {
		s/#.*//;
		my ($kind, $name, @words) = split or next;
		if ($kind eq 'kernel') {
			$kernel{$name} = { release => $words[0], architecture => $words[2],
				clock => $words[3] };
		} elsif ($kind eq 'tests') {
			$tests{$name} = \@words;
		} elsif ($kind eq 'cell') {
			push @cells, read_cell($name, @words);
		} else {
			die "test/vm/matrix: $kind?\n";
		}
	}
	die "test/vm/matrix: no cells\n" unless @cells;
}

sub read_cell {
	my ($name, $path, $cpus, $setup, @words) = @_;
	die "test/vm/matrix: a cell of $name has no tests, or no such kernel\n" unless @words && $kernel{$name};
	return {
		kernel => $name, path => $path, cpus => $cpus, setup => $setup eq '-' ? [] : [split /,/, $setup],
		tests => [map { $tests{$_} ? @{ $tests{$_} } : $_ } @words],
		name => join(' ', $name, $path, $cpus == 1 ? '1 CPU' : "$cpus CPUs", $setup eq '-' ? () : $setup),
		# since 7.x the kernel skips some births: there the storm is a large one
		forks => $name eq 'newest' && $path eq 'btf' ? 10000 : 3000,
		architecture => $kernel{$name}{architecture}, clock => $kernel{$name}{clock}, output => '', boots => 0,
	};
}

# ---- one guest

sub kernel_line {
	my ($cell) = @_;
	my %console = (amd64 => 'ttyS0', arm64 => 'ttyAMA0');
	my @line = ("console=$console{$cell->{architecture}}", 'loglevel=1', 'panic=-1', 'mitigations=off',
		"RSTAT_ATTACH=$cell->{path}", 'VM_SETUP=' . join('+', @{ $cell->{setup} }),
		'VM_TESTS=' . join('+', @{ $cell->{tests} }), "RSTAT_FORKS=$cell->{forks}",
		$cell->{clock} eq 'counted' ? () : ('RSTAT_TICKS=lost', 'RSTAT_TURN_MS=200'));
	push @line, 'lockdown=confidentiality' if grep { $_ eq 'lockdown' } @{ $cell->{setup} };
	return join ' ', @line;
}

# One thread for all CPUs of the guest: with one each, a kernel that patches its code has crashed. They take turns of up
# to 100 ms then, in which the others lose their ticks, unless time is counted in instructions (4 ns each).
sub qemu {
	my ($cell) = @_;
	my %machine = (amd64 => ['qemu-system-x86_64'], arm64 => ['qemu-system-aarch64', '-M', 'virt,gic-version=3']);
	return (@{ $machine{$cell->{architecture}} }, '-accel', 'tcg,thread=single',
		$cell->{clock} eq 'counted' ? ('-icount', 'shift=2,sleep=off') : (), '-cpu', 'max', '-smp', $cell->{cpus},
		'-m', '1536', '-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot',
		'-drive', 'file=build/vm/disk,format=raw,if=none,id=disk,snapshot=on',
		'-device', 'nvme,serial=1,drive=disk',
		'-kernel', "$cache/$cell->{kernel}/vmlinuz", '-initrd', "build/vm/$cell->{architecture}.cpio",
		'-append', kernel_line($cell));
}

sub boot {
	my ($cell) = @_;
	pipe my $out, my $child_out or die "pipe: $!";
	open my $nothing, '+<', '/dev/null' or die;
	my $parent = $$;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<&', $nothing or die;
		open STDOUT, '>&', $child_out or die;
		open STDERR, '>&', $child_out or die;
		exec qemu($cell) or POSIX::_exit(127);
	}
	@$cell{qw(pid out output began)} = ($pid, $out, '', now());
	$cell->{boots}++;
}

sub end_guest {
	my ($cell) = @_;
	my $pid = delete $cell->{pid} or return;
	kill KILL => $pid;
	waitpid $pid, 0;
	close $cell->{out};
	$cell->{took} = now() - $cell->{began};
}

END {
	my $code = $?;
	end_guest($_) for @cells;
	$? = $code;
}
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);

# Why a guest is over, or nothing.
sub fault {
	my ($cell, $end_of_file) = @_;
	my $age = now() - $cell->{began};
	return '' if $cell->{output} =~ /^\@\@\@ done/m;
	return $cell->{output} =~ /^\@\@\@ up/m ? 'qemu has ended' : 'does not boot' if $end_of_file;
	return 'does not boot' if $age > $boot_s{$cell->{architecture}} && $cell->{output} !~ /^\@\@\@ up/m;
	my $limit_s = $tests_s{$cell->{architecture}};
	return "not done after $limit_s s" if $age > $limit_s;
	return;
}

# ---- all guests

# Takes what the guest has said, and lets it go on, boot again or end.
sub attend {
	my ($cell, $readable) = @_;
	my $end_of_file = $readable && !sysread $cell->{out}, $cell->{output}, 65536, length $cell->{output};
	$cell->{output} =~ s/\r//g;
	my $fault = fault($cell, $end_of_file);
	return unless defined $fault;
	end_guest($cell);
	if ($fault eq 'does not boot' && $cell->{boots} < 2) {
		note "$cell->{name}: does not boot, once more";
		return boot($cell);
	}
	$cell->{fault} = $fault;
	keep_log($cell);
	judge($cell);
	note sprintf '%s: %s after %.0f s', $cell->{name}, @{ $cell->{faults} } ? "failed: $cell->{faults}[0]" : 'passed', $cell->{took};
}

sub keep_log {
	my ($cell) = @_;
	mkdir 'build/vm/log';
	my $name = $cell->{name} =~ s/[ ,]+/-/gr;
	open my $file, '>:raw', "build/vm/log/$name" or die "build/vm/log: $!";
	print $file $cell->{output};
	close $file;
}

sub run_cells {
	my ($most, @waiting) = @_;
	my @all = @waiting;
	while (1) {
		my @running = grep { $_->{pid} } @all;
		while (@waiting && @running < $most) {
			boot(my $cell = shift @waiting);
			push @running, $cell;
		}
		last unless @running;
		my %ready = map { $_ => 1 } IO::Select->new(map { $_->{out} } @running)->can_read(0.5);
		attend($_, $ready{ $_->{out} }) for @running;
	}
}

# ---- verdicts

# What went wrong in one test file's output, a line each; and how many of its tests were skipped.
sub file_faults {
	my ($file, $output, $status) = @_;
	my $parser = TAP::Parser->new({ tap => $output });
	my (@faults, @skipped);
	while (my $result = $parser->next) {
		push @faults, "$file: " . $result->as_string if $result->is_test && !$result->is_ok;
		push @skipped, $result->explanation if $result->is_test && $result->has_skip;
	}
	push @faults, "$file: no plan" unless $parser->plan;
	push @faults, map { "$file: $_" } $parser->parse_errors;
	push @faults, "$file: exit $status" if $status;
	push @faults, "$file: all of it skipped: " . $parser->skip_all if $parser->skip_all;
	return (\@faults, \@skipped);
}

sub judge {
	my ($cell) = @_;
	my (@faults, @skipped);
	push @faults, $cell->{fault} if $cell->{fault};
	for my $test (@{ $cell->{tests} }) {
		my $file = $test =~ s/:.*//r;
		if ($cell->{output} =~ /^\@\@\@ begin \Q$file\E\n(.*?)^\@\@\@ end \Q$file\E (\d+)$/ms) {
			my ($bad, $without) = file_faults($file, $1, $2);
			push @faults, @$bad;
			push @skipped, @$without;
		} else {
			push @faults, "$file: did not come to its end";
		}
	}
	push @faults, $1 while $cell->{output} =~ /^\@\@\@ ((?:kernel|broken) .*)/mg;
	# what it says when it cannot go on comes at once, on the console
	push @faults, "kernel $1" while $cell->{output} =~ /^[^\n@]*?((?:Kernel panic|Oops:|BUG:)[^\n]*)/mg;
	push @faults, 'fewer or more CPUs' unless $cell->{output} =~ /^\@\@\@ up \S+ $cell->{cpus}$/m;
	@$cell{qw(faults skipped)} = (\@faults, \@skipped);
}

# A stall is a complaint about time, which an emulated machine may lose.
sub complained { return grep { /^kernel / && !/stall/ } @{ $_[0]{faults} } }

sub run_again {
	for my $cell (grep { @{ $_->{faults} } && !complained($_) } @cells) {
		my $first = $cell->{faults}[0];
		@$cell{qw(fault boots)} = (undef, 0);
		run_cells(1, $cell);
		$cell->{second} = "at the second try; the first: $first";
	}
}

sub report {
	my ($cell) = @_;
	my ($faults, $skipped) = @$cell{qw(faults skipped)};
	my ($release) = $cell->{output} =~ /^\@\@\@ up (\S+)/m;
	my $count = () = $cell->{output} =~ /^ok \d+/mg;
	$cell->{verdict} = @$faults ? 'FAILED: ' . $faults->[0] : "ok, $count tests" .
		(@$skipped ? ', ' . @$skipped . ' skipped' : '');
	$cell->{verdict} .= " ($cell->{second})" if $cell->{second};
	$cell->{release} = $release;
	ok(!@$faults, sprintf '%s (%s, %.0f s)', $cell->{name}, $release // 'not up', $cell->{took});
	diag "  $_" for @$faults;
	diag tail($cell->{output}) if @$faults;
	note "  skipped: $_" for @$skipped;
}

# The end of what the guest said from its first failure on, no more than a screen.
sub tail {
	my ($output) = @_;
	my @lines = grep { !/^(?:ok|#\s*$)/ } split /\n/, $output;
	splice @lines, 0, @lines - 60 if @lines > 60;
	return join "\n", map { "    $_" } @lines;
}

sub show_table {
	my @rows = map { [$_->{kernel}, $_->{release} // '-', $_->{path}, $_->{cpus}, join(',', @{ $_->{setup} }) || '-',
		$_->{took} ? sprintf '%.0f s', $_->{took} : '-', $_->{verdict}] } @cells;
	my $table = join '', map { sprintf "%-9s %-30s %-5s %-4s %-13s %-6s %s\n", @$_ }
		['kernel', 'release', 'path', 'CPUs', 'setup', 'took', 'result'], @rows;
	open my $file, '>', 'build/vm/result' or die "build/vm/result: $!";
	print $file $table;
	close $file;
	diag $table;
	# once more, last: what keeps a log's end only has it then
	for my $cell (grep { @{ $_->{faults} } } @cells) {
		my @faults = @{ $cell->{faults} };
		splice @faults, 8, @faults, 'and ' . (@faults - 8) . ' more' if @faults > 8;
		diag "FAILED $cell->{name}", $cell->{second} ? " ($cell->{second})" : '', ':', map { "\n  $_" } @faults;
	}
}

# README's table of kernels, between its marks: only of a run of all cells.
sub write_readme {
	my (%way, @kernels);
	for my $cell (@cells) {
		push @kernels, $cell->{kernel} unless $way{ $cell->{kernel} };
		my $row = $way{ $cell->{kernel} } //= { release => $cell->{release}, architecture => $cell->{architecture} };
		my $refused = grep { $_ eq 'refused' } @{ $cell->{tests} };
		my $kind = $cell->{verdict} =~ /^ok/ ? $refused ? 'refused' : 'works' : 'failed';
		my $how = join ' ', "`$cell->{path}`", $cell->{cpus} == 2 ? () : "on $cell->{cpus} CPU" . 's' x ($cell->{cpus} > 1),
			@{ $cell->{setup} } ? join ', ', @{ $cell->{setup} } : ();
		push @{ $row->{$kind} }, $how;
	}
	my $table = "| kernel | architecture | works | refused, with the reason |\n|---|---|---|---|\n";
	for my $kernel (@kernels) {
		my $row = $way{$kernel};
		my @columns = map { join ', ', @{ $row->{$_} // [] } } 'works', 'refused';
		$columns[0] = join '; ', grep { length } $columns[0], '**failed**: ' . join ', ', @{ $row->{failed} } if $row->{failed};
		$table .= "| $row->{release} | $row->{architecture} | $columns[0] | $columns[1] |\n";
	}
	open my $in, '<', 'README.md' or die "README.md: $!\n";
	my $readme = do { local $/; <$in> };
	close $in;
	$readme =~ s/(<!-- kernels -->\n).*(<!-- end of kernels -->\n)/$1$table$2/s or die "README.md has lost its marks\n";
	open my $out, '>', 'README.md' or die "README.md: $!\n";
	print $out $readme;
	close $out or die "README.md: $!\n";
}

read_matrix();
my $all = @cells;
@cells = grep { $_->{name} =~ /$only/ } @cells;
die "no cell matches $only\n" unless @cells;
plan tests => scalar @cells;
run_cells($jobs, @cells);
run_again();
report($_) for @cells;
show_table();
write_readme() if @cells == $all && !grep { @{ $_->{faults} } } @cells;
