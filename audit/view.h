/* SPDX-License-Identifier: MIT */
/*
 * What a run looked like from outside: status, output, what its peers were
 * sent.  Two untouched runs say what of it is stable; the rest is not compared.
 */
#ifndef AUDIT_VIEW_H
#define AUDIT_VIEW_H

#include "../trace/read.h"
#include "trial.h"

#include <stddef.h>

struct text {
	char *s;
	size_t len;
};

/* All that went out on one connection, as far as it was kept. */
struct stream {
	uint64_t sent;
	struct text kept;
};

struct view {
	struct trial_result result;
	struct text out, err;
	struct text got;		/* all it received, as far as kept */
	struct text client[TRIAL_CLIENTS];	/* their standard output */
	struct stream *stream;		/* not empty, by their sockets */
	int streams;
};

/* How a piece of two untouched runs can be compared with a third. */
enum stable { EXACT, NUMBERS, LINES, UNSTABLE };

/* Two untouched runs, and what they have in common. */
struct base {
	struct view view[2];
	enum stable out, err, stream;
	enum stable client;
	int64_t took;			/* ns, the longest wait of both */
	int clients;			/* that were served both times */
};

/* The folder of a trial, read; its result is the caller's to set. */
void view_read(struct view *v, const char *dir);
void view_free(struct view *v);
/* One of its traces, "trace", "client.1.trace"; NULL and why. */
struct trace *view_trace(const char *dir, const char *name, char *why,
			 size_t size);

void base_compare(struct base *b);
/* Whether a piece is as it was; true where that cannot be known. */
bool same_text(enum stable how, const struct text *a, const struct text *b,
	       const struct text *now);
/* What the peers were sent; *less: fewer bytes than it was. */
bool same_streams(const struct base *b, const struct view *now, bool *less);
/* They were sent all of it, and maybe more: by one who has tried again. */
bool all_streams(const struct base *b, const struct view *now);

#endif
