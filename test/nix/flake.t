#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The flake: built by nix, and its modules evaluated, against a stand-in for nixpkgs (test/nix/stub), without a network. As nobody
# and without /sys where root starts it: nix's own sandbox is like that. What nixpkgs itself would say is not tested: docs/nixos.md.
use strict;
use warnings;
use Cwd ();
use File::Temp ();
use JSON::PP ();
use Test::More;
use Rstat qw(slurp);

my @missing = grep { system "command -v $_ > /dev/null" } qw(nix git gcc clang aarch64-linux-gnu-gcc cpio python3);
plan skip_all => "needs @missing" if @missing;
plan skip_all => 'needs a clone: a flake is what git knows' if system 'git rev-parse HEAD > /dev/null 2>&1';

my $home = Cwd::getcwd();
my $work = File::Temp->newdir('rstat-nix-XXXXXX', TMPDIR => 1);
my $stub = "$work/rstat/test/nix/stub";
my $json = JSON::PP->new->utf8->canonical;
my %used;	# names of nixpkgs that were asked for
my ($version) = slurp('Makefile') =~ /^VERSION := (\S+)$/m;

# A store, a state and a home of our own; nothing is fetched.
$ENV{$_->[0]} = "$work/$_->[1]" for ['HOME', 'home'], ['XDG_CACHE_HOME', 'home'], ['NIX_CONF_DIR', 'home'], ['NIX_STORE_DIR', 'store'],
	['NIX_STATE_DIR', 'state'], ['NIX_LOG_DIR', 'log'];
delete @ENV{qw(NIX_PATH NIX_REMOTE CFLAGS CC CLANG MAKEFLAGS MAKELEVEL MFLAGS)};
my @nix = ('nix', '--extra-experimental-features', 'nix-command flakes', '--offline',
	map { ('--option', @$_) } ['sandbox', 'false'], ['build-users-group', ''], ['substitute', 'false'], ['eval-cache', 'false'],
	['extra-platforms', 'aarch64-linux'], ['cores', `nproc` + 0]);
my @nobody = $> ? () : ('unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys && cd "$0" && exec "$@"', "$work/home", 'setpriv', '--reuid', 65534,
	'--regid', 65534, '--clear-groups');

END {
	my $code = $?;
	# the store is read-only
	system 'chmod', '-R', 'u+w', "$work" if $work;
	$? = $code;
}

sub put {
	my ($path, $text) = @_;
	open my $file, '>', "$work/$path" or die "$path: $!";
	print $file $text;
	close $file;
}

# nix with these words: (whether it succeeded, stdout, stderr less what the stand-in says of names)
sub nix {
	my (@words) = @_;
	my $ok = !system "$work/run", @words;
	my $said = slurp("$work/stderr");
	$used{$1} = 1 while $said =~ /^trace: used: (\S+)$/mg;
	$said =~ s/^trace: used: .*\n//mg;
	return ($ok, slurp("$work/stdout"), $said);
}

my @stand_in = ('--override-input', 'nixpkgs', "path:$stub", '--no-write-lock-file');

sub build {
	my ($what, @words) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($ok, $out, $said) = nix('build', "path:$work/rstat#$what", '--no-link', '--json', '-L', @stand_in, @words);
	ok($ok, "nix build .#$what @words") or do { diag $said; return '/nothing' };
	return $json->decode($out)->[0]{outputs}{out};
}

# The value of an expression of the flake `folder`, or undef.
sub value {
	my ($what, @words) = @_;
	my ($ok, $out, $said) = nix('eval', '--json', "path:$work/$what", '--no-write-lock-file', @words);
	return $ok ? JSON::PP->new->utf8->allow_nonref->decode($out) : do { diag $said; undef };
}

sub prepare {
	mkdir "$work/$_" for qw(home rstat store state log tmp tmp/elsewhere);
	# what git knows, as it is now, less much that is no matter here
	system "git ls-files -z -- ':!test/fuzz' | xargs -0 ls -d 2>/dev/null | cpio -pdm --quiet $work/rstat" and die "no copy\n";
	system "clang -dumpversion > $stub/clang-version" and die "clang\n";
	# by a script of its own, so that words need no quotes here
	put('run', "#!/bin/sh\nexec " . join(' ', map { "'" . s/'/'\\''/gr . "'" } @nobody, @nix) . " \"\$@\" > $work/stdout 2> $work/stderr < /dev/null\n");
	chmod 0755, "$work/run";
	put($_, '') for 'stdout', 'stderr';
	system 'chown', '-R', '65534:65534', "$work" unless $>;
	$ENV{TMPDIR} = "$work/tmp";
}

