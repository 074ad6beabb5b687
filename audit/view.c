/* SPDX-License-Identifier: MIT */
/* What a run looked like, and whether two of them look the same. */
#include "view.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST (64 << 20)			/* bytes of one text */

/* ---- reading ---------------------------------------------------------------- */

static void text_read(struct text *t, const char *dir, const char *name)
{
	char path[4300];
	FILE *f;
	size_t room = 0, n;

	*t = (struct text){ 0 };
	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f)
		return;
	do {
		room = room ? 2 * room : 4096;
		t->s = realloc(t->s, room);
		if (!t->s)
			abort();
		n = fread(t->s + t->len, 1, room - t->len, f);
		t->len += n;
	} while (t->len == room && room < MOST);
	fclose(f);
}

static void text_add(struct text *t, const void *s, size_t len)
{
	t->s = realloc(t->s, t->len + len + 1);
	if (!t->s)
		abort();
	memcpy(t->s + t->len, s, len);
	t->len += len;
}

/* The data of a call, as far as the trace has it. */
static void data_add(struct text *t, const struct event *e)
{
	for (int param = 0; param < CALL_KINDS; param++) {
		struct item item;
		const void *data;
		int kind = calls[e->rec->call].kinds[param];
		if (kind == KIND_END)
			break;
		if (kind != KIND_DATA && kind != KIND_IOV)
			continue;
		data = payload_find(e->payload, e->payload_len, param, &item);
		if (data)
			text_add(t, data, item.len);
	}
}

/* A socket on which nothing was sent is no stream: an attempt that failed. */
static void streams_close_up(struct view *v)
{
	int n = 0;

	for (int i = 0; v->stream && i < v->streams; i++)
		if (v->stream[i].sent)
			v->stream[n++] = v->stream[i];
	v->streams = n;
}

