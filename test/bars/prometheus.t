#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The face openmetrics with its real readers: promtool, node_exporter's textfile collector, and a Prometheus that scrapes it.
use strict;
use warnings;
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);
use Rstat;

needs_root();
my %program = (promtool => 'promtool', prometheus => 'prometheus', exporter => 'prometheus-node-exporter');
for (values %program) {
	plan skip_all => "needs $_" if system "command -v $_ >/dev/null";
}

my $json = JSON::PP->new->utf8;
my $folder = File::Temp->newdir('rstat-test-XXXXXX', TMPDIR => 1);
my $file = "$folder/text/rstat.prom";
my $http = HTTP::Tiny->new(timeout => 10);
mkdir "$folder/text";

# Whether $what has come true within a minute.
sub within {
	my ($what) = @_;
	for (1 .. 600) {
		my $result = $what->();
		return $result if $result;
		sleep 0.1;
	}
	return;
}

sub free_port {
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no port: $!\n";
	return $socket->sockport;
}

# name{labels} => value
sub parse_metrics {
	my ($text) = @_;
	return { $text =~ /^(rstat_\w+(?:\{.*\})?) (\S+)$/mg };
}

sub write_file {
	my ($path, $text) = @_;
	open my $out, '>', $path or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
}

# What the documentation has is sound.
sub test_documents {
	for (['check', 'rules', 'docs/prometheus/rules.yml'], ['test', 'rules', 'docs/prometheus/rules.test.yml'],
		['check', 'config', 'docs/prometheus/prometheus.yml']) {
		my ($status, $stdout, $stderr) = run('promtool', @$_);
		is($status, 0, "promtool @$_") or diag $stdout, $stderr;
	}
	# each rule has a test that sees it fire
	my %rules = map { $_ => 1 } slurp('docs/prometheus/rules.yml') =~ /alert: (\w+)/g;
	my %tested = map { $_ => 1 } slurp('docs/prometheus/rules.test.yml') =~ /alertname: (\w+)\n\s+exp_alerts:\n/g;
	is_deeply(\%tested, \%rules, 'each alert is seen to fire');
}

