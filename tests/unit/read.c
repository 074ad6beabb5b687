/* SPDX-License-Identifier: MIT */
/*
 * The reader of traces, on traces made here: whole ones, and ones that are
 * damaged in each way that it has to survive.
 */
#include "../../trace/read.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 20
#define UNIT_SLOTS (TRACE_UNIT / SLOT)

/* A trace under construction: where the next slot is. */
static _Alignas(64) char file[UNITS * TRACE_UNIT];
static size_t units;			/* in file */
static uint32_t next;			/* free slot */
static char why[256];

static struct trace_head *head(void)
{
	return (struct trace_head *)file;
}

static void *slot(uint32_t n)
{
	return file + n * SLOT;
}

static void begin(void)
{
	memset(file, 0, sizeof file);
	*head() = (struct trace_head){
		.order = TRACE_ORDER, .calls = CALLS, .table = trace_table(),
		.tick = 1000, .ns = 5000, .epoch = 7000000000,
		.rate = 1000000000, .seed = 42, .argv = "prog\0-x",
	};
	memcpy(head()->magic, TRACE_MAGIC, sizeof head()->magic);
	units = TRACE_HEAD / TRACE_UNIT;
	head()->next = units;
}

/* A run of n units, as a thread takes them. */
static struct trace_run *add_run(int n, int pid, int tid, uint32_t proc)
{
	struct trace_run *run = slot(units * UNIT_SLOTS);

	*run = (struct trace_run){ RUN_MAGIC, n, pid, tid, proc, 0, 1, 1,
				   { 0 }, 0 };
	run->check = run->proc ^ run->units ^ run->tick;
	next = units * UNIT_SLOTS + 1;
	units += n;
	head()->next = units;
	return run;
}

static struct rec *add_call(int call, uint64_t start, int fd, uint32_t conn,
			    int64_t ret)
{
	struct rec *r = slot(next++);

	*r = (struct rec){
		.state = REC_DONE, .slots = 1, .call = call, .start = start,
		.took = 10, .fd = fd, .conn = conn, .ret = ret,
	};
	return r;
}

static struct rec *add_socket(uint64_t start, int fd, uint32_t conn)
{
	struct rec *r = add_call(CALL_socket, start, NO_FD, 0, fd);

	memcpy(r->args + REC_NEWCONN, &conn, sizeof conn);
	return r;
}

static struct rec_conn *add_conn(uint64_t start, uint32_t conn, int role,
				 int port)
{
	struct rec_conn *r = slot(next);
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };

	*r = (struct rec_conn){
		.state = REC_CONN, .slots = 1, .proto = PROTO_TCP,
		.role = role, .conn = conn, .start = start,
		.peer_len = port ? sizeof in : 0,
	};
	if (port)
		memcpy(r->addrs, &in, sizeof in);
	next++;
	return r;
}

static struct rec_more *add_more(const struct rec *of, int param,
				 const void *data, int len)
{
	struct rec_more *r = slot(next);
	struct item item = { param, 0, len };

	*r = (struct rec_more){
		.state = REC_MORE, .slots = slots_for(MORE_HEAD, 4 + len),
		.len = sizeof item + len,
		.of = ((const char *)of - file) / SLOT,
	};
	memcpy(r->items, &item, sizeof item);
	memcpy((char *)r + MORE_HEAD + sizeof item, data, len);
	next += r->slots;
	return r;
}

static struct rec_proc *add_proc(uint32_t parent, const char *path)
{
	struct rec_proc *r = slot(next++);

	*r = (struct rec_proc){ .state = REC_PROC, .slots = 1,
				.len = strlen(path) + 1, .parent = parent,
				.forked = parent != 0 };
	strcpy(r->text, path);
	return r;
}

static struct trace *parse(void)
{
	struct trace *t = trace_parse(file, units * TRACE_UNIT, why,
				      sizeof why);

	if (!t)
		fprintf(stderr, "refused: %s\n", why);
	assert(t);
	return t;
}

/* The calls by name, in order, with spaces between. */
static const char *order(struct trace *t)
{
	static char text[4096];
	struct trace_call c;

	*text = 0;
	while (trace_next(t, &c)) {
		strcat(text, calls[c.event.rec->call].name);
		strcat(text, " ");
	}
	return text;
}

static uint64_t damaged(void)
{
	struct trace *t = parse();
	uint64_t n = trace_facts(t)->damaged;

	trace_free(t);
	return n;
}

