/* SPDX-License-Identifier: MIT */
/*
 * The letters of ORDER: what the program does (capitals) and what its peer
 * does (small letters), one after the other.  Each adds a word to the line.
 */
#include <time.h>

static volatile sig_atomic_t pipes, strangers, signals;

/* on_pipe: SIGPIPE belongs to the thread that wrote. */
static void on_pipe(int sig)
{
	(void)sig;
	if (gettid() == s.tid)
		pipes++;
	else
		strangers++;
}

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

/* own_fd: the socket that is talked about: the listener, then its client. */
static int own_fd(void)
{
	return s.conn >= 0 ? s.conn : FD;
}

static const char *letter_family(char letter)
{
	static const char *const names[] = {
		"RRECV", "WSEND", "CCONNECT", "AACCEPT", "SSHUTDOWN",
		"OSOCKET", "BBIND", "ILISTEN", "XCLOSE", "TSOCKOPT", "PPOLL",
		"DRESOLVE", NULL
	};

	for (int i = 0; names[i]; i++)
		if (names[i][0] == letter)
			return names[i] + 1;
	return "";
}

/*
 * stands_in: this is the faulted call and only its source is known: it is not
 * made, and fails with the errno of its row.
 */
static bool stands_in(bool faulted)
{
	if (!faulted || s.mode != SOURCE || dead() || s.row->number == 0)
		return false;
	errno = s.row->number;
	return true;
}

static void say_zero(char letter, int result)
{
	if (result)
		say(" %c=%s", letter, name_of(errno));
	else
		say(" %c=0", letter);
}

/* ---- data -------------------------------------------------------------- */

static void probe_recv(bool faulted)
{
	const struct data_way *w = data_way(recv_ways, s.via);
	char data[16];
	ssize_t n;

	flags_now = wants("waitall") ? MSG_WAITALL : 0;
	errno = 0;
	n = stands_in(faulted) ? -1 :
	    (w ? w->call : by_recv)(own_fd(), data,
				    wants("waitall") ? PIECE : sizeof data);
	if (n < 0)
		say(" R=%s", name_of(errno));
	else if (n == 0)
		say(" R=0");
	else
		say_data('R', data, n, s.got);
	if (n > 0)
		s.got += n;
}

