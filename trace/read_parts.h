/* SPDX-License-Identifier: MIT */
/* What the parts of the reader share; see read.h. */
#ifndef TRACE_READ_PARTS_H
#define TRACE_READ_PARTS_H

#include "read.h"

#define SLOTS (TRACE_UNIT / SLOT)	/* in a unit */
#define NONE UINT32_MAX

/* One record, except payload. */
struct entry {
	uint64_t when;			/* it began, or it returned */
	uint32_t slot, run;		/* run: its first slot */
	uint32_t proc;
	uint32_t more;			/* slot of the payload, or NONE */
	uint32_t conn, made;		/* indices of sockets, or NONE */
	uint8_t state;			/* when it was checked */
};

struct payload {
	uint32_t of, slot;
};

struct trace {
	const char *data;
	uint32_t slots;			/* in data */
	struct trace_head head;
	struct trace_facts facts;
	struct entry *entries;
	struct payload *payloads;
	size_t n, n_payloads, at;
	struct trace_proc *procs;
	struct trace_conn *conns;
	uint32_t n_procs, n_conns;
	struct trace_choice choice;
	uint64_t tick, ns;		/* the clocks farthest from head's */
	uint32_t *rules;		/* slots of their names, by number */
	uint32_t n_rules;
	char rule[RULE_TEXT];		/* of the call last given out */
	void *mine;			/* data when it is ours: malloc's, or */
	size_t mapped;			/*   this much of a mapping */
	bool by_return;			/* what the entries are sorted by */
	bool failed;			/* there was no memory */
};

static inline const void *slot_at(const struct trace *t, uint32_t slot)
{
	return t->data + (size_t)slot * SLOT;
}

static inline bool is_call(const struct entry *e)
{
	return e->state == REC_OPEN || e->state == REC_DONE;
}

/* The payload of a call, or NULL. */
static inline const void *payload_of(const struct trace *t,
				     const struct entry *e, int *len)
{
	const struct rec_more *r = e->more == NONE ? NULL
						   : slot_at(t, e->more);

	*len = r ? r->len : 0;
	return r ? r->items : NULL;
}

/*
 * An array that has room for one more than n: it doubles at powers of two.
 * NULL, and t has failed, without memory; the old one is still there.
 */
void *read_grow(struct trace *t, void *array, size_t n, size_t size);
/* Index every record that makes sense, in the order of the file. */
void read_scan(struct trace *t);
/* Sort the index by the beginnings or the ends of calls. */
void read_sort(struct trace *t, bool by_return);
/* Join payloads, sort by time, find out which sockets are the same. */
void read_link(struct trace *t);

#endif