static void is_order(struct trace *t, const char *expected)
{
	const char *got = order(t);

	if (strcmp(got, expected))
		fprintf(stderr, "expected '%s', got '%s'\n", expected, got);
	assert(!strcmp(got, expected));
}

static void reads(const char *expected)
{
	struct trace *t = parse();

	is_order(t, expected);
	trace_free(t);
}

/* ---- whole traces ----------------------------------------------------- */

static void test_facts(void)
{
	const struct trace_facts *f;
	struct trace *t;

	begin();
	head()->dropped = 3;
	t = parse();
	f = trace_facts(t);
	assert(f->epoch == 7000000000 && f->seed == 42 && f->dropped == 3);
	assert(!f->damaged && !f->cut && !f->counter);
	assert(f->argv_len == 8 && !memcmp(f->argv, "prog\0-x", 8));
	is_order(t, "");
	trace_free(t);
}

static void test_order(void)
{
	struct trace *t;
	struct trace_call c;

	begin();
	add_run(1, 10, 11, 1);
	add_call(CALL_send, 3000, 3, 0, 5)->took = 9000;
	add_call(CALL_close, 1500, 3, 0, 0);
	add_run(1, 10, 12, 1);
	add_call(CALL_recv, 2000, 3, 0, 5)->took = 50;
	t = parse();
	is_order(t, "close recv send ");
	trace_rewind(t, true);
	is_order(t, "close recv send ");
	trace_rewind(t, false);
	assert(trace_next(t, &c));
	assert(c.event.pid == 10 && c.event.tid == 11 && c.proc == 1);
	assert(c.event.time == 500 && c.event.took == 10);
	assert(c.event.epoch == 7000000000 && c.chosen);
	assert(trace_next(t, &c) && c.event.tid == 12);
	trace_free(t);
}

static void test_return_order(void)
{
	struct trace *t;

	begin();
	add_run(1, 10, 11, 1);
	add_call(CALL_accept, 2000, 3, 0, 5)->took = 5000;
	add_call(CALL_recv, 2500, 4, 0, 5)->took = 5000;
	/* it has woken the recv before it returned itself */
	add_call(CALL_shutdown, 3000, 4, 0, 0)->took = 9000;
	t = parse();
	is_order(t, "accept recv shutdown ");
	trace_rewind(t, true);
	is_order(t, "shutdown accept recv ");
	trace_rewind(t, false);
	is_order(t, "accept recv shutdown ");
	trace_free(t);
}

static void test_open_call(void)
{
	struct trace_call c;
	struct trace *t;

	begin();
	add_run(1, 10, 10, 1);
	add_call(CALL_recv, 2000, 3, 0, 0)->state = REC_OPEN;
	t = parse();
	assert(trace_next(t, &c) && c.event.took == -1);
	trace_free(t);
}

static void test_payload(void)
{
	char big[2000];
	struct trace_call c;
	struct item item;
	struct trace *t;
	struct rec *r;

	begin();
	memset(big, 'x', sizeof big);
	add_run(1, 10, 10, 1);
	r = add_call(CALL_send, 2000, 3, 0, 2000);
	add_call(CALL_recv, 2100, 3, 0, 5);
	add_more(r, 1, big, sizeof big);
	add_call(CALL_close, 2200, 3, 0, 0);
	t = parse();
	assert(trace_next(t, &c) && c.event.payload_len == 2004);
	assert(payload_find(c.event.payload, c.event.payload_len, 1, &item));
	assert(item.len == 2000);
	assert(trace_next(t, &c) && !c.event.payload && !c.event.payload_len);
	assert(trace_next(t, &c) && c.event.rec->call == CALL_close);
	assert(!trace_next(t, &c) && !trace_facts(t)->damaged);
	trace_free(t);
}

/* A call sees its socket as that very call has left it. */
static void test_conn(void)
{
	struct trace_call c;
	struct trace *t;

	begin();
	add_run(1, 10, 10, 1);
	add_socket(2000, 3, 1);
	add_conn(2000, 1, ROLE_NONE, 0);
	add_call(CALL_setsockopt, 2100, 3, 1, 0);
	add_call(CALL_connect, 2200, 3, 1, 0);
	add_conn(2200, 1, ROLE_CLIENT, 80);
	t = parse();
	for (int again = 0; again < 2; again++, trace_rewind(t, false)) {
		assert(trace_next(t, &c) && !c.event.conn && c.conn == -1);
		assert(c.made == 0 && c.event.made->ordinal == 1);
		assert(c.event.made->proto == PROTO_TCP);
		assert(trace_next(t, &c) && c.conn == 0 && c.made == -1);
		assert(c.event.conn->role == ROLE_NONE);
		assert(!c.event.conn->peer_len);
		assert(trace_next(t, &c));
		assert(c.event.conn->role == ROLE_CLIENT);
		assert(c.event.conn->peer_len == sizeof(struct sockaddr_in));
	}
	trace_free(t);
}