struct trace *view_trace(const char *dir, const char *name, char *why,
			 size_t size)
{
	char path[4300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return trace_read(path, why, size);
}

/* It sends to a peer, and not to the program itself. */
static bool is_stream(const struct event *e)
{
	return e->conn && calls[e->rec->call].family == FAMILY_SEND &&
	       e->conn->role != ROLE_PAIR &&
	       (e->conn->proto == PROTO_TCP || e->conn->proto == PROTO_UNIX);
}

static void streams_read(struct view *v, const char *dir)
{
	char why[200];
	struct trace *t = view_trace(dir, "trace", why, sizeof why);
	struct trace_call c;
	uint32_t n;

	if (!t)
		return;
	trace_conns(t, &n);
	v->stream = calloc(n + 1, sizeof *v->stream);
	v->streams = n;
	while (v->stream && trace_next(t, &c)) {
		const struct event *e = &c.event;
		int64_t bytes = event_bytes(e);
		if (bytes > 0 && calls[e->rec->call].family == FAMILY_RECV)
			data_add(&v->got, e);
		if (c.conn < 0 || bytes <= 0 || !is_stream(e))
			continue;
		v->stream[c.conn].sent += bytes;
		data_add(&v->stream[c.conn].kept, e);
	}
	streams_close_up(v);
	trace_free(t);
}

void view_read(struct view *v, const char *dir)
{
	char name[40];

	*v = (struct view){ 0 };
	text_read(&v->out, dir, "out");
	text_read(&v->err, dir, "err");
	for (int i = 0; i < TRIAL_CLIENTS; i++) {
		snprintf(name, sizeof name, "client.%d.out", i + 1);
		text_read(&v->client[i], dir, name);
	}
	streams_read(v, dir);
}

void view_free(struct view *v)
{
	free(v->out.s);
	free(v->err.s);
	free(v->got.s);
	for (int i = 0; i < TRIAL_CLIENTS; i++)
		free(v->client[i].s);
	for (int i = 0; i < v->streams; i++)
		free(v->stream[i].kept.s);
	free(v->stream);
	*v = (struct view){ 0 };
}

/* ---- comparing ---------------------------------------------------------------- */

static bool equal(const struct text *a, const struct text *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

static bool is_xdigit(const struct text *t, size_t i)
{
	return i < t->len && isxdigit((unsigned char)t->s[i]);
}

static size_t past_blanks(const struct text *t, size_t i)
{
	while (i < t->len && t->s[i] == ' ')
		i++;
	return i;
}

/* Behind a number and the prefix of its unit: "12.5 G" of "12.5 Gbits". */
static size_t past_number(const struct text *t, size_t i)
{
	while (is_xdigit(t, i) ||
	       (i < t->len && t->s[i] == '.' && is_xdigit(t, i + 1)))
		i++;
	i = past_blanks(t, i);
	if (i + 1 < t->len && memchr("kKMGTmun", t->s[i], 8) &&
	    isalpha((unsigned char)t->s[i + 1]))
		i++;
	return i;
}

/*
 * Numbers of any size are alike: ports, times, process ids, and what was
 * measured, however it is padded.
 */
static bool equal_numbers(const struct text *a, const struct text *b)
{
	size_t i = 0, k = 0;

	while (i < a->len && k < b->len) {
		size_t n = past_blanks(a, i), m = past_blanks(b, k);
		if (is_xdigit(a, n) && is_xdigit(b, m) &&
		    (isdigit((unsigned char)a->s[n]) ||
		     isdigit((unsigned char)b->s[m]))) {
			i = past_number(a, n);
			k = past_number(b, m);
		} else if (a->s[i++] != b->s[k++]) {
			return false;
		}
	}
	return i == a->len && k == b->len;
}

static int line_count(const struct text *t)
{
	int n = 0;

	for (size_t i = 0; i < t->len; i++)
		n += t->s[i] == '\n';
	return n;
}

/* The next line of a text, without its end. */
static struct text line_next(const struct text *t, size_t *at)
{
	const char *from = t->s + *at;
	const char *end = memchr(from, '\n', t->len - *at);
	size_t len = end ? (size_t)(end - from) : t->len - *at;

	*at += len + (end != NULL);
	return (struct text){ (char *)from, len };
}

/* Line by line, but for those in which a and b differ. */
static bool equal_lines(const struct text *a, const struct text *b,
			const struct text *now)
{
	size_t i = 0, k = 0, m = 0;

	while (i < a->len && k < b->len && m < now->len) {
		struct text la = line_next(a, &i), lb = line_next(b, &k);
		struct text ln = line_next(now, &m);
		if (equal(&la, &lb) && !equal(&la, &ln))
			return false;
	}
	return i >= a->len && m >= now->len;
}

static enum stable stable(const struct text *a, const struct text *b)
{
	if (equal(a, b))
		return EXACT;
	if (equal_numbers(a, b))
		return NUMBERS;
	return line_count(a) == line_count(b) ? LINES : UNSTABLE;
}

bool same_text(enum stable how, const struct text *a, const struct text *b,
	       const struct text *now)
{
	switch (how) {
	case EXACT:
		return equal(a, now);
	case NUMBERS:
		return equal_numbers(a, now);
	case LINES:
		return equal_lines(a, b, now);
	default:
		return true;
	}
}

static bool whole(const struct stream *s)
{
	return s->kept.len == s->sent;
}

static enum stable stable_streams(const struct view *a, const struct view *b)
{
	enum stable worst = EXACT;

	if (a->streams != b->streams)
		return UNSTABLE;
	for (int i = 0; i < a->streams; i++) {
		enum stable s = EXACT;
		if (a->stream[i].sent != b->stream[i].sent)
			return UNSTABLE;
		if (whole(&a->stream[i]) && whole(&b->stream[i]))
			s = stable(&a->stream[i].kept, &b->stream[i].kept);
		if (s > worst)
			worst = s;
	}
	return worst;
}

/* The i-th of the untouched runs. */
static bool same_stream(const struct base *b, int i, const struct stream *now)
{
	const struct stream *was = &b->view[0].stream[i];

	return was->sent == now->sent &&
	       (!whole(was) || !whole(now) ||
		same_text(b->stream, &was->kept, &b->view[1].stream[i].kept,
			  &now->kept));
}

bool same_streams(const struct base *b, const struct view *now, bool *less)
{
	const struct view *a = &b->view[0];
	uint64_t was = 0, is = 0;
	bool same = true;

	*less = false;
	if (b->stream == UNSTABLE)
		return true;
	for (int i = 0; i < a->streams; i++)
		was += a->stream[i].sent;
	for (int i = 0; i < now->streams; i++)
		is += now->stream[i].sent;
	*less = is < was;
	if (is != was)
		return false;
	for (int i = 0; i < a->streams && i < now->streams && same; i++)
		same = same_stream(b, i, &now->stream[i]);
	return same;
}

bool all_streams(const struct base *b, const struct view *now)
{
	int found = 0, n = b->view[0].streams;
	bool *taken = calloc(now->streams + 1, sizeof *taken);

	if (!taken)
		abort();
	for (int i = 0; i < n && b->stream != UNSTABLE; i++)
		for (int k = 0; k < now->streams; k++)
			if (!taken[k] && same_stream(b, i, &now->stream[k])) {
				taken[k] = true;
				found++;
				break;
			}
	free(taken);
	return found == n || b->stream == UNSTABLE;
}

static bool good_client(const struct view *v, int i)
{
	return i < v->result.clients && v->result.client[i].ended &&
	       !v->result.client[i].status;
}

/* What one time-out is for: a client, or all that is not clients'. */
static int64_t longest(const struct trial_result *r)
{
	int64_t rest = r->target.took, most = 0;

	for (int i = 0; i < r->clients; i++) {
		rest -= r->client[i].took;
		if (r->client[i].took > most)
			most = r->client[i].took;
	}
	return rest > most ? rest : most;
}

void base_compare(struct base *b)
{
	const struct view *x = &b->view[0], *y = &b->view[1];

	b->out = stable(&x->out, &y->out);
	b->err = stable(&x->err, &y->err);
	b->stream = stable_streams(x, y);
	b->client = EXACT;
	for (int i = 0; i < TRIAL_CLIENTS; i++) {
		enum stable s = stable(&x->client[i], &y->client[i]);
		if (s > b->client)
			b->client = s;
	}
	while (b->clients < TRIAL_CLIENTS && good_client(x, b->clients) &&
	       good_client(y, b->clients))
		b->clients++;
	b->took = longest(&x->result);
	if (b->took < longest(&y->result))
		b->took = longest(&y->result);
}
