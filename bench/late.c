/* SPDX-License-Identifier: MIT */
/*
 * How late a wake-up comes: late WHAT HOW N MS ROUNDS.  WHAT is to happen MS
 * from now on each of N descriptors, again and again, and for recv and connect
 * it is a rule that makes it last so long: timer (a timerfd, no rule), connect
 * (to ourselves), recv (of a byte that we have sent).  HOW it is waited for:
 * level, edge (one epoll set), poll, select, block (in the call, N is 1).
 *
 * Counted from before the call that sets the time, to the return of the wait.
 * Prints the median and the 99th percentile in us, how many came early, of how
 * many.  SIGALRM ends it where one never comes.
 */
#include "bench.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>

enum what { TIMER, CONNECT, RECV, WHATS };
enum how { LEVEL, EDGE, POLL, SELECT, BLOCK, HOWS };

static const char *const what_names[] = { "timer", "connect", "recv" };
static const char *const how_names[] = { "level", "edge", "poll", "select",
					 "block" };

/* What main was asked for. */
static enum what what;
static enum how how;
static int64_t lasts;			/* ns */

static struct thing {
	int fd, peer;
	int64_t due;
} *things;

static double *late;			/* us */
static long n_late, n_early;
static int epoll, from;
static struct sockaddr_in self;

static int find(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	fprintf(stderr, "late: no such thing: %s\n", name);
	exit(2);
}

static void watch(int i)
{
	struct epoll_event ev = { .data.u32 = i };

	ev.events = what == CONNECT ? EPOLLOUT : EPOLLIN;
	if (how == EDGE)
		ev.events |= EPOLLET;
	if (how <= EDGE)
		need(!epoll_ctl(epoll, EPOLL_CTL_ADD, things[i].fd, &ev),
		     "epoll_ctl");
}

static void prepare(int i)
{
	struct thing *t = &things[i];
	int ends[2];

	if (what == TIMER) {
		t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	} else if (what == RECV) {
		tcp_pair(ends, "127.0.0.1");
		t->fd = ends[0];
		t->peer = ends[1];
		setsockopt(t->peer, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
			   sizeof(int));
		if (how != BLOCK)
			fcntl(t->fd, F_SETFL, O_NONBLOCK);
	}
	need(t->fd >= 0, "descriptor");
	if (what != CONNECT)
		watch(i);
}

static void begin(int i)
{
	struct thing *t = &things[i];
	struct itimerspec at = { .it_value = { 0 } };

	if (what == CONNECT)
		t->fd = socket(AF_INET, SOCK_STREAM |
			       (how == BLOCK ? 0 : SOCK_NONBLOCK), 0);
	t->due = now() + lasts;
	switch (what) {
	case TIMER:
		at.it_value.tv_sec = t->due / SECOND;
		at.it_value.tv_nsec = t->due % SECOND;
		timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &at, NULL);
		break;
	case CONNECT:
		need(!connect(t->fd, (struct sockaddr *)&self, sizeof self) ==
		     (how == BLOCK), "connect");
		watch(i);
		break;
	default:
		need(write(t->peer, "x", 1) == 1, "write");
	}
}

static void ended(int i, int64_t at)
{
	struct thing *t = &things[i];
	struct linger hard = { 1, 0 };
	int err = 0;
	socklen_t len = sizeof err;
	char bytes[8];

	late[n_late++] = (at - t->due) / 1e3;
	n_early += at < t->due;
	if (what == TIMER)
		need(read(t->fd, bytes, 8) == 8, "timer");
	if (what == RECV && how != BLOCK)
		need(recv(t->fd, bytes, 8, 0) == 1, "recv");
	if (what == CONNECT) {
		need(!getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len) &&
		     !err, "SO_ERROR");
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		close(t->fd);
		close(accept(from, NULL, NULL));
	}
}

/* Descriptors that are ready, into done; how many. */
static int waited(int *done, int timeout)
{
	struct epoll_event ev[64];
	struct pollfd p = { things->fd, POLLIN, 0 };
	fd_set set[2];
	char byte;
	int n = 1;

	*done = 0;
	switch (how) {
	case LEVEL:
	case EDGE:
		n = epoll_wait(epoll, ev, 64, timeout);
		for (int i = 0; i < n; i++)
			done[i] = ev[i].data.u32;
		return n;
	case POLL:
		p.events = what == CONNECT ? POLLOUT : POLLIN;
		return poll(&p, 1, -1);
	case SELECT:
		FD_ZERO(&set[0]);
		FD_ZERO(&set[1]);
		FD_SET(things->fd, &set[what == CONNECT]);
		return select(things->fd + 1, &set[0], &set[1], NULL, NULL);
	default:
		if (what == RECV)
			n = recv(things->fd, &byte, 1, 0);
		return n;
	}
}

/* The N are spread over the time, and each begins again as it ends. */
static void run(long n, long rounds)
{
	int64_t start = now(), at;
	long begun = 0, total = n * rounds;
	int done[64];

	while (n_late < total) {
		while (begun < n && now() - start >= lasts / n * begun)
			begin(begun++);
		int got = waited(done, begun < n ? 1 : -1);
		at = now();
		need(got >= 0, "wait");
		for (int i = 0; i < got; i++) {
			ended(done[i], at);
			if (begun < total) {
				begun++;
				begin(done[i]);
			}
		}
	}
}

int main(int argc, char **argv)
{
	long n, rounds;

	if (argc != 6)
		return 2;
	what = find(what_names, WHATS, argv[1]);
	how = find(how_names, HOWS, argv[2]);
	n = atol(argv[3]);
	lasts = atol(argv[4]) * (SECOND / 1000);
	rounds = atol(argv[5]);
	if (n < 1 || rounds < 1 || (n > 1 && how > EDGE))
		return 2;
	alarm(30);
	room_for(3 * n);
	things = calloc(n, sizeof *things);
	late = calloc(n * rounds + 64, sizeof *late);
	epoll = epoll_create1(0);
	from = listener(&self);
	for (int i = 0; i < n; i++)
		prepare(i);
	run(n, rounds);
	qsort(late, n_late, sizeof *late, by_size);
	printf("%.0f %.0f %ld %ld\n", late[n_late / 2],
	       late[n_late * 99 / 100], n_early, n_late);
	return 0;
}
