/* SPDX-License-Identifier: MIT */
/* A trace at a glance: its connections, its calls.  Tables of plain text. */
#include "summary.h"

#include "conns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENDS_MOST 64			/* columns for addresses */

/* ---- connections ------------------------------------------------------ */

/* local -> peer, as much as is known. */
static void out_ends(struct out *o, const struct conn_view *v)
{
	if (v->local_len)
		out_addr(o, v->local, v->local_len);
	if (v->peer_len) {
		out_str(o, v->local_len ? " -> " : "-> ");
		out_addr(o, v->peer, v->peer_len);
	}
	if (out_len(o) == 0)
		out_char(o, '-');
}

static const char *ends_text(const struct conn_view *v, char *buf, size_t size)
{
	struct out o = { buf, buf, buf + size - 1, false };

	out_ends(&o, v);
	*o.at = 0;
	return buf;
}

static const char *error_words(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return "refused";
	case ETIMEDOUT:
		return "timed out";
	case ECONNRESET:
	case EPIPE:
		return "reset by peer";
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		return "unreachable";
	}
	return NULL;
}

static void print_ending(FILE *to, const struct conn_row *row)
{
	static const char *const words[] = {
		[END_BY_US] = "closed by us",
		[END_BY_PEER] = "closed by peer first",
		[END_RESET] = "reset by us",
	};
	const char *error = error_words(row->error);
	const struct errno_row *name = errno_row(row->error);

	if (row->ending == END_NONE) {
		fputs("still open at the end", to);
		return;
	}
	if (row->ending != END_ERROR)
		fputs(words[row->ending], to);
	else if (error)
		fputs(error, to);
	else
		fprintf(to, "failed: %s", name ? name->name : "unknown error");
	if (!row->closed)
		fputs(", never closed by us", to);
}

/* " name count" for each error that waits, or does not; how many. */
static int print_errors(FILE *to, const struct conn_row *row, bool waits)
{
	int n = 0;

	for (int i = 0; i < ROW_ERRORS; i++) {
		const struct row_error *e = &row->errors[i];
		const struct errno_row *name = errno_row(e->err);
		if (!e->count || error_waits(e->err) != waits)
			continue;
		if (!n++)
			fprintf(to, "        %s", waits ? "waits:" : "errors:");
		fprintf(to, " %s %" PRIu64, name ? name->name : "?", e->count);
	}
	if (n)
		fputc('\n', to);
	return n;
}

static void print_amount(FILE *to, uint64_t bytes, uint64_t count)
{
	char text[48] = "-";

	if (count)
		snprintf(text, sizeof text, "%" PRIu64 " in %" PRIu64, bytes,
			 count);
	fprintf(to, "  %-14s", text);
}

static void print_row(FILE *to, const struct conn_row *row,
		      const struct conn_view *v, int width, int64_t end)
{
	int64_t lived = (row->closed ? row->died : end) - row->born;
	char ends[300];

	/* clocks of a damaged trace may go back */
	if (lived < 0)
		lived = 0;
	fprintf(to, "%6u  %-8s  %-8s  %-*s  ", v->ordinal,
		proto_names[v->proto],
		v->role == ROLE_NONE ? "-" : role_names[v->role], width,
		ends_text(v, ends, sizeof ends));
	fprintf(to, "%4" PRId64 ".%06" PRId64 "%c  %7" PRIu64,
		lived / 1000000000, lived % 1000000000 / 1000,
		row->closed ? ' ' : '+', row->calls);
	print_amount(to, row->sent, row->sends);
	print_amount(to, row->received, row->recvs);
	fputs("  ", to);
	print_ending(to, row);
	fputc('\n', to);
	if (v->proto == PROTO_TCP) {
		fputs("        ", to);
		path_print(to, &row->path);
		fputc('\n', to);
	}
	print_errors(to, row, false);
	print_errors(to, row, true);
}

/* What the rows are sorted by. */
struct key {
	uint32_t proc, ordinal, index;
};

static int key_order(const void *a, const void *b)
{
	const struct key *p = a, *q = b;

	if (p->proc != q->proc)
		return p->proc < q->proc ? -1 : 1;
	return p->ordinal < q->ordinal ? -1 : p->ordinal > q->ordinal;
}

static bool wanted(const struct trace *t, const struct conn_row *row,
		   const struct trace_conn *c)
{
	const struct trace_choice *choice = trace_choice(t);

	return row->chosen &&
	       (!choice->conn || choice->conn == c->view.ordinal);
}

/* The rows to be shown in their order, to be freed, and how wide they are. */
static struct key *sorted(const struct trace *t, const struct conn_row *rows,
			  uint32_t *n, int *width)
{
	const struct trace_conn *conns = trace_conns(t, n);
	struct key *keys = malloc((size_t)(*n + 1) * sizeof *keys);
	char ends[300];
	uint32_t kept = 0;

	for (uint32_t i = 0; keys && i < *n; i++) {
		int len;
		if (!wanted(t, &rows[i], &conns[i]))
			continue;
		len = strlen(ends_text(&conns[i].view, ends, sizeof ends));
		if (len > *width)
			*width = len < ENDS_MOST ? len : ENDS_MOST;
		keys[kept++] = (struct key){
			conns[i].proc, conns[i].view.ordinal, i,
		};
	}
	if (keys)
		qsort(keys, kept, sizeof *keys, key_order);
	*n = kept;
	return keys;
}

