/* SPDX-License-Identifier: MIT */
/*
 * Reading a trace: the file, its head, and calls one by one.  Everything is
 * indexed and checked once (read_scan.c, read_link.c); after that nothing is
 * allocated and nothing can fail.
 */
#include "read_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_SLOTS (UINT64_C(1) << 31)
#define MOST_NS (INT64_MAX / 2)		/* the sum of two is still a time */
#define COPIED ((uint64_t)256 << 20)	/* larger files are mapped */

/* ---- time ------------------------------------------------------------- */

/* Ticks a second over the whole of the trace, unless that is nonsense. */
static void find_rate(struct trace *t)
{
	uint64_t ns = t->ns - t->head.ns;
	unsigned __int128 rate = t->tick - t->head.tick;

	t->facts.counter = t->head.rate != 1000000000;
	if (!t->facts.counter || !t->ns || ns < 1000000)
		return;
	rate = rate * 1000000000 / ns;
	if (rate > t->head.rate / 16 && rate / 16 < t->head.rate)
		t->head.rate = rate;
}

static int64_t ticks_to_ns(const struct trace *t, int64_t ticks)
{
	__int128 ns = (__int128)ticks * 1000000000 / t->head.rate;

	return ns > MOST_NS ? MOST_NS : ns < -MOST_NS ? -MOST_NS : ns;
}

/* ---- from memory ------------------------------------------------------ */

/* Units in use, as far as there can be that many. */
static uint64_t units_used(const struct trace_head *h)
{
	uint64_t next = h->next & ~TRACE_SEALED;

	return next < MOST_SLOTS / SLOTS ? next : MOST_SLOTS / SLOTS;
}

/* What keeps a file from being read; NULL when nothing does. */
static const char *check_head(const struct trace_head *h, size_t len)
{
	size_t known = len < sizeof h->magic ? len : sizeof h->magic;

	if (!len)
		return "is empty";
	if (memcmp(h->magic, TRACE_MAGIC, known))
		return "is not a sockwrench trace";
	if (len < TRACE_HEAD)
		return "is truncated: not even the head of the trace is there";
	if (h->order == __builtin_bswap32(TRACE_ORDER))
		return "is the trace of a machine with the other byte order";
	if (h->order != TRACE_ORDER)
		return "is damaged: its head makes no sense";
	if (h->calls != CALLS || h->table != trace_table())
		return "is the trace of another version of sockwrench";
	if (!h->rate || units_used(h) < TRACE_HEAD / TRACE_UNIT)
		return "is damaged: its head makes no sense";
	return NULL;
}

static void read_facts(struct trace *t, size_t len)
{
	const char *argv = t->data + offsetof(struct trace_head, argv);
	const struct trace_head *h = &t->head;
	int n = sizeof h->argv;

	while (n && !argv[n - 1])
		n--;
	t->facts = (struct trace_facts){
		.epoch = h->epoch < MOST_NS ? h->epoch : MOST_NS,
		.seed = h->seed, .dropped = h->dropped,
		/* a full trace has given away units it does not have */
		.cut = h->next > len / TRACE_UNIT && !h->dropped,
		.partial = h->partial,
		.argv = argv,
		.argv_len = n && n < (int)sizeof h->argv ? n + 1 : n,
		.score = h->score,
	};
}

static bool build(struct trace *t)
{
	/* a process has taken at least one unit; a few may be cut off */
	t->n_procs = t->slots / SLOTS + 64;
	t->procs = calloc(t->n_procs, sizeof *t->procs);
	if (!t->procs)
		return false;
	for (uint32_t i = 0; i < t->n_procs; i++) {
		t->procs[i].path = "?";
		t->procs[i].own = NONE;
	}
	read_scan(t);
	if (t->failed)
		return false;
	read_link(t);
	find_rate(t);
	return !t->failed;
}

struct trace *trace_parse(const void *data, size_t len, char *err,
			  size_t errlen)
{
	struct trace_head head = { 0 };
	struct trace *t;
	const char *bad;
	uint64_t slots;

	memcpy(&head, data, len < sizeof head ? len : sizeof head);
	bad = check_head(&head, len);
	if (bad) {
		snprintf(err, errlen, "%s", bad);
		return NULL;
	}
	slots = units_used(&head) * SLOTS;
	t = calloc(1, sizeof *t);
	if (t) {
		t->data = data;
		t->head = head;
		t->slots = len / SLOT < slots ? len / SLOT : slots;
		read_facts(t, len);
	}
	if (t && build(t))
		return t;
	trace_free(t);
	snprintf(err, errlen, "not enough memory to read it");
	return NULL;
}

/* ---- from a file ------------------------------------------------------ */

struct used {
	void *data;
	size_t len, mapped;		/* mapped 0: it is malloc's */
};

/* Up to len bytes; how many there were, or -1. */
static ssize_t read_all(int fd, void *to, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = pread(fd, (char *)to + at, len - at, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		at += n;
	}
	return at;
}

/*
 * The part that has been written; the rest of 16 GiB is a hole.  It is copied,
 * since a file cut by somebody while it is mapped kills its reader; only what
 * is too large for that is mapped.
 */
