/* SPDX-License-Identifier: MIT */
/* A call as a JSON object on one line; sockwrench(1) explains the keys. */
#include "parts.h"

#include <string.h>

static void key(struct out *o, const char *name)
{
	out_str(o, ",\"");
	out_str(o, name);
	out_str(o, "\":");
}

static void key_int(struct out *o, const char *name, bool known, int64_t n)
{
	key(o, name);
	if (known)
		out_int(o, n);
	else
		out_str(o, "null");
}

static void key_str(struct out *o, const char *name, const char *text)
{
	key(o, name);
	if (text)
		out_json(o, text, strlen(text));
	else
		out_str(o, "null");
}

static void key_addr(struct out *o, const char *name, const void *addr,
		     size_t len)
{
	char buf[160];
	struct out text = OUT(buf);

	key(o, name);
	if (len) {
		out_addr(&text, addr, len);
		out_json(o, buf, out_len(&text));
	} else {
		out_str(o, "null");
	}
}

void json_event(struct out *o, const struct event *e)
{
	const struct rec *r = e->rec;
	const struct conn_view *v = e->conn ? e->conn : e->made;
	int flags = param_of(r, KIND_MSGFLAGS);
	bool done = e->took >= 0;
	struct item item;
	const void *stack;
	int err = done ? rec_errno(r) : 0;
	const struct errno_row *row = err ? errno_row(err) : NULL;

	out_str(o, "{\"time\":");
	out_int(o, e->time);
	key_int(o, "pid", true, e->pid);
	key_int(o, "tid", true, e->tid);
	key_str(o, "call", calls[r->call].name);
	key_int(o, "fd", r->fd != NO_FD, r->fd);
	key_int(o, "conn", v != NULL, v ? v->ordinal : 0);
	key_str(o, "proto", v && v->proto < PROTOS ? proto_names[v->proto]
						   : NULL);
	key_addr(o, "local", v ? v->local : NULL, v ? v->local_len : 0);
	key_addr(o, "peer", v ? v->peer : NULL, v ? v->peer_len : 0);
	key_int(o, "bytes", done && event_bytes(e) >= 0, event_bytes(e));
	key(o, "flags");
	if (flags >= 0 && rec_arg(r, flags)) {
		out_char(o, '"');
		out_flags(o, NAMES_MSGFLAGS, (uint32_t)rec_arg(r, flags));
		out_char(o, '"');
	} else {
		out_str(o, "null");
	}
	key_int(o, "ret", done && calls[r->call].result != RESULT_NOTHING,
		r->ret);
	key_str(o, "errno", row ? row->name : NULL);
	key_int(o, "duration", done, e->took);
	key(o, "caller");
	if (r->caller) {
		out_char(o, '"');
		out_hex(o, r->caller);
		out_char(o, '"');
	} else {
		out_str(o, "null");
	}
	key_str(o, "rule", e->rule);
	stack = payload_find(e->payload, e->payload_len, ITEM_STACK, &item);
	if (stack) {			/* SOCKWRENCH_STACK asked for it */
		key(o, "stack");
		out_json(o, stack, item.len);
	}
	out_str(o, "}\n");
}
