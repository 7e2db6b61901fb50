# SPDX-License-Identifier: MIT
# make bench: what the probe costs each context switch, and the whole machine.
package Probe;
use strict;
use warnings;
use Time::HiRes qw(sleep time);
use Bench;
use Exporter 'import';

our @EXPORT_OK = qw(probe_us);

# One pair that switches so often finds its memory in the caches; a thousand that take turns, and a machine that is idle, do not.
my @loads = (
	['the machine as it is'], ['1,000 tasks that wake 5 times a second', ['sleepers', 1000, 5]],
	map { ["2 tasks at $_ switches a second", ['switches', $_]] } 2000, 20000, 200000,
);

# The kernel's own statistics, under two processes that do nothing but wake each other: the best of four windows in a second.
sub switch_rows {
	my (%net, %gross, %empty);
	under(sub {
		sleep 0.5;
		for my $round (1 .. rounds(9)) {
			for my $way (turned($round, qw(btf raw perf))) {
				my ($line) = grep { /^best/ } `$Bench::rstat --attach $way --profile 1 2>/dev/null`;
				next unless $line && $line =~ /^best\s+([\d.]+) ns.*\(([\d.]+) less ([\d.]+)/;
				push @{ $net{$way} }, $1;
				push @{ $gross{$way} }, $2;
				push @{ $empty{$way} }, $3;
			}
		}
	}, ['pingpong']);
	headline('switch', 'The probe per context switch, by the kernel\'s statistics');
	for my $way (qw(btf raw perf)) {
		row("$way, net of an empty program of the same kind", $net{$way} // [], 'ns', $way eq 'btf' ? (budget => budgets('probe per switch')) : ());
		row('   gross', $gross{$way} // [], 'ns');
		row('   the empty one', $empty{$way} // [], 'ns');
	}
}

sub laps { chomp(my $ns = `$Bench::burden laps 400`); return $ns }

# One lap with each of these there, and with nothing, twice: how far apart the two are is the noise.
sub lap_rows {
	my $id = switch_id();
	my $idle = sub { my $it = rstat_open('--attach', $_[0], '-i', 60000, '-o', 'json'); push @{ $_[1] }, laps(); rstat_close($it) };
	my %ways = (
		nothing => sub { push @{ $_[0] }, laps() },
		again => sub { push @{ $_[0] }, laps() },
		empty => sub { my ($all) = @_; under(sub { push @$all, laps() }, ['empty', $id]) },
		btf => sub { $idle->('btf', @_) },
		perf => sub { $idle->('perf', @_) },
	);
	delete $ways{empty} unless $id;
	my %ns = map { $_ => [] } keys %ways;
	for my $round (1 .. rounds(40)) {
		$ways{$_}->($ns{$_}) for turned($round, sort keys %ways);
	}
	my $less = sub { my ($one, $other) = map { $ns{$_} } @_; return [map { $one->[$_] - $other->[$_] } 0 .. $#$one] };
	headline('laps', 'The same, as time of a switch in a ping-pong through pipes', 1);
	row('a switch, without a program', $ns{nothing}, 'ns');
	row('   the same again, less that: what is noise', $less->('again', 'nothing'), 'ns', digits => 0);
	if ($id) {
		row('   with an empty tp_btf program, less that', $less->('empty', 'nothing'), 'ns', digits => 0);
		row('btf, net of the empty program', $less->('btf', 'empty'), 'ns', digits => 0);
		row('perf, net of the empty tp_btf program', $less->('perf', 'empty'), 'ns', digits => 0);
	}
	row('btf, less none', $less->('btf', 'nothing'), 'ns', digits => 0);
	row('perf, less none', $less->('perf', 'nothing'), 'ns', digits => 0);
}

# (ns, runs) of each program, by its id
sub counted { return map { $_->{id} => [$_->{run_time_ns} // 0, $_->{run_cnt} // 0, $_->{name} // ''] } programs_since($_[0]) }

# us of CPU time in a second that programs which came since took at their tracepoints, net of what an empty one takes for each
# run where there is one; and their runs in a second. What rstat runs itself is in its CPU time.
sub probe_us {
	my ($known, $seconds) = @_;
	my ($us, $runs);
	with_statistics(sub {
		my %before = counted($known);
		my $began = time;
		sleep $seconds;
		my %after = counted($known);
		my $took = time() - $began;
		my ($ns, $count, $each) = (0, 0, 0);
		for (grep { $before{$_} } keys %after) {
			my @run = map { $after{$_}[0] - $before{$_}[0], $after{$_}[1] - $before{$_}[1] } $_;
			if ($after{$_}[2] eq 'empty') { $each = $run[1] ? $run[0] / $run[1] : 0; next }
			next if $after{$_}[2] =~ /^on_(?:seed|sample|reclaim)$/;
			$ns += $run[0];
			$count += $run[1];
		}
		($us, $runs) = (($ns - $each * $count) / 1000 / $took, $count / $took);
	});
	return ($us, $runs);
}

sub switches { return slurp('/proc/stat') =~ /^ctxt (\d+)/m ? $1 : 0 }

sub machine_rows {
	my $id = switch_id();
	my (%seen);
	for my $round (1 .. rounds(3)) {
		for my $load (turned($round, @loads)) {
			my ($name, @burdens) = @$load;
			under(sub {
				sleep 1;
				my $known = programs_known();
				my $rstat = rstat_open('-o', 'waybar');
				readline $rstat->{out} for 1 .. 2;
				my ($cpu, $count, $began) = (used_ms($rstat->{pid}), switches(), time);
				readline $rstat->{out} for 1 .. 5;
				my $took = time() - $began;
				my $ours = (used_ms($rstat->{pid}) - $cpu) * 1000 / $took;
				my $rate_seen = (switches() - $count) / $took;
				my ($probe, $runs);
				my $take = sub { ($probe, $runs) = probe_us($known, 2) };
				$id ? under($take, ['empty', $id]) : $take->();
				rstat_close($rstat);
				push @{ $seen{$name} }, [$rate_seen, $ours, $probe, $ours + $probe, $runs ? $probe * 1000 / $runs : 0];
			}, @burdens);
		}
	}
	headline('machine', 'CPU time in a second, one sample a second, Waybar\'s line');
	for my $name (map { $_->[0] } @loads) {
		my @column = map { my $i = $_; [map { $_->[$i] } @{ $seen{$name} }] } 0 .. 4;
		row("$name: switches a second", $column[0], '');
		row('   rstat', $column[1], 'us');
		row('   the probe, net of empty programs', $column[2], 'us');
		row('      each time', $column[4], 'ns');
		row('   both', $column[3], 'us');
		row('   both, of one CPU', [map { $_ / 10000 } @{ $column[3] }], '%');
	}
}

sub idle_ms { return slurp('/proc/stat') =~ /^cpu +\d+ \d+ \d+ (\d+) (\d+)/m ? ($1 + $2) * 10 : 0 }

# The statistics held against something else: by how much less the CPUs are idle while the probe is there.
sub idle_rows {
	my $id = switch_id();
	my (@more, @counted);
	under(sub {
		sleep 1;
		for my $round (1 .. rounds(15)) {
			my %idle;
			for my $way (turned($round, 'with', 'without')) {
				my $known = programs_known();
				my $rstat = $way eq 'with' ? rstat_open('-o', 'json', '-i', 60000) : undef;
				sleep 0.2;
				my ($before, $began) = (idle_ms(), time);
				sleep 2;
				$idle{$way} = (idle_ms() - $before) / (time() - $began);
				next unless $rstat;
				my $take = sub { push @counted, (probe_us($known, 1))[0] / 1000 };
				$id ? under($take, ['empty', $id]) : $take->();
				rstat_close($rstat);
			}
			push @more, $idle{without} - $idle{with};
		}
	}, ['sleepers', 4000, 5]);
	headline('idle', 'The probe in a second, 4,000 tasks that wake 5 times a second', 1);
	row('by which the CPUs are less idle', \@more, 'ms');
	row('by the kernel\'s statistics, net of empty programs', \@counted, 'ms');
}

1;
