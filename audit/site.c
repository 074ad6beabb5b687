/* SPDX-License-Identifier: MIT */
/* From a trace with return addresses to call sites. */
#include "site.h"

#include "../trace/map.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

/* What is known of a socket while the trace is read. */
struct known {
	bool nowait, bounded, ended, length;
	int64_t bound;
	uint64_t moved[2];		/* in, out */
};

static uint8_t proto_bit(const struct conn_view *v)
{
	static const uint8_t bits[PROTOS] = {
		[PROTO_TCP] = IS_TCP, [PROTO_UDP] = IS_UDP,
		[PROTO_UNIX] = IS_STREAM, [PROTO_UNIX_DGRAM] = IS_DGRAM,
		[PROTO_UNIX_SEQPACKET] = IS_SEQ,
	};

	return v && bits[v->proto] ? bits[v->proto] : v ? IS_OTHER : 0;
}

/* ---- what the program does to its sockets -------------------------------- */

static uint64_t arg_of(const struct rec *r, enum kind kind)
{
	for (int i = 0; calls[r->call].kinds[i] != KIND_END; i++)
		if (calls[r->call].kinds[i] == kind)
			return rec_arg(r, i);
	return 0;
}

/* SO_RCVTIMEO, SO_SNDTIMEO */
static void learn_bound(struct known *k, const struct event *e)
{
	struct item item;
	const void *value = payload_find(e->payload, e->payload_len, 3, &item);
	struct timeval t;

	k->bounded = true;
	if (!value || item.len < sizeof t)
		return;
	memcpy(&t, value, sizeof t);
	if (t.tv_sec < 3600 && t.tv_sec * 1000000000 > k->bound)
		k->bound = t.tv_sec * 1000000000;
	if (!t.tv_sec && t.tv_usec * 1000 > k->bound)
		k->bound = t.tv_usec * 1000;
}

static void learn(struct known *k, struct known *made, const struct rec *r,
		  const struct event *e)
{
	if (rec_failed(r))
		return;
	if (made && arg_of(r, KIND_SOCKFLAGS) & SOCK_NONBLOCK)
		made->nowait = true;
	if (made && arg_of(r, KIND_SOCKTYPE) & SOCK_NONBLOCK)
		made->nowait = true;
	if (r->call == CALL_fcntl && k &&
	    arg_of(r, KIND_FCNTL) == F_SETFL)
		k->nowait = arg_of(r, KIND_FCNTLARG) & O_NONBLOCK;
	if (r->call == CALL_ioctl && k && arg_of(r, KIND_IOCTL) == FIONBIO)
		k->nowait = true;
	if (r->call == CALL_setsockopt && k &&
	    (rec_arg(r, 2) == SO_RCVTIMEO || rec_arg(r, 2) == SO_SNDTIMEO))
		learn_bound(k, e);
}

/* HTTP says how long a body is: then the end of the stream is not all. */
static bool announces(const struct event *e)
{
	static const char *const words[] = {
		"ontent-length:", "ontent-Length:", "hunked",
	};
	struct item item;

	for (int i = 0; calls[e->rec->call].kinds[i] != KIND_END; i++) {
		int kind = calls[e->rec->call].kinds[i];
		const void *data = payload_find(e->payload, e->payload_len, i,
						&item);
		if (!data || (kind != KIND_DATA && kind != KIND_IOV))
			continue;
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (memmem(data, item.len, words[w], strlen(words[w])))
				return true;
	}
	return false;
}

static void learn_recv(struct known *k, const struct event *e)
{
	int64_t bytes = event_bytes(e);

	if (bytes == 0 && !rec_failed(e->rec) && e->took >= 0)
		k->ended = true;
	if (bytes > 0)
		k->length |= announces(e);
}

/* One after which a program does not go on with what it did. */
static bool ends(int sig)
{
	static const int all[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGILL, SIGTRAP, SIGABRT,
		SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGPIPE, SIGXCPU, SIGXFSZ,
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] == sig)
			return true;
	return false;
}

