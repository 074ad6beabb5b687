/* SPDX-License-Identifier: MIT */
/*
 * Faults in time.  What really comes late comes at the . of ORDER, or while
 * the program waits in its call; under a rule it is there at the ! already,
 * and nothing may be seen of it before the moment.
 *
 * The line does not say when: only "early" where something came before the
 * moment.  A run that was so slow that the moment had passed before the . has
 * nothing to say: its status is TOO_LATE, and it wants a longer time.
 */
#define SPAN "300ms"			/* what the rules say */
#define SHORT 30			/* ms, of SO_RCVTIMEO and SO_SNDTIMEO */
#define VOLUME 40000			/* bytes, at RATE a second */
#define RATE "200kB/s"

static struct gate {
	int ms;				/* SPAN, or as main is told */
	int64_t looked;			/* no look at FD was before */
	int64_t moment;			/* 0: nothing comes at one */
	bool opening;			/* the next wait ends then */
	pthread_t helper;		/* what comes during the call */
	bool helped;
	size_t filled;			/* bytes that leave no room */
} gate = { .ms = 300 };

/* in_the_call: a call that waits waits until it comes. */
static bool in_the_call(void)
{
	return s.block && !wants("timeo");
}

static void short_timeouts(void)
{
	struct timeval t = { 0, SHORT * 1000 };

	need(setsockopt(FD, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), "option");
	need(setsockopt(FD, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), "option");
}

/* ---- ! and . ------------------------------------------------------------- */

/* cut_short: a gate does not hold back a RST. */
static bool cut_short(void)
{
	return strstr(s.event->name, "reset");
}

static void comes(void)
{
	if (s.mode == REAL && s.event->end)
		s.event->end();
	if (s.mode == INJECTED && cut_short())
		peer_resets();
}

static void *comes_in_call(void *unused)
{
	(void)unused;
	until(in_call && asleep(s.tid));
	comes();
	return NULL;
}

static void gate_begin(void)
{
	bool forever = strstr(s.row->error, "forever");

	start_waiter();
	if (s.mode == REAL)
		s.event->begin();
	else if (s.event->strike)
		s.event->strike();
	if (s.mode == INJECTED && !cut_short() && !forever)
		gate.moment = gate.looked + gate.ms;
	gate.helped = in_the_call() &&
		      (s.mode == REAL ? s.event->end != NULL : cut_short());
	if (gate.helped)
		need(-pthread_create(&gate.helper, NULL, comes_in_call, NULL),
		     "thread");
}

static void say_early(int64_t at)
{
	if (at < gate.moment)
		say(" early");
}

static void gate_end(void)
{
	if (gate.helped)
		pthread_join(gate.helper, NULL);
	gate.helped = false;
	if (in_the_call()) {
		say_early(now_ms());
		return;
	}
	if (gate.moment && now_ms() >= gate.moment)
		leave(TOO_LATE);
	comes();
	gate.opening = strstr(s.order, ".Q");
}

static void gate_waited(void)
{
	if (gate.opening)
		say_early(now_ms());
	gate.opening = false;
}

static void end_gate_waiter(void)
{
	end_waiter();
	if (waiter.via)
		say_early(waiter.over);
}

/* ---- a handshake -------------------------------------------------------- */

static char syn_seen[8000];		/* the program's, with the IP header */
static ssize_t syn_len;

static void see_syn(void)
{
	if (!syn_len)
		until((syn_len = overhear(syn_seen, sizeof syn_seen)) > 0);
}

