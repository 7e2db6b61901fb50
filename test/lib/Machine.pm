# SPDX-License-Identifier: MIT
# Machines that this one is not: trees of test/fixtures/machines, which a program gets as its /sys in a mount namespace.
package Machine;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);

our @EXPORT = qw(unpack_machine in_machine machine_names);

sub machine_names { return grep { $_ ne 'README' } map { m{([^/]+)$} } sort glob 'test/fixtures/machines/*' }

# The first part of the fixture as a folder; see test/fixtures/machines/README.
sub unpack_machine {
	my ($name, $folder) = @_;
	open my $file, '<:raw', "test/fixtures/machines/$name" or die "$name: $!\n";
	while (<$file>) {
		chomp;
		last if $_ eq '@ later';
		next if /^#/ || $_ eq '';
		if (/^(\S+) -> (.+)$/) {
			make_path("$folder/" . dirname($1));
			symlink $2, "$folder/$1" or die "$1: $!\n";
		} elsif (/^(\S+) = (.*)$/) {
			my ($path, $content) = ($1, $2);
			$content =~ s/\\x([0-9a-f]{2})/chr hex $1/ge;
			make_path("$folder/" . dirname($path));
			open my $out, '>:raw', "$folder/$path" or die "$path: $!\n";
			print $out length $content ? "$content\n" : '';
			close $out;
		} elsif (m{^(\S+) /$}) {
			make_path("$folder/$1");
		} else {
			die "$name: $_\n";
		}
	}
	return;
}

# The command that runs another one with $folder/sys as its /sys. The kernel's own part of it stays, and so do the CPUs.
sub in_machine {
	my ($folder, @command) = @_;
	for my $file ('online', 'possible') {
		make_path("$folder/sys/devices/system/cpu");
		open my $in, '<', "/sys/devices/system/cpu/$file" or die "$file: $!\n";
		open my $out, '>', "$folder/sys/devices/system/cpu/$file" or die "$file: $!\n";
		print {$out} readline $in;
		close $out;
	}
	make_path("$folder/sys/kernel");
	my $script = 'mount --rbind /sys/kernel "$0/sys/kernel" && mount --rbind "$0/sys" /sys && exec "$@"';
	return ('unshare', '--mount', 'sh', '-c', $script, "$folder", @command);
}

1;