# Fails: a family without HELP, a label that is not escaped, a counter without _total (emit/openmetrics.c).
sub test_check {
	my $hostile = Rstat::start('perl', '-e', '$0 = qq{a"b\\\\c{}}; $| = 1; print "up\n"; 1 while 1');
	next_line($hostile);
	my ($status, $stdout, $stderr) = run('./rstat', '--file', $file, '-n', 2, '-i', 300, '--names', '--min-cpu', 0, '-t', 20);
	is($status, 0, '--file: exit 0');
	is($stdout . $stderr, '', 'and nothing said');
	my $text = slurp($file);
	system "promtool check metrics < $file > $folder/promtool 2>&1";
	is($? . slurp("$folder/promtool"), '0', 'promtool check metrics has nothing to say');
	like($text, qr/^rstat_process_cpu_ratio\{name="a\\"b\\\\c\{\}"\} 0\.\d+$/m, 'a hostile name is a label');
	is((stat $file)[2] & 0777, 0644, 'all may read it');
	unlike($text, qr/pid/, 'no pid in it');
	($status, $stdout) = run('./rstat', '-o', 'openmetrics', '-n', 2, '-i', 300);
	is(scalar(() = $stdout =~ /^# EOF$/mg), 2, 'to stdout: two blocks');
	like($stdout, qr/^# TYPE rstat_tasks_dropped counter\nrstat_tasks_dropped_total /m, 'with families as OpenMetrics names them');
	Rstat::rstat_stop($hostile);
}

# A reader in a loop sees whole files only. Fails: replace_write() that writes in place (emit/replace.c).
sub test_whole {
	unlink $file;
	my $rstat = Rstat::start('./rstat', '--file', $file, '-i', 10);
	within(sub { -s $file });
	my ($partial, %inodes) = (0);
	for (1 .. 10000) {
		open my $in, '<', $file or ++$partial && next;
		$inodes{ (stat $in)[1] } = 1;
		my $text = do { local $/; <$in> };
		$partial++ unless $text =~ /\A# HELP rstat_build_info .*^rstat_tasks_dropped_total \d+\n\z/ms;
	}
	is($partial, 0, 'of 10,000 readings none was of a part');
	within(sub { $inodes{ (stat $file)[1] // 0 } = 1; keys %inodes > 1 });
	cmp_ok(scalar keys %inodes, '>', 1, 'while the file was replaced');
	kill KILL => $rstat->{pid};
	Rstat::ended($rstat);
	my @left = grep { !m{/rstat\.prom$} } glob "$folder/text/* $folder/text/.*prom*";
	cmp_ok(scalar @left, '<=', 1, 'a kill leaves one file at the most');
	run('./rstat', '--file', $file, '-n', 1);
	@left = grep { !m{/rstat\.prom$} } glob "$folder/text/* $folder/text/.*prom*";
	is_deeply(\@left, [], 'which the next run removes');
}

# Fails: an error that ends it, or is said each time (emit/loop.c).
sub test_unwritable {
	my $place = "$folder/place";
	mkdir $place;
	mkdir "$place/x.prom";
	mkdir "$place/x.prom/in-the-way";
	my $rstat = Rstat::start('./rstat', '--file', "$place/x.prom", '-i', 20);
	my $said = sub { slurp($rstat->{err}->filename) };
	ok(within(sub { $said->() =~ /\n/ }), 'a file that cannot be written: it is said');
	like($said->(), qr/\Arstat: write x\.prom: E\w+: it is tried again with each sample\n\z/, 'in one line');
	sleep 0.5;	# two dozen samples, of which none may say it again
	rmdir "$place/x.prom/in-the-way";
	rmdir "$place/x.prom";
	ok(within(sub { -f "$place/x.prom" }), 'and once it can be, it is');
	ok(within(sub { $said->() =~ /works again/ }), 'which is said, too');
	is(scalar(() = $said->() =~ /\n/g), 2, 'each once');
	is(rstat_stop($rstat), 15, 'it has not ended');
	# its folder goes: no other can be opened any more
	unlink "$place/x.prom";
	$rstat = Rstat::start('./rstat', '--file', "$place/x.prom", '-i', 20);
	within(sub { -f "$place/x.prom" });
	rename $place, "$folder/gone";
	unlink glob "$folder/gone/* $folder/gone/.x*" until rmdir "$folder/gone";
	is(Rstat::ended($rstat), 1 << 8, 'a folder that is removed ends it');
	like(slurp($rstat->{err}->filename), qr/removed/, 'and it says why');
	my ($status, $stdout, $stderr) = run('./rstat', '--file', "$folder/none/x.prom");
	is($status, 1 << 8, 'a folder that is not there: exit 1');
	like($stderr, qr/\Arstat: open the folder of \S+: ENOENT: [^\n]+\n\z/, 'and why');
}

# The chain: rstat, node_exporter, Prometheus, its query language.
sub test_chain {
	my ($exporter_port, $port) = (free_port(), free_port());
	my $exporter = Rstat::start($program{exporter}, "--web.listen-address=127.0.0.1:$exporter_port",
		'--collector.disable-defaults', '--collector.textfile', "--collector.textfile.directory=$folder/text");
	my $config = slurp('docs/prometheus/prometheus.yml');
	is($config =~ s/localhost:9100/127.0.0.1:$exporter_port/g, 1, 'the documented configuration, at another port');
	is($config =~ s/scrape_interval: 15s/scrape_interval: 1s/g, 1, 'and more often');
	write_file("$folder/prometheus.yml", $config);
	write_file("$folder/rules.yml", slurp('docs/prometheus/rules.yml'));
	my $prometheus = Rstat::start($program{prometheus}, "--config.file=$folder/prometheus.yml",
		"--storage.tsdb.path=$folder/data", "--web.listen-address=127.0.0.1:$port", '--log.level=error');
	my $query = sub {
		my ($expression) = @_;
		my $answer = $http->get("http://127.0.0.1:$port/api/v1/query?" . $http->www_form_urlencode({ query => $expression }));
		return eval { $json->decode($answer->{content}) } // {};
	};
	# both faces of one machine that stands still in what is compared
	my ($status, $stdout) = run('./rstat', '-o', 'json', '-n', 1);
	my $sample = $json->decode($stdout);
	my $rstat = Rstat::start('./rstat', '--file', $file, '-i', 100, '--names', '--min-cpu', 0);
	ok(within(sub { ($query->('rstat_cpu_ratio')->{data}{result} // [])->[0] }), 'a query for rstat_cpu_ratio is answered');
	my $value = sub { ($query->($_[0])->{data}{result} // [])->[0]{value}[1] };
	is($value->('rstat_memory_total_bytes'), $sample->{memory}{total_bytes}, 'memory is that of the JSON');
	is($value->('rstat_cpus'), $sample->{cpus}, 'so are the CPUs');
	is($value->('rstat_slots'), $sample->{tasks}{slots}, 'and the slots');
	# held still, all that the file says must be what is answered
	kill STOP => $rstat->{pid};
	my $metrics = parse_metrics(slurp($file));
	cmp_ok(scalar keys %$metrics, '>', 30, scalar(keys %$metrics) . ' series in the file');
	my $time = $metrics->{rstat_sample_time_seconds};
	ok(within(sub { ($value->('rstat_sample_time_seconds') // 0) == $time }), 'Prometheus has the last sample');
	my @wrong = grep { my $have = $value->($_); !defined $have || $have != $metrics->{$_} } grep { !/\\/ } keys %$metrics;
	is_deeply(\@wrong, [], 'each series has the value of the file');
	like(join(' ', keys %$metrics), qr/rstat_cpu_ratio/, 'the CPU among them');
	kill CONT => $rstat->{pid};
	# what is asked in the documentation parses, and what this machine has is there
	my $dashboard = $json->decode(slurp('docs/prometheus/dashboard.json'));
	my @expressions = map { $_->{expr} } map { @{ $_->{targets} } } @{ $dashboard->{panels} };
	cmp_ok(scalar @expressions, '>=', 12, scalar(@expressions) . ' expressions in the dashboard');
	for my $expression (@expressions) {
		(my $asked = $expression) =~ s/\$instance/.*/g;
		my $answer = $query->($asked);
		is($answer->{status}, 'success', "the dashboard's $expression");
		next if $expression =~ /gpu|temperature/;	# not on every machine
		ok(within(sub { ($query->($asked)->{data}{result} // [])->[0] }), 'has an answer');
	}
	my $rules = $json->decode($http->get("http://127.0.0.1:$port/api/v1/rules")->{content});
	my @rules = map { @{ $_->{rules} } } @{ $rules->{data}{groups} };
	ok(within(sub {
		$rules = $json->decode($http->get("http://127.0.0.1:$port/api/v1/rules")->{content});
		@rules = map { @{ $_->{rules} } } @{ $rules->{data}{groups} };
		!grep { $_->{health} ne 'ok' } @rules }), 'each rule is evaluated') or diag $json->encode(\@rules);
	rstat_stop($_) for $rstat, $prometheus, $exporter;
}

# With another user's rights no file is written.
sub test_rights {
	SKIP: {
		skip 'rights of another user: needs setpriv', 2 if system 'command -v setpriv >/dev/null';
		my $copy = "$folder/setuid";
		system('cp', 'rstat', $copy) == 0 or die;
		chmod 0755, "$folder";
		chmod 04755, $copy;
		my ($status, $stdout, $stderr) = run('setpriv', '--reuid', 65534, '--regid', 65534, '--clear-groups', $copy, '--file', $file, '-n', 1);
		is($status, 1 << 8, 'set-uid root: --file is refused');
		like($stderr, qr/--file is refused/, 'and says why');
	}
}

test_documents();
test_check();
test_whole();
test_unwritable();
test_chain();
test_rights();
done_testing();
