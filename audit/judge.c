/* SPDX-License-Identifier: MIT */
/*
 * The oracle.  Under a benign fault a correct program does what it does
 * untouched; under a terminal one it may fail, by itself and saying so.  Only
 * what is proved is a finding: where two untouched runs differ, nothing is.
 */
#include "judge.h"

#include "evidence.h"

#include "lint.h"
#include "words.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

__attribute__((format(printf, 3, 4)))
static void find(struct outcome *o, enum finding_id id, const char *format,
		 ...)
{
	struct found *f = &o->found[o->n];
	va_list list;

	for (int i = 0; i < o->n; i++)
		if (o->found[i].id == id)
			return;
	if (o->n == FOUND_MOST)
		return;
	o->n++;
	f->id = id;
	va_start(list, format);
	vsnprintf(f->what, sizeof f->what, format, list);
	va_end(list);
}

/* ---- how it ended ------------------------------------------------------------- */

/* "status 1", "SIGPIPE" */
static const char *status_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(buf, size, "status %d", WEXITSTATUS(status));
	return buf;
}

/* The signal that ended it, also where a shell says so; or 0. */
static int death(int status)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status)
				      : WEXITSTATUS(status) - 128;

	switch (sig) {
	case SIGPIPE:
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
		return sig;
	default:
		return WIFSIGNALED(status) ? sig : 0;
	}
}

static bool same_status(const struct view *a, const struct view *b)
{
	return a->result.target.status == b->result.target.status;
}

static void died(struct outcome *o, const struct planned *p, int sig)
{
	if (sig == SIGPIPE)
		find(o, FINDING_SIGPIPE_DEATH, "killed by SIGPIPE");
	else if (strstr(p->rule, "number="))
		find(o, FINDING_FD_SETSIZE, "killed by SIG%s",
		     sigabbrev_np(sig));
	else
		find(o, FINDING_CRASH, "killed by SIG%s", sigabbrev_np(sig));
}

/* A megabyte a second is too much of a log, unless it has always been. */
static bool floods(const struct trial_part *was, const struct trial_part *p)
{
	return p->flooded || (p->written / (p->took / SECOND + 1) > 1 << 20 &&
			      p->written > 2 * was->written);
}

static void wrote(struct outcome *o, const struct trial_part *was,
		  const struct trial_part *p)
{
	if (floods(was, p))
		find(o, FINDING_LOG_FLOOD, "it wrote %llu MB in %.1f s",
		     (unsigned long long)p->written >> 20, p->took / 1e9);
}

/* It had to be ended: it does too much, or nothing. */
static void stuck(struct outcome *o, const struct trial_part *was,
		  const struct trial_part *p, int repeats)
{
	wrote(o, was, p);
	if (p->flooded)
		return;
	if (p->busy > SECOND / 2)
		find(o, FINDING_SPIN, "still running at the time-out, with %d %%"
		     " of a processor in the last second",
		     (int)(p->busy * 100 / SECOND));
	else if (repeats >= 1000)
		find(o, FINDING_SPIN, "the same call failed %d times in a "
		     "second", repeats);
	else
		find(o, FINDING_HANG, "waits for ever: it had to be ended "
		     "after %.1f s", p->took / 1e9);
}

/* ---- the trace of the trial ---------------------------------------------------- */

struct seen {
	struct trace *trace;
	uint64_t fired;			/* how often */
	bool lost;			/* short-write-lost is found */
	int repeats;			/* failing calls in a row in a second */
};

struct linting {
	const struct reference *ref;
	const struct planned *p;
	struct outcome *o;
};

static void linted(const struct finding *f, void *ctx)
{
	struct linting *l = ctx;

	/* what its peer goes on sending has no part in an end of ours */
	if (f->id == FINDING_CLOSE_UNREAD && strstr(l->p->rule, " eof"))
		return;
	if (findings[f->id].level != LEVEL_NOTE && !l->ref->linted[f->id])
		find(l->o, f->id, "%s", f->text);
}

/* ---- clients ------------------------------------------------------------------- */

/* What is other than it was untouched. */
struct change {
	bool less;			/* its peers were sent less */
	bool out;			/* its output */
	bool lost;			/* the rest of a send */
};

/* A benign fault has changed something. */
static void changed(const struct planned *p, const struct view *was,
		    const struct view *now, struct change change,
		    struct outcome *o)
{
	const char *family = p->rule;
	bool send = !strncmp(family, "send ", 5);
	char a[40], b[40];

