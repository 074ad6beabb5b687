/* SPDX-License-Identifier: MIT */
/*
 * Every way to wait for readiness, with one signature: VIA chooses one by its
 * name.
 */
#include <sys/epoll.h>
#include <sys/select.h>

/* Returns -1, or the events as poll's bits; of select: which sets. */
struct wait_way {
	const char *name;
	int (*call)(int fd, int events, int timeout);
	bool epoll;
};

#define SET_R 0x10000
#define SET_W 0x20000
#define SET_E 0x40000

static int by_poll(int fd, int events, int timeout)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, timeout) < 0 ? -1 : p.revents;
}

static struct timespec *span(struct timespec *t, int timeout)
{
	t->tv_sec = timeout / 1000;
	t->tv_nsec = timeout % 1000 * 1000000;
	return timeout < 0 ? NULL : t;
}

static int by_ppoll(int fd, int events, int timeout)
{
	struct pollfd p = { fd, events, 0 };
	struct timespec t;

	return ppoll(&p, 1, span(&t, timeout), NULL) < 0 ? -1 : p.revents;
}

struct sets {
	fd_set r, w, e;
};

static void sets_fill(struct sets *t, int fd, int events)
{
	memset(t, 0, sizeof *t);
	if (events & POLLIN)
		FD_SET(fd, &t->r);
	if (events & POLLOUT)
		FD_SET(fd, &t->w);
	FD_SET(fd, &t->e);
}

static int sets_bits(struct sets *t, int fd)
{
	return (FD_ISSET(fd, &t->r) ? SET_R : 0) |
	       (FD_ISSET(fd, &t->w) ? SET_W : 0) |
	       (FD_ISSET(fd, &t->e) ? SET_E : 0);
}

static int by_select(int fd, int events, int timeout)
{
	struct timeval t = { timeout / 1000, timeout % 1000 * 1000 };
	struct sets set;

	sets_fill(&set, fd, events);
	if (select(fd + 1, &set.r, &set.w, &set.e,
		   timeout < 0 ? NULL : &t) < 0)
		return -1;
	return sets_bits(&set, fd);
}

static int by_pselect(int fd, int events, int timeout)
{
	struct timespec t;
	struct sets set;

	sets_fill(&set, fd, events);
	if (pselect(fd + 1, &set.r, &set.w, &set.e, span(&t, timeout),
		    NULL) < 0)
		return -1;
	return sets_bits(&set, fd);
}

/* The epoll ways ask the level-triggered set, whatever fd. */
static int by_epoll_wait(int fd, int events, int timeout)
{
	struct epoll_event ev = { 0 };

	(void)fd, (void)events;
	return epoll_wait(s.level, &ev, 1, timeout) < 0 ? -1 : (int)ev.events;
}

static int by_epoll_pwait(int fd, int events, int timeout)
{
	struct epoll_event ev = { 0 };

	(void)fd, (void)events;
	return epoll_pwait(s.level, &ev, 1, timeout, NULL) < 0
		? -1 : (int)ev.events;
}

static int by_epoll_pwait2(int fd, int events, int timeout)
{
	struct epoll_event ev = { 0 };
	struct timespec t;

	(void)fd, (void)events;
	return epoll_pwait2(s.level, &ev, 1, span(&t, timeout), NULL) < 0
		? -1 : (int)ev.events;
}

static int by_edge(int fd, int events, int timeout)
{
	struct epoll_event ev = { 0 };

	(void)fd, (void)events;
	return epoll_wait(s.edge, &ev, 1, timeout) < 0 ? -1 : (int)ev.events;
}

/* Calls of the family that can fail without waiting for anything. */
static int by_epoll_create(int fd, int events, int timeout)
{
	int ep = epoll_create(1);

	(void)fd, (void)events, (void)timeout;
	return ep < 0 || close(ep) ? -1 : 0;
}

static int by_epoll_create1(int fd, int events, int timeout)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	(void)fd, (void)events, (void)timeout;
	return ep < 0 || close(ep) ? -1 : 0;
}

static int by_epoll_ctl(int fd, int events, int timeout)
{
	struct epoll_event ev = { .events = events };

	(void)timeout;
	if (epoll_ctl(s.level, EPOLL_CTL_ADD, fd, &ev))
		return -1;
	return by_epoll_pwait2(fd, events, 0);
}

static const struct wait_way wait_ways[] = {
	{ "poll", by_poll, false },
	{ "ppoll", by_ppoll, false },
	{ "select", by_select, false },
	{ "pselect", by_pselect, false },
	{ "epoll_wait", by_epoll_wait, true },
	{ "epoll_pwait", by_epoll_pwait, true },
	{ "epoll_pwait2", by_epoll_pwait2, true },
	{ "edge", by_edge, true },
	{ "epoll_create", by_epoll_create, false },
	{ "epoll_create1", by_epoll_create1, false },
	{ "epoll_ctl", by_epoll_ctl, false },
	{ 0 }
};

static const struct wait_way *wait_way(const char *name)
{
	const struct wait_way *w = wait_ways;

	while (w->name && strcmp(w->name, name))
		w++;
	return w->name ? w : NULL;
}
