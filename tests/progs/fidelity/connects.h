/* SPDX-License-Identifier: MIT */
/*
 * Why a connection does not come about: real events.
 */

static void server_gone(void)
{
	close(s.lis);
}

static void server_back(void)
{
	s.lis = new_socket();
	option_of(s.lis, SOL_SOCKET, SO_REUSEADDR, 1);
	need(bind(s.lis, &s.there.any, s.therelen), "bind");
	need(listen(s.lis, 5), "listen");
}

/* no_syn: the listener hears nothing; TCP gives up after two seconds. */
static void no_syn(void)
{
	deaf(s.lis, true);
	option(IPPROTO_TCP, TCP_SYNCNT, 1);
	option(IPPROTO_TCP, TCP_USER_TIMEOUT, 1);
}

static void no_syn_long(void)
{
	deaf(s.lis, true);
}

static void syn(void)
{
	deaf(s.lis, false);
}

/* unroute: once the first SYN is out, the others have no way to go. */
static void *unroute(void *unused)
{
	(void)unused;
	until(tcp_state(FD) == TCP_SYN_SENT);
	tool("ip rule add pref 10 to 127.0.0.0/8 table 10");
	return NULL;
}

static void no_route(void)
{
	pthread_t t;

	no_syn();
	tool("ip route add unreachable default table 10");
	pthread_create(&t, NULL, unroute, NULL);
	pthread_detach(t);
}

static void route(void)
{
	routed();
	syn();
}

static int router_code;
static size_t router_len;		/* how much of the SYN it quotes */

/*
 * router: answers every SYN; while our socket is in a call TCP does not take
 * the answer, and the next SYN is a second later.
 */
static void *router(void *unused)
{
	char packet[70000] = { 0 };

	(void)unused;
	while (tcp_state(FD) != TCP_SYN_SENT)
		pause_a_bit();
	while (tcp_state(FD) == TCP_SYN_SENT) {
		ssize_t n = overhear(packet, sizeof packet);

		if (n > 0)
			icmp_about(router_code, packet, router_len);
		pause_a_bit();
	}
	return NULL;
}

static void router_refuses(int code, size_t len)
{
	pthread_t t;

	router_code = code;
	router_len = len;
	deaf(s.lis, true);
	pthread_create(&t, NULL, router, NULL);
	pthread_detach(t);
}

/*
 * without_queue: Linux also puts the message into the socket's error queue,
 * which poll reports as ERR until it is read; here there is no room for it.
 */
static void without_queue(int code)
{
	option(SOL_SOCKET, SO_RCVBUF, 1);
	router_refuses(code, 8000);
}

static void no_host(void)
{
	without_queue(ICMP_HOST_UNREACH);
}

static void no_protocol(void)
{
	without_queue(ICMP_PROT_UNREACH);
}

static void no_host_queued(void)
{
	router_refuses(ICMP_HOST_UNREACH, 48);
}

static void no_protocol_queued(void)
{
	router_refuses(ICMP_PROT_UNREACH, 48);
}

static void no_net_queued(void)
{
	router_refuses(ICMP_NET_UNREACH, 48);
}

static void hear_syn(void)
{
	option(SOL_SOCKET, SO_RCVBUF, 65536);
	syn();
}

/* resetter: accepts, and resets before the client's connect is over. */
static void *resetter(void *unused)
{
	(void)unused;
	if (s.block) {
		until(asleep(s.tid));
		pthread_kill(s.thread, SIGUSR2);
		until(holding);
		deaf(s.lis, false);
		until(tcp_state(FD) == TCP_ESTABLISHED);
	}
	close_hard(accept(s.lis, NULL, NULL));
	until_closed();
	sem_post(&held);
	return NULL;
}

static void server_resets(void)
{
	pthread_t t;

	if (s.block)
		deaf(s.lis, true);
	pthread_create(&t, NULL, resetter, NULL);
	pthread_detach(t);
}

static int others[64], n_others;

/* ports_taken: all but one ephemeral port, and that one too. */
static void ports_taken(void)
{
	set_sysctl("ipv4/ip_local_port_range", "40000 40000");
	others[n_others] = new_socket();
	need(connect(others[n_others++], &s.there.any, s.therelen), "connect");
}

static void ports_free(void)
{
	set_sysctl("ipv4/ip_local_port_range", "32768 60999");
	close(need(accept(s.lis, NULL, NULL), "accept"));
}

static void file_away(void)
{
	char away[100];

	snprintf(away, sizeof away, "%s/away", s.dir);
	need(rename(s.there.un.sun_path, away), "rename");
}

static void file_back(void)
{
	char away[100];

	snprintf(away, sizeof away, "%s/away", s.dir);
	need(rename(away, s.there.un.sun_path), "rename");
}

/* other_type: in the file's place there is one of another type of socket. */
static void other_type(void)
{
	file_away();
	others[0] = need(socket(AF_UNIX, s.proto == DGRAM ? SOCK_STREAM
							  : SOCK_DGRAM, 0),
			 "socket");
	need(bind(others[0], &s.there.any, s.therelen), "bind");
}

static void type_back(void)
{
	close(others[0]);
	unlink(s.there.un.sun_path);
	file_back();
}

/* unix_gone: the file stays; peer_closes does the same to datagrams. */
static void unix_gone(void)
{
	close(s.lis);
}

static void unix_back(void)
{
	unlink(s.there.un.sun_path);
	s.lis = new_socket();
	need(bind(s.lis, &s.there.any, s.therelen), "bind");
	if (connects())
		need(listen(s.lis, 5), "listen");
	else
		s.peer = s.lis;
}

static void queue_full(void)
{
	int fd;

	need(listen(s.lis, 0), "listen");
	do {
		fd = new_socket();
		fcntl(fd, F_SETFL, O_NONBLOCK);
		others[n_others++] = fd;
	} while (!connect(fd, &s.there.any, s.therelen));
	n_others--;
}

static void queue_free(void)
{
	need(listen(s.lis, 5), "listen");
	while (n_others > 0) {
		close(accept(s.lis, NULL, NULL));
		close(others[--n_others]);
	}
}

static void as_nobody(void)
{
	if (getuid() == 0)
		need(seteuid(65534), "seteuid");
}

static void as_root(void)
{
	need(seteuid(getuid()), "seteuid");
}

static void not_writable(void)
{
	need(chmod(s.there.un.sun_path, 0), "chmod");
	as_nobody();
}

static void writable(void)
{
	as_root();
	need(chmod(s.there.un.sun_path, 0777), "chmod");
}

static void to_broadcast(void)
{
	s.kept = s.there;
	s.there.in.sin_addr.s_addr = htonl(0x7fffffff);
}

static void to_peer(void)
{
	s.there = s.kept;
}