	if (strstr(p->rule, "number=")) {
		find(o, FINDING_FD_SETSIZE, "%s where it ended with %s",
		     status_text(now->result.target.status, a, sizeof a),
		     status_text(was->result.target.status, b, sizeof b));
		/* more than 128: it has caught its own SIGABRT */
		o->found[o->n - 1].mild =
			!same_status(was, now) &&
			WEXITSTATUS(now->result.target.status) < 128;
	} else if ((p->beside && !strncmp(p->beside, "connect inpr", 12)) ||
		 (!strncmp(family, "connect ", 8) && strstr(p->rule, "EINTR")))
		find(o, FINDING_CONNECT_RETRY_AFTER_EINTR,
		     "the handshake goes on, and the program gives up: %s",
		     status_text(now->result.target.status, a, sizeof a));
	else if (!strncmp(family, "connect ", 8))
		find(o, FINDING_UNCHECKED_CONNECT,
		     "the connection takes its time, and the program fails: %s",
		     status_text(now->result.target.status, a, sizeof a));
	else if (send && (change.lost ||
			  (change.less && same_status(was, now)))) {
		find(o, FINDING_SHORT_WRITE_LOST,
		     "the peer was sent less than in the untouched run");
		if (change.out)
			find(o, FINDING_WRONG_OUTPUT,
			     "so its own output is another one");
	} else
		find(o, FINDING_WRONG_OUTPUT, "%s, %s", status_text(
			now->result.target.status, a, sizeof a),
		     same_status(was, now) ? "but not what the untouched run "
		     "printed and sent" : "where the untouched run ended well");
}

/*
 * It says what went wrong: something else on standard error, or, as programs
 * do whose output is for people, in words of its own on standard output.
 */
static bool speaks(const struct base *b, const struct view *now)
{
	const struct view *x = &b->view[0], *y = &b->view[1];

	return (now->err.len && !same_text(b->err, &x->err, &y->err,
					   &now->err)) ||
	       words_new(&now->out, &x->out, &y->out, &now->got);
}

/* The beginning of what it was, as far as it goes. */
static bool is_part(const struct text *whole, const struct text *now)
{
	return now->len < whole->len &&
	       (!now->len || !memcmp(whole->s, now->s, now->len));
}

/* It ended with status 0 and other effects, and has said nothing. */
static void unsaid(const struct planned *p, const struct view *was,
		   const struct view *now, bool out, struct outcome *o)
{
	if (!strncmp(p->rule, "connect ", 8))
		find(o, FINDING_UNCHECKED_CONNECT, "there is no connection, "
		     "and it ends with status 0 and says nothing");
	else if (strstr(p->rule, " eof") && !out)
		find(o, FINDING_TRUNCATED_ACCEPTED, "the stream ended early; "
		     "it ends with status 0 and other output, and says nothing");
	else if (out || is_part(&was->out, &now->out))
		find(o, FINDING_SILENT_LOSS, "it ends with status 0 and says "
		     "nothing, but %s", out ? "its peer was sent something else"
		     : "some of its output is missing");
	else
		find(o, FINDING_WRONG_OUTPUT, "it ends with status 0 and says "
		     "nothing, but its output is another one");
}

/*
 * Not over yet, and no hang: it waits for a time only, or still moves data, or
 * has made several attempts, of which none can succeed.
 */
static bool goes_on(const struct planned *p, const struct trial_part *t,
		    const struct seen *seen)
{
	bool for_ever = p->kind == TERMINAL && !strstr(p->rule, "when=") &&
			!strncmp(p->rule, "connect ", 8);

	return !t->flooded && t->busy <= SECOND / 2 && seen->repeats < 1000 &&
	       (t->asleep || evidence_waits_a_while(seen->trace) ||
		evidence_last_moved(seen->trace) > t->took - SECOND / 2 ||
		(for_ever && seen->fired > 1));
}