# Fails: an input in flake.nix that flake.lock does not have; another pin.
sub test_lock {
	my ($ok, $out, $said) = nix('flake', 'metadata', '--json', '--no-update-lock-file', "path:$work/rstat");
	ok($ok, 'the lock fits the flake') or diag $said;
	my $locked = $ok && $json->decode($out)->{locks}{nodes}{nixpkgs}{locked};
	is($locked && $locked->{rev}, 'd6c71932130818840fc8fe9509cf50be8c64634f', 'and names a nixpkgs');
}

# Fails: a name that the stand-in does not have, in any output, for either architecture.
sub test_outputs {
	my ($ok, undef, $said) = nix('flake', 'check', '--no-build', "path:$work/rstat", @stand_in);
	ok($ok, 'nix flake check, without building, for both architectures') or diag $said;
}

# Fails: hardeningDisable left out (nix/package.nix); a time or the build's folder in what is built; WERROR= or CFLAGS that change code.
sub test_packages {
	my $out = build('rstat');
	is(system("cmp $home/rstat $out/bin/rstat"), 0, 'the program is the one that make builds, to the byte');
	is(`$out/bin/rstat --version`, "rstat $version\n", 'it runs');
	is(join(' ', sort map { s{^\Q$out\E/}{}r } split /\n/, `find $out -type f`), join(' ', 'bin/rstat', 'share/bash-completion/completions/rstat',
		'share/fish/vendor_completions.d/rstat.fish', 'share/man/man1/rstat.1.gz', 'share/zsh/site-functions/_rstat'), 'with its page and completions');
	is(`grep -c $work/store $out/bin/rstat`, "0\n", 'it refers to nothing in the store');
	local $ENV{TMPDIR} = "$work/tmp/elsewhere";
	build($_, '--rebuild') for 'rstat-probe', 'rstat';	# which compares
	my $other = build('packages.aarch64-linux.rstat');
	like(`file $other/bin/rstat`, qr/ELF 64-bit.*aarch64.*static-pie/, 'the other one is for aarch64');
	my @probes = map { build("packages.$_-linux.rstat-probe") } 'x86_64', 'aarch64';
	is(system("cmp $probes[0]/lib/rstat/rstat.bpf.packed $probes[1]/lib/rstat/rstat.bpf.packed"), 0, 'with the same probe');
}

# Fails: a test that needs root, /sys, or a file that the check's source does not have.
sub test_unit {
	build('checks.x86_64-linux.unit');
}

# ---- the modules, as somebody uses them who has read docs/nixos.md