static bool interrupts(const struct event *e)
{
	const struct rec *r = e->rec;
	struct item item;
	const uint8_t *act;
	uint64_t handler;
	uint32_t flags;

	if (r->call != CALL_sigaction || rec_failed(r) || ends(rec_arg(r, 0)))
		return false;
	act = payload_find(e->payload, e->payload_len, 1, &item);
	if (!act || item.len < 12)
		return false;
	memcpy(&handler, act, 8);
	memcpy(&flags, act + 8, 4);
	return handler > 1 && !(flags & SA_RESTART);
}

/* ---- sites ------------------------------------------------------------------ */

/* Two places without their folders: what from= wants. */
static char *from_text(const char *stack, int len)
{
	char buf[600], *to = buf;
	int places = 0;

	for (int at = 0; at < len && places < 2; places++) {
		int end = at, base = at;
		while (end < len && stack[end] != '<')
			if (stack[end++] == '/')
				base = end;
		if (end - base > 250 || stack[base] == '?')
			break;
		if (places)
			*to++ = '<';
		memcpy(to, stack + base, end - base);
		to += end - base;
		at = end + 1;
	}
	*to = 0;
	return strdup(buf);
}

static struct site *site_find(const struct sites *s, int call,
			      const char *from)
{
	for (int i = 0; i < s->n; i++)
		if (s->site[i].call == call && !strcmp(s->site[i].from, from))
			return &s->site[i];
	return NULL;
}

static struct site *site_new(struct sites *s, int call, char *from,
			     const char *stack, int len,
			     const struct event *e)
{
	char line[2000];
	struct out o = OUT(line);
	struct site *all;

	if (!(s->n & (s->n - 1)) || !s->n) {
		all = realloc(s->site, (s->n ? 2 * s->n : 1) * sizeof *all);
		if (!all)
			abort();
		s->site = all;
	}
	text_event(&o, e, (struct times){ 0 });
	s->site[s->n] = (struct site){
		.from = from, .stack = strndup(stack, len), .call = call,
		.family = calls[call].family, .line = strndup(line,
							      out_len(&o)),
		.conn = e->conn ? e->conn->ordinal : 0, .index = -1,
	};
	return &s->site[s->n++];
}

/* Families that rules know, on sockets or about none. */
static bool of_interest(const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	int family = calls[r->call].family;

	if (!(1 << family & ON_ALL) || call_futile(r->call))
		return false;
	/* a pair is the program's own affair, not the network's */
	if (c->event.conn && c->event.conn->role == ROLE_PAIR)
		return false;
	return c->event.conn || c->event.made || family == FAMILY_RESOLVE ||
	       family == FAMILY_POLL || family == FAMILY_SOCKET;
}

static bool is_child(struct trace *t, uint32_t proc)
{
	uint32_t n;

	return trace_procs(t, &n)[proc].parent;
}

/* A forked child is what its parent is, and has its very image. */
static bool is_fork(struct trace *t, uint32_t proc)
{
	uint32_t n;
	const struct trace_proc *p = trace_procs(t, &n);

	return p[proc].parent && p[proc].exe == p[p[proc].parent].exe;
}

static void meet(struct sites *s, const struct trace_call *c,
		 struct known *k, bool handler, struct trace *t)
{
	const struct event *e = &c->event;
	const struct rec *r = e->rec;
	uint64_t asked = arg_of(r, KIND_LEN);
	struct item item;
	const char *stack = (const char *)payload_find(e->payload,
						       e->payload_len,
						       ITEM_STACK, &item);
	struct site *site;
	char *from;