/*
 * Parent and child share ordinal 1; each makes a socket of its own after the
 * fork, and both are number 2.
 */
static void test_fork(void)
{
	const struct trace_proc *procs;
	struct trace_call c;
	struct trace *t;
	uint32_t n;

	begin();
	add_run(1, 10, 10, 1);
	add_proc(0, "1");
	add_socket(2000, 3, 1);
	add_conn(2000, 1, ROLE_NONE, 0);
	add_socket(3000, 4, 2);
	add_conn(3000, 2, ROLE_NONE, 0);
	add_run(1, 20, 20, 2);
	add_proc(1, "1.1");
	add_call(CALL_connect, 4000, 3, 1, 0);
	add_conn(4000, 1, ROLE_CLIENT, 80);
	add_socket(5000, 4, 2);
	add_conn(5000, 2, ROLE_NONE, 0);
	t = parse();
	trace_conns(t, &n);
	assert(n == 3);
	procs = trace_procs(t, &n);
	assert(n > 2 && procs[1].pid == 10 && procs[2].pid == 20);
	assert(procs[2].parent == 1 && !strcmp(procs[2].path, "1.1"));
	assert(trace_next(t, &c) && c.made == 0);
	assert(trace_next(t, &c) && c.made == 1);
	assert(trace_next(t, &c) && c.conn == 0 && c.proc == 2);
	assert(c.event.conn->role == ROLE_CLIENT);
	assert(trace_next(t, &c) && c.made == 2);
	trace_free(t);
}

/* A program that was executed counts from 1: nothing is its parent's. */
static void test_exec(void)
{
	const struct trace_proc *procs;
	struct trace_call c;
	struct trace *t;
	struct rec *r;
	uint32_t n;

	begin();
	*head()->argv = 0;
	memset(head()->argv, 0, sizeof head()->argv);
	add_run(1, 10, 10, 1);
	add_proc(0, "1");
	add_socket(2000, 3, 1);
	add_conn(2000, 1, ROLE_NONE, 0);
	add_run(1, 10, 10, 2);
	add_proc(1, "1")->forked = 0;
	r = add_call(CALL_execve, 3000, NO_FD, 0, 0);
	add_more(r, 0, "/bin/prog", 9);
	add_call(CALL_send, 4000, 3, 1, 0);
	t = parse();
	assert(trace_next(t, &c) && c.made == 0);
	assert(trace_next(t, &c) && c.event.rec->call == CALL_execve);
	assert(trace_next(t, &c) && c.conn == 1);
	procs = trace_procs(t, &n);
	assert(!procs[1].exe);
	assert(procs[2].exe_len == 9 && !memcmp(procs[2].exe, "/bin/prog", 9));
	assert(!trace_facts(t)->argv_len);
	trace_free(t);
}

static int64_t time_of_first(void)
{
	struct trace *t = parse();
	struct trace_call c;

	assert(trace_next(t, &c));
	trace_free(t);
	return c.event.time;
}

static void test_clock(void)
{
	struct trace_run *run;
	struct trace *t;

	begin();
	head()->rate = 2000000000;
	run = add_run(1, 10, 10, 1);
	add_call(CALL_send, 1000 + 3000, 3, 0, 1);
	assert(time_of_first() == 1500);
	t = parse();
	assert(trace_facts(t)->counter);
	trace_free(t);
	/* a run 2 ms later knows better: 3 ticks a ns */
	run->tick = 1000 + 6000000;
	run->ns = 5000 + 2000000;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(time_of_first() == 1000);
	/* too near to say anything */
	run->ns = 5000 + 900000;
	assert(time_of_first() == 1500);
	/* and nonsense is not believed */
	run->tick = UINT64_MAX / 2;
	run->ns = 5000 + 2000000;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(time_of_first() == 1500);
}

