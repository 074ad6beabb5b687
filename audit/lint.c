/* SPDX-License-Identifier: MIT */
/*
 * The lint's one pass over the calls, in the order in which they began.  A
 * call that began before another had returned says nothing about it: where
 * the order matters, the end of the one is compared with the start of the
 * other.
 */
#include "lint_parts.h"

#include "../cli/conns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- helpers ------------------------------------------------------------ */

void *lint_grow(struct lint *l, void *array, uint32_t n, size_t size)
{
	if (n && (n < 16 || n & (n - 1)))
		return array;
	array = realloc(array, (n ? 2 * (size_t)n : 16) * size);
	if (!array)
		l->failed = true;
	return array;
}

struct mark mark_of(const struct lint *l, const struct trace_call *c)
{
	const struct event *e = &c->event;
	const struct rec *r = e->rec;

	return (struct mark){
		.known = true, .nth = l->nth, .caller = r->caller,
		.start = e->time, .end = e->time + (e->took > 0 ? e->took : 0),
		.proc = c->proc, .tid = e->tid, .fd = r->fd, .call = r->call,
		.err = rec_errno(r), .in = rec_receives(r),
	};
}

const char *mark_error(const struct mark *p)
{
	const struct errno_row *row = errno_row(p->err);

	return row ? row->name : "an unknown error";
}

void lint_tell(struct lint *l, enum finding_id id, const struct mark *at,
	       int64_t conn, const char *format, ...)
{
	struct finding f = {
		.id = id, .proc = at->proc, .caller = at->caller,
		.call = at->call, .conn = conn, .nth = at->nth,
	};
	va_list list;

	va_start(list, format);
	vsnprintf(f.text, sizeof f.text, format, list);
	va_end(list);
	l->found(&f, l->ctx);
}

struct worker *worker_of(struct lint *l, const struct trace_call *c,
			 bool make)
{
	uint32_t tid = c->event.tid;
	uint32_t *at = map_get(&l->threads, c->proc, tid);
	struct worker *all;

	if (at)
		return &l->workers[*at];
	all = make ? lint_grow(l, l->workers, l->n_workers, sizeof *all) : NULL;
	if (!all)
		return NULL;
	l->workers = all;
	if (!map_put(&l->threads, c->proc, tid, l->n_workers)) {
		l->failed = true;
		return NULL;
	}
	all[l->n_workers] = (struct worker){ 0 };
	return &all[l->n_workers++];
}

uint64_t arg_of(const struct rec *r, enum kind kind, uint64_t otherwise)
{
	const uint8_t *kinds = calls[r->call].kinds;

	for (int i = 0; kinds[i] != KIND_END; i++)
		if (kinds[i] == kind)
			return rec_arg(r, i);
	return otherwise;
}

bool call_makes(int call)
{
	return call == CALL_socket || call == CALL_accept ||
	       call == CALL_accept4;
}

/* ---- a socket's life ---------------------------------------------------- */

static void see_born(struct lint *l, const struct trace_call *c)
{
	const struct conn_view *v = c->event.made;
	struct sock *s = &l->socks[c->made];

	if (!call_makes(c->event.rec->call))
		return;
	*s = (struct sock){
		.born = mark_of(l, c), .stream = view_is_stream(v),
		.tcp = v->proto == PROTO_TCP,
		.stage = c->conn >= 0 ? STAGE_UP : STAGE_NONE,
		/* what is accepted inherits it */
		.linger = c->conn >= 0 && l->socks[c->conn].linger,
	};
	s->used = s->born.end;
	l->tasks[c->proc].made = s->born.start;
}

static void see_moved(struct lint *l, const struct trace_call *c,
		      struct sock *s)
{
	const struct event *e = &c->event;
	const struct rec *r = e->rec;

	if (event_moved(e) > 0) {
		s->moved = true;
		s->sent_last = !rec_receives(r);
	} else if (rec_is_eof(r)) {
		if (!s->shut_rd)
			s->eof = mark_of(l, c);
		s->lent_over |= c->proc != s->born.proc;
	} else if (error_ends(rec_errno(r)) &&
		   !(r->err == EPIPE && s->shut_wr)) {
		s->dead = true;
		s->lent_over |= c->proc != s->born.proc;
	}
}

