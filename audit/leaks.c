/* SPDX-License-Identifier: MIT */
/*
 * What is left at the end.  That a socket is open there proves nothing: the
 * program may have been ended while it was at work, or hold it on purpose.
 * Proof is that it is of no use any more, and that the program has gone on
 * and made others since:
 *
 *	the peer has ended it, and BIRTHS later ones have come and gone;
 *	or three of those made at one place have
 *	- failed, or ended otherwise, or
 *	- been handed to a child, which was done with them, or
 *	- been used by one thread, one after the other, to the same peer, and
 *	  none of them again, nor does anybody wait for one.
 */
#include "lint_parts.h"

#include "../cli/conns.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FEW 3				/* that many are no accident */

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

/* ---- sockets made alike ------------------------------------------------- */

/* A group of that thread, place and peer; its index plus 1, or 0. */
static uint32_t group_of(struct lint *l, const struct mark *at,
			 const void *peer, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct group *all;
	uint32_t *found;

	h = mix(h, &at->proc, sizeof at->proc);
	h = mix(h, &at->tid, sizeof at->tid);
	h = mix(h, &at->caller, sizeof at->caller);
	h = mix(h, peer, len);
	all = lint_grow(l, l->groups, l->n_groups, sizeof *all);
	if (!all)
		return 0;
	l->groups = all;
	found = map_put(&l->alike, h >> 32, (uint32_t)h, l->n_groups);
	if (!found) {
		l->failed = true;
		return 0;
	}
	if (*found == l->n_groups)
		all[l->n_groups++] = (struct group){ 0 };
	return *found + 1;
}

static void join(struct lint *l, uint32_t i, const struct mark *at,
		 const void *peer, size_t len)
{
	struct sock *s = &l->socks[i];

	if (s->group)
		return;
	s->group = group_of(l, at, peer, len);
	if (s->group)
		l->groups[s->group - 1].latest = i;
}

static void see_made(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	const struct conn_view *v = c->event.conn;
	struct mark at = mark_of(l, c);
	uint32_t listener = c->conn;

	if (calls[r->call].family == FAMILY_ACCEPT && c->made >= 0)
		join(l, c->made, &at, &listener, sizeof listener);
	else if (r->call == CALL_connect && v && v->peer_len)
		join(l, c->conn, &at, v->peer, v->peer_len);
}

/* ---- who uses them ------------------------------------------------------ */

static void use(struct lint *l, const struct trace_call *c, int64_t i)
{
	struct sock *s = &l->socks[i];
	struct group *g = s->group ? &l->groups[s->group - 1] : NULL;
	struct mark at = mark_of(l, c);

	if (c->proc == s->born.proc) {
		if (at.end > s->used)
			s->used = at.end;
	} else if (!s->lent) {
		s->lent = true;
		s->lent_at = at.start;
	}
	if (g && g->latest != i)
		g->reused = true;
}

static void see_poll(struct lint *l, const struct trace_call *c)
{
	const struct event *e = &c->event;
	struct item item = { 0 };
	const uint8_t *list = payload_find(e->payload, e->payload_len, 0,
					   &item);
	struct pollfd p;

	if (!list || item.bits & ITEM_CUT)
		l->tasks[c->proc].selects = true;
	for (size_t at = 0; list && at + sizeof p <= item.len; at += sizeof p) {
		int64_t i;
		memcpy(&p, list + at, sizeof p);
		i = descs_find(l, c->proc, p.fd);
		if (i >= 0)
			use(l, c, i);
	}
}

static void see_watch(struct sock *s, const struct event *e)
{
	uint32_t events = 0;

	payload_get(e, 3, &events, sizeof events);
	s->watched = (int)rec_arg(e->rec, 1) != EPOLL_CTL_DEL;
	s->watched_out = s->watched && events & EPOLLOUT;
}

static void see_wait(struct lint *l, const struct trace_call *c)
{
	switch (c->event.rec->call) {
	case CALL_poll:
	case CALL_ppoll:
		see_poll(l, c);
		break;
	case CALL_select:
	case CALL_pselect:
		/* it shows what is ready, not what was asked for */
		l->tasks[c->proc].selects = true;
		break;
	case CALL_epoll_ctl:
		if (c->conn >= 0 && !c->event.rec->ret)
			see_watch(&l->socks[c->conn], &c->event);
		break;
	}
}

void leaks_see(struct lint *l, const struct trace_call *c)
{
	int family = calls[c->event.rec->call].family;

	if (family == FAMILY_POLL)
		see_wait(l, c);
	if (c->conn >= 0 && family != FAMILY_CLOSE)
		use(l, c, c->conn);
	see_made(l, c);
}

