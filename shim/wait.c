/* SPDX-License-Identifier: MIT */
/*
 * Waiting for readiness while gates are closed: the kernel is asked for what
 * is not behind one, until the first of them opens, and what it finds goes to
 * the program unless a gate has closed meanwhile, or a rule closes one now.
 */
#include "gate.h"

#include <sys/mman.h>

#define SECOND INT64_C(1000000000)
#define FEW 64

#define TELLS_IN (POLLIN | POLLRDNORM | POLLRDBAND | POLLRDHUP)
#define TELLS_OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

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
		if (gate_shut(conn, fd, w)) {
			shut |= w == IN ? TELLS_IN : TELLS_OUT;
			*until = earlier(*until, atomic_load(
						 &conn->gate[w].until));
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

	if (!conn || !bits || !(conn->gated || config.latent))
		return bits;
	shut = shut_bits(conn, fd, &until);
	if (bits & POLLERR) {
		if (shut && !(conn->gated & CONNECTING))
			gate_end(conn, fd);
		return shut ? 0 : bits;	/* ask again */
	}
	mask = gate_lock();
	if (bits & TELLS_IN & ~shut && !gate_tells(conn, fd, IN))
		shut |= TELLS_IN;
	if (bits & TELLS_OUT & ~shut && !gate_tells(conn, fd, OUT))
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
	int r, told, err;

	asked = borrow(few, sizeof few, n * sizeof *fds);
	if (!asked)
		return real.ppoll(fds, n, left_of(&t, end), mask);
	do {
		until = poll_mask(asked, fds, n);
		r = real.ppoll(asked, n, left_of(&t, earlier(end, until)),
			       mask);
		err = errno;
		told = 0;
		for (nfds_t i = 0; r >= 0 && i < n; i++) {
			fds[i].revents = r ? found(fds[i].fd,
						   asked[i].revents) : 0;
			told += fds[i].revents != 0;
		}
	} while (r >= 0 && !told && (r > 0 || end > gate_now()));
	give_back(asked, few, n * sizeof *fds);
	errno = err;
	return r < 0 ? r : told;
}

/* ---- select ------------------------------------------------------------------------ */

#define WORD (8 * (int)sizeof(unsigned long))

/* The three sets of a select, as arrays of words. */
struct sets {
	unsigned long *set[3];
	int words;
};

static bool has(const struct sets *s, int i, int fd)
{
	return s->set[i] && s->set[i][fd / WORD] >> fd % WORD & 1;
}

static void drop(struct sets *s, int i, int fd)
{
	if (s->set[i])
		s->set[i][fd / WORD] &= ~(1UL << fd % WORD);
}

static void copy(struct sets *to, const struct sets *from)
{
	for (int i = 0; i < 3; i++)
		if (from->set[i])
			memcpy(to->set[i], from->set[i],
			       from->words * sizeof(long));
}

static const short select_bits[3] = { POLLIN, POLLOUT, POLLPRI };

static int64_t select_mask(struct sets *s, int n)
{
	int64_t until = FOREVER;

	for (int fd = 0; fd < n; fd++) {
		struct conn *conn = conn_of(fd);
		short shut = conn && conn->gated &&
			     (has(s, 0, fd) || has(s, 1, fd) || has(s, 2, fd))
			     ? shut_bits(conn, fd, &until) : 0;
		for (int i = 0; shut && i < 3; i++)
			if (shut & select_bits[i])
				drop(s, i, fd);
	}
	return until;
}

/* How many bits are left. */
static int select_found(struct sets *s, int n)
{
	int told = 0;

	for (int fd = 0; fd < n; fd++)
		for (int i = 0; i < 3; i++) {
			if (!has(s, i, fd))
				continue;
			if (found(fd, select_bits[i]))
				told++;
			else
				drop(s, i, fd);
		}
	return told;
}

int wait_select(int n, fd_set *in, fd_set *out, fd_set *bad, int64_t ns,
		const sigset_t *mask, int64_t *left)
{
	int64_t end = ns < 0 ? FOREVER : gate_in(ns), until;
	struct sets theirs = { { (void *)in, (void *)out, (void *)bad },
			       (n + WORD - 1) / WORD };
	size_t need = 3 * theirs.words * sizeof(long);
	unsigned long few[3 * FD_SETSIZE / WORD], *room;
	struct sets asked = theirs;
	struct timespec t;
	int r, told, err;

	room = borrow(few, sizeof few, need);
	if (!room)
		return real.pselect(n, in, out, bad, left_of(&t, end), mask);
	for (int i = 0; i < 3; i++)
		if (theirs.set[i])
			asked.set[i] = room + i * theirs.words;
	do {
		copy(&asked, &theirs);
		until = select_mask(&asked, n);
		r = real.pselect(n, (void *)asked.set[0],
				 (void *)asked.set[1], (void *)asked.set[2],
				 left_of(&t, earlier(end, until)), mask);
		err = errno;
		told = r > 0 ? select_found(&asked, n) : 0;
	} while (r >= 0 && !told && (r > 0 || end > gate_now()));
	if (r >= 0)
		copy(&theirs, &asked);
	give_back(room, few, need);
	*left = end == FOREVER ? 0 : end - gate_now();
	errno = err;
	return r < 0 ? r : told;
}

/* ---- epoll_wait ---------------------------------------------------------------------- */

static int epoll_once(const struct epoll_ask *a, int64_t end)
{
	struct timespec t, *left = left_of(&t, end);
	int ms = left ? (int)(t.tv_sec * 1000 + (t.tv_nsec + 999999) / 1000000)
		      : -1;

	if (a->exact)
		return real.epoll_pwait2(a->ep, a->events, a->n, left,
					 a->mask);
	return a->mask ? real.epoll_pwait(a->ep, a->events, a->n, ms, a->mask)
		       : real.epoll_wait(a->ep, a->events, a->n, ms);
}

int wait_epoll(const struct epoll_ask *a)
{
	int64_t end = a->ns < 0 ? FOREVER : gate_in(a->ns);
	int r, told;

	do {
		r = epoll_once(a, earlier(end, watch_until(a->ep)));
		told = watch_sift(a->ep, a->events, r);
		if (r == 0 && gate_closed_n) {
			uint64_t mask = gate_lock();
			gate_expire();
			gate_unlock(mask);
		}
	} while ((r > 0 && !told) || (r == 0 && end > gate_now()));
	return r < 0 ? r : told;
}
