/* SPDX-License-Identifier: MIT */
/* One call as a line of text like strace's, or as a JSON object. */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include "conn.h"
#include "record.h"

enum time_form { TIMES_SINCE, TIMES_CLOCK, TIMES_MICRO, TIMES_EPOCH };

/* How a line begins. */
struct times {
	enum time_form form;
	int32_t east;			/* the clock's seconds east of UTC */
};

/* A call with all that is known of it; everything is borrowed. */
struct event {
	const struct rec *rec;
	const void *payload;		/* items, or NULL */
	int payload_len;
	const struct conn_view *conn;	/* what rec->fd is, or NULL */
	const struct conn_view *made;	/* what a returned descriptor is */
	const char *rule;		/* FILE:LINE, or NULL */
	int pid, tid;
	int64_t time;			/* ns since the trace began */
	int64_t took;			/* ns, or -1 for a call in flight */
	int64_t epoch;			/* the trace's beginning, ns since 1970 */
};

/* The line with its newline, without colour. */
void text_event(struct out *o, const struct event *e, struct times times);
/* The object, one line. */
void json_event(struct out *o, const struct event *e);
/* ns after epoch, in that form; no allocation, no time zone file. */
void out_time(struct out *o, int64_t ns, int64_t epoch, struct times times);
/* "r", "t", "tt", "ttt", with +SECONDS or -SECONDS behind; -1: none of them. */
int times_parse(struct times *times, const char *text);

/* Whether a call with that result failed, as its row defines failure. */
int rec_failed(const struct rec *r);
/*
 * The errno of a failed call, or 0.  A resolver's EAI_ code says nothing of
 * errno, but for EAI_SYSTEM.
 */
int rec_errno(const struct rec *r);
/* The bytes a data call moved, or -1 where that says nothing. */
int64_t event_bytes(const struct event *e);
/* The value of the n-th kind of a call's arguments; 0 where there is none. */
uint64_t rec_arg(const struct rec *r, int param);
/* Ordinal of the socket a call returned, or 0. */
uint32_t rec_newconn(const struct rec *r);

#endif