static int load(int fd, struct used *u)
{
	struct trace_head head = { 0 };
	struct stat st;
	uint64_t len;
	ssize_t n;

	if (fstat(fd, &st) || read_all(fd, &head, sizeof head) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
		return -1;
	}
	len = units_used(&head) * TRACE_UNIT;
	if (len < TRACE_HEAD)
		len = TRACE_HEAD;
	if (len > (uint64_t)st.st_size)
		len = st.st_size;
	if (len > COPIED) {
		u->data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
		u->len = u->mapped = len;
		return u->data == MAP_FAILED ? -1 : 0;
	}
	u->data = malloc(len + 1);
	n = u->data ? read_all(fd, u->data, len) : -1;
	u->len = n;
	if (n < 0)
		free(u->data);
	return n < 0 ? -1 : 0;
}

static void unload(void *data, size_t mapped)
{
	if (mapped)
		munmap(data, mapped);
	else
		free(data);
}

struct trace *trace_read(const char *path, char *err, size_t errlen)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int bad = fd < 0 ? errno : 0;
	struct used u = { 0 };
	struct trace *t;

	if (!bad && load(fd, &u))
		bad = errno;
	if (fd >= 0)
		close(fd);
	if (bad) {
		snprintf(err, errlen, "%s", bad == ENODEV ?
			 "is not a regular file" : strerror(bad));
		return NULL;
	}
	t = trace_parse(u.data, u.len, err, errlen);
	if (t) {
		t->mine = u.data;
		t->mapped = u.mapped;
	} else {
		unload(u.data, u.mapped);
	}
	return t;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->payloads);
	free(t->procs);
	free(t->conns);
	free(t->rules);
	unload(t->mine, t->mapped);
	free(t);
}

/* ---- call by call ----------------------------------------------------- */

void trace_rewind(struct trace *t, bool by_return)
{
	if (t->by_return != by_return)
		read_sort(t, by_return);
	t->at = 0;
	for (uint32_t i = 0; i < t->n_conns; i++)
		t->conns[i].view = (struct conn_view){
			.ordinal = t->conns[i].view.ordinal,
		};
}

static void become(struct trace *t, const struct entry *e)
{
	const struct rec_conn *r = slot_at(t, e->slot);
	const char *addrs = (const char *)r + CONN_HEAD;

	t->conns[e->conn].view = (struct conn_view){
		.ordinal = r->conn, .proto = r->proto, .role = r->role,
		.local_len = r->local_len, .peer_len = r->peer_len,
		.local = addrs, .peer = addrs + r->local_len,
	};
}

static bool chosen(const struct trace *t, const struct trace_call *c)
{
	const struct trace_choice *want = &t->choice;
	const struct event *e = &c->event;
	const struct rec *r = e->rec;
	bool failed = e->took >= 0 && rec_failed(r);

	if (want->conn && r->conn != want->conn &&
	    (c->made < 0 || rec_newconn(r) != want->conn))
		return false;
	if (want->pid && e->pid != want->pid)
		return false;
	if (want->injected && !r->rule)
		return false;
	if (want->some && !call_set_has(&want->set, r->call))
		return false;
	if (want->failed && !failed)
		return false;
	return !want->ok || (e->took >= 0 && !failed);
}

/* FILE:LINE, or #N where the trace has lost the name. */
static const char *name_rule(struct trace *t, uint16_t id)
{
	const struct rec_rule *r;

	if (id >= t->n_rules || t->rules[id] == NONE) {
		snprintf(t->rule, sizeof t->rule, "#%u", id);
		return t->rule;
	}
	r = slot_at(t, t->rules[id]);
	memcpy(t->rule, r->name, r->len);
	t->rule[r->len] = 0;
	return t->rule;
}

static void fill(struct trace *t, const struct entry *e, struct trace_call *c)
{
	const struct rec *r = slot_at(t, e->slot);
	const struct trace_run *run = slot_at(t, e->run);
	int64_t took = ticks_to_ns(t, r->took);

	*c = (struct trace_call){
		.proc = e->proc,
		.conn = e->conn == NONE ? -1 : (int64_t)e->conn,
		.made = e->made == NONE ? -1 : (int64_t)e->made,
		.event = {
			.rec = r, .pid = run->pid, .tid = run->tid,
			.time = ticks_to_ns(t, r->start - t->head.tick),
			.took = e->state == REC_OPEN ? -1 : took < 0 ? 0 : took,
			.epoch = t->facts.epoch,
		},
	};
	c->event.payload = payload_of(t, e, &c->event.payload_len);
	if (c->conn >= 0)
		c->event.conn = &t->conns[c->conn].view;
	if (c->made >= 0)
		c->event.made = &t->conns[c->made].view;
	if (r->rule)
		c->event.rule = name_rule(t, r->rule);
	c->chosen = chosen(t, c);
}

bool trace_next(struct trace *t, struct trace_call *c)
{
	while (t->at < t->n) {
		const struct entry *e = &t->entries[t->at++];
		if (is_call(e)) {
			fill(t, e, c);
			return true;
		}
		become(t, e);
	}
	return false;
}

void trace_choose(struct trace *t, const struct trace_choice *choice)
{
	t->choice = *choice;
}

const struct trace_choice *trace_choice(const struct trace *t)
{
	return &t->choice;
}

const struct trace_facts *trace_facts(const struct trace *t)
{
	return &t->facts;
}

const struct trace_proc *trace_procs(const struct trace *t, uint32_t *n)
{
	*n = t->n_procs;
	return t->procs;
}

const struct trace_conn *trace_conns(const struct trace *t, uint32_t *n)
{
	*n = t->n_conns;
	return t->conns;
}
