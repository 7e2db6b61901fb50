# SPDX-License-Identifier: MIT
# make bench: the start, memory, and the loop beside a bare reader.
package Footprint;
use strict;
use warnings;
use JSON::PP;
use Time::HiRes qw(sleep);
use Bench;

sub start_rows {
	my @ms;
	for (1 .. rounds(15)) {
		my $ms = `$Bench::burden start $Bench::rstat -n 1 -o json`;
		push @ms, $ms =~ /^([\d.]+)$/ ? $1 : die "burden start\n";
	}
	headline('start', 'The start');
	row('exec to first line', \@ms, 'ms', budget => budgets('exec to first line'));
}

# A second apart, caches are cold.
sub loop_rows {
	my (@us, @reader);
	under(sub {
		my $rstat = rstat_open('-n', 12, '-o', 'json');
		open my $bare, '-|', $Bench::burden, 'reader', '10', '1000' or die "$Bench::burden: $!\n";
		readline $rstat->{out};
		while (my $line = readline $rstat->{out}) {
			push @us, $1 / 1000 if $line =~ /"sample_ns":(\d+)/;
		}
		rstat_close($rstat);
		chomp(my $us = <$bare>);
		push @reader, $us;
	}, fill(100, 1));
	headline('loop', 'A sample in the loop, a second apart, 100 tasks');
	row('its time', \@us, 'us');
	row('a bare reader of the same files, median of 10', \@reader, 'us');
	row('   the first for each of the second', [Bench::median(@us) / $reader[0]], '', digits => 2);
}

# KiB of kernel memory of the maps of these programs
sub maps_kib {
	my %wanted = map { $_ => 1 } map { @{ $_->{map_ids} // [] } } @_;
	my $bytes = 0;
	$bytes += $_->{bytes_memlock} for grep { $wanted{ $_->{id} } } @{ decode_json(`bpftool -j map show` || '[]') };
	return $bytes / 1024;
}

sub size_rows {
	my (%resident, %own, $maps, $code);
	for my $count (100, 1000, 4000, 20000) {
		under(sub {
			sleep 1;
			my $known = programs_known();
			my $rstat = rstat_open('-o', 'waybar');
			readline $rstat->{out} for 1 .. 4;
			($resident{$count}, $own{$count}) = memory_kib($rstat->{pid});
			my @programs = programs_since($known);
			$maps = maps_kib(@programs);
			$code = 0;
			$code += $_->{bytes_memlock} / 1024 for @programs;
			rstat_close($rstat);
		}, fill($count, 5));
	}
	headline('size', 'Memory and size');
	row("resident, $_ tasks", [$resident{$_}], 'KiB', tasks => $_, $_ == 100 ? (budget => budgets('resident memory')) : ()) for 100, 1000, 4000, 20000;
	row('   of it no other process has, 100 tasks', [$own{100}], 'KiB', tasks => 100);
	row('kernel memory of the maps', [$maps], 'KiB');
	row('kernel memory of the programs, as it is charged', [$code], 'KiB');
	row('binary, stripped', [(-s $Bench::rstat) / 1024], 'KiB', budget => budgets('stripped binary'));
}

1;
