/* SPDX-License-Identifier: MIT */
/*
 * What the trace of a trial proves by itself.  Each goes over the trace from
 * its beginning.
 */
#ifndef AUDIT_EVIDENCE_H
#define AUDIT_EVIDENCE_H

#include "judge.h"

/* The most calls that failed within a second. */
int evidence_repeats(struct trace *t);
/* accept stood still although readiness had been told. */
bool evidence_blocked_accept(struct trace *t);
/* connect said EINPROGRESS, and the next call on the socket moves data. */
bool evidence_uses_at_once(struct trace *t);
/* connect is called again after it failed so, on the same socket. */
bool evidence_connects_again(struct trace *t, int err);
/*
 * A send was cut, and what came next on its connection was not the rest of
 * it; what: both.  quiet: nothing comes any more.  Traces
 * of runs with data only (-s).
 */
bool evidence_short_lost(struct trace *t, bool quiet, char *what, size_t size);
/* When the fault last happened, in ns since 1970; 0: never. */
uint64_t evidence_last_hit(struct trace *t);
/* It was last seen in a poll or epoll_wait that ends by itself. */
bool evidence_waits_a_while(struct trace *t);
/* After the fault a new connection was made, and it brought data. */
bool evidence_answered_anew(struct trace *t);
/*
 * The fault said EAGAIN of a stream, each time right after a wait had said that
 * data or room is there: tcp_poll and tcp_recvmsg look at the same queue.
 */
bool evidence_took_back(struct trace *t);
/*
 * The fault only cut what were the first bytes of connections: TCP takes a
 * segment's worth of them whole, as its buffer is empty.
 */
bool evidence_cut_first(struct trace *t);
/* When data was moved last: ns since the trace began; 0: never. */
int64_t evidence_last_moved(struct trace *t);
/* The last calls, into the outcome. */
void evidence_tail(struct trace *t, struct outcome *o);

#endif