static void test_choice(void)
{
	struct trace_choice choice = { .conn = 2, .pid = 10 };
	struct trace_call c;
	struct trace *t;
	int n = 0;

	begin();
	add_run(1, 10, 10, 1);
	add_socket(2000, 3, 1);
	add_socket(2100, 4, 2);
	add_call(CALL_send, 2200, 3, 1, 1);
	add_call(CALL_send, 2300, 4, 2, -1)->err = EPIPE;
	add_call(CALL_close, 2400, 4, 2, 0)->rule = 7;
	t = parse();
	trace_choose(t, &choice);
	while (trace_next(t, &c))
		n = 10 * n + c.chosen;
	assert(n == 1011);
	choice = (struct trace_choice){ .injected = true };
	trace_choose(t, &choice);
	for (trace_rewind(t, false), n = 0; trace_next(t, &c);)
		n = 10 * n + c.chosen;
	assert(n == 1);
	choice = (struct trace_choice){ .failed = true };
	trace_choose(t, &choice);
	for (trace_rewind(t, false), n = 0; trace_next(t, &c);)
		n = 10 * n + c.chosen;
	assert(n == 10);
	choice = (struct trace_choice){ .ok = true, .some = true };
	call_set_parse(&choice.set, "send", &(const char *){ NULL });
	trace_choose(t, &choice);
	for (trace_rewind(t, false), n = 0; trace_next(t, &c);)
		n = 10 * n + c.chosen;
	assert(n == 100);
	choice = (struct trace_choice){ .pid = 11 };
	trace_choose(t, &choice);
	for (trace_rewind(t, false), n = 0; trace_next(t, &c);)
		n += c.chosen;
	assert(n == 0);
	trace_free(t);
}

/* ---- damaged ones ----------------------------------------------------- */

static void refused(size_t len, const char *reason)
{
	struct trace *t = trace_parse(file, len, why, sizeof why);

	if (t || strcmp(why, reason))
		fprintf(stderr, "expected '%s', got '%s'\n", reason,
			t ? "a trace" : why);
	assert(!t && !strcmp(why, reason));
}

static void test_heads(void)
{
	const char *nonsense = "is damaged: its head makes no sense";
	const char *other = "is the trace of another version of sockwrench";
	const char *cut = "is truncated: not even the head of the trace is "
			  "there";

	begin();
	refused(0, "is empty");
	refused(4, cut);
	refused(TRACE_HEAD - 1, cut);
	*file = 'X';
	refused(TRACE_HEAD, "is not a sockwrench trace");
	refused(1, "is not a sockwrench trace");
	begin();
	head()->order = 0x04030201;
	refused(TRACE_HEAD, "is the trace of a machine with the other byte "
		"order");
	head()->order = 7;
	refused(TRACE_HEAD, nonsense);
	begin();
	head()->table++;
	refused(TRACE_HEAD, other);
	begin();
	head()->calls++;
	refused(TRACE_HEAD, other);
	begin();
	head()->rate = 0;
	refused(TRACE_HEAD, nonsense);
	begin();
	head()->next = 1;
	refused(TRACE_HEAD, nonsense);
	begin();
	head()->next = UINT64_MAX;
	trace_free(parse());
}

static void test_records(void)
{
	struct rec *r;

	begin();
	add_run(2, 10, 10, 1);
	add_call(CALL_send, 2000, 3, 0, 1);
	assert(damaged() == 0);
	r = add_call(CALLS, 2000, 3, 0, 1);
	assert(damaged() == 1);
	r->call = CALL_send;
	r->slots = 2;
	assert(damaged() == 2);
	r->slots = 0;
	assert(damaged() == 1);
	r->slots = 255;
	assert(damaged() == 1);
	r->slots = 1;
	r->state = REC_PROC + 1;
	assert(damaged() == 1);
	r->state = REC_EMPTY;
	assert(damaged() == 0);
	/* reserved by a thread that was killed: not a record what is in it */
	r->slots = 2;
	add_call(CALL_close, 2100, 3, 0, 0);
	reads("send ");
}

static void test_payloads(void)
{
	struct rec_more *m, *second;
	struct rec *r;

	begin();
	add_run(1, 10, 10, 1);
	add_conn(1900, 1, ROLE_NONE, 0);
	r = add_call(CALL_send, 2000, 3, 0, 1);
	m = add_more(r, 1, "hello", 5);
	assert(damaged() == 0);
	m->of = 1 << 30;
	assert(damaged() == 1);
	m->of = UINT64_MAX;
	assert(damaged() == 1);
	/* the slot of the call, were it a 32-bit number */
	m->of = (1ull << 32) + ((char *)r - file) / SLOT;
	assert(damaged() == 1);
	m->of = 0;
	assert(damaged() == 1);
	m->of = ((char *)r - file) / SLOT - 1;	/* no call */
	assert(damaged() == 1);
	m->of++;
	m->len = 49;
	assert(damaged() == 1);
	m->len = 9;
	second = add_more(r, 1, "again", 5);
	assert(damaged() == 1);
	second->of = ((char *)second - file) / SLOT;
	assert(damaged() == 1);
}