static void probe_peek(void)
{
	char data[16];
	ssize_t n = recv(own_fd(), data, sizeof data,
			 MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		say(" K=%s", name_of(errno));
	else if (n == 0)
		say(" K=0");
	else
		say_data('K', data, n, s.got);
}

/* say_pending: a blocked SIGPIPE waits, for the thread and not the process. */
static void say_pending(void)
{
	struct timespec now = { 0 };
	sigset_t set;

	sigpending(&set);
	if (!sigismember(&set, SIGPIPE))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	say("+pending");
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

static void say_signals(void)
{
	if (pipes || strangers)
		say("+SIGPIPE%s", strangers ? "(elsewhere)" : "");
	if (pipes > 1)
		say("x%d", (int)pipes);
	pipes = strangers = 0;
	if (wants("pending"))
		say_pending();
}

static void probe_send(bool faulted)
{
	const struct data_way *w = data_way(send_ways, s.via);
	size_t len = faulted ? s.len : PIECE;
	static char data[BIG];
	ssize_t n;

	memcpy(data, stream_bytes(s.out, len), len);
	flags_now = wants("nosignal") ? MSG_NOSIGNAL : 0;
	errno = 0;
	n = stands_in(faulted) ? -1 :
	    (w ? w->call : by_send)(own_fd(), data, len);
	if (n < 0)
		say(" W=%s", name_of(errno));
	else
		say(" W=%s", n == 0 ? "0" : (size_t)n == len ? "all" : "part");
	say_signals();
	if (n > 0)
		s.out += n;
}

/* ---- what is asked about a socket --------------------------------------- */

static void probe_error(void)
{
	int error = -1;
	socklen_t len = sizeof error;

	if (getsockopt(own_fd(), SOL_SOCKET, SO_ERROR, &error, &len))
		say(" E=(%s)", name_of(errno));
	else
		say(" E=%s", error ? name_of(error) : "0");
}

static void probe_unread(void)
{
	int n = -1;

	if (ioctl(own_fd(), FIONREAD, &n))
		say(" F=%s", name_of(errno));
	else
		say(" F=%d", n);
}

static void probe_peername(void)
{
	const union addr *want = s.conn < 0 ? &s.there : &s.here;
	union addr a = { 0 };
	socklen_t len = sizeof a;

	if (getpeername(own_fd(), &a.any, &len))
		say(" N=%s", name_of(errno));
	else if (s.conn >= 0)
		say(" N=%s", a.any.sa_family == s.domain ? "ok" : "other");
	else
		say(" N=%s", memcmp(&a, want, s.therelen) ? "other" : "same");
}

/* probe_sockname: a client learns its address by connecting. */
static void probe_sockname(void)
{
	union addr a = { 0 };
	socklen_t len = sizeof a;

	if (getsockname(own_fd(), &a.any, &len))
		say(" M=%s", name_of(errno));
	else if (is_family("CONNECT") && s.proto & INET)
		say(" M=%s:%s", a.in.sin_addr.s_addr ? "addr" : "*",
		    a.in.sin_port ? "port" : "*");
	else if (is_family("BIND"))
		say(" M=%s", memcmp(&a, &s.there, s.therelen) ? "other"
							      : "bound");
	else
		say(" M=%s", len == s.namelen && !memcmp(&a, &s.name, len)
		    ? "same" : "other");
}

/* probe_state: what TCP_INFO says of the connection. */
static void probe_state(void)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT",
		[TCP_CLOSE] = "CLOSE", [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_FIN_WAIT1] = "FIN_WAIT1", [TCP_FIN_WAIT2] = "FIN_WAIT2",
		[TCP_LISTEN] = "LISTEN",
	};
	int state = tcp_state(own_fd());
	bool known = state > 0 && state < TCP_LISTEN + 1 && names[state];

	say(" Z=%s", known ? names[state] : "another");
}

/* ---- readiness ---------------------------------------------------------- */

