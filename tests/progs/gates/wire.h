/* SPDX-License-Identifier: MIT */
/*
 * A handshake that really takes its time: in a network of our own the listener
 * hears no SYN, and at the moment the very same SYN comes again, or its answer.
 */
#include <sys/stat.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../fidelity/net.h"
#pragma GCC diagnostic pop

static char syn[8000];			/* the program's, with the IP header */
static ssize_t syn_len;

static void see_syn(void)
{
	if (!syn_len)
		until((syn_len = overhear(syn, sizeof syn)) > 0);
}

/* syn_again: with the checksum that loopback has not needed. */
static void syn_again(void)
{
	struct iphdr *ip = (void *)syn;
	size_t head = ip->ihl * 4, len = syn_len - head;
	struct tcphdr *t = (void *)(syn + head);
	char whole[256] = { 0 };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	memcpy(whole, &ip->saddr, 8);
	whole[9] = IPPROTO_TCP;
	whole[11] = len;
	t->check = 0;
	memcpy(whole + 12, t, len);
	t->check = checksum(whole, len + 12, 0);
	if (sendto(wire, t, len, 0, (void *)&to, sizeof to) != (ssize_t)len)
		not_here("a SYN");
}

/* How a held handshake ends. */
static void syn_arrives(void)
{
	see_syn();
	deaf(s.lis, false);
	syn_again();
}

static void syn_refused(void)
{
	see_syn();
	close(s.lis);
	syn_again();
}

/*
 * syn_unreachable: Linux also puts the message into the socket's error queue,
 * which poll reports as ERR until it is read; here there is no room for it.
 */
static void syn_unreachable(void)
{
	see_syn();
	icmp_about(ICMP_HOST_UNREACH, syn, sizeof syn);
}

static void syn_lost(void)
{
}

/* unconnected: FD has a listener to connect to. */
static void make_unconnected(void)
{
	if (s.real && s.proto == TCP)
		listen_in();
	make_listener(5);
	if (s.real && s.proto == TCP)
		deaf(s.lis, true);
	put(new_socket(), FD);
}

static long do_connect(void)
{
	return connect(FD, &s.there.any, s.therelen);
}

static int tcp_state(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -1;
	return info.tcpi_state;
}