static void test_conns_and_procs(void)
{
	struct rec_conn *c;
	struct rec_proc *p;

	begin();
	add_run(1, 10, 10, 1);
	c = add_conn(2000, 1, ROLE_CLIENT, 80);
	p = add_proc(0, "1");
	assert(damaged() == 0);
	c->local_len = 43 - c->peer_len;
	assert(damaged() == 1);
	c->local_len = 0;
	c->proto = PROTOS;
	assert(damaged() == 1);
	c->proto = 0;
	c->role = ROLES;
	assert(damaged() == 1);
	c->role = 0;
	c->conn = 0;
	assert(damaged() == 1);
	c->conn = 1;
	p->len = 1;
	assert(damaged() == 1);
	p->len = 41;
	assert(damaged() == 1);
	p->len = 0;
	assert(damaged() == 1);
	p->len = 2;
	/* its own ancestor */
	p->parent = 1;
	assert(damaged() == 0);
	p->parent = 77;
	assert(damaged() == 0);
}

static void test_runs(void)
{
	struct trace_run *run;

	begin();
	add_run(2, 10, 10, 1);
	add_call(CALL_send, 2000, 3, 0, 1);
	run = add_run(1, 10, 11, 1);
	add_call(CALL_recv, 2000, 3, 0, 1);
	reads("send recv ");
	run->check++;
	assert(damaged() == UNIT_SLOTS);
	reads("send ");
	run->check--;
	run->proc = 1000000;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(damaged() == UNIT_SLOTS);
	run->proc = 0;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(damaged() == UNIT_SLOTS);
	run->proc = 1;
	run->units = 0;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(damaged() == UNIT_SLOTS);
	run->units = 100000;
	run->check = run->proc ^ run->units ^ run->tick;
	assert(damaged() == UNIT_SLOTS);
	/* taken, not labelled: its thread was killed */
	memset(run, 0, sizeof *run);
	assert(damaged() == 0);
	reads("send ");
}

/* Cut anywhere: what is there is read, and nothing beyond. */
static void test_cuts(void)
{
	struct rec *r;
	size_t full;

	begin();
	add_run(2, 10, 10, 1);
	for (int i = 0; i < 30; i++) {
		r = add_call(CALL_send, 2000 + i, 3, 1, 1);
		add_more(r, 1, "hello", 5);
		add_conn(2000 + i, 1, ROLE_CLIENT, 80);
	}
	full = units * TRACE_UNIT;
	for (size_t len = 0; len <= full; len += len < full - 64 ? 61 : 1) {
		char *copy = aligned_alloc(64, (len + 64) / 64 * 64);
		struct trace *t;
		memcpy(copy, file, len);
		t = trace_parse(copy, len, why, sizeof why);
		assert(!t == (len < TRACE_HEAD));
		assert(!t || trace_facts(t)->cut == (len < full));
		if (t)
			order(t);
		trace_free(t);
		free(copy);
	}
}

static void test_extreme_times(void)
{
	static const uint64_t odd[] = { 0, 1, INT64_MAX, 1ull << 63,
					UINT64_MAX };
	struct trace_call c;
	struct trace *t;
	char buf[4096];

	begin();
	head()->epoch = UINT64_MAX;
	head()->rate = 1;
	add_run(1, 10, 10, 1);
	for (int i = 0; i < 25; i++)
		add_call(CALL_send, odd[i / 5], 3, 0, 1)->took = odd[i % 5];
	t = parse();
	while (trace_next(t, &c)) {
		struct out o = OUT(buf);
		for (int f = TIMES_SINCE; f <= TIMES_EPOCH; f++)
			text_event(&o, &c.event, (struct times){ f, 3600 });
		json_event(&o, &c.event);
		assert(c.event.took >= 0 && c.event.epoch == INT64_MAX / 2);
		if (c.event.rec->start == INT64_MAX)
			assert(c.event.time == INT64_MAX / 2);
		if (c.event.rec->start == 1ull << 63)
			assert(c.event.time == INT64_MAX / 2);
	}
	trace_free(t);
}

int main(void)
{
	test_facts();
	test_order();
	test_return_order();
	test_open_call();
	test_payload();
	test_conn();
	test_fork();
	test_exec();
	test_clock();
	test_choice();
	test_heads();
	test_records();
	test_payloads();
	test_conns_and_procs();
	test_runs();
	test_cuts();
	test_extreme_times();
	return 0;
}
