/* SPDX-License-Identifier: MIT */
/*
 * Epoll sets as objects: the descriptors of one, what it has seen, a timer of
 * ours in it that wakes whoever waits there as a gate opens, and which set
 * watches which.
 */
#include "gate.h"

#include <sys/timerfd.h>

#define SETS (SLOT_NAMELESS - SLOT_SET)

static struct set sets[SETS];

struct set *set_of(int ep)
{
	uint32_t slot = fd_slot(ep);

	return slot >= SLOT_SET && slot < SLOT_NAMELESS
	       ? &sets[slot - SLOT_SET] : NULL;
}

int set_number(const struct set *s)
{
	return s - sets;
}

struct set *set_at(int number)
{
	return &sets[number];
}

bool set_is(int ep)
{
	return set_of(ep) != NULL;
}

bool set_has_sockets(int ep)
{
	const struct set *s = set_of(ep);

	return s && atomic_load_explicit(&s->socks, memory_order_relaxed);
}

/* ---- their lives ------------------------------------------------------------ */

void set_new(int ep)
{
	static _Atomic uint32_t hint;
	uint32_t at = atomic_load(&hint);

	for (uint32_t i = 0; i < SETS; i++, at++) {
		struct set *s = &sets[at % SETS];
		uint32_t none = 0;
		if (atomic_load(&s->refs) ||
		    !atomic_compare_exchange_strong(&s->refs, &none, 1))
			continue;
		s->socks = s->once = false;
		s->fd = ep;
		s->timer = 0;
		s->armed = FOREVER;
		atomic_store(&hint, at + 1);
		fd_set_slot(ep, SLOT_SET + at % SETS);
		return;
	}
	fd_set_slot(ep, SLOT_OTHER);
}

void set_share(uint32_t slot)
{
	if (slot >= SLOT_SET && slot < SLOT_NAMELESS)
		atomic_fetch_add(&sets[slot - SLOT_SET].refs, 1);
}

static void timer_drop(struct set *s)
{
	int fd = s->timer;

	s->timer = 0;
	s->armed = FOREVER;
	if (fd > 0 && fd_slot(fd) == SLOT_OURS) {
		fd_set_slot(fd, SLOT_OTHER);
		real.close(fd);
	}
}

void set_put(uint32_t slot)
{
	struct set *s = &sets[slot - SLOT_SET];
	uint64_t mask;

	if (config.rules && atomic_load(&s->refs) == 1) {
		mask = gate_lock();
		timer_drop(s);
		watch_clear(s);
		gate_unlock(mask);
	}
	atomic_fetch_sub(&s->refs, 1);
}

void set_yield(int fd, int moved)
{
	for (int i = 0; i < SETS; i++)
		if (sets[i].timer == fd)
			sets[i].timer = moved < 0 ? 0 : moved;
}

/* ---- the timer ---------------------------------------------------------------- */

#define GRAIN TICK			/* gates that open together */

/* Fewer wake-ups, and none early. */
static int64_t grain(int64_t until)
{
	return until > FOREVER - GRAIN ? FOREVER
				       : (until + GRAIN - 1) / GRAIN * GRAIN;
}

static void arm(struct set *s, int64_t until)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET,
				  .data.u64 = (uintptr_t)s };

	until = grain(until);
	if (s->timer && until == FOREVER) {
		s->armed = until;	/* it has been told, and is not again */
		return;
	}
	if (s->timer && timer_set(s->timer, until)) {
		s->armed = until;
		return;
	}
	if (until == FOREVER)
		return;
	s->timer = timer_new(TFD_NONBLOCK);
	if (s->timer < 0 || !timer_set(s->timer, until) ||
	    real.epoll_ctl(s->fd, EPOLL_CTL_ADD, s->timer, &ev))
		timer_drop(s);
	s->armed = s->timer > 0 ? until : FOREVER;
}

void set_arm(struct set *s, int64_t until)
{
	if (grain(until) < s->armed)
		arm(s, until);
}

/* When the first of the gates opens that keep something from this set. */
static int64_t first_of(const struct set *s)
{
	int64_t first = FOREVER;

	for (uint32_t n = gate_closed_n; n--;) {
		const struct conn *conn = gate_closed(n);
		bool mine = watch_here(conn, s);
		for (int w = IN; mine && w <= OUT; w++) {
			int64_t until = atomic_load(&conn->gate[w].until);
			first = until ? earlier(first, until) : first;
		}
	}
	return first;
}

bool set_timer_event(struct set *s, const struct epoll_event *ev)
{
	if (!s->timer || ev->data.u64 != (uintptr_t)s)
		return false;
	gate_expire();
	arm(s, first_of(s));
	return true;
}

int64_t set_until(int ep)
{
	const struct set *s = set_of(ep);
	int64_t first = FOREVER;
	uint64_t mask;

	if (s && !s->timer && gate_closed_n) {
		mask = gate_lock();
		first = first_of(s);
		gate_unlock(mask);
	}
	return first;
}

/* ---- sets in sets --------------------------------------------------------------- */

/* Few programs have any. */
static struct nest {
	bool used;
	const struct set *outer;
	int fd;				/* of the inner one */
	uint64_t data;
} nests[64];

#define NESTS (int)(sizeof nests / sizeof *nests)

void set_nest(const struct set *s, int op, int fd, const struct epoll_event *ev)
{
	struct nest *at = NULL;

	for (int i = 0; i < NESTS; i++) {
		struct nest *n = &nests[i];
		if (n->used && n->fd == fd && n->outer == s) {
			at = n;
			break;
		}
		if (!n->used && !at)
			at = n;
	}
	if (!at)
		return;
	*at = (struct nest){ .used = op != EPOLL_CTL_DEL, .outer = s,
			     .fd = fd };
	if (at->used)
		at->data = ev->data.u64;
}

struct set *set_nested(const struct set *s, uint64_t data)
{
	for (int i = 0; i < NESTS; i++)
		if (nests[i].used && nests[i].outer == s &&
		    nests[i].data == data)
			return set_of(nests[i].fd);
	return NULL;
}