/* A client, or a server of one client only: it ends by itself. */
static void judge_client(const struct reference *ref,
			 const struct planned *p, const struct view *now,
			 const struct seen *seen, struct outcome *o)
{
	const struct base *b = &ref->base;
	const struct view *was = &b->view[0];
	const struct trial_part *t = &now->result.target;
	const struct trial_part *before = &was->result.target;
	bool less, streams = same_streams(b, now, &less);
	bool out = same_text(b->out, &was->out, &b->view[1].out, &now->out);
	/*
	 * After a terminal fault it may have tried again, perhaps in other
	 * words; and how much goes into a piece may change what is sent, but
	 * not to less.
	 */
	bool same = same_status(was, now) && out &&
		    (streams || (p->kind == BENIGN ? !less :
		     all_streams(b, now) ||
		     (now->out.len && evidence_answered_anew(seen->trace))));

	if (!t->ended && was->result.target.ended && goes_on(p, t, seen))
		o->unended = true;	/* and handled, so far */
	else if (!t->ended && was->result.target.ended && seen->lost)
		;			/* it waits for what nobody can answer */
	else if (!t->ended && was->result.target.ended)
		stuck(o, before, t, seen->repeats);
	else if (death(t->status) && !same_status(was, now))
		died(o, p, death(t->status));
	else if (seen->repeats >= 1000)
		stuck(o, before, t, seen->repeats);
	else if (same)
		o->verdict = TOLERATED;
	else if (p->kind == BENIGN && strncmp(p->rule, "accept ", 7))
		changed(p, was, now, (struct change){
			.less = less, .out = !out, .lost = seen->lost }, o);
	else if (!same_status(was, now) || speaks(b, now))
		o->verdict = HANDLED;
	else
		unsaid(p, was, now, out, o);
}

/* ---- servers -------------------------------------------------------------------- */

static bool served(const struct base *b, const struct view *now, int i)
{
	const struct view *was = &b->view[0];
	const struct trial_part *c = &now->result.client[i];

	return i < now->result.clients && c->ended &&
	       c->status == was->result.client[i].status &&
	       same_text(b->client, &was->client[i], &b->view[1].client[i],
			 &now->client[i]);
}

/* The fault ends by itself: whoever comes then is to be served. */
static bool ends(const char *rule, enum trial_kind kind)
{
	return kind == BENIGN || strstr(rule, "when=") ||
	       strstr(rule, "limit=") || strstr(rule, " at=");
}

static bool passes(const struct planned *p)
{
	return ends(p->rule, p->kind) &&
	       (!p->beside || ends(p->beside, TERMINAL));
}

static uint64_t client_began(const char *dir, int i)
{
	char name[40], why[200];
	struct trace *t;
	uint64_t epoch = 0;

	snprintf(name, sizeof name, "client.%d.trace", i + 1);
	t = view_trace(dir, name, why, sizeof why);
	if (t) {
		epoch = trace_facts(t)->epoch;
		trace_free(t);
	}
	return epoch;
}

/*
 * All clients are served that came after the fault; before it was over, only
 * that they are not kept waiting is asked for.  Which ones have met it is not
 * known otherwise: sockets of several processes have the same numbers.
 */
static bool later_served(const struct base *b, const struct view *now,
			 uint64_t hit, const char *dir)
{
	for (int i = 1; i < b->clients && i <= TRIAL_LATER; i++)
		if (!served(b, now, i) &&
		    (client_began(dir, i) >= hit ||
		     (i < now->result.clients && !now->result.client[i].ended)))
			return false;
	return true;
}

static bool all_served(const struct base *b, const struct view *now)
{
	for (int i = 0; i < b->clients && i <= TRIAL_LATER; i++)
		if (!served(b, now, i))
			return false;
	return true;
}

/* accept that fails may cost the client that was to be accepted. */
static bool costs_one(const char *rule)
{
	return rule && !strncmp(rule, "accept ", 7) && !strstr(rule, "number=");
}

/* It has begun without something, before anybody came, and says so. */
static bool warned(const struct base *b, const struct view *now, uint64_t hit,
		   const char *dir)
{
	return hit < client_began(dir, 0) &&
	       words_new(&now->err, &b->view[0].err, &b->view[1].err,
			 &now->got);
}

static void judge_server(const struct reference *ref,
			 const struct planned *p, const struct view *now,
			 const struct seen *seen, const char *dir,
			 struct outcome *o)
{
	const struct base *b = &ref->base;
	const struct trial_part *t = &now->result.target;
	const struct trial_part *before = &b->view[0].result.target;
	uint64_t hit = evidence_last_hit(seen->trace);
	bool all = all_served(b, now);
	bool later = later_served(b, now, hit, dir);
	char text[40];