/* ---- at the end --------------------------------------------------------- */

static bool over(const struct sock *s)
{
	return s->closed.known || s->eof.known || s->dead ||
	       s->stage == STAGE_FAILED || s->stage == STAGE_TOLD;
}

/* When the last connections were made that have come and gone. */
static void note_birth(struct lint *l, const struct sock *s)
{
	struct task *t = &l->tasks[s->born.proc];
	int64_t birth = s->born.start;

	if (!s->born.known || !s->stream || !over(s))
		return;
	for (int i = 0; i < BIRTHS; i++) {
		int64_t older = t->births[i];
		if (birth <= older)
			continue;
		t->births[i] = birth;
		birth = older;
	}
}

/* A connection that its own process has not closed. */
static bool open_here(const struct sock *s, uint32_t proc)
{
	return s->born.known && s->born.proc == proc && s->stream && !s->busy;
}

static bool waits_closed(const struct lint *l, const struct sock *s)
{
	return s->tcp && s->eof.known && s->eof.proc == s->born.proc &&
	       !s->shut_wr && !s->watched_out &&
	       l->tasks[s->born.proc].births[BIRTHS - 1] > s->used;
}

/* The parent has not touched it since a child took it over. */
static bool handed_on(const struct sock *s)
{
	return s->lent && s->lent_over && !s->listens &&
	       s->used <= s->lent_at;
}

/* Nobody can learn any more what comes for it. */
static bool left_alone(const struct lint *l, uint32_t i)
{
	const struct sock *s = &l->socks[i];
	const struct group *g = s->group ? &l->groups[s->group - 1] : NULL;

	return g && !g->reused && g->latest != i && s->moved && !s->watched &&
	       !l->tasks[s->born.proc].selects;
}

/* What a socket that is open for nothing was for; NULL: it may be for more. */
static const char *useless(const struct lint *l, uint32_t i)
{
	const struct sock *s = &l->socks[i];

	if (l->tasks[s->born.proc].made <= s->used)
		return NULL;
	if (handed_on(s))
		return "was left to a child, which is done with it";
	if (s->dead || s->stage == STAGE_FAILED || s->stage == STAGE_TOLD)
		return "had failed";
	if (s->eof.known && s->shut_wr)
		return "was at its end";
	if (s->lent || s->watched_out)
		return NULL;
	if (s->eof.known && !s->tcp)
		return "was ended by its peer";
	return left_alone(l, i) ? "was never used again" : NULL;
}

static void tell_waiting(struct lint *l, uint32_t proc, uint32_t i)
{
	const struct sock *s = &l->socks[i];

	if (open_here(s, proc) && waits_closed(l, s))
		lint_tell(l, FINDING_CLOSE_WAIT_LEAK, &s->eof, i,
			  "%d was never closed after this, while other "
			  "connections came and went", s->eof.fd);
}

/* How many such sockets its process made at that place. */
static uint32_t *tally_of(struct lint *l, const struct sock *s)
{
	uint64_t h = mix(s->born.proc, &s->born.caller, sizeof s->born.caller);

	return map_put(&l->tally, h >> 32, (uint32_t)h, 0);
}

static void count_leak(struct lint *l, uint32_t proc, uint32_t i)
{
	const struct sock *s = &l->socks[i];
	uint32_t *n;

	if (!open_here(s, proc) || waits_closed(l, s) || !useless(l, i))
		return;
	n = tally_of(l, s);
	if (n)
		++*n;
}

static void tell_leak(struct lint *l, uint32_t proc, uint32_t i)
{
	const struct sock *s = &l->socks[i];
	uint32_t *n;

	if (!open_here(s, proc) || waits_closed(l, s) || !useless(l, i))
		return;
	n = tally_of(l, s);
	if (n && *n >= FEW)
		lint_tell(l, FINDING_FD_LEAK, &s->born, i,
			  "the socket it made %s, and others were made "
			  "while it was left open", useless(l, i));
	/* and its peer, who has said all, sees no end */
	if (n && *n >= FEW && handed_on(s) && s->tcp && s->eof.known &&
	    !s->shut_wr)
		lint_tell(l, FINDING_CLOSE_WAIT_LEAK, &s->eof, i,
			  "the process that made the socket never closed its "
			  "copy after this");
}

void leaks_find(struct lint *l)
{
	for (uint32_t i = 0; i < l->n_socks; i++)
		note_birth(l, &l->socks[i]);
	descs_each(l, tell_waiting);
	descs_each(l, count_leak);
	descs_each(l, tell_leak);
}
