/* SPDX-License-Identifier: MIT */
/* What the parts of a fault share: query.c, answer.c, fault.c. */
#ifndef SHIM_FAULT_H
#define SHIM_FAULT_H

#include "shim.h"

/* ---- query.c ------------------------------------------------------------ */

/* The call as rules see it, before it is made. */
struct query query_of(struct call *c, const struct conn *conn);
/* A call that fails whatever the rules say, or that tells nobody. */
bool query_futile(int id);
/* It is about something that is there. */
bool query_has_subject(const struct call *c, const struct conn *conn);
bool query_sound(const struct call *c);
/* stdio: the kernel will be asked, the buffer does not do. */
bool query_reaches_kernel(const struct call *c);
/* connect: on a socket that is not connected, nor about to be. */
bool query_starts(const struct call *c, const struct conn *conn);
/* The kernel answers it without a look at what rules are about. */
bool query_aside(const struct call *c, const struct conn *conn);
/*
 * Whether the call is about the socket it seems to be about.  Its number may
 * have been closed behind our back and be something else now: then c->slot is
 * that, and the conn it was may already be another socket's.
 */
bool call_still(struct call *c);
/* The socket the call is really about; NULL for none. */
struct conn *call_verified(struct call *c);

/* ---- answer.c ----------------------------------------------------------- */

/* The call returns ret, with errno err.  True, for whoever returns that. */
bool answer(struct call *c, long ret, int err);
/* It fails; false where it has to be made all the same (close). */
bool answer_error(struct call *c, const struct conn *conn, int err);
/* It fails, and that is all. */
bool answer_failure(struct call *c, int err);
/* A FILE meets an error: its flag is set, what it wanted to write is gone. */
void answer_stream(FILE *f, int family);
/* connect, interrupted: the handshake goes on without it. */
bool answer_start(struct call *c);
/* The calling thread sleeps, whatever handlers run meanwhile. */
void answer_sleep(int64_t ns);

/* ---- fault.c ------------------------------------------------------------ */

/* The record names rule id. */
void fault_mark(struct call *c, int id);
/* The rule could not be carried out: the record does not name it. */
void fault_unmark(struct call *c);

#endif
