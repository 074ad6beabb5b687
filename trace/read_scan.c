/* SPDX-License-Identifier: MIT */
/*
 * From bytes to an index of records.  Nothing that comes from the file is
 * used as a size or an index before it has been checked here.
 */
#include "read_parts.h"

#include <stdlib.h>
#include <string.h>

#define RUN_UNITS 256			/* a writer takes 64 at most */

void *read_grow(struct trace *t, void *array, size_t n, size_t size)
{
	if (n && (n < 64 || n & (n - 1)))
		return array;
	array = realloc(array, (n ? 2 * n : 64) * size);
	if (!array)
		t->failed = true;
	return array;
}

/* A record and the run it is in. */
struct spot {
	uint32_t slot, run, proc;
	uint8_t state, slots;
};

static bool add_entry(struct trace *t, const struct spot *p, uint64_t start)
{
	struct entry *all = read_grow(t, t->entries, t->n, sizeof *all);

	if (!all)
		return true;
	t->entries = all;
	all[t->n++] = (struct entry){
		.when = start, .slot = p->slot, .run = p->run,
		.proc = p->proc, .state = p->state,
		.more = NONE, .conn = NONE, .made = NONE,
	};
	return true;
}

static bool add_call(struct trace *t, const struct spot *p)
{
	const struct rec *r = slot_at(t, p->slot);

	return p->slots == 1 && r->call < CALLS && add_entry(t, p, r->start);
}

static bool add_more(struct trace *t, const struct spot *p)
{
	const struct rec_more *r = slot_at(t, p->slot);
	struct payload *all;

	if (MORE_HEAD + r->len > p->slots * SLOT || r->of >= t->slots)
		return false;
	all = read_grow(t, t->payloads, t->n_payloads, sizeof *all);
	if (!all)
		return true;
	t->payloads = all;
	all[t->n_payloads++] = (struct payload){ r->of, p->slot };
	return true;
}

static bool add_conn(struct trace *t, const struct spot *p)
{
	const struct rec_conn *r = slot_at(t, p->slot);

	return r->conn && r->proto < PROTOS && r->role < ROLES &&
	       CONN_HEAD + r->local_len + r->peer_len <= p->slots * SLOT &&
	       add_entry(t, p, r->start);
}

static bool add_proc(struct trace *t, const struct spot *p)
{
	const struct rec_proc *r = slot_at(t, p->slot);
	struct trace_proc *proc = &t->procs[p->proc];

	if (PROC_HEAD + r->len > p->slots * SLOT ||
	    !memchr(r->text, 0, r->len))
		return false;
	/* lower than its child's: going up comes to an end */
	proc->parent = r->parent < p->proc ? r->parent : 0;
	proc->path = r->text;
	proc->sigpipe |= r->sigpipe;
	if (r->sigpipe & SIGPIPE_BARE)
		proc->bare = r->start;
	if (!r->forked)
		proc->own = 0;		/* descriptors are met anew */
	return true;
}

/* Every process tells the names of the rules that fired in it. */
static bool add_rule(struct trace *t, const struct spot *p)
{
	const struct rec_rule *r = slot_at(t, p->slot);

	if (!r->rule || r->len >= RULE_TEXT ||
	    RULE_HEAD + r->len > p->slots * SLOT)
		return false;
	while (t->n_rules <= r->rule) {
		uint32_t *all = read_grow(t, t->rules, t->n_rules, sizeof *all);
		if (!all)
			return true;
		t->rules = all;
		all[t->n_rules++] = NONE;
	}
	t->rules[r->rule] = p->slot;
	return true;
}

/* How to take in a record; false: it makes no sense. */
static bool (*const adders[])(struct trace *, const struct spot *) = {
	[REC_OPEN] = add_call, [REC_DONE] = add_call, [REC_MORE] = add_more,
	[REC_CONN] = add_conn, [REC_PROC] = add_proc,
	[REC_RULE] = add_rule,
};

/* The record in a slot; returns how many slots it takes. */
static uint32_t scan_slot(struct trace *t, struct spot p, uint32_t left)
{
	const struct rec *r = slot_at(t, p.slot);

	p.state = r->state;
	p.slots = r->slots;
	/* empty but not of no size: its thread was killed while it wrote it */
	if (p.state == REC_EMPTY)
		return p.slots && p.slots <= left ? p.slots : 1;
	if (!p.slots || p.slots > left || p.state > REC_RULE) {
		t->facts.damaged++;
		return 1;
	}
	if (!adders[p.state](t, &p))
		t->facts.damaged += p.slots;
	return p.slots;
}

static bool run_good(const struct trace *t, const struct trace_run *run)
{
	return run->magic == RUN_MAGIC &&
	       run->check == (run->proc ^ run->units ^ run->tick) &&
	       run->units && run->units <= RUN_UNITS &&
	       run->proc && run->proc < t->n_procs;
}

static void scan_run(struct trace *t, const struct trace_run *run,
		     uint32_t slot, uint32_t end)
{
	struct spot place = { .slot = slot + 1, .run = slot,
			       .proc = run->proc };
	struct trace_proc *p = &t->procs[place.proc];

	if (!p->pid)
		p->pid = run->pid;
	if (run->ns > t->head.ns && run->tick > t->head.tick &&
	    run->ns > t->ns) {
		t->tick = run->tick;
		t->ns = run->ns;
	}
	while (place.slot < end)
		place.slot += scan_slot(t, place, end - place.slot);
}

void read_scan(struct trace *t)
{
	static const char nothing[SLOT];
	uint32_t step;

	for (uint32_t s = TRACE_HEAD / SLOT; s < t->slots; s += step) {
		const struct trace_run *run = slot_at(t, s);
		bool good = run_good(t, run);
		step = good ? run->units * SLOTS : SLOTS;
		if (step > t->slots - s)
			step = t->slots - s;
		if (good)
			scan_run(t, run, s, s + step);
		else if (memcmp(run, nothing, sizeof nothing))
			t->facts.damaged += step;
	}
}

