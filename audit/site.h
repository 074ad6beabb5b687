/* SPDX-License-Identifier: MIT */
/*
 * Call sites: the places in a program from which it asks the kernel about
 * sockets, as the trace of an untouched run shows them.
 */
#ifndef AUDIT_SITE_H
#define AUDIT_SITE_H

#include "../rules/rule.h"
#include "../trace/read.h"

struct site {
	char *from;			/* as from= has it, two places at most */
	char *stack;			/* PLACE<PLACE..., with whole paths */
	char *line;			/* the first call, as a line of text */
	int call, family;
	uint8_t protos;			/* IS_ bits of its sockets */
	uint32_t conn;			/* ordinal of the first one, or 0 */
	int64_t index;			/* and its index in the trace, or -1 */
	uint64_t calls;			/* made from there, in one process */
	uint64_t most;			/* bytes the largest asked for */
	uint64_t moved;			/* bytes that socket moved that way */
	bool nowait;			/* one of its sockets does not wait */
	bool bounded;			/* or has a time-out: */
	int64_t bound;			/*   ns, the longest; 0: not known */
	bool child;			/* made in a process that is a child */
	bool forked;			/*   of one that is the same program */
	bool ended;			/* its first socket's end was read */
	bool length;			/*   and a length was announced there */
	bool handler;			/* its process has a handler without */
					/*   SA_RESTART */
};

struct sites {
	struct site *site;
	int n;
	bool connecting;		/* a connect was under way */
};

/* Add those of a trace; exe: only in programs of that name, or NULL. */
void sites_add(struct sites *s, struct trace *t, const char *exe);
/* "sockets.c:12 main" of its innermost place; see lines.c. */
void sites_free(struct sites *s);
/* One of a single call. */
void site_of(struct site *s, const struct trace_call *c);
/* Whether a trace has some that are not among them. */
bool sites_miss(const struct sites *s, struct trace *t, const char *exe);

#endif
