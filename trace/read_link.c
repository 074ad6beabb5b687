/* SPDX-License-Identifier: MIT */
/*
 * From an index of records to calls in the order of time, each with its
 * payload and its sockets.
 */
#include "read_parts.h"

#include "map.h"

#include <stdlib.h>

#define TIED 64				/* records with one start looked at */

static int payload_order(const void *a, const void *b)
{
	const struct payload *p = a, *q = b;

	if (p->of != q->of)
		return p->of < q->of ? -1 : 1;
	return p->slot < q->slot ? -1 : p->slot > q->slot;
}

/* Entries are still in the order of the file. */
static void join_payloads(struct trace *t)
{
	size_t i = 0;

	if (t->n_payloads)
		qsort(t->payloads, t->n_payloads, sizeof *t->payloads,
		      payload_order);
	for (size_t k = 0; k < t->n_payloads; k++) {
		const struct payload *p = &t->payloads[k];
		const struct rec_more *r = slot_at(t, p->slot);
		while (i < t->n && t->entries[i].slot < p->of)
			i++;
		if (i < t->n && t->entries[i].slot == p->of &&
		    t->entries[i].more == NONE && is_call(&t->entries[i]))
			t->entries[i].more = p->slot;
		else
			t->facts.damaged += r->slots;
	}
	free(t->payloads);
	t->payloads = NULL;
}

/* A program says what it is with an execve that has succeeded. */
static void take_image(struct trace *t, const struct entry *e)
{
	struct trace_proc *p = &t->procs[e->proc];
	const void *items, *exe, *argv;
	struct item item;
	int len;

	items = payload_of(t, e, &len);
	exe = payload_find(items, len, 0, &item);
	if (exe) {
		p->exe = exe;
		p->exe_len = item.len;
	}
	argv = payload_find(items, len, 1, &item);
	if (argv && !t->facts.argv_len) {
		t->facts.argv = argv;
		t->facts.argv_len = item.len;
	}
}

static void find_images(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *e = &t->entries[i];
		const struct rec *r = slot_at(t, e->slot);
		if (e->state == REC_DONE && r->call == CALL_execve &&
		    !r->err && !t->procs[e->proc].exe)
			take_image(t, e);
	}
	/* a forked child is what its parent is */
	for (uint32_t i = 1; i < t->n_procs; i++) {
		struct trace_proc *p = &t->procs[i];
		if (p->own != NONE)
			continue;
		p->exe = t->procs[p->parent].exe;
		p->exe_len = t->procs[p->parent].exe_len;
	}
}

/* What a socket became goes before the call that made it so. */
static int entry_order(const void *a, const void *b)
{
	const struct entry *p = a, *q = b;

	if (p->when != q->when)
		return p->when < q->when ? -1 : 1;
	if (is_call(p) != is_call(q))
		return is_call(p) ? 1 : -1;
	return p->slot < q->slot ? -1 : p->slot > q->slot;
}

/* A call that has not returned, and a socket, have a beginning only. */
static uint64_t time_of(const struct trace *t, const struct entry *e,
			bool by_return)
{
	const struct rec *r = slot_at(t, e->slot);
	const struct rec_conn *c = slot_at(t, e->slot);
	uint64_t end;

	if (e->state == REC_CONN)
		return c->start;
	/* a shutdown acts, and wakes a recv, before it returns */
	if (!by_return || e->state == REC_OPEN || r->call == CALL_shutdown)
		return r->start;
	return __builtin_add_overflow(r->start, r->took, &end) ? UINT64_MAX
							       : end;
}

void read_sort(struct trace *t, bool by_return)
{
	for (size_t i = 0; i < t->n; i++)
		t->entries[i].when = time_of(t, &t->entries[i], by_return);
	if (t->n)
		qsort(t->entries, t->n, sizeof *t->entries, entry_order);
	t->by_return = by_return;
}

/* Whether this description is a socket's first in its process. */
static bool newborn(const struct trace *t, size_t i, uint32_t conn)
{
	const struct entry *e = &t->entries[i];

	for (size_t k = i + 1; k < t->n && k < i + TIED; k++) {
		const struct entry *by = &t->entries[k];
		const struct rec *r = slot_at(t, by->slot);
		if (by->when != e->when)
			break;
		if (by->proc == e->proc && is_call(by) && r->conn == conn)
			return false;
	}
	return true;
}

/*
 * A forked child goes on counting where its parent was, so that both may have
 * a socket of the same ordinal; those below its first own one are shared.
 */
static void find_own(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *e = &t->entries[i];
		const struct rec_conn *r = slot_at(t, e->slot);
		struct trace_proc *p = &t->procs[e->proc];
		if (e->state == REC_CONN && r->conn < p->own &&
		    newborn(t, i, r->conn))
			p->own = r->conn;
	}
}

static uint32_t conn_index(struct trace *t, struct map *map, uint32_t proc,
			   uint32_t conn)
{
	uint32_t *at;

	if (!conn)
		return NONE;
	while (conn < t->procs[proc].own && t->procs[proc].parent)
		proc = t->procs[proc].parent;
	at = map_put(map, proc, conn, t->n_conns);
	if (!at) {
		t->failed = true;
		return NONE;
	}
	if (*at == t->n_conns) {
		struct trace_conn *all = read_grow(t, t->conns, t->n_conns,
						   sizeof *all);
		if (!all)
			return NONE;
		t->conns = all;
		all[t->n_conns++] = (struct trace_conn){
			proc, { .ordinal = conn }
		};
	}
	return *at;
}

static void find_conns(struct trace *t)
{
	struct map map = { 0 };

	for (size_t i = 0; i < t->n && !t->failed; i++) {
		struct entry *e = &t->entries[i];
		const struct rec *r = slot_at(t, e->slot);
		const struct rec_conn *c = slot_at(t, e->slot);
		if (is_call(e)) {
			e->conn = conn_index(t, &map, e->proc, r->conn);
			e->made = conn_index(t, &map, e->proc, rec_newconn(r));
		} else if (e->state == REC_CONN) {
			e->conn = conn_index(t, &map, e->proc, c->conn);
		}
	}
	map_free(&map);
}

void read_link(struct trace *t)
{
	join_payloads(t);
	find_images(t);
	read_sort(t, false);
	find_own(t);
	find_conns(t);
}
