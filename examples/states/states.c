/* SPDX-License-Identifier: MIT */
/*
 * A TCP connection's ways through its states (RFC 9293, 3.3.2), each brought
 * about on loopback, with both ends in this program.  It asks the kernel along
 * the way, in /proc/net/tcp, and prints what each end went through:
 *
 *   LOCAL -> PEER: STATE STATE ...
 *
 * How is a state to be seen that lasts no longer than a packet on loopback?  A
 * socket filter makes an end deaf: what arrives is dropped, and TCP sends it
 * again once the end hears.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 20			/* seconds for a packet sent again */

static const char *const names[] = {
	"CLOSED", "ESTABLISHED", "SYN_SENT", "SYN_RCVD", "FIN_WAIT_1",
	"FIN_WAIT_2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT", "LAST_ACK",
	"LISTEN", "CLOSING",
};

struct end {
	int fd;
	struct sockaddr_in local, peer;	/* peer.sin_port 0: there is none */
	const char *last;		/* state that was seen */
	char seen[256];
};

/* ---- asking the kernel -------------------------------------------------- */

static int is(const struct sockaddr_in *in, unsigned addr, unsigned port)
{
	return ntohs(in->sin_port) == port &&
	       (!port || in->sin_addr.s_addr == addr);
}

/* What /proc/net/tcp says of it now. */
static const char *state(const struct end *e)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	unsigned la, lp, ra, rp, st;
	const char *name = names[0];
	char line[256];

	if (!f)
		err(1, "/proc/net/tcp");
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%*d: %x:%x %x:%x %x", &la, &lp, &ra, &rp,
			   &st) == 5 &&
		    is(&e->local, la, lp) && is(&e->peer, ra, rp) &&
		    st < sizeof names / sizeof *names)
			name = names[st];
	}
	fclose(f);
	return name;
}

static void look(struct end *e)
{
	const char *now = state(e);
	size_t len = strlen(e->seen);

	if (now != e->last)
		snprintf(e->seen + len, sizeof e->seen - len, " %s", now);
	e->last = now;
}

/*
 * For ends without a descriptor to wait for, and for acknowledgements, which
 * may be late.
 */
static void await(struct end *e, const char *name)
{
	int i;

	for (i = 0; i < PATIENCE * 100 && strcmp(state(e), name); i++)
		usleep(10000);
	look(e);
}

/* Where a call asks, a trace has the answer, too. */
static void ask(const struct end *e)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (getsockopt(e->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		err(1, "TCP_INFO");
}

static void print(struct end *e)
{
	printf("127.0.0.1:%d", ntohs(e->local.sin_port));
	if (e->peer.sin_port)
		printf(" -> 127.0.0.1:%d", ntohs(e->peer.sin_port));
	printf(":%s\n", e->seen);
}

/* ---- steps -------------------------------------------------------------- */

static void step(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
}

/* Bound to the port, 0: any. */
static struct end bound(in_port_t port)
{
	struct end e = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	socklen_t len = sizeof e.local;
	int on = 1;

	e.local.sin_family = AF_INET;
	e.local.sin_port = port;
	e.local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	step(e.fd, "socket");
	step(setsockopt(e.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on),
	     "SO_REUSEADDR");
	step(bind(e.fd, (struct sockaddr *)&e.local, len), "bind");
	step(getsockname(e.fd, (struct sockaddr *)&e.local, &len), "name");
	return e;
}

static struct end listening(void)
{
	struct end e = bound(0);

	step(listen(e.fd, 5), "listen");
	look(&e);
	return e;
}

/* connect's result */
static int dial(struct end *e, const struct end *to)
{
	e->peer = to->local;
	return connect(e->fd, (struct sockaddr *)&e->peer, sizeof e->peer);
}

/* The same without waiting. */
static void begin(struct end *e, const struct end *to)
{
	step(fcntl(e->fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	if (!dial(e, to) || errno != EINPROGRESS)
		err(1, "connect does not wait");
	look(e);
}

/* Two ends of a connection. */
static void pair(struct end *c, struct end *s)
{
	struct end l = listening();

	*c = bound(0);
	step(dial(c, &l), "connect");
	*s = (struct end){ .local = l.local, .peer = c->local };
	s->fd = accept(l.fd, NULL, NULL);
	step(s->fd, "accept");
	look(c);
	look(s);
	close(l.fd);
	look(&l);
	print(&l);
}

static void deaf(const struct end *e)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };

	step(setsockopt(e->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			sizeof program), "SO_ATTACH_FILTER");
}

static void hear(const struct end *e, short event)
{
	struct pollfd p = { .fd = e->fd, .events = event };
	int off = 0;

	step(setsockopt(e->fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off),
	     "SO_DETACH_FILTER");
	if (poll(&p, 1, PATIENCE * 1000) != 1)
		errx(1, "nothing was sent again");
}

static void shut(struct end *e)
{
	step(shutdown(e->fd, SHUT_WR), "shutdown");
	look(e);
}

/* The peer's end, or its reset, is here. */
static void end_of(struct end *e, int error)
{
	char c;
	ssize_t n = recv(e->fd, &c, 1, 0);

	if (error ? n >= 0 || errno != error : n != 0)
		errx(1, "that is not the end");
	look(e);
}

static void leave(struct end *e)
{
	close(e->fd);
	look(e);
}

static void both(struct end *c, struct end *s)
{
	print(c);
	print(s);
}

/* ---- ways --------------------------------------------------------------- */

static void active_and_passive_close(void)
{
	struct end c, s;

	pair(&c, &s);
	close(c.fd);
	await(&c, "FIN_WAIT_2");
	end_of(&s, 0);
	close(s.fd);
	await(&s, "CLOSED");		/* LAST_ACK is over at once */
	await(&c, "TIME_WAIT");
	both(&c, &s);
}

/* One direction has ended, the other goes on. */
static void half_close(void)
{
	struct end c, s;
	char data;

	pair(&c, &s);
	step(shutdown(c.fd, SHUT_WR), "shutdown");
	await(&c, "FIN_WAIT_2");
	end_of(&s, 0);
	step(send(s.fd, "x", 1, 0), "send");
	step(recv(c.fd, &data, 1, 0), "recv");
	close(s.fd);
	await(&s, "CLOSED");
	end_of(&c, 0);
	leave(&c);
	both(&c, &s);
}

/* Every state of the same, by keeping each FIN back for a while. */
static void slow_close(void)
{
	struct end c, s;

	pair(&c, &s);
	deaf(&s);
	shut(&c);			/* FIN_WAIT_1 */
	hear(&s, POLLRDHUP);
	await(&c, "FIN_WAIT_2");
	end_of(&s, 0);
	deaf(&c);
	shut(&s);			/* LAST_ACK */
	hear(&c, POLLRDHUP);
	end_of(&c, 0);
	await(&s, "CLOSED");
	leave(&s);
	leave(&c);
	both(&c, &s);
}

/* Both FINs are on their way before either has arrived. */
static void simultaneous_close(void)
{
	struct end c, s;

	pair(&c, &s);
	deaf(&c);
	deaf(&s);
	shut(&c);
	shut(&s);
	hear(&s, POLLRDHUP);
	look(&s);			/* CLOSING */
	ask(&s);
	end_of(&s, 0);
	hear(&c, POLLRDHUP);
	await(&s, "TIME_WAIT");
	end_of(&c, 0);
	leave(&c);
	leave(&s);
	both(&c, &s);
}

/* SO_LINGER with no time to linger. */
static void abortive_close(void)
{
	struct linger none = { .l_onoff = 1 };
	struct end c, s;

	pair(&c, &s);
	step(setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none),
	     "SO_LINGER");
	leave(&s);
	end_of(&c, ECONNRESET);
	leave(&c);
	both(&c, &s);
}