	wrote(o, before, t);
	if (strstr(p->rule, "stall=300ms") && evidence_blocked_accept(seen->trace))
		find(o, FINDING_BLOCKING_ACCEPT, "the client it was told of is "
		     "gone, and it waits in accept for the next one");
	if (t->ended && !b->view[0].result.target.ended) {
		if (death(t->status))
			died(o, p, death(t->status));
		/* one that cannot begin may end */
		if (now->result.listened || WIFSIGNALED(t->status) ||
		    !t->status)
			find(o, FINDING_SERVER_DIED, "the server has ended: %s",
			     status_text(t->status, text, sizeof text));
		else
			o->verdict = HANDLED;
	} else if (!later) {
		if (seen->repeats >= 1000 || t->busy > SECOND / 2)
			stuck(o, before, t, seen->repeats);
		if (passes(p) && !warned(b, now, hit, dir))
			find(o, FINDING_SERVER_STUCK,
			     "a later client is not served");
	} else if (seen->repeats >= 1000) {
		stuck(o, before, t, seen->repeats);
	} else if (!all && !seen->lost && p->kind == BENIGN &&
		   !costs_one(p->rule) && !costs_one(p->beside)) {
		find(o, FINDING_WRONG_OUTPUT, "a client got something else");
	} else if (all) {
		o->verdict = TOLERATED;
	} else {
		o->verdict = HANDLED;
	}
}

/* ---- the whole ------------------------------------------------------------------- */

/* What the trace proves, whatever came of it. */
static void proved(const struct planned *p, const struct view *was,
		   const struct view *now, struct seen *seen,
		   struct outcome *o)
{
	const struct trial_part *t = &now->result.target;
	/* who fails may leave it at that */
	bool quiet = t->ended ? same_status(was, now)
			      : evidence_last_moved(seen->trace) <
				t->took - SECOND / 2;
	char what[150];

	if (strstr(p->rule, "inprogress=1h") &&
	    evidence_uses_at_once(seen->trace))
		find(o, FINDING_UNCHECKED_CONNECT, "SO_SNDTIMEO ended connect "
		     "with EINPROGRESS, and the socket is used as if it were "
		     "connected");
	if (evidence_connects_again(seen->trace, EINTR))
		find(o, FINDING_CONNECT_RETRY_AFTER_EINTR, "connect is called "
		     "again, where POSIX says EALREADY (Linux lets it pass "
		     "where the socket waits)");
	seen->lost = p->kind == BENIGN && !strncmp(p->rule, "send ", 5) &&
		     evidence_short_lost(seen->trace, quiet, what,
					 sizeof what);
	if (seen->lost)
		find(o, FINDING_SHORT_WRITE_LOST, "%s", what);
}

/* The rules allow what no kernel is known to do: all found there are notes. */
static void doubt(const struct seen *seen, struct outcome *o)
{
	if (!o->n || !(evidence_took_back(seen->trace) ||
		       evidence_cut_first(seen->trace)))
		return;
	for (int i = 0; i < o->n; i++)
		o->found[i].odd = true;
}

static void examine(const struct reference *ref, const struct planned *p,
		    const struct view *now, const char *dir,
		    struct seen *seen, struct outcome *o)
{
	struct linting linting = { ref, p, o };

	proved(p, &ref->base.view[0], now, seen, o);
	if (ref->server && !ref->base.view[0].result.target.ended)
		judge_server(ref, p, now, seen, dir, o);
	else
		judge_client(ref, p, now, seen, o);
	trace_rewind(seen->trace, false);
	lint_trace(seen->trace, linted, &linting);
	doubt(seen, o);
	if (!o->n)
		return;
	o->verdict = FOUND;
	evidence_tail(seen->trace, o);
}

void judge(const struct reference *ref, const struct planned *p,
	   const struct view *now, const char *dir, struct outcome *o)
{
	struct seen seen = { 0 };
	char why[200];

	o->verdict = HANDLED;
	o->took = now->result.target.took;
	seen.trace = view_trace(dir, "trace", why, sizeof why);
	if (!seen.trace) {
		o->verdict = NO_TRIAL;
		snprintf(o->failed, sizeof o->failed, "its trace: %.150s", why);
		return;
	}
	seen.fired = ref->idle ? 1 : trace_facts(seen.trace)->score[0].fired;
	seen.repeats = evidence_repeats(seen.trace);
	if (seen.fired)
		examine(ref, p, now, dir, &seen, o);
	else
		o->verdict = NOT_REACHED;
	trace_free(seen.trace);
}