static const struct {
	int bit;
	const char *name;
} bit_names[] = {
	{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" },
	{ POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" },
	{ POLLRDHUP, "RDHUP" },
	{ SET_R, "r" }, { SET_W, "w" }, { SET_E, "e" },
};

static void say_bits(const char *what, int bits)
{
	const char *between = "";

	say(" %s=", what);
	if (bits < 0) {
		say("%s", name_of(errno));
		return;
	}
	for (size_t i = 0; i < sizeof bit_names / sizeof *bit_names; i++)
		if (bits & bit_names[i].bit) {
			say("%s%s", between, bit_names[i].name);
			between = "|";
		}
	if (!bits)
		say("0");
}

static int poll_events(void)
{
	int in = POLLIN | POLLRDHUP;

	if (in_only() && s.conn < 0)
		return in;
	return in | POLLOUT | POLLPRI;
}

static void probe_poll(bool faulted)
{
	const struct wait_way *w = wait_way(s.via);
	bool waits = faulted && s.row->number == EINTR;

	if (s.conn >= 0)
		w = NULL;		/* the sets are the listener's */
	if (stands_in(faulted))
		say_bits("P", -1);
	else
		say_bits("P", (w ? w->call : by_poll)(own_fd(), poll_events(),
						      waits ? -1 : 0));
}

/* probe_ready: waits until what the family is about can be done. */
static void probe_ready(void)
{
	const struct wait_way *w = wait_way(s.via);
	int in = is_family("RECV") || is_family("ACCEPT");

	if (is_gate())
		say_bits("Q", (w ? w->call : by_poll)(own_fd(), poll_events(),
						      10000));
	else
		say_bits("Q", by_poll(own_fd(), in ? POLLIN | POLLRDHUP : POLLOUT,
			      10000));
}

static void probe_edge(void)
{
	say_bits("G", by_edge(FD, 0, 3000));
}

static void probe_peer_poll(void)
{
	if (dead() && s.proto == TCP)
		until(tcp_state(s.peer) != TCP_ESTABLISHED);
	say_bits("p", by_poll(s.peer, POLLIN | POLLOUT | POLLRDHUP, 0));
}

/* ---- the rest of the program -------------------------------------------- */

static void probe_shutdown(bool faulted)
{
	say_zero('S', stands_in(faulted) || shutdown(own_fd(), SHUT_WR));
}

static void probe_connect(bool faulted)
{
	say_zero('C', stands_in(faulted) ||
		 connect(FD, &s.there.any, s.therelen));
}

static void probe_accept(bool faulted)
{
	union addr from;
	socklen_t len = sizeof from;
	bool four = !strcmp(s.via, "accept4");
	bool null = !strcmp(s.via, "accept(NULL)");
	int fd;

	if (faulted && s.mode == SOURCE && !strcmp(s.row->mechanism, "TAKE"))
		close(accept(FD, NULL, NULL));
	fd = stands_in(faulted) ? -1 :
	     four ? accept4(FD, &from.any, &len, SOCK_CLOEXEC) :
	     null ? accept(FD, NULL, NULL) : accept(FD, &from.any, &len);
	if (fd < 0) {
		say(" A=%s", name_of(errno));
		return;
	}
	say(" A=ok");
	if (!null && from.any.sa_family != s.domain)
		say("(family %d)", from.any.sa_family);
	s.conn = fd;
	s.namelen = sizeof s.name;
	getsockname(fd, &s.name.any, &s.namelen);
	if (!s.block)
		fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

static void probe_socket(bool faulted)
{
	bool two = !strcmp(s.via, "socketpair");
	int type = type_of(s.proto), fd[2] = { -1, -1 };

	if (stands_in(faulted))
		fd[0] = -1;
	else if (two && socketpair(s.domain, type, s.protocol, fd))
		fd[0] = -1;
	else if (!two)
		fd[0] = socket(s.domain, type, s.protocol);
	say(" O=%s", fd[0] < 0 ? name_of(errno) : "ok");
	close(fd[0]);
	close(fd[1]);
}

static void probe_bind(bool faulted)
{
	say_zero('B', stands_in(faulted) ||
		 bind(FD, &s.there.any, s.therelen));
}

static void probe_listen(bool faulted)
{
	say_zero('I', stands_in(faulted) || listen(FD, 5));
}

static void probe_close(bool faulted)
{
	if (faulted && s.mode == SOURCE)
		close(FD);
	say_zero('X', stands_in(faulted) || close(FD));
}

static void probe_option(bool faulted)
{
	char room[16];
	socklen_t len = s.valuelen;

	if (stands_in(faulted))
		say_zero('T', -1);
	else if (!strcmp(s.via, "getsockopt"))
		say_zero('T', getsockopt(FD, s.level_no, s.option, room, &len));
	else
		say_zero('T', setsockopt(FD, s.level_no, s.option, s.value,
					 s.valuelen));
}

/* ---- names -------------------------------------------------------------- */

static const char *eai_name(int code)
{
	switch (code) {
	case 0: return "ok";
	case EAI_AGAIN: return "EAI_AGAIN";
	case EAI_FAIL: return "EAI_FAIL";
	case EAI_NONAME: return "EAI_NONAME";
	case EAI_NODATA: return "EAI_NODATA";
	case EAI_MEMORY: return "EAI_MEMORY";
	case EAI_SYSTEM: return "EAI_SYSTEM";
	default: return "another EAI";
	}
}

static const char *herr_name(int code)
{
	switch (code) {
	case NETDB_INTERNAL: return "NETDB_INTERNAL";
	case HOST_NOT_FOUND: return "HOST_NOT_FOUND";
	case TRY_AGAIN: return "TRY_AGAIN";
	case NO_RECOVERY: return "NO_RECOVERY";
	case NO_DATA: return "NO_DATA";
	default: return "another h_errno";
	}
}

#define HOST "host.fidelity.test"

static void lookup_addrinfo(bool faulted)
{
	struct addrinfo hints = { .ai_family = AF_INET,
				  .ai_socktype = SOCK_STREAM }, *res;
	int code = faulted && s.mode == SOURCE ? s.row->number :
		   getaddrinfo(HOST, "80", &hints, &res);

	say(" D=%s", eai_name(code));
	if (!code)
		freeaddrinfo(res);
}

static void lookup_hostent(void)
{
	struct hostent room, *h = NULL;
	char text[1024];
	int herr = 0, result = 0;

	if (strcmp(s.via, "gethostbyname_r")) {
		h = gethostbyname(HOST);
		herr = h_errno;
	} else {
		result = gethostbyname_r(HOST, &room, text, sizeof text, &h,
					 &herr);
	}
	if (h)
		say(" D=ok");
	else
		say(" D=%s(%d)", herr_name(herr), result);
}

static void lookup_query(void)
{
	unsigned char answer[512];
	int n = res_query(HOST, ns_c_in, ns_t_a, answer, sizeof answer);

	say(" D=%s", n < 0 ? herr_name(h_errno) : "ok");
}

static void probe_lookup(bool faulted)
{
	if (!strncmp(s.via, "gethost", 7))
		lookup_hostent();
	else if (!strcmp(s.via, "res_query"))
		lookup_query();
	else
		lookup_addrinfo(faulted);
}

/* ---- the peer ------------------------------------------------------------ */

/* peer_waits: for what the program has written, as long as it can come. */
static void peer_waits(size_t n)
{
	int there = 0;

	while (!ioctl(s.peer, FIONREAD, &there) && (size_t)there < n) {
		if (s.proto == TCP && tcp_state(s.peer) != TCP_ESTABLISHED)
			break;
		if (!is_stream() && there > 0)
			break;
		pause_a_bit();
	}
}

static void probe_peer_recv(void)
{
	static char data[BIG];
	size_t want = s.out - s.seen;
	ssize_t n = 0, part;

	if (!want && dead() && s.proto == TCP)
		until(tcp_state(s.peer) != TCP_ESTABLISHED);
	do {				/* its buffer may be smaller than that */
		if (want)
			peer_waits(1);
		part = recv(s.peer, data + n, sizeof data - n, MSG_DONTWAIT);
		if (part > 0)
			n += part;
	} while (part > 0 && (size_t)n < want);
	if (n > 0)
		say_data('r', data, n, s.seen);
	else
		say(" r=%s", part ? name_of(errno) : "0");
	if (want > (size_t)n)
		say("(lost %zu)", want - n);
	s.seen = s.out;
	if (n > 4 * PIECE)		/* how many they were must not show */
		s.seen = s.out = 0;
}

/* probe_peer_send: and wait until it is there, without asking FD. */
static void probe_peer_send(void)
{
	ssize_t n = send(s.peer, stream_bytes(s.in, PIECE), PIECE,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	int there = 0;

	say(" w=%s", n < 0 ? name_of(errno) : "ok");
	if (n < 0)
		return;
	s.in += n;
	if (s.proto == TCP)
		until(unacked(s.peer) == 0 ||
		      tcp_state(s.peer) != TCP_ESTABLISHED);
	else if (s.proto == UDP)
		until(!ioctl(FD, FIONREAD, &there) && there > 0);
}

static void server_accepts(void)
{
	if (s.peer < 0 && connects())
		s.peer = need(accept(s.lis, NULL, NULL), "accept");
}
