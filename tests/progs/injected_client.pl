# SPDX-License-Identifier: MIT
# injected_client.pl PORT: how much came, or what failed after how much.
use strict;
use warnings;
use IO::Socket::INET;

my ($got, $data) = (0, '');
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]")
	or die "connect: $!\n";
$s->autoflush(1);
print $s "GET /big HTTP/1.0\r\n\r\n" or die "print: $!\n";
while (1) {
	my $n = sysread($s, $data, 65536);
	defined $n or die "sysread after $got: $!\n";
	last unless $n;
	$got += $n;
}
print "$got\n";
