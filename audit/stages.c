/* SPDX-License-Identifier: MIT */
/*
 * Errors of a socket that nobody minded: what the program has been told about
 * a stream socket, and whether it went on as if it had not.  The four ways to
 * learn what became of a connect are UNP's (Stevens, 16.4): SO_ERROR,
 * getpeername, a read of 0 bytes, a second connect; and the first send or recv
 * says it, too, for who looks at the result.
 */
#include "lint_parts.h"

#include "../cli/conns.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/*
 * TLS looks once more for the peer's last word and says its own, perhaps
 * again, whatever it has been told.  Who goes on after that has not listened.
 */
#define GOODBYES 3

static void become(struct sock *s, enum stage stage, const struct mark *why)
{
	s->stage = stage;
	s->why = *why;
	s->tries = 0;
}

/* ---- bind, listen, accept ----------------------------------------------- */

static void see_bind(struct sock *s, const struct trace_call *c,
		     const struct mark *at)
{
	if (!at->err)
		s->bound = true;
	/* one that was bound when we met it may well refuse */
	if (!at->err && s->stage == STAGE_UNBOUND)
		s->stage = STAGE_NONE;
	else if (at->err && s->born.known && !s->bound && !s->listens &&
		 s->stage == STAGE_NONE && c->event.rec->call == CALL_bind)
		become(s, STAGE_UNBOUND, at);
}

static void see_listen(struct lint *l, const struct trace_call *c,
		       struct sock *s, const struct mark *at)
{
	if (s->stage == STAGE_UNBOUND)
		lint_tell(l, FINDING_IGNORED_ERROR, at, c->conn,
			  "bind failed with %s, and the program listens all "
			  "the same", mark_error(&s->why));
	if (at->err && !s->listens)
		become(s, STAGE_DEAF, at);
	else
		s->stage = STAGE_NONE;
}

static void see_accept(struct lint *l, const struct trace_call *c,
		       struct sock *s, const struct mark *at)
{
	if (s->stage == STAGE_DEAF && at->err)
		lint_tell(l, FINDING_IGNORED_ERROR, at, c->conn,
			  "listen failed with %s, and the program accepts all "
			  "the same", mark_error(&s->why));
	s->stage = STAGE_NONE;
}

/* ---- connect, and asking what became of it ------------------------------ */

static void see_connect(struct sock *s, const struct mark *at)
{
	switch (at->err) {
	case 0:
	case EISCONN:
		s->stage = STAGE_UP;
		return;
	case EALREADY:
	case EINTR:
	case EAGAIN:
		s->stage = STAGE_NONE;
		return;
	}
	if (s->stage != STAGE_UP)
		become(s, at->err == EINPROGRESS ? STAGE_GOING : STAGE_FAILED,
		       at);
}

/* A successful connect by another name: the kernel has been asked. */
static bool asks(const struct rec *r)
{
	int level = rec_arg(r, 1), name = rec_arg(r, 2);

	if (r->call == CALL_getsockopt)
		return (level == SOL_SOCKET && name == SO_ERROR) ||
		       (level == IPPROTO_TCP && name == TCP_INFO);
	return r->call == CALL_getpeername ||
	       (rec_receives(r) && !arg_of(r, KIND_LEN, 1));
}

static void see_answer(struct sock *s, const struct trace_call *c,
		       const struct mark *at)
{
	int32_t error = 0;
	struct mark told = *at;

	if (s->stage != STAGE_GOING && s->stage != STAGE_TRIED)
		return;
	s->stage = STAGE_NONE;
	if (at->call == CALL_getsockopt && !at->err &&
	    (int)rec_arg(c->event.rec, 1) == SOL_SOCKET)
		payload_get(&c->event, 3, &error, sizeof error);
	told.err = error;
	if (error_ends(error))
		become(s, STAGE_TOLD, &told);
}

/* ---- data --------------------------------------------------------------- */

