/* SPDX-License-Identifier: MIT */
/* What the trace of a trial proves by itself. */
#include "evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bytes of the smallest segment that a peer has to take (RFC 9293). With that,
 * and the smallest buffers, Linux takes 2,096 first bytes (first_bytes.c).
 */
#define SEGMENT 536
#define TRIED 1				/* its rule, not the one beside it */

/* Calls within a second, counted on from the first of them. */
struct row {
	int64_t since;
	int n, most;
};

static void row_add(struct row *row, int64_t time)
{
	if (!row->n || time - row->since > SECOND) {
		row->n = 0;
		row->since = time;
	}
	if (++row->n > row->most)
		row->most = row->n;
}

/*
 * The most calls that failed within a second: one after the other, or by the
 * fault itself, as between two accepts there is a poll that says "ready".
 */
int evidence_repeats(struct trace *t)
{
	struct row failed = { 0 }, hit = { 0 };
	struct trace_call c;

	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		bool bad = rec_failed(r) && c.event.took >= 0;
		if (bad)
			row_add(&failed, c.event.time);
		else
			failed.n = 0;
		if (bad && r->rule)
			row_add(&hit, c.event.time);
	}
	return failed.most > hit.most ? failed.most : hit.most;
}

/*
 * A thread that was told by poll, select or epoll that something is there, and
 * then stood still in accept: whoever else it serves stands still, too.
 */
bool evidence_blocked_accept(struct trace *t)
{
	struct trace_call c;
	int told = 0, found = 0;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		int family = calls[r->call].family;
		if (family == FAMILY_ACCEPT && told == c.event.tid &&
		    (c.event.took < 0 || c.event.took > SECOND / 5))
			found++;
		if (family == FAMILY_POLL)
			told = r->ret > 0 ? c.event.tid : 0;
		else if (told == c.event.tid)
			told = 0;
	}
	return found;
}

/* connect said EINPROGRESS, and the next call moves data. */
bool evidence_uses_at_once(struct trace *t)
{
	struct trace_call c;
	int64_t begun = -1;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		int family = calls[c.event.rec->call].family;
		if (begun >= 0 && c.conn == begun)
			return family == FAMILY_SEND || family == FAMILY_RECV;
		if (family == FAMILY_CONNECT && c.event.rec->err == EINPROGRESS)
			begun = c.conn;
		else if (family == FAMILY_POLL)
			begun = -1;
	}
	return false;
}

/* connect is called again after it failed so, on the same socket. */
bool evidence_connects_again(struct trace *t, int err)
{
	struct trace_call c;
	int64_t first = -1;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		if (r->call != CALL_connect || c.conn < 0)
			continue;
		if (c.conn == first)
			return true;
		if (r->err == err)
			first = c.conn;
	}
	return false;
}

void evidence_tail(struct trace *t, struct outcome *o)
{
	char line[TAIL_WIDTH + 8];
	struct trace_call c;
	int n = 0;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		struct out text = { line, line, line + TAIL_WIDTH - 5, false };
		text_event(&text, &c.event, (struct times){ 0 });
		*text.at = 0;
		if (text.cut)
			strcpy(text.at, "...");
		else if (text.at > line && text.at[-1] == '\n')
			text.at[-1] = 0;
		strcpy(o->tail_line[n++ % TAIL_LINES], line);
	}
	o->tail = n < TAIL_LINES ? n : TAIL_LINES;
	/* the oldest comes first */
	if (n > TAIL_LINES) {
		char all[TAIL_LINES][TAIL_WIDTH];
		memcpy(all, o->tail_line, sizeof all);
		for (int i = 0; i < TAIL_LINES; i++)
			strcpy(o->tail_line[i], all[(n + i) % TAIL_LINES]);
	}
}

/* When the fault happened last; when a client began: ns since 1970. */
uint64_t evidence_last_hit(struct trace *t)
{
	struct trace_call c;
	int64_t last = 0;

	trace_rewind(t, false);
	while (trace_next(t, &c))
		if (c.event.rec->rule && c.event.time > last)
			last = c.event.time;
	return trace_facts(t)->epoch + last;
}

bool evidence_answered_anew(struct trace *t)
{
	struct trace_call c;
	bool hit = false;
	int64_t anew = -1;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		hit |= r->rule != 0;
		if (hit && !r->rule && r->call == CALL_connect)
			anew = c.conn;
		if (anew >= 0 && c.conn == anew &&
		    calls[r->call].family == FAMILY_RECV &&
		    event_bytes(&c.event) > 0)
			return true;
	}
	return false;
}

static bool of_stream(const struct event *e)
{
	return e->conn && (e->conn->proto == PROTO_TCP ||
			   e->conn->proto == PROTO_UNIX);
}

/* From its first such call there on, nobody else makes one. */
static bool alone(struct trace *t, int64_t conn, uint32_t proc, int family)
{
	struct trace_call c;
	bool begun = false;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		if (c.conn != conn ||
		    calls[c.event.rec->call].family != family)
			continue;
		begun |= c.proc == proc;
		if (begun && c.proc != proc)
			return false;
	}
	return true;
}

bool evidence_took_back(struct trace *t)
{
	struct trace_call c;
	int told = 0, hit = -1;
	int64_t conn = -1;
	uint32_t proc = 0;

	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		int family = calls[r->call].family;
		if (r->rule == TRIED && (r->err != EAGAIN ||
					 !of_stream(&c.event) ||
					 told != c.event.tid))
			return false;
		if (r->rule == TRIED && hit < 0) {
			hit = family;
			conn = c.conn;
			proc = c.proc;
		}
		if (family == FAMILY_POLL)
			told = r->ret > 0 ? c.event.tid : 0;
		else if (told == c.event.tid)
			told = 0;
	}
	return (hit == FAMILY_RECV || hit == FAMILY_SEND) &&
	       alone(t, conn, proc, hit);
}

bool evidence_cut_first(struct trace *t)
{
	struct trace_call c;
	uint64_t *sent;
	bool first = true;
	int hits = 0;
	uint32_t n;

	trace_rewind(t, false);
	trace_conns(t, &n);
	sent = calloc(n + 1, sizeof *sent);
	if (!sent)
		abort();
	while (first && trace_next(t, &c)) {
		const struct event *e = &c.event;
		bool send = calls[e->rec->call].family == FAMILY_SEND;
		int64_t bytes = event_bytes(e);
		if (e->rec->rule == TRIED) {
			hits++;
			first = send && c.conn >= 0 && !sent[c.conn] &&
				bytes > 0 && bytes < SEGMENT &&
				e->conn->proto == PROTO_TCP;
		}
		if (send && c.conn >= 0 && bytes > 0)
			sent[c.conn] += bytes;
	}
	free(sent);
	return hits && first;
}

int64_t evidence_last_moved(struct trace *t)
{
	struct trace_call c;
	int64_t last = 0;

	trace_rewind(t, false);
	while (trace_next(t, &c))
		if (event_bytes(&c.event) > 0 && c.event.time > last)
			last = c.event.time;
	return last;
}

/* The time-out of an unfinished wait, ms; below 0: none, or not known. */
static int time_out(const struct rec *r)
{
	switch (r->call) {
	case CALL_poll:
		return (int)rec_arg(r, 2);
	case CALL_epoll_wait:
	case CALL_epoll_pwait:
		return (int)rec_arg(r, 3);
	default:
		return -1;
	}
}

bool evidence_waits_a_while(struct trace *t)
{
	struct trace_call c;
	bool found = false;

	trace_rewind(t, false);
	while (trace_next(t, &c))
		found |= c.event.took < 0 && time_out(c.event.rec) > 0;
	return found;
}