static void print_proc(FILE *to, const struct trace_proc *p)
{
	const char *name = p->exe;
	int len = p->exe_len;

	for (int i = 0; i < p->exe_len; i++) {
		if (p->exe[i] != '/')
			continue;
		name = p->exe + i + 1;
		len = p->exe_len - i - 1;
	}
	fprintf(to, "process %s, pid %d", p->path, p->pid);
	if (name) {
		fputs(", ", to);
		for (int i = 0; i < len; i++)
			fputc(name[i] > ' ' && name[i] < 127 ? name[i] : '?',
			      to);
	}
	fputc('\n', to);
}

static void print_rows(FILE *to, const struct trace *t,
		       const struct conn_row *rows, int64_t end)
{
	uint32_t n, unused, proc = 0;
	int width = sizeof "local -> peer" - 1;
	struct key *keys = sorted(t, rows, &n, &width);
	const struct trace_conn *conns = trace_conns(t, &unused);
	const struct trace_proc *procs = trace_procs(t, &unused);

	if (keys && n)
		fprintf(to, "%6s  %-8s  %-8s  %-*s  %11s   %7s  %-14s  "
			"%-14s  %s\n", "conn", "protocol", "role", width,
			"local -> peer", "seconds", "calls", "bytes sent",
			"received", "end");
	for (uint32_t i = 0; keys && i < n; i++) {
		const struct trace_conn *c = &conns[keys[i].index];
		if (c->proc != proc)
			print_proc(to, &procs[c->proc]);
		proc = c->proc;
		print_row(to, &rows[keys[i].index], &c->view, width, end);
	}
	if (keys && n)
		fputs("States are what the calls imply; those in parentheses "
		      "follow by the protocol,\nunseen by any call.  "
		      "\"120 in 3\" is 120 bytes in 3 calls; + is not closed."
		      "\n\n", to);
	free(keys);
}

/* ---- calls ------------------------------------------------------------ */

struct count {
	uint64_t calls, errors, ns;
	int call;
};

static int count_order(const void *a, const void *b)
{
	const struct count *p = a, *q = b;

	if (p->ns != q->ns)
		return p->ns > q->ns ? -1 : 1;
	if (p->calls != q->calls)
		return p->calls > q->calls ? -1 : 1;
	return p->call - q->call;
}

/* The record by which a program says what it is. */
static bool is_image(const struct rec *r)
{
	return r->call == CALL_execve && !r->err;
}

static struct count count_calls(struct trace *t, struct count counts[CALLS])
{
	struct count total = { 0 };
	struct trace_call c;

	for (int i = 0; i < CALLS; i++)
		counts[i] = (struct count){ .call = i };
	trace_rewind(t, false);
	while (trace_next(t, &c)) {
		const struct rec *r = c.event.rec;
		struct count *n = &counts[r->call];
		bool failed = c.event.took >= 0 && rec_failed(r);
		if (!c.chosen || is_image(r))
			continue;
		n->calls++;
		n->errors += failed;
		n->ns += c.event.took > 0 ? c.event.took : 0;
		total.calls++;
		total.errors += failed;
		total.ns += c.event.took > 0 ? c.event.took : 0;
	}
	return total;
}

static void print_count(FILE *to, const struct count *n, uint64_t all,
			const char *name)
{
	char seconds[48], errors[24] = "";

	snprintf(seconds, sizeof seconds, "%" PRIu64 ".%06" PRIu64,
		 n->ns / 1000000000, n->ns % 1000000000 / 1000);
	if (n->errors)
		snprintf(errors, sizeof errors, "%" PRIu64, n->errors);
	fprintf(to, "%6.2f %11s %11" PRIu64 " %9" PRIu64 " %9s %s\n",
		all ? 100.0 * n->ns / all : 0.0, seconds,
		n->calls ? n->ns / n->calls / 1000 : 0, n->calls, errors,
		name);
}

void summary_calls(FILE *to, struct trace *t)
{
	static const char rule[] = "------ ----------- ----------- "
				   "--------- --------- ----------------\n";
	struct count counts[CALLS];
	struct count total = count_calls(t, counts);

	qsort(counts, CALLS, sizeof *counts, count_order);
	fprintf(to, "%% time     seconds  usecs/call     calls    "
		"errors call\n%s", rule);
	for (int i = 0; i < CALLS && counts[i].calls; i++)
		print_count(to, &counts[i], total.ns,
			    calls[counts[i].call].name);
	fputs(rule, to);
	print_count(to, &total, total.ns, "total");
}

void summary_print(FILE *to, struct trace *t)
{
	int64_t end;
	struct conn_row *rows = conns_follow(t, &end);

	if (rows)
		print_rows(to, t, rows, end);
	free(rows);
	summary_calls(to, t);
}