/* What only a connection can answer that has never been one. */
static bool refuses(int err)
{
	return err == ENOTCONN || (error_ends(err) && err != EPIPE &&
				   err != ECONNRESET);
}

/* The thread that was told goes on. */
static bool later(const struct mark *then, const struct mark *now)
{
	return then->tid == now->tid && then->proc == now->proc &&
	       now->start >= then->end;
}

static void see_unchecked(struct lint *l, const struct trace_call *c,
			  struct sock *s, const struct mark *at)
{
	if (s->stage == STAGE_GOING) {
		if (refuses(at->err)) {
			s->stage = STAGE_TRIED;
			s->tried = *at;
		}
		return;
	}
	/* a loop that has met the error by reading may write once more */
	if (!later(&s->tried, at) || ++s->tries < (s->tried.in ? 2 : 1))
		return;
	lint_tell(l, FINDING_UNCHECKED_CONNECT, &s->why, c->conn,
		  "nobody asked what became of it; then %s failed with %s, "
		  "and %s was called all the same",
		  calls[s->tried.call].name, mark_error(&s->tried),
		  calls[at->call].name);
	s->stage = STAGE_NONE;
}

static void see_unconnected(struct lint *l, const struct trace_call *c,
			    struct sock *s, const struct mark *at)
{
	if (!later(&s->why, at) ||
	    (at->err != ENOTCONN && !error_ends(at->err)))
		return;
	lint_tell(l, FINDING_IGNORED_ERROR, at, c->conn,
		  "%s %s %s, and %s is called all the same",
		  s->stage == STAGE_TOLD ? "SO_ERROR" : "connect",
		  s->stage == STAGE_TOLD ? "was" : "failed with",
		  mark_error(&s->why), calls[at->call].name);
	s->stage = STAGE_NONE;
}

static void see_broken(struct lint *l, const struct trace_call *c,
		       struct sock *s, const struct mark *at)
{
	if (!later(&s->why, at) || ++s->tries <= GOODBYES)
		return;
	lint_tell(l, FINDING_IGNORED_ERROR, at, c->conn,
		  "%s failed with %s, and the socket is used on and on",
		  calls[s->why.call].name, mark_error(&s->why));
	s->stage = STAGE_NONE;
}

static void see_data(struct lint *l, const struct trace_call *c,
		     struct sock *s, const struct mark *at)
{
	const struct event *e = &c->event;

	if (event_moved(e) > 0) {
		s->stage = STAGE_UP;
		return;
	}
	if ((!at->err && !rec_is_eof(e->rec)) || error_waits(at->err) ||
	    at->err == EINTR)
		return;
	switch (s->stage) {
	case STAGE_GOING:
	case STAGE_TRIED:
		see_unchecked(l, c, s, at);
		break;
	case STAGE_FAILED:
	case STAGE_TOLD:
		see_unconnected(l, c, s, at);
		break;
	case STAGE_BROKEN:
		see_broken(l, c, s, at);
		break;
	default:
		if (at->in && error_ends(at->err))
			become(s, STAGE_BROKEN, at);
	}
}

/* ---- call by call ------------------------------------------------------- */

void stages_see(struct lint *l, const struct trace_call *c, struct sock *s)
{
	struct mark at = mark_of(l, c);

	switch (calls[at.call].family) {
	case FAMILY_BIND:
		see_bind(s, c, &at);
		return;
	case FAMILY_LISTEN:
		see_listen(l, c, s, &at);
		return;
	case FAMILY_ACCEPT:
		see_accept(l, c, s, &at);
		return;
	case FAMILY_CONNECT:
		see_connect(s, &at);
		return;
	}
	if (asks(c->event.rec))
		see_answer(s, c, &at);
	else if (calls[at.call].family == FAMILY_SEND ||
		 calls[at.call].family == FAMILY_RECV)
		see_data(l, c, s, &at);
}