	if (!stack)
		return;
	from = from_text(stack, item.len);
	site = site_find(s, r->call, from);
	if (site)
		free(from);
	else
		site = site_new(s, r->call, from, stack, item.len, e);
	site->calls++;
	site->handler |= handler;
	site->child |= is_child(t, c->proc);
	site->forked |= is_fork(t, c->proc);
	site->protos |= proto_bit(e->conn ? e->conn : e->made);
	if (asked > site->most)
		site->most = asked;
	if (k) {
		bool out = site->family == FAMILY_SEND;
		site->nowait |= k->nowait;
		site->bounded |= k->bounded;
		if (k->bound > site->bound)
			site->bound = k->bound;
		if (e->conn->ordinal == site->conn) {
			site->moved = k->moved[out];
			site->index = c->conn;
		}
	}
	site->nowait |= (arg_of(r, KIND_MSGFLAGS) & MSG_DONTWAIT) != 0;
}

static bool of_program(const struct trace *t, uint32_t proc, const char *exe)
{
	uint32_t n;
	const struct trace_proc *p = &trace_procs(t, &n)[proc];
	struct span glob = { exe, exe ? strlen(exe) : 0 };

	return !exe || (p->exe && file_match(glob, (struct span){ p->exe,
							 p->exe_len }));
}

/* For each process, whether a signal may interrupt its calls. */
static bool *handlers(struct trace *t)
{
	uint32_t n;
	const struct trace_proc *p = trace_procs(t, &n);
	bool *has = calloc(n + 1, sizeof *has);
	struct trace_call c;

	if (!has)
		abort();
	while (trace_next(t, &c))
		has[c.proc] |= interrupts(&c.event);
	for (uint32_t i = 1; i < n; i++)
		if (is_fork(t, i))
			has[i] |= has[p[i].parent];
	trace_rewind(t, false);
	return has;
}

/* What is known only when all has been seen. */
static void finish(struct sites *s, int from, const struct known *known)
{
	for (int i = from; i < s->n; i++) {
		struct site *at = &s->site[i];
		if (!at->conn || at->index < 0)
			continue;
		at->ended = known[at->index].ended;
		at->length = known[at->index].length;
	}
}

void sites_add(struct sites *s, struct trace *t, const char *exe)
{
	bool *handler = handlers(t);
	struct known *known;
	struct trace_call c;
	int from = s->n;
	uint32_t n;

	trace_conns(t, &n);
	known = calloc(n + 1, sizeof *known);

	if (!known)
		abort();
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		struct known *k = c.conn >= 0 ? &known[c.conn] : NULL;
		struct known *made = c.made >= 0 ? &known[c.made] : NULL;
		int64_t bytes = event_bytes(&c.event);
		int family = calls[r->call].family;
		if (!of_program(t, c.proc, exe))
			continue;
		learn(k, made, r, &c.event);
		if (k && bytes > 0)
			k->moved[family == FAMILY_SEND] += bytes;
		s->connecting |= family == FAMILY_CONNECT &&
				 r->err == EINPROGRESS;
		if (k && family == FAMILY_RECV)
			learn_recv(k, &c.event);
		if (of_interest(&c))
			meet(s, &c, k, handler[c.proc], t);
	}
	finish(s, from, known);
	free(handler);
	free(known);
}

void site_of(struct site *s, const struct trace_call *c)
{
	const struct event *e = &c->event;
	struct sites one = { 0 };
	struct item item;
	const char *stack = (const char *)payload_find(e->payload,
						       e->payload_len,
						       ITEM_STACK, &item);

	if (!stack) {
		stack = "?";
		item.len = 1;
	}
	site_new(&one, e->rec->call, from_text(stack, item.len), stack,
		 item.len, e);
	*s = one.site[0];
	free(one.site);
}

bool sites_miss(const struct sites *s, struct trace *t, const char *exe)
{
	struct sites here = { 0 };
	bool miss = false;

	sites_add(&here, t, exe);
	for (int i = 0; i < here.n; i++)
		miss |= !site_find(s, here.site[i].call, here.site[i].from);
	sites_free(&here);
	return miss;
}

void sites_free(struct sites *s)
{
	for (int i = 0; i < s->n; i++) {
		free(s->site[i].from);
		free(s->site[i].stack);
		free(s->site[i].line);
	}
	free(s->site);
	*s = (struct sites){ 0 };
}
