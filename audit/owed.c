/* SPDX-License-Identifier: MIT */
/*
 * What the program was told by a send that was cut, against what it sent next
 * on that connection: the rest of it, or something else.
 */
#include "evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OWED_MOST = 64, SHOWN = 12 };

/* The bytes a connection has to carry next. */
struct owed {
	uint8_t rest[OWED_MOST];
	size_t len;
};

/* The beginning of what a call has sent; *len bytes of it were kept. */
static const uint8_t *sent(const struct event *e, size_t *len)
{
	const uint8_t *kinds = calls[e->rec->call].kinds;

	for (int i = 0; kinds[i] != KIND_END; i++) {
		struct item item;
		const uint8_t *data = payload_find(e->payload, e->payload_len,
						   i, &item);
		size_t head = 0;
		if (!data || (kinds[i] != KIND_DATA && kinds[i] != KIND_IOV &&
			      kinds[i] != KIND_MSG))
			continue;
		if (kinds[i] == KIND_MSG && item.len)
			head = 1 + data[0];	/* the address */
		if (head > item.len)
			break;
		*len = item.len - head;
		return data + head;
	}
	return NULL;
}

static void tell(struct out *o, const struct owed *owed, const uint8_t *next,
		 size_t len)
{
	out_str(o, "told that a part was sent, ");
	if (next) {
		out_str(o, "it sent ");
		out_quoted(o, next, len < SHOWN ? len : SHOWN);
		out_str(o, " next, where ");
	} else {
		out_str(o, "it never sent the rest: ");
	}
	out_quoted(o, owed->rest, owed->len < SHOWN ? owed->len : SHOWN);
	out_str(o, owed->len > SHOWN ? "..." : "");
	out_str(o, next ? " was left" : "");
}

/* It has sent something: false, and that is not what was left. */
static bool pay(struct owed *owed, const struct event *e, size_t bytes,
		struct out *o)
{
	size_t len = 0, n = owed->len < bytes ? owed->len : bytes;
	const uint8_t *data = sent(e, &len);

	if (data && memcmp(data, owed->rest, n < len ? n : len)) {
		tell(o, owed, data, len);
		return false;
	}
	owed->len -= n;
	memmove(owed->rest, owed->rest + n, owed->len);
	return true;
}

static void owe(struct owed *owed, const struct event *e)
{
	struct item item;
	const uint8_t *rest = payload_find(e->payload, e->payload_len,
					   ITEM_REST, &item);

	if (!rest || owed->len)
		return;
	owed->len = item.len < OWED_MOST ? item.len : OWED_MOST;
	memcpy(owed->rest, rest, owed->len);
}

/* Nobody is there who could be sent the rest. */
static bool is_over(const struct event *e, int family)
{
	if (family == FAMILY_RECV && !e->rec->ret)
		return true;
	return (family == FAMILY_RECV || family == FAMILY_SEND) &&
	       rec_failed(e->rec) && rec_errno(e->rec) != EAGAIN &&
	       rec_errno(e->rec) != EINTR;
}

bool evidence_short_lost(struct trace *t, bool quiet, char *what, size_t size)
{
	struct out o = { what, what, what + size - 1, false };
	struct trace_call c;
	struct owed *all;
	bool good = true;
	uint32_t n;

	trace_rewind(t, false);
	trace_conns(t, &n);
	all = calloc(n + 1, sizeof *all);
	if (!all)
		abort();
	while (good && trace_next(t, &c)) {
		const struct event *e = &c.event;
		int family = calls[e->rec->call].family;
		int64_t bytes = event_bytes(e);
		struct owed *owed = c.conn >= 0 ? &all[c.conn] : NULL;
		if (!owed || e->took < 0)
			continue;
		if (is_over(e, family))
			owed->len = 0;
		if (family != FAMILY_SEND || bytes <= 0)
			continue;
		good = pay(owed, e, bytes, &o);
		owe(owed, e);
	}
	for (uint32_t i = 0; good && quiet && i < n; i++)
		if (all[i].len) {
			tell(&o, &all[i], NULL, 0);
			good = false;
		}
	*o.at = 0;
	free(all);
	return !good;
}