/* syn_again: with the checksum that loopback has not needed. */
static void syn_again(void)
{
	struct iphdr *ip = (void *)syn_seen;
	size_t head = ip->ihl * 4, len = syn_len - head;
	struct tcphdr *t = (void *)(syn_seen + head);
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

/* attempted: until the attempt is over; it may have been given up. */
static void attempted(void)
{
	until(tcp_state(FD) != TCP_SYN_SENT);
}

static void syn_arrives(void)
{
	see_syn();
	deaf(s.lis, false);
	if (tcp_state(FD) == TCP_SYN_SENT)
		syn_again();
	attempted();
}

static void syn_refused(void)
{
	see_syn();
	close(s.lis);
	syn_again();
	attempted();
}

static void syn_reset(void)
{
	syn_arrives();
	close_hard(accept(s.lis, NULL, NULL));
	until_closed();
}

static void syn_unanswered(void)
{
	option(IPPROTO_TCP, TCP_SYNCNT, 1);
	option(IPPROTO_TCP, TCP_USER_TIMEOUT, 1);
	attempted();
}

/* no_queue: as without_queue of connects.h. */
static void no_queue(void)
{
	option(SOL_SOCKET, SO_RCVBUF, 1);
	no_syn_long();
}

static void syn_unreachable(void)
{
	see_syn();
	icmp_about(ICMP_HOST_UNREACH, syn_seen, sizeof syn_seen);
	attempted();
}

static void syn_no_protocol(void)
{
	see_syn();
	icmp_about(ICMP_PROT_UNREACH, syn_seen, sizeof syn_seen);
	attempted();
}

/* own_lan: a network of two, one of whom does not answer. */
static void own_lan(void)
{
	own_net();
	tool("ip link add va type veth peer name vb && ip link set vb up && "
	     "ip link set va up && ip addr add 10.9.9.1/24 dev va");
}

static void no_neighbour(void)
{
	s.there.in.sin_addr.s_addr = inet_addr("10.9.9.9");
}

/* ---- data --------------------------------------------------------------- */

static void piece_comes(void)
{
	s.late = PIECE;
	send_late(PIECE);
}

/* end_comes: without asking FD, which may not know of it. */
static void end_comes(void)
{
	shutdown(s.peer, SHUT_WR);
	if (s.proto == TCP)
		until(tcp_state(s.peer) == TCP_FIN_WAIT2);
}

/* two_come: at once, as a stream. */
static void two_come(void)
{
	if (is_stream()) {
		s.late = 2 * PIECE;
		send_late(2 * PIECE);
	} else {
		piece_comes();
		piece_comes();
	}
}

static void data_and_reset(void)
{
	piece_comes();
	peer_resets();
}

/*
 * no_room: and none comes of itself.  TCP goes on to move data for a while:
 * acknowledgements are late, and a closed window is probed.
 */
static void no_room(void)
{
	static const char filler[512];
	int64_t last = now_ms();
	ssize_t n;

	if (s.proto == UDP)
		tool("tc qdisc add dev lo root tbf rate 8bit burst 2000 "
		     "limit 1000000");
	do {
		while ((n = send(FD, filler, sizeof filler,
				 MSG_DONTWAIT)) > 0) {
			gate.filled += n;
			last = now_ms();
		}
		pause_a_bit();
	} while (s.proto == TCP && now_ms() - last < 300);
}

static void room(void)
{
	static char data[65536];
	ssize_t n = 1;

	while (gate.filled > 0 && n > 0) {
		n = recv(s.peer, data, gate.filled < sizeof data ?
			 gate.filled : sizeof data,
			 s.proto == UDP ? MSG_DONTWAIT : 0);
		if (n > 0)
			gate.filled -= n;
	}
	if (s.proto == UDP)
		tool("tc qdisc del dev lo root");
}

/* taken: a client, of whom there was word, goes by another's accept. */
static void taken(void)
{
	need(accept(FD, NULL, NULL), "accept");
}

/* ---- a slow peer -------------------------------------------------------- */

/* slow_peer: the real one takes or gives a hundredth of RATE at a time. */
static void *slow_peer(void *arg)
{
	bool gives = arg != NULL;
	static char data[VOLUME];
	size_t done = 0;

	memcpy(data, stream_bytes(0, VOLUME), VOLUME);
	fcntl(s.peer, F_SETFL, O_RDWR);
	while (done < VOLUME) {
		size_t len = VOLUME - done < 2000 ? VOLUME - done : 2000;
		ssize_t n = gives ? send(s.peer, data + done, len, 0)
				  : recv(s.peer, data, len, 0);

		if (n <= 0)
			break;
		if (!gives && memcmp(data, stream_bytes(done, n), n))
			break;
		done += n;
		if (s.mode == REAL)
			usleep(10000);
	}
	return done == VOLUME ? data : NULL;
}

/* probe_volume: all of it, each wait worth its while, and none too soon. */
static void probe_volume(void)
{
	const struct wait_way *w = wait_way(s.via);
	bool gives = is_family("SEND"), told = false, idle = false;
	static char data[VOLUME];
	int64_t began = now_ms();
	pthread_t peer;
	size_t done = 0;
	void *well;

	need(-pthread_create(&peer, NULL, slow_peer, gives ? NULL : &done),
	     "thread");
	while (done < VOLUME) {
		char *at = data + done;
		size_t left = VOLUME - done > 4000 ? 4000 : VOLUME - done;
		ssize_t n;

		if (gives)
			memcpy(at, stream_bytes(done, left), left);
		n = gives ? send(FD, at, left, 0) : recv(FD, at, left, 0);
		if (n < 0 && errno == EAGAIN && w) {
			idle |= told;
			told = w->call(FD, gives ? POLLOUT : POLLIN, 10000) > 0;
			if (told)
				continue;
		}
		if (n <= 0) {
			say(" V=%s", n < 0 ? name_of(errno) : "0");
			return;
		}
		told = false;
		done += n;
	}
	pthread_join(peer, &well);
	if (memcmp(data, stream_bytes(0, VOLUME), VOLUME))
		well = NULL;
	say(" V=%s%s", well ? "all" : "WRONG BYTES",
	    idle ? " woken for nothing" : "");
	if (s.mode == INJECTED && now_ms() - began < VOLUME / 400)
		say(" early");		/* twice as fast */
	*(gives ? &s.out : &s.in) += VOLUME;
	*(gives ? &s.seen : &s.got) += VOLUME;
}