static void see_option(struct sock *s, const struct event *e)
{
	const struct rec *r = e->rec;
	int32_t value[2];

	if (r->call == CALL_setsockopt && !r->ret &&
	    (int)rec_arg(r, 1) == SOL_SOCKET &&
	    (int)rec_arg(r, 2) == SO_LINGER &&
	    payload_get(e, 3, value, sizeof value) == sizeof value)
		s->linger = value[0] && !value[1];
}

static void see_life(struct lint *l, const struct trace_call *c,
		     struct sock *s)
{
	const struct rec *r = c->event.rec;

	switch (calls[r->call].family) {
	case FAMILY_SEND:
	case FAMILY_RECV:
		see_moved(l, c, s);
		break;
	case FAMILY_SOCKOPT:
		see_option(s, &c->event);
		break;
	case FAMILY_SHUTDOWN:
		s->shut_rd |= !r->ret && (int)rec_arg(r, 1) != SHUT_WR;
		s->shut_wr |= !r->ret && (int)rec_arg(r, 1) != SHUT_RD;
		break;
	case FAMILY_LISTEN:
		s->listens |= !r->ret;
		break;
	case FAMILY_CONNECT:
		/* a socket may be used for another connection */
		s->dead = s->eof.known = s->shut_rd = s->shut_wr = false;
		break;
	}
}

/* ---- the pass ----------------------------------------------------------- */

/* Descriptors that are passed on leave the trace by a sendmsg. */
static void see_rights(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	const struct conn_view *v = c->event.conn;

	if ((r->call == CALL_sendmsg || r->call == CALL_sendmmsg) && v &&
	    v->proto != PROTO_TCP && v->proto != PROTO_UDP)
		l->tasks[c->proc].rights = c->event.time;
}

static void see(struct lint *l, const struct trace_call *c)
{
	struct sock *s = c->conn >= 0 ? &l->socks[c->conn] : NULL;

	wrong_see(l, c);
	if (!l->whole)
		return;
	if (c->event.took < 0) {
		if (s)
			s->busy = true;
		return;
	}
	minus_one_see(l, c);
	if (c->made >= 0)
		see_born(l, c);
	see_rights(l, c);
	if (s && !s->born.known) {
		s->stream = view_is_stream(c->event.conn);
		s->tcp = c->event.conn->proto == PROTO_TCP;
	}
	if (s && s->stream)
		stages_see(l, c, s);
	if (s)
		see_life(l, c, s);
	leaks_see(l, c);
	closes_see(l, c);
	descs_see(l, c);
}

bool lint_whole(const struct trace *t)
{
	const struct trace_facts *f = trace_facts(t);

	return !f->dropped && !f->damaged && !f->cut && !f->partial;
}

static bool begin(struct lint *l)
{
	l->conns = trace_conns(l->t, &l->n_socks);
	l->procs = trace_procs(l->t, &l->n_procs);
	l->whole = lint_whole(l->t);
	l->socks = calloc((size_t)l->n_socks + 1, sizeof *l->socks);
	l->tasks = calloc((size_t)l->n_procs + 1, sizeof *l->tasks);
	trace_rewind(l->t, false);
	return l->socks && l->tasks;
}

void lint_trace(struct trace *t,
		void (*found)(const struct finding *f, void *ctx), void *ctx)
{
	struct lint l = { .t = t, .found = found, .ctx = ctx };
	struct trace_call c;

	if (begin(&l)) {
		for (; !l.failed && trace_next(t, &c); l.nth++)
			see(&l, &c);
		for (uint32_t i = 0; i < l.n_workers; i++)
			closes_judge(&l, &l.workers[i]);
		if (l.whole && !l.failed)
			leaks_find(&l);
	}
	map_free(&l.fds);
	map_free(&l.threads);
	map_free(&l.alike);
	map_free(&l.tally);
	free(l.socks);
	free(l.tasks);
	free(l.workers);
	free(l.groups);
}