/* A close with data unread is a reset, too. */
static void unread_close(void)
{
	struct end c, s;
	struct pollfd p = { .events = POLLIN };

	pair(&c, &s);
	step(send(c.fd, "x", 1, 0), "send");
	p.fd = s.fd;
	step(poll(&p, 1, -1), "poll");
	leave(&s);
	end_of(&c, ECONNRESET);
	leave(&c);
	both(&c, &s);
}

/* connect to no address dissolves a connection. */
static void dissolved(void)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct end c, s;

	pair(&c, &s);
	step(connect(c.fd, &nowhere, sizeof nowhere), "AF_UNSPEC");
	look(&c);
	end_of(&s, ECONNRESET);
	leave(&c);
	leave(&s);
	both(&c, &s);
}

static void refused(void)
{
	struct end c = bound(0), nobody = bound(0);

	if (!dial(&c, &nobody) || errno != ECONNREFUSED)
		errx(1, "not refused");
	look(&c);
	leave(&c);
	leave(&nobody);
	print(&c);
}

static void no_answer(void)
{
	struct end c = bound(0), l = listening();

	deaf(&l);
	begin(&c, &l);			/* SYN_SENT */
	leave(&c);
	leave(&l);
	both(&c, &l);
}

/*
 * The first SYN meets deaf ears, and the second crosses it: SYN_SENT gets a
 * SYN.  The other end is deaf for the answer, so that SYN_RCVD lasts.
 */
static void simultaneous_open(void)
{
	struct end a = bound(0), b, l = listening();

	deaf(&l);
	begin(&a, &l);
	leave(&l);
	print(&l);
	b = bound(l.local.sin_port);
	deaf(&b);
	begin(&b, &a);
	look(&a);			/* SYN_RCVD */
	ask(&a);
	hear(&b, POLLOUT);
	await(&a, "ESTABLISHED");
	ask(&a);
	ask(&b);
	look(&b);
	close(a.fd);
	await(&a, "FIN_WAIT_2");
	end_of(&b, 0);
	close(b.fd);
	await(&b, "CLOSED");
	await(&a, "TIME_WAIT");
	both(&a, &b);
}

/* A socket that connects to itself: a simultaneous open, too. */
static void self_connect(void)
{
	struct end e = bound(0);

	step(dial(&e, &e), "connect");
	look(&e);
	close(e.fd);
	await(&e, "TIME_WAIT");
	print(&e);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	active_and_passive_close();
	half_close();
	slow_close();
	simultaneous_close();
	abortive_close();
	unread_close();
	dissolved();
	refused();
	no_answer();
	simultaneous_open();
	self_connect();
	return 0;
}
