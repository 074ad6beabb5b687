/* SPDX-License-Identifier: MIT */
/*
 * Closes that lose data; and double closes: EBADF for a number that this
 * process has given back by close before.  A loop that closes every number
 * gets that, too, and means no harm.  It is known by a number beside that
 * never was a descriptor; the shim has marked the record before or behind it.
 * So the closes that a thread makes in a row at one place are judged together,
 * once the row is over.
 */
#include "lint_parts.h"

#include <errno.h>
#include <string.h>

/* The close by which the number was given back, or NULL. */
static const struct mark *first_close(const struct lint *l,
				       const struct trace_call *c)
{
	int64_t i = descs_gone(l, c->proc, c->event.rec->fd);
	const struct mark *p = i < 0 ? NULL : &l->socks[i].closed;

	return p && p->known && p->proc == c->proc &&
	       p->fd == c->event.rec->fd && p->start <= c->event.time
	       ? p : NULL;
}

void closes_judge(struct lint *l, struct worker *w)
{
	for (int i = 0; i < w->n && !w->loop; i++) {
		const struct mark *p = &w->suspects[i];
		lint_tell(l, FINDING_DOUBLE_CLOSE, p, -1,
			  "%d was closed before, and is no descriptor now",
			  p->fd);
	}
	w->n = 0;
	w->loop = false;
	w->closed.known = false;
}

/* Whether the thread comes from a close at the same place. */
static bool goes_on(const struct worker *w, const struct mark *at)
{
	return w->closed.known && w->closed.caller == at->caller;
}

/*
 * The kernel has told of unread bytes.  Nobody else may have the socket, and a
 * loss there must be: what the program sent last.  Who gives up a download, or
 * asks for a reset, means it.
 */
static void see_unread(struct lint *l, const struct trace_call *c,
		       const struct rec_close *more)
{
	const struct sock *s = c->conn >= 0 ? &l->socks[c->conn] : NULL;
	struct mark at = mark_of(l, c);

	if (!s || !more->unread || more->children != 1 || !s->born.known ||
	    s->born.proc != at.proc || s->linger || !s->sent_last ||
	    l->tasks[at.proc].rights >= s->born.start)
		return;
	lint_tell(l, FINDING_CLOSE_UNREAD, &at, c->conn,
		  "%u bytes had come since the last recv: the peer gets a "
		  "reset, and may lose what was sent last", more->unread);
}

static void see_close(struct lint *l, struct worker *w,
		      const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	struct mark at = mark_of(l, c);
	struct rec_close more;

	memcpy(&more, r->args, sizeof more);
	see_unread(l, c, &more);
	if (!goes_on(w, &at))
		closes_judge(l, w);
	w->closed = at;
	w->loop |= more.beside;
	/* an older trace does not say what was closed beside it */
	if (r->err != EBADF || r->rule || !more.children || !first_close(l, c))
		return;
	/* so many in a row are no oversight */
	if (w->n == SUSPECTS)
		w->loop = true;
	else
		w->suspects[w->n++] = at;
}

void closes_see(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	bool closes = r->call == CALL_close && r->fd >= 0;
	struct worker *w = worker_of(l, c, closes);

	if (!w)
		return;
	if (closes)
		see_close(l, w, c);
	else
		closes_judge(l, w);
}
