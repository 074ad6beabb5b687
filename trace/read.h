/* SPDX-License-Identifier: MIT */
/*
 * The reader of a trace file.  It believes nothing: of a damaged or unfinished
 * trace it gives what is left, and says how much is not.  Calls come in the
 * order in which they began, whatever thread or process made them.
 */
#ifndef TRACE_READ_H
#define TRACE_READ_H

#include "../rules/table.h"
#include "file.h"
#include "text.h"

struct trace;

/* A process; one that executes another program becomes a new one. */
struct trace_proc {
	uint32_t parent;		/* index, or 0 */
	int32_t pid;			/* 0: no such process in the trace */
	const char *path;		/* place in the tree, 1.2; or "?" */
	const char *exe;		/* not terminated; NULL: not known */
	int exe_len;
	uint32_t own;			/* first ordinal it has not inherited */
	uint32_t sigpipe;		/* SIGPIPE_ bits */
	uint64_t bare;			/* start of a send, for SIGPIPE_BARE */
};

/* A socket.  A forked child and its parent have it in common. */
struct trace_conn {
	uint32_t proc;			/* index of the process it began in */
	struct conn_view view;		/* as of the last trace_next */
};

struct trace_call {
	struct event event;		/* good until the next trace_next */
	uint32_t proc;			/* index of the process */
	int64_t conn, made;		/* indices of sockets, or -1 */
	bool chosen;			/* trace_choose lets it through */
};

/* Which calls are chosen; all zero: every call. */
struct trace_choice {
	uint32_t conn;			/* ordinal, or 0 */
	int32_t pid;
	bool injected;			/* touched by a rule */
	bool ok, failed;		/* only those that have, or have not */
	bool some;			/* only those in the set */
	struct call_set set;
};

struct trace_facts {
	uint64_t epoch, seed;
	uint64_t dropped;		/* calls there was no room for */
	uint64_t damaged;		/* slots that make no sense */
	bool cut;			/* the end of the file is missing */
	bool partial;			/* calls were left out on demand */
	bool counter;			/* the clock was the processor's */
	const char *argv;		/* arguments, each with its 0 */
	int argv_len;
	const struct rule_score *score;	/* of RULES_MOST rules */
};

/*
 * Read a trace file.  NULL, and a line in err that does not name the file:
 * what open(2) says, or what is wrong with it.
 */
struct trace *trace_read(const char *path, char *err, size_t errlen);
/* The same of memory, aligned to 8 bytes, borrowed until trace_free. */
struct trace *trace_parse(const void *data, size_t len, char *err,
			  size_t errlen);
void trace_free(struct trace *t);

/* The next call, or false at the end. */
bool trace_next(struct trace *t, struct trace_call *c);
/* Start again, with calls in the order of their beginning or their return. */
void trace_rewind(struct trace *t, bool by_return);
void trace_choose(struct trace *t, const struct trace_choice *choice);
const struct trace_choice *trace_choice(const struct trace *t);

const struct trace_facts *trace_facts(const struct trace *t);
/* All processes; index 0 and those with pid 0 are none. */
const struct trace_proc *trace_procs(const struct trace *t, uint32_t *n);
const struct trace_conn *trace_conns(const struct trace *t, uint32_t *n);

#endif
