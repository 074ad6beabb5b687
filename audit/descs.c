/* SPDX-License-Identifier: MIT */
/*
 * Who holds which descriptor.  A record says itself which socket its number
 * was: the map only says how long a process keeps it.  A call that returns a
 * number counts as of its beginning, so the number may still be another's
 * then, whose close is yet to come: that close names its socket, and takes
 * nothing else away.
 */
#include "lint_parts.h"

#include "../cli/conns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>

/* An entry is the index of its socket, plus 1; GONE: it held it once. */
#define GONE 0x80000000u

static void hold(struct lint *l, uint32_t proc, int fd, int64_t conn)
{
	uint32_t *at = map_put(&l->fds, proc, fd, 0);

	if (at)
		*at = conn + 1;
	else
		l->failed = true;
}

/* A number of that socket (-1: of any) is given back. */
static void drop(struct lint *l, uint32_t proc, int fd, int64_t conn)
{
	uint32_t *at = map_get(&l->fds, proc, fd);

	if (at && (conn < 0 || *at == conn + 1))
		*at |= GONE;
}

/* A process that nobody told of its descriptor was born with it. */
static void meet(struct lint *l, uint32_t proc, int fd, int64_t conn)
{
	uint32_t *at = map_get(&l->fds, proc, fd);

	if (!at || (*at & ~GONE) != conn + 1)
		hold(l, proc, fd, conn);
}

static void drop_range(struct lint *l, uint32_t proc, uint32_t first,
		       uint32_t last)
{
	for (size_t i = 0; i < l->fds.size; i++) {
		struct map_entry *e = &l->fds.entries[i];
		if (e->used && e->a == proc && e->b >= first && e->b <= last)
			e->value |= GONE;
	}
}

static void see_close(struct lint *l, const struct trace_call *c)
{
	struct sock *s = c->conn >= 0 ? &l->socks[c->conn] : NULL;

	/* a close that reports an error has closed all the same */
	if (!s || c->event.rec->err == EBADF)
		return;
	s->closed = mark_of(l, c);
	s->lent_over |= s->lent && c->proc != s->born.proc;
	drop(l, c->proc, c->event.rec->fd, c->conn);
}

/* The number that a call returned is that socket's now (-1: no socket's). */
static void see_new(struct lint *l, const struct trace_call *c, int fd,
		    int64_t conn)
{
	if (conn >= 0)
		hold(l, c->proc, fd, conn);
	else
		drop(l, c->proc, fd, -1);
}

static void see_fcntl(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	int cmd = rec_arg(r, 1);

	if (r->ret >= 0 && (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC))
		see_new(l, c, r->ret, c->conn);
}

static void see_pair(struct lint *l, const struct trace_call *c)
{
	int32_t pair[2];

	if (payload_get(&c->event, 3, pair, sizeof pair) != sizeof pair)
		return;
	see_new(l, c, pair[0], c->made);
	see_new(l, c, pair[1], -1);
}

void descs_see(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;

	switch (r->call) {
	case CALL_close:
	case CALL_fclose:
	case CALL_freopen:
		see_close(l, c);
		return;
	case CALL_close_range:
		if (!r->ret && !(rec_arg(r, 2) & CLOSE_RANGE_CLOEXEC))
			drop_range(l, c->proc, rec_arg(r, 0), rec_arg(r, 1));
		return;
	case CALL_closefrom:
		drop_range(l, c->proc, rec_arg(r, 0), INT32_MAX);
		return;
	case CALL_daemon:
		drop_range(l, c->proc, 0, 2);
		return;
	}
	if (c->conn >= 0 && r->fd >= 0)
		meet(l, c->proc, r->fd, c->conn);
	if (r->call == CALL_fcntl)
		see_fcntl(l, c);
	else if (r->call == CALL_socketpair)
		see_pair(l, c);
	else if (calls[r->call].result == RESULT_NEWFD && r->ret >= 0)
		see_new(l, c, r->ret, c->made);
}

int64_t descs_find(const struct lint *l, uint32_t proc, int fd)
{
	uint32_t *at = map_get(&l->fds, proc, fd);

	return at && *at && !(*at & GONE) ? (int64_t)*at - 1 : -1;
}

int64_t descs_gone(const struct lint *l, uint32_t proc, int fd)
{
	uint32_t *at = map_get(&l->fds, proc, fd);

	return at && *at > GONE ? (int64_t)(*at & ~GONE) - 1 : -1;
}

void descs_each(struct lint *l,
		void (*each)(struct lint *l, uint32_t proc, uint32_t sock))
{
	for (size_t i = 0; i < l->fds.size; i++) {
		const struct map_entry *e = &l->fds.entries[i];
		if (e->used && e->value && !(e->value & GONE))
			each(l, e->a, e->value - 1);
	}
}
