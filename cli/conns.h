/* SPDX-License-Identifier: MIT */
/*
 * What became of each connection of a trace: a row per socket, filled by one
 * pass over the calls in the order in which they returned.
 */
#ifndef CLI_CONNS_H
#define CLI_CONNS_H

#include "../trace/read.h"
#include "states.h"

#define ROW_ERRORS 8			/* different ones that are counted */

enum ending {
	END_NONE,			/* nothing has ended it */
	END_BY_US, END_BY_PEER,		/* who was the first to close */
	END_RESET,			/* by us: SO_LINGER with 0 s */
	END_ERROR,
};

struct row_error {
	int err;
	uint64_t count;
};

struct conn_row {
	bool known;			/* it has been met */
	bool chosen;			/* by a call about it */
	bool closed;			/* its last descriptor, as it seems */
	bool shut_rd, shut_wr, up;
	bool linger;			/* close is to be a reset */
	bool unread;			/* the last close was one, as there */
					/*   was data that nobody had read */
	uint32_t fds;			/* descriptors we know of */
	uint8_t ending;
	uint16_t error;			/* of END_ERROR */
	int64_t born, died;		/* ns since the trace began */
	uint64_t calls, sends, recvs;	/* the latter that moved bytes */
	uint64_t sent, received;
	struct row_error errors[ROW_ERRORS];
	struct tcp_path path;		/* where it is TCP */
};

/*
 * A row for each of trace_conns, which are then as they were last, to be
 * freed, and when the trace ends; NULL without memory.
 */
struct conn_row *conns_follow(struct trace *t, int64_t *end);

/* ---- signs.c ---------------------------------------------------------- */

/* A call about the connection has returned; stream: it may come to an end. */
void row_see(struct conn_row *row, const struct event *e, bool stream);
/*
 * Up to size bytes of a parameter's payload, zeros behind; how many there
 * were.
 */
int payload_get(const struct event *e, int param, void *to, int size);
/* Whether an error means: not yet, come back later. */
bool error_waits(int err);
/* Whether there is no connection any more after it. */
bool error_ends(int err);
/* A call that takes data out; the bytes one took out or put in. */
bool rec_receives(const struct rec *r);
int64_t event_moved(const struct event *e);
/* recv returned 0 although it was given room. */
bool rec_is_eof(const struct rec *r);
/* Whether it may come to an end. */
bool view_is_stream(const struct conn_view *v);

#endif