my ($flake, $module) = slurp('docs/nixos.md') =~ /^```nix\n(.*?)^```$/msg;
my $expressions = <<'END';
{
  inputs.nixpkgs.url = "path:STUB";
  inputs.rstat.url = "path:RSTAT";
  inputs.rstat.inputs.nixpkgs.follows = "nixpkgs";

  outputs = { nixpkgs, rstat, ... }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
      nixos = modules: nixpkgs.lib.nixosSystem { inherit system; modules = [ rstat.nixosModules.default ] ++ modules; };
      home = modules: nixpkgs.lib.homeManagerConfiguration { inherit pkgs; modules = [ rstat.homeManagerModules.default ] ++ modules; };
      # with all that a manual would show of them
      names = builtins.mapAttrs (_: option:
        if option._type or "" != "option" then names option
        else builtins.deepSeq (builtins.removeAttrs option [ "type" ]) (option.default or null));
      declared = (nixos [ ]).options.programs.rstat;
    in
    {
      options.nixos = names (declared // { package = builtins.removeAttrs declared.package [ "default" ]; });
      options.home = names (home [ ]).options.programs.rstat;
      idle = { nixos = (nixos [ ]).config; home = (home [ ]).config; };
      group = (nixos [ { programs.rstat = { enable = true; wrapper.group = "wheel"; }; } ]).config;
      bare = (nixos [ { programs.rstat = { enable = true; wrapper.enable = false; }; } ]).config;
      metrics = (nixos [ { programs.rstat.openmetrics = { enable = true; interval = 250; extraArgs = [ "--names" "50%" ]; }; } ]).config;
      exporter = (nixos [ { programs.rstat.openmetrics.enable = true; services.prometheus.exporters.node.enable = true; } ]).config;
      strange = (nixos [ { programs.rstat.openmetrics.interval = 5; } ]).config;
      # the module of docs/nixos.md, with and without what it sets
      page = (home [ (builtins.removeAttrs (import ./home.nix { inherit rstat; }) [ "imports" ]) ]).config;
      plain = (home [ { programs.rstat.enable = true; } ]).config;
      further = (home [
        {
          programs.rstat = {
            enable = true;
            text = "it's {load1}";
            waybar = { bar = "top"; clicks = false; style = true; settings.output = "DP-1"; };
          };
          programs.waybar.settings.top.modules-right = [ "clock" ];
        }
      ]).config;
      centre = (home [ { programs.rstat = { enable = true; waybar.position = "modules-center"; }; } ]).config;
      broken = (home [ { programs.rstat = { enable = true; waybar.settings.interval = 1; }; } ]).config;
      # the overlay gives what the packages are
      overlay =
        let final = pkgs // rstat.overlays.default (final // { callPackage = file: given: pkgs.callPackage file (builtins.intersectAttrs (builtins.functionArgs (import file)) { inherit (final) rstat-probe; } // given); }) pkgs; in
        final.rstat.drvPath == rstat.packages.${system}.rstat.drvPath;
      kinds = map builtins.typeOf [ rstat.packages.${system}.default rstat.devShells.aarch64-linux.default ];
      default = rstat.packages.${system}.default.drvPath == rstat.packages.${system}.rstat.drvPath;
      script = rstat.checks.${system}.desktop.testScript;
    };
}
END

sub test_page {
	mkdir "$work/user";
	(my $text = $flake) =~ s{inputs\.nixpkgs\.url = "[^"]*"}{inputs.nixpkgs.url = "path:$stub"} or fail('the page has a nixpkgs');
	$text =~ s{inputs\.rstat\.url = "[^"]*";}{inputs.rstat.url = "path:$work/rstat"; inputs.rstat.inputs.nixpkgs.follows = "nixpkgs";} or fail('the page has an rstat');
	put('user/flake.nix', $text);
	put('user/configuration.nix', "{ services.getty.autologinUser = null; }\n");
	my $machine = value('user#nixosConfigurations.machine.config');
	my $wrapper = $machine->{security}{wrappers}{rstat};
	like(delete $wrapper->{source}, qr{^\Q$work\E/store/\w+-rstat-\Q$version\E/bin/rstat$}, "docs/nixos.md's machine has a wrapper of rstat");
	is_deeply($wrapper, { owner => 'root', group => 'root', permissions => 'u+rx,g+x,o+x', capabilities => 'cap_bpf,cap_perfmon+ep' }, 'with its two capabilities');
	like("@{ $machine->{environment}{systemPackages} }", qr/-rstat-\Q$version\E$/, 'and its page and completions');
	ok(!$machine->{systemd}{services}{'rstat-openmetrics'}, 'and no service');
}

# Fails: a default or an option in docs/nixos.md that is not there, and the other way round.
sub test_options {
	my %found;
	my $walk;
	$walk = sub {
		my ($path, $tree) = @_;
		ref $tree->{$_} eq 'HASH' && %{ $tree->{$_} } ? $walk->("$path.$_", $tree->{$_}) : ($found{"$path.$_"} = $tree->{$_}) for keys %$tree;
	};
	my $all = value('expressions#options');
	my %count;
	for my $host ('NixOS', 'Home Manager') {
		%found = ();
		$walk->('programs.rstat', $all->{ $host eq 'NixOS' ? 'nixos' : 'home' });
		my ($table) = slurp('docs/nixos.md') =~ /^\| option of \Q$host\E .*?\n(.*?)\n\n/ms;
		my %rows = $table =~ /^\| `(programs\.rstat\.\S+)` \| (.*?) \|/mg;
		is_deeply([sort keys %rows], [sort keys %found], "docs/nixos.md has each option of $host, and no other");
		my %plain = ('[]' => '[ ]', '{}' => '{ }');
		for (grep { $rows{$_} =~ /^`/ && exists $found{$_} } keys %rows) {
			my $default = JSON::PP->new->allow_nonref->encode($found{$_});
			$count{$_}++;
			is($rows{$_}, '`' . ($plain{$default} // $default) . '`', "the default of $host\'s $_");
		}
	}
	cmp_ok(scalar keys %count, '>', 10, 'defaults were compared');
}

# The unit as NixOS writes it.
sub unit_text {
	my ($service) = @_;
	my $text = "[Unit]\nDescription=$service->{description}\n" . join('', map { "Documentation=$_\n" } @{ $service->{documentation} }) . "\n[Service]\n";
	my $config = $service->{serviceConfig};
	for my $key (sort keys %$config) {
		my $is = $config->{$key};
		$text .= "$key=" . (JSON::PP::is_bool($is) ? $is ? 'true' : 'false' : $_) . "\n" for ref $is eq 'ARRAY' ? @$is : $is;
	}
	return $text;
}

# What systemd makes of a unit's words: { directive => sorted words }.
sub directives {
	my ($text) = @_;
	my %found;
	push @{ $found{$1} }, map { /^(?:true|yes)$/ ? 'yes' : /^(?:false|no)$/ ? 'no' : $_ } split ' ', $2 while $text =~ /^(\w+)=(.*)$/mg;
	return { map { $_ => join ' ', sort @{ $found{$_} } } keys %found };
}

# Fails: a directive that systemd does not know; one that the other distributions' unit has and this has not.
sub test_service {
	my $service = value('expressions#metrics')->{systemd}{services}{'rstat-openmetrics'};
	like($service->{serviceConfig}{ExecStart}, qr{^"\S+/bin/rstat" "--file" "/run/rstat/rstat\.prom" "--interval" "250" "--names" "50%%"$}, 'the service has its options, for systemd');
	is_deeply($service->{wantedBy}, ['multi-user.target'], 'and is started');
	is_deeply(value('expressions#exporter')->{services}{prometheus}{exporters}{node}{extraFlags}, ['--collector.textfile.directory=/run/rstat'], 'node_exporter reads its folder');
	is(value('expressions#metrics')->{services}{prometheus}{exporters}{node}{extraFlags}, undef, 'where there is one');
	SKIP: {
		skip 'needs systemd-analyze', 1 if system 'command -v systemd-analyze > /dev/null';
		put('rstat-openmetrics.service', unit_text($service));
		my $said = `systemd-analyze verify --man=no $work/rstat-openmetrics.service 2>&1`;
		is(join('', grep { /rstat-openmetrics/ } split /^/, $said), '', 'systemd finds nothing wrong with it');
	}
	SKIP: {
		my $other = 'docs/packages/rstat-openmetrics.service';
		skip "needs $other", 1 unless -e $other;
		my ($theirs, $ours) = (directives(slurp($other)), directives(unit_text($service)));
		# where the collector looks is for each distribution to say
		delete @{$_}{qw(ExecStart ExecStartPre ExecStopPost WantedBy)} for $theirs, $ours;
		is_deeply($ours, $theirs, "it is confined as $other is");
	}
}

# Fails: mkIf left out of nix/nixos.nix or home.nix; another permission.
sub test_nixos {
	my $idle = value('expressions#idle');
	delete $_->{programs}{rstat} for values %$idle;
	my $empty = sub { my ($self, $tree) = @_; ref $tree eq 'HASH' ? !grep { !$self->($self, $_) } values %$tree : ref $tree eq 'ARRAY' ? !@$tree : JSON::PP::is_bool($tree) && !$tree };
	ok($empty->($empty, $idle), 'modules that are not enabled change nothing') or diag explain $idle;
	my $wrapper = value('expressions#group')->{security}{wrappers}{rstat};
	is("$wrapper->{group} $wrapper->{permissions}", 'wheel u+rx,g+x', "a group's wrapper is not for others");
	ok(!value('expressions#bare')->{security}{wrappers}{rstat}, 'the wrapper can be left out');
	is(value('expressions#overlay'), 1, 'the overlay has the package');
	is(value('expressions#default'), 1, 'which is the default one');
}

# Fails: a setting of docs/bars.md's module that nix/waybar.nix has not.
sub test_home {
	my ($config) = slurp('docs/bars.md') =~ /^```json\n(.*?)^```$/ms;
	my $bar = value('expressions#plain')->{programs}{waybar}{settings}{mainBar};
	my $ours = $json->encode($bar);
	$ours =~ s{\Q$work\E/store/\w+-procps/bin/pkill}{pkill}g;
	$ours =~ s{/run/wrappers/bin/rstat}{rstat}g;
	my $theirs = $json->decode($config);
	is_deeply($json->decode($ours), { 'custom/rstat' => $theirs->{'custom/rstat'}, 'modules-right' => ['custom/rstat'] }, 'the module is that of docs/bars.md');
	my $page = value('expressions#page')->{programs}{waybar};
	is($page->{settings}{mainBar}{'custom/rstat'}{exec}, q{exec /run/wrappers/bin/rstat --text '{load1} {cpu}% {mem}%' --class-on pressure}, "that of docs/nixos.md has its options");
	is_deeply($page->{settings}{mainBar}{'modules-left'}, ['custom/rstat'], 'and its place');
	is_deeply(value('expressions#centre')->{programs}{waybar}{settings}{mainBar}{'modules-center'}, ['custom/rstat'], 'or another one');
	my $further = value('expressions#further')->{programs}{waybar};
	is_deeply([sort @{ $further->{settings}{top}{'modules-right'} }], ['clock', 'custom/rstat'], 'it stands beside others');
	my $module = $further->{settings}{top}{'custom/rstat'};
	is($module->{exec}, q{exec /run/wrappers/bin/rstat --text 'it'\''s {load1}'}, 'a quote is for the shell');
	is("$module->{output} " . join(',', grep { /^on-/ } keys %$module), 'DP-1 ', 'further settings, and no clicks');
	like($further->{style}, qr/#custom-rstat\.critical \{/, 'and colours');
}

# The desktop's script: python that compiles, with methods that the names have.
sub test_script {
	my $script = value('expressions#script');
	put('script.py', $script);
	is(system("python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' $work/script.py"), 0, 'the script of the desktop is python');
	$used{"machine.$1"} = 1 while $script =~ /\bmachine\.(\w+)\(/g;
}

# ---- the names

# Fails: a name that is used and not in test/nix/names, or there and not used, or that the stand-in has beside them.
sub test_names {
	my %listed = map { /^([^#\t]\S*)\t(\S.*)$/ ? ($1, $2) : () } split /\n/, slurp('test/nix/names');
	my ($ok, $out) = nix('eval', '--json', "path:$stub#names");
	my @stub = @{ $json->decode($out) };
	is_deeply([sort keys %used], [sort keys %listed], 'test/nix/names has each name that is used, and no other');
	is_deeply([sort @stub], [sort grep { !/^machine\./ } keys %listed], 'the stand-in has these and no others');
	is(scalar(grep { !m{^(?:home-manager: )?[\w.-]+(?:/[\w.-]+)*\.(?:nix|sh|py)$} } values %listed), 0, 'each with the file that defines it');
}

# What nixpkgs would refuse, the stand-in does.
sub test_refusals {
	my ($package, $desktop, $shell) = ('packages.x86_64-linux.rstat', 'checks.aarch64-linux.desktop', 'devShells.x86_64-linux.default');
	my @changes = (
		['flake.nix', 's/pkgs\.testers/pkgs.tester/', $desktop, qr/attribute 'tester' missing/, 'a package set that is not there'],
		['nix/shell.nix', 's/mandoc/mandocs/g', $shell, qr/callPackage: there is no `mandocs'/, 'a package that is not there'],
		['nix/version.nix', 's/findFirst/findOne/', $package, qr/attribute 'findOne' missing/, 'a function of lib that is not there'],
		['nix/package.nix', 's/dontStrip/noStrip/', $package, qr/mkDerivation: `noStrip' is not known/, 'a misspelt attribute'],
		['nix/package.nix', 's/mainProgram/program/', $package, qr/meta: `program' is not known/, 'a misspelt meta'],
		['nix/package.nix', 's/mit gpl2Only/mit gpl2only/', $package, qr/undefined variable 'gpl2only'/, 'a licence that is not there'],
		['nix/package.nix', 's{\.\./LICENSE}{../COPYING}', $package, qr{/COPYING is not there}, 'a source that is not there'],
		['nix/nixos.nix', 's/owner = "root"/user = "root"/', $desktop, qr/security\.wrappers\.<name>\.user' does not exist/, 'an option that NixOS does not have'],
		['nix/nixos.nix', 's/permissions = .*/permissions = 755;/', $desktop, qr/permissions' is no string: 755/, 'a value of another type'],
		['nix/nixos.nix', 's/escapeSystemdExecArgs/escapeSystemdArgs/', $desktop, qr/attribute 'escapeSystemdArgs' missing/, 'a function of utils that is not there'],
		['nix/desktop.nix', 's/enableOCR/enableOcr/', $desktop, qr/`enableOcr' does not exist/, 'an option that a NixOS test does not have'],
		['nix/home.nix', 's/programs\.waybar\.style =/programs.waybar.css =/', undef, qr/`programs\.waybar\.css' does not exist/, "an option that home-manager's waybar does not have"],
	);
	for (@changes) {
		my ($path, $change, $output, $expected, $name) = @$_;
		my $before = slurp("$work/rstat/$path");
		local $_ = $before;
		eval "$change; 1" or die $@;	## no critic: the changes are those above
		put("rstat/$path", $_);
		my ($ok, undef, $said) = $output ? nix('eval', "path:$work/rstat#$output.drvPath", @stand_in)
			: nix('eval', '--json', "path:$work/expressions#plain", '--no-write-lock-file');
		put("rstat/$path", $before);
		like($ok ? 'accepted' : $said, $expected, "refused: $name");
	}
	for (['strange', qr/interval' is no integer between 10 and 60000: 5/], ['broken', qr/Failed assertions: .*does not keep rstat running/]) {
		my ($ok, undef, $said) = nix('eval', '--json', "path:$work/expressions#$_->[0]", '--no-write-lock-file');
		like($ok ? 'accepted' : $said, $_->[1], "refused: $_->[0] settings");
	}
	# and its compilers
	my $before = slurp("$work/rstat/nix/probe.nix");
	my $wrapped = $before =~ s/buildPackages \}:/buildPackages, llvmPackages }:/r =~ s/buildPackages\.llvmPackages\.clang-unwrapped/llvmPackages.clang/r;
	my $bare = $before =~ s/HOSTCC="\$CC_FOR_BUILD"/HOSTCC="\${buildPackages.llvmPackages.clang-unwrapped}\/bin\/clang"/r;
	my $none = $before =~ s/depsBuildBuild = .*//r;
	for ([$wrapped, qr/the wrapped clang has flags that the bpf target refuses/, 'the wrapped clang for the probe'],
		[$bare, qr/the bare clang builds nothing for this machine/, 'the bare one for its tools'],
		[$none, qr/CC_FOR_BUILD: unbound variable/, 'a compiler for the machine that builds which was not asked for']) {
		my ($changed, $expected, $name) = @$_;
		put('rstat/nix/probe.nix', $changed);
		my ($ok, undef, $said) = nix('build', "path:$work/rstat#rstat-probe", '--no-link', '-L', @stand_in);
		like($ok ? 'accepted' : $said, $expected, "refused: $name");
	}
	put('rstat/nix/probe.nix', $before);
}

prepare();
mkdir "$work/expressions";
put('expressions/flake.nix', $expressions =~ s/STUB/$stub/r =~ s/RSTAT/$work\/rstat/r);
put('expressions/home.nix', $module);
test_lock();
test_outputs();
test_packages();
test_unit();
test_page();
test_options();
test_nixos();
test_service();
test_home();
test_script();
test_names();
test_refusals();
done_testing();
