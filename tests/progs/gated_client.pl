# SPDX-License-Identifier: MIT
# gated_client.pl PORT SECONDS: connect with a Timeout, read with select.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Select;

my ($port, $limit) = @ARGV;
my ($got, $data) = (0, '');
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port",
	Timeout => $limit) or die "connect: $! ($@)\n";
$s->autoflush(1);
print $s "GET /big HTTP/1.0\r\n\r\n" or die "print: $!\n";
my $ready = IO::Select->new($s);
while (1) {
	$ready->can_read($limit) or die "nothing more after $got\n";
	my $n = sysread($s, $data, 65536);
	defined $n or die "sysread after $got: $!\n";
	last unless $n;
	$got += $n;
}
print "$got\n";
