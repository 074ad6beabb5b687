/* SPDX-License-Identifier: MIT */
/*
 * Waiting for readiness while gates are closed: the kernel is asked for what
 * is not behind one, until the first of them opens, and what it finds goes to
 * the program unless a gate has closed meanwhile, or a rule closes one now.
 */
#include "gate.h"

#include <sys/mman.h>

#define FEW 64				/* descriptors without other memory */
#define MOST 256			/* events of an epoll_wait */


/* What is left until a moment; NULL: for ever. */
static struct timespec *left_of(struct timespec *t, int64_t end)
{
	int64_t left = end - gate_now();

	if (end == FOREVER)
		return NULL;
	left = left > 0 ? left : 0;
	*t = (struct timespec){ left / SECOND, left % SECOND };
	return t;
}

/* Room for what does not fit on the stack; gone with the call. */
static void *borrow(void *small, size_t have, size_t need)
{
	void *p = small;

	if (need > have)
		p = mmap(NULL, need, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void give_back(void *p, void *small, size_t need)
{
	if (p && p != small)
		munmap(p, need);
}

/* ---- one descriptor ----------------------------------------------------------- */

static struct conn *conn_of(int fd)
{
	return slot_conn(fd_slot(fd));
}

/* What it may not be asked for now; *until: when that changes. */
static short shut_bits(struct conn *conn, int fd, int64_t *until)
{
	short shut = 0;

	for (int w = IN; conn && conn->gated && w <= OUT; w++)
		if (gate_shut(conn, fd, w) && !(w == IN && conn->deaf)) {
			shut |= w == IN ? TELLS_IN : TELLS_OUT;
			*until = earlier(*until, atomic_load(
						 &conn->gate[w].until));
			/* it may be opened before that */
			*until = earlier(*until, gate_in(SLICE));
		}
	return conn && conn->gated & UNSEEN && shut ? -1 : shut;
}

/* What was found there, as far as the program may know of it. */
static short found(int fd, short bits)
{
	struct conn *conn = conn_of(fd);
	int64_t until = FOREVER;
	uint64_t mask;
	short shut;

	if (!conn && bits && set_is(fd))
		return watch_settles(fd) ? 0 : bits;
	if (!conn || !bits || !(conn->gated || config.latent))
		return bits;
	shut = shut_bits(conn, fd, &until);
	if (bits & POLLERR) {
		if (shut && !(conn->gated & CONNECTING))
			gate_end(conn, fd, BOTH);
		return shut ? 0 : bits;	/* ask again */
	}
	mask = gate_lock();
	if (bits & TELLS_IN & ~shut && !late_tells(conn, fd, IN))
		shut |= TELLS_IN;
	if (bits & TELLS_OUT & ~shut && !late_tells(conn, fd, OUT))
		shut |= TELLS_OUT;
	if (bits & POLLHUP && shut)
		gate_hide(conn);
	gate_unlock(mask);
	return bits & POLLHUP && shut ? 0 : bits & ~shut;
}

/* ---- poll ------------------------------------------------------------------------ */

static int64_t poll_mask(struct pollfd *to, const struct pollfd *fds, nfds_t n)
{
	int64_t until = FOREVER;

	for (nfds_t i = 0; i < n; i++) {
		short shut = shut_bits(conn_of(fds[i].fd), fds[i].fd, &until);
		to[i] = fds[i];
		to[i].events &= ~shut;
		if (shut == -1)
			to[i].fd = -1;
	}
	return until;
}

int wait_poll(struct pollfd *fds, nfds_t n, int64_t ns, const sigset_t *mask)
{
	int64_t end = ns < 0 ? FOREVER : gate_in(ns), until;
	struct pollfd few[FEW], *asked;
	struct timespec t;
	sigset_t was;
	bool held = false;
	int r, told, err;

	asked = borrow(few, sizeof few, n * sizeof *fds);
	if (!asked)
		return real.ppoll(fds, n, left_of(&t, end), mask);
	do {
		until = poll_mask(asked, fds, n);
		if (until != FOREVER && !held) {
			signals_hold(&was);
			held = true;
		}
		r = real.ppoll(asked, n, left_of(&t, earlier(end, until)),
			       held && !mask ? &was : mask);
		err = errno;
		told = 0;
		for (nfds_t i = 0; r >= 0 && i < n; i++) {
			fds[i].revents = r ? found(fds[i].fd,
						   asked[i].revents) : 0;
			told += fds[i].revents != 0;
		}
	} while (r >= 0 && !told && (r > 0 || end > gate_now()));
	give_back(asked, few, n * sizeof *fds);
	if (held)
		signals_free(&was);
	errno = err;
	return r < 0 ? r : told;
}

/* ---- select ------------------------------------------------------------------------ */

#define WORD (8 * (int)sizeof(unsigned long))

/* The bits that select means by its three sets (fs/select.c). */
static const short select_in[3] = { POLLIN, POLLOUT, POLLPRI };
static const short select_out[3] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

static bool has(const fd_set *set, int fd)
{
	return set && ((const unsigned long *)set)[fd / WORD] >>
		      fd % WORD & 1;
}

/* The sets as an array; how many. */
static nfds_t select_asks(struct pollfd *p, int n, fd_set *const sets[3])
{
	nfds_t count = 0;

	for (int fd = 0; fd < n; fd++) {
		short bits = 0;
		for (int i = 0; i < 3; i++)
			bits |= has(sets[i], fd) ? select_in[i] : 0;
		if (bits && p)
			p[count] = (struct pollfd){ fd, bits, 0 };
		count += bits != 0;
	}
	return count;
}

/* The array as sets; how many bits, or -1: a descriptor is none. */
static int select_tells(const struct pollfd *p, nfds_t count, int n,
			fd_set *const sets[3])
{
	size_t size = (n + WORD - 1) / WORD * sizeof(long);
	int told = 0;

	for (nfds_t i = 0; i < count; i++)
		if (p[i].revents & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
	for (int i = 0; i < 3; i++)
		if (sets[i])
			memset(sets[i], 0, size);
	for (nfds_t k = 0; k < count; k++)
		for (int i = 0; i < 3; i++) {
			int fd = p[k].fd;
			if (!(p[k].events & select_in[i]) ||
			    !(p[k].revents & select_out[i]))
				continue;
			((unsigned long *)sets[i])[fd / WORD] |=
				1UL << fd % WORD;
			told++;
		}
	return told;
}

/* What poll tells and select does not ask for is no reason to wake up. */
static bool select_wakes(const struct pollfd *p, nfds_t count)
{
	for (nfds_t k = 0; k < count; k++)
		for (int i = 0; i < 3; i++)
			if (p[k].revents & POLLNVAL ||
			    (p[k].events & select_in[i] &&
			     p[k].revents & select_out[i]))
				return true;
	return false;
}

int wait_select(int n, fd_set *in, fd_set *out, fd_set *bad, int64_t ns,
		const sigset_t *mask, int64_t *left)
{
	int64_t end = ns < 0 ? FOREVER : gate_in(ns);
	fd_set *const sets[3] = { in, out, bad };
	nfds_t count = select_asks(NULL, n, sets);
	struct pollfd few[FEW], *asked;
	int r, err;

	asked = borrow(few, sizeof few, count * sizeof *asked);
	if (!asked) {
		errno = ENOMEM;
		return -1;
	}
	select_asks(asked, n, sets);
	while ((r = wait_poll(asked, count, end == FOREVER ? -1 : end >
			      gate_now() ? end - gate_now() : 0, mask)) > 0 &&
	       !select_wakes(asked, count))
		/* its end, seen by poll alone: not asked for again */
		for (nfds_t k = 0; k < count; k++)
			if (asked[k].revents)
				asked[k].fd = -1 - asked[k].fd;
	for (nfds_t k = 0; k < count; k++)
		if (asked[k].fd < 0)
			asked[k].fd = -1 - asked[k].fd;
	r = r < 0 ? r : select_tells(asked, count, n, sets);
	err = errno;
	give_back(asked, few, count * sizeof *asked);
	*left = end == FOREVER ? 0 : end - gate_now();
	errno = err;
	return r;
}

/* ---- epoll_wait ---------------------------------------------------------------------- */

static int epoll_once(const struct epoll_ask *a, struct epoll_event *events,
		      int n, int64_t end)
{
	struct timespec t, *left = left_of(&t, end);
	int ms = left ? (int)(t.tv_sec * 1000 + (t.tv_nsec + 999999) / 1000000)
		      : -1;

	if (a->exact)
		return real.epoll_pwait2(a->ep, events, n, left,
					 a->mask);
	return a->mask ? real.epoll_pwait(a->ep, events, n, ms, a->mask)
		       : real.epoll_wait(a->ep, events, n, ms);
}

int wait_epoll(const struct epoll_ask *a)
{
	int64_t end = a->ns < 0 ? FOREVER : gate_in(a->ns);
	/* what is kept back does not get into the program's array */
	struct epoll_event found[MOST];
	int n = a->n < MOST ? a->n : MOST, r, told;

	if (!readable(a->events, n * sizeof *found))
		return epoll_once(a, a->events, a->n, end);
	do {
		r = epoll_once(a, found, n, earlier(end, set_until(a->ep)));
		told = watch_sift(a->ep, found, r);
		if (r == 0 && gate_closed_n) {
			uint64_t mask = gate_lock();
			gate_expire();
			gate_unlock(mask);
		}
	} while ((r > 0 && !told) || (r == 0 && end > gate_now()));
	if (r < 0)
		return r;
	memcpy(a->events, found, told * sizeof *found);
	return told;
}
