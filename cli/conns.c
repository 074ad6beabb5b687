/* SPDX-License-Identifier: MIT */
/*
 * Following connections.  A close is the end of one when no descriptor of it
 * is left and nobody uses it afterwards: a forked child has copies that are
 * not in the trace until it uses them.  What a call means for its connection
 * is in signs.c.
 */
#include "conns.h"

#include "../trace/map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>

struct walk {
	struct conn_row *rows;
	const struct trace_conn *conns;
	struct map fds;			/* (process, fd): its row + 1, or 0 */
	int64_t now;
	bool failed;
};

/* ---- descriptors ------------------------------------------------------ */

static void let_go(struct walk *w, uint32_t *at)
{
	struct conn_row *row = &w->rows[*at - 1];

	*at = 0;
	if (row->fds && !--row->fds) {
		row->closed = true;
		row->died = w->now;
	}
}

/* fd is a descriptor of the socket; what it was before is closed. */
static void bind_fd(struct walk *w, uint32_t proc, int fd, int64_t conn)
{
	uint32_t *at = map_put(&w->fds, proc, fd, 0);

	if (!at) {
		w->failed = true;
		return;
	}
	w->rows[conn].closed = false;
	if (*at == conn + 1)
		return;
	w->rows[conn].fds++;
	if (*at)
		let_go(w, at);
	*at = conn + 1;
}

/* A descriptor of that socket (-1: of any) is no more. */
static void close_fd(struct walk *w, uint32_t proc, int fd, int64_t conn)
{
	uint32_t *at = map_get(&w->fds, proc, fd);

	if (at && *at && (conn < 0 || *at == conn + 1))
		let_go(w, at);
}

static void close_fds(struct walk *w, uint32_t proc, uint32_t first,
		      uint32_t last)
{
	for (size_t i = 0; i < w->fds.size; i++) {
		struct map_entry *e = &w->fds.entries[i];
		if (e->used && e->a == proc && e->value && e->b >= first &&
		    e->b <= last)
			let_go(w, &e->value);
	}
}

/* Whether the kernel answered data that nobody had read with a RST. */
static bool threw_away(const struct rec *r)
{
	struct rec_close more;

	memcpy(&more, r->args, sizeof more);
	return r->call == CALL_close && more.unread;
}

/* What the call did to the descriptors of its process. */
static void descriptors(struct walk *w, const struct trace_call *c)
{
	const struct rec *r = c->event.rec;
	int32_t pair[2];

	switch (r->call) {
	case CALL_close:
	case CALL_fclose:
	case CALL_freopen:
		/* close that reports an error has closed all the same */
		if (c->conn < 0 || (rec_failed(r) && r->err == EBADF))
			return;
		close_fd(w, c->proc, r->fd, c->conn);
		w->rows[c->conn].unread = threw_away(r);
		return;
	case CALL_close_range:
		if (!r->ret && !(rec_arg(r, 2) & CLOSE_RANGE_CLOEXEC))
			close_fds(w, c->proc, rec_arg(r, 0), rec_arg(r, 1));
		return;
	case CALL_closefrom:
		close_fds(w, c->proc, rec_arg(r, 0), INT32_MAX);
		return;
	case CALL_fcntl:
		if (c->conn >= 0 && r->ret >= 0 &&
		    ((int)rec_arg(r, 1) == F_DUPFD ||
		     (int)rec_arg(r, 1) == F_DUPFD_CLOEXEC))
			bind_fd(w, c->proc, r->ret, c->conn);
		return;
	case CALL_socketpair:
		if (c->made >= 0 && payload_get(&c->event, 3, pair, 8) == 8)
			bind_fd(w, c->proc, pair[0], c->made);
		return;
	}
	if (calls[r->call].result != RESULT_NEWFD || r->ret < 0)
		return;
	if (c->made >= 0)
		bind_fd(w, c->proc, r->ret, c->made);
	else
		close_fd(w, c->proc, r->ret, -1);
}

/* ---- call by call ----------------------------------------------------- */

bool view_is_stream(const struct conn_view *v)
{
	return v->proto == PROTO_TCP || v->proto == PROTO_UNIX ||
	       v->proto == PROTO_UNIX_SEQPACKET;
}

static struct conn_row *meet(struct walk *w, const struct trace_call *c,
			     int64_t conn)
{
	const struct conn_view *v = &w->conns[conn].view;
	struct conn_row *row = &w->rows[conn];
	int id = c->event.rec->call;

	row->chosen |= c->chosen;
	if (row->known)
		return row;
	row->known = true;
	row->born = c->event.time;
	if (conn == c->made && calls[id].family == FAMILY_ACCEPT) {
		row->up = true;
		/* Linux passes SO_LINGER on to what is accepted */
		row->linger = c->conn >= 0 && w->rows[c->conn].linger;
		path_begin(&row->path, ST_SYN_RCVD);
		path_sign(&row->path, SIGN_CONNECTED);
	} else if (conn == c->made || id == CALL_connect || id == CALL_listen) {
		path_begin(&row->path, ST_CLOSED);
	} else {
		/* it is older than the trace */
		path_begin(&row->path, v->role == ROLE_LISTENER ? ST_LISTEN :
			   v->peer_len ? ST_ESTABLISHED : ST_CLOSED);
	}
	return row;
}

static void count_error(struct conn_row *row, int err)
{
	for (int i = 0; i < ROW_ERRORS; i++) {
		struct row_error *e = &row->errors[i];
		if (e->count && e->err != err)
			continue;
		e->err = err;
		e->count++;
		return;
	}
}

static void follow(struct walk *w, const struct trace_call *c)
{
	const struct event *e = &c->event;
	const struct rec *r = e->rec;
	struct conn_row *row;

	if (c->made >= 0)
		meet(w, c, c->made);
	if (c->conn >= 0) {
		row = meet(w, c, c->conn);
		row->calls++;
		if (e->took < 0)
			return;
		if (rec_failed(r))
			count_error(row, rec_errno(r));
		/* while it is being closed its number may be given away */
		if (r->fd >= 0 && !(row->closed &&
				    calls[r->call].family == FAMILY_CLOSE))
			bind_fd(w, c->proc, r->fd, c->conn);
		row_see(row, e, view_is_stream(&w->conns[c->conn].view));
	}
	if (e->took >= 0)
		descriptors(w, c);
}

static void finish(struct conn_row *row)
{
	bool reset = row->linger || row->unread;

	if (!row->closed)
		return;
	if (row->ending == END_NONE)
		row->ending = reset && row->up ? END_RESET : END_BY_US;
	path_sign(&row->path, reset ? SIGN_ABORT : SIGN_CLOSE);
}

struct conn_row *conns_follow(struct trace *t, int64_t *end)
{
	struct walk w = { 0 };
	struct trace_call c;
	uint32_t n;

	w.conns = trace_conns(t, &n);
	w.rows = calloc((size_t)n + 1, sizeof *w.rows);
	*end = 0;
	trace_rewind(t, true);
	while (w.rows && !w.failed && trace_next(t, &c)) {
		w.now = c.event.time + (c.event.took > 0 ? c.event.took : 0);
		if (w.now > INT64_MAX / 2)
			w.now = INT64_MAX / 2;
		if (w.now > *end)
			*end = w.now;
		follow(&w, &c);
	}
	for (uint32_t i = 0; w.rows && i < n; i++)
		finish(&w.rows[i]);
	map_free(&w.fds);
	if (w.failed) {
		free(w.rows);
		return NULL;
	}
	return w.rows;
}
