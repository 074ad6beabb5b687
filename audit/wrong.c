/* SPDX-License-Identifier: MIT */
/*
 * Calls that are wrong by themselves, whatever came before: lengths that were
 * -1, sends that SIGPIPE would have ended; and -1 for a descriptor.
 */
#include "lint_parts.h"

#include "../cli/conns.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- lengths ------------------------------------------------------------ */

/* The first length that is larger than any object; 0: none is. */
static uint64_t length_of(const struct rec *r)
{
	const uint8_t *kinds = calls[r->call].kinds;

	for (int i = 0; kinds[i] != KIND_END; i++)
		if (kinds[i] == KIND_LEN && rec_arg(r, i) >= INT64_MAX)
			return rec_arg(r, i);
	return 0;
}

/*
 * "As much as there is" is no mistake where there is no buffer: sendfile,
 * splice, MSG_TRUNC of TCP.  There the kernel must have refused it.
 */
static void see_length(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	int flags = arg_of(r, KIND_MSGFLAGS, 0);
	bool buffer = call_has_kind(r->call, KIND_DATA) ||
		      call_has_kind(r->call, KIND_ITEMDATA);
	bool refused = c->event.took >= 0 &&
		       (r->err == EFAULT || r->err == EINVAL);
	uint64_t len = length_of(r);
	struct mark at = mark_of(l, c);

	if (!len || r->call == CALL_vmsplice)
		return;
	if (!refused && (!buffer || flags & MSG_TRUNC))
		return;
	lint_tell(l, FINDING_BAD_LENGTH, &at, c->conn,
		  "%s is told to move %lld bytes", calls[r->call].name,
		  (long long)len);
}

/* ---- SIGPIPE ------------------------------------------------------------ */

/* The process has looked at its first send, and says what it has found. */
static void see_bare(struct lint *l, const struct trace_call *c)
{
	const struct trace_proc *p = &l->procs[c->proc];
	const struct rec *r = c->event.rec;
	struct task *task = &l->tasks[c->proc];
	struct mark at = mark_of(l, c);

	if (!(p->sigpipe & SIGPIPE_BARE) || r->start != p->bare ||
	    calls[r->call].family != FAMILY_SEND || task->bare)
		return;
	task->bare = true;
	lint_tell(l, FINDING_SIGPIPE_UNPROTECTED, &at, c->conn,
		  "%s with SIGPIPE at its default", calls[r->call].name);
}

void wrong_see(struct lint *l, const struct trace_call *c)
{
	int family = calls[c->event.rec->call].family;

	if (family != FAMILY_SEND && family != FAMILY_RECV)
		return;
	see_length(l, c);
	see_bare(l, c);
}

/* ---- -1 for a descriptor ------------------------------------------------ */

/* close(-1) harms nobody, and in a wait -1 is a way to say nothing. */
static bool uses(const struct rec *r)
{
	return r->fd == -1 && rec_errno(r) == EBADF &&
	       calls[r->call].family != FAMILY_CLOSE &&
	       (calls[r->call].family != FAMILY_POLL ||
		r->call == CALL_epoll_ctl);
}

void minus_one_see(struct lint *l, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	bool made = call_makes(r->call), failed = made && rec_failed(r);
	struct worker *w = worker_of(l, c, failed);
	struct mark at = mark_of(l, c);

	if (!w)
		return;
	if (w->refused.known && uses(r))
		lint_tell(l, FINDING_IGNORED_ERROR, &at, -1,
			  "%s failed with %s, and %s is called with its -1",
			  calls[w->refused.call].name,
			  mark_error(&w->refused), calls[r->call].name);
	/* close(-1) on the way changes nothing */
	if (made || (r->fd != NO_FD && !(r->fd == -1 && !uses(r))))
		w->refused.known = false;
	if (failed)
		w->refused = at;
}
