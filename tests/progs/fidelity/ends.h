/* SPDX-License-Identifier: MIT */
/*
 * How a connection ends, and what else its peer and the network do to it: real
 * events.
 */

/* Where a thread under test is held, by a signal, while the event happens. */
static sem_t held;
static volatile sig_atomic_t holding;

static void hold(int sig)
{
	(void)sig;
	holding = 1;
	while (sem_wait(&held))
		;
}

/* ---- the peer ---------------------------------------------------------- */

static void close_hard(int fd)
{
	struct linger hard = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
}

static void until_closed(void)
{
	until(tcp_state(FD) == TCP_CLOSE);
}

static void peer_resets(void)
{
	close_hard(s.peer);
	s.peer = -1;
	until_closed();
}

static void until_peer_has(size_t n)
{
	int there = 0;

	until(!ioctl(s.peer, FIONREAD, &there) && (size_t)there >= n);
}

/* peer_closes: with data unread, if there is some, which is a reset. */
static void peer_closes(void)
{
	if (connects() && s.proto != SEQ)
		until_peer_has(s.out - s.seen);
	close(s.peer);
	s.peer = -1;
	if (s.proto == TCP)
		until(tcp_state(FD) != TCP_ESTABLISHED);
}

/* peer_killed: a process that has the peer, and unread data, is killed. */
static void peer_killed(void)
{
	pid_t pid;

	if (s.proto != SEQ)
		until_peer_has(s.out - s.seen);
	pid = need(fork(), "fork");
	if (!pid) {
		close(FD);
		for (;;)
			pause();
	}
	close(s.peer);
	s.peer = -1;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (s.proto == TCP)
		until_closed();
}

static void peer_ends(void)
{
	shutdown(s.peer, SHUT_WR);
	if (s.proto == TCP)
		until(tcp_state(FD) == TCP_CLOSE_WAIT);
}

static void peer_back(void)
{
	if (s.proto & UNIX)
		unlink(s.there.un.sun_path);
	s.peer = new_socket();
	need(bind(s.peer, &s.there.any, s.therelen), "bind");
	if (s.proto == UDP)
		need(connect(s.peer, &s.here.any, s.herelen), "connect");
}

/* ---- the network ------------------------------------------------------- */

/* rst_both: something between the two ends resets both. */
static void rst_both(void)
{
	char packet[70000];

	while (overhear(packet, sizeof packet))
		;
	rst_to(flows[1].port, &flows[0]);
	rst_to(flows[0].port, &flows[1]);
	until_closed();
	if (s.peer >= 0)
		until(tcp_state(s.peer) == TCP_CLOSE);
}

/* rst_queued: while the connection waits in the listener's queue. */
static void rst_queued(void)
{
	char packet[70000];

	while (overhear(packet, sizeof packet))
		;
	rst_to(flows[1].port, &flows[0]);
	rst_to(flows[0].port, &flows[1]);
	until(tcp_state(s.peer) == TCP_CLOSE);
}

/* rst_collected: and somebody has already asked for the error. */
static void rst_collected(void)
{
	int error;
	socklen_t len = sizeof error;

	rst_both();
	getsockopt(FD, SOL_SOCKET, SO_ERROR, &error, &len);
}

static void option_of(int fd, int level, int name, int value)
{
	need(setsockopt(fd, level, name, &value, sizeof value), "setsockopt");
}

static void option(int level, int name, int value)
{
	option_of(FD, level, name, value);
}

/* no_answer: keepalives stay without one; their end is a RST to the peer. */
static void no_answer(void)
{
	deaf(FD, true);
	option(SOL_SOCKET, SO_KEEPALIVE, 1);
	option(IPPROTO_TCP, TCP_KEEPCNT, 1);
	option(IPPROTO_TCP, TCP_KEEPINTVL, 1);
	option(IPPROTO_TCP, TCP_KEEPIDLE, 1);
	until_closed();
}

static uint32_t next_of_ours(void)
{
	char packet[70000];

	while (overhear(packet, sizeof packet))
		;
	return flows[flows[0].port == s.here.in.sin_port ? 0 : 1].next;
}

/* router_says: and meanwhile a router says why there is none. */
static void router_says(int code)
{
	char quote[64];

	deaf(FD, true);
	icmp_about(code, quote, quote_of(quote, IPPROTO_TCP,
					 s.here.in.sin_port,
					 s.there.in.sin_port,
					 htonl(next_of_ours())));
	no_answer();
}

static void router_says_host(void)
{
	router_says(ICMP_HOST_UNREACH);
}

static void router_says_net(void)
{
	router_says(ICMP_NET_UNREACH);
}

static void admin_ends(void)
{
	tool("ss -K -t src 127.0.0.1:%d dst 127.0.0.1:%d >/dev/null",
	     ntohs(s.here.in.sin_port), ntohs(s.there.in.sin_port));
	until_closed();
}

/* of_datagram: ICMP about an earlier datagram of ours. */
static void of_datagram(int code)
{
	char quote[64];
	struct pollfd p = { FD, 0, 0 };

	icmp_about(code, quote, quote_of(quote, IPPROTO_UDP,
					 s.here.in.sin_port,
					 s.there.in.sin_port, htonl(0x80000)));
	until(poll(&p, 1, 0) == 1);
}

static void datagram_port(void)
{
	of_datagram(ICMP_PORT_UNREACH);
}

static void datagram_host(void)
{
	of_datagram(ICMP_HOST_ANO);
}

static void datagram_net(void)
{
	of_datagram(ICMP_NET_ANO);
}

static void datagram_protocol(void)
{
	of_datagram(ICMP_PROT_UNREACH);
}

static void rules_movable(void)
{
	own_net();
	tool("ip rule add pref 100 table local && ip rule del pref 0");
}

static void prohibited(void)
{
	tool("ip rule add pref 10 to 127.0.0.0/8 prohibit");
}

static void unreachable(void)
{
	tool("ip rule add pref 10 to 127.0.0.0/8 unreachable");
}

static void routed(void)
{
	tool("ip rule del pref 10");
}

static void narrow(void)
{
	option(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	tool("ip link set lo mtu 1280");
}

static void wide(void)
{
	tool("ip link set lo mtu 65536");
}
