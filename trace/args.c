/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a call as text: one function per kind, found by a table.
 * The record may come from a damaged file, so nothing is trusted but its size.
 */
#include "parts.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* ---- numbers with names ----------------------------------------------- */

void out_name(struct out *o, enum name_set set, uint64_t value)
{
	const char *name = name_of(set, value);

	if (name)
		out_str(o, name);
	else if (value < 1 << 16)
		out_uint(o, value, 1);
	else
		out_hex(o, value);
}

void out_flags(struct out *o, enum name_set set, uint64_t value)
{
	bool first = true;

	for (int i = 0; i < n_names && value; i++) {
		uint64_t v = names[i].value & 0xffffffff;
		if (names[i].set != set || !v || (value & v) != v)
			continue;
		if (!first)
			out_char(o, '|');
		out_str(o, names[i].name);
		value &= ~v;
		first = false;
	}
	if (value || first) {
		if (!first)
			out_char(o, '|');
		if (value)
			out_hex(o, value);
		else
			out_char(o, '0');
	}
}

/* ---- one function per kind -------------------------------------------- */

struct arg {
	const struct event *e;
	int param;
	uint64_t value;			/* where the kind has bytes */
	struct item item;
	const uint8_t *data;		/* the item, or NULL */
};

typedef void show_fn(struct out *o, const struct arg *a);

static void show_int(struct out *o, const struct arg *a)
{
	out_int(o, a->value);
}

static void show_uint(struct out *o, const struct arg *a)
{
	out_uint(o, (uint32_t)a->value, 1);
}

static void show_len(struct out *o, const struct arg *a)
{
	/* a length that was -1 before it became a size_t is shown as such */
	if (a->value > INT64_MAX) {
		out_int(o, a->value);
		out_str(o, " (as size_t)");
	} else {
		out_uint(o, a->value, 1);
	}
}

static void show_fd(struct out *o, const struct arg *a)
{
	out_fd(o, a->e->rec->fd, a->e->conn);
}

static void show_either(struct out *o, const struct arg *a)
{
	if ((int32_t)a->value == a->e->rec->fd)
		show_fd(o, a);
	else
		out_int(o, (int32_t)a->value);
}

static void show_socktype(struct out *o, const struct arg *a)
{
	int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	out_name(o, NAMES_SOCKTYPE, a->value & ~flags & 0xffffffff);
	if (a->value & flags) {
		out_char(o, '|');
		out_flags(o, NAMES_SOCKFLAGS, a->value & flags);
	}
}

static void show_soname(struct out *o, const struct arg *a)
{
	switch ((int)rec_arg(a->e->rec, a->param - 1)) {
	case SOL_SOCKET:
		out_name(o, NAMES_SO, a->value);
		break;
	case IPPROTO_TCP:
		out_name(o, NAMES_TCP, a->value);
		break;
	case IPPROTO_IP:
		out_name(o, NAMES_IP, a->value);
		break;
	case IPPROTO_IPV6:
		out_name(o, NAMES_IPV6, a->value);
		break;
	default:
		out_int(o, a->value);
	}
}

static void show_fcntlarg(struct out *o, const struct arg *a)
{
	switch ((int)rec_arg(a->e->rec, a->param - 1)) {
	case F_GETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETSIG:
		break;
	case F_SETFL:
		out_flags(o, NAMES_OPENFLAGS, (uint32_t)a->value);
		break;
	case F_SETFD:
		out_flags(o, NAMES_FDFLAGS, (uint32_t)a->value);
		break;
	default:
		out_int(o, (int32_t)a->value);
	}
}

static void show_signum(struct out *o, const struct arg *a)
{
	out_name(o, NAMES_SIGNUM, (uint32_t)a->value);
}

void out_handler(struct out *o, uint64_t handler)
{
	if (handler == (uintptr_t)SIG_DFL)
		out_str(o, "SIG_DFL");
	else if (handler == (uintptr_t)SIG_IGN)
		out_str(o, "SIG_IGN");
	else if (handler == (uintptr_t)SIG_ERR)
		out_str(o, "SIG_ERR");
	else
		out_hex(o, handler);
}

static void show_disposition(struct out *o, const struct arg *a)
{
	out_handler(o, a->value);
}

static void show_absent(struct out *o, const struct arg *a)
{
	out_str(o, a->data && a->item.bits & ITEM_NULL ? "NULL" : "?");
}

static bool absent(const struct arg *a)
{
	return !a->data || a->item.bits & ITEM_NULL;
}

static void show_addr(struct out *o, const struct arg *a)
{
	if (absent(a))
		show_absent(o, a);
	else
		out_addr(o, a->data, a->item.len);
}

static void show_text(struct out *o, const struct arg *a)
{
	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_quoted(o, a->data, a->item.len);
	if (a->item.bits & ITEM_CUT)
		out_str(o, "...");
}

/* MSG: one byte of address length, the address, the first data bytes. */
static void show_msg(struct out *o, const struct arg *a)
{
	struct arg data = *a;
	int alen;

	if (absent(a) || !a->item.len || a->data[0] >= a->item.len) {
		show_absent(o, a);
		return;
	}
	alen = a->data[0];
	out_char(o, '{');
	if (alen) {
		out_addr(o, a->data + 1, alen);
		out_str(o, ", ");
	}
	data.data += 1 + alen;
	data.item.len -= 1 + alen;
	if (data.item.len || !(a->item.bits & ITEM_CUT))
		show_text(o, &data);
	else
		out_str(o, "...");
	out_char(o, '}');
}

/* Numbers of 4 bytes in brackets: lengths, ready descriptors, a pair. */
static void show_list(struct out *o, const struct arg *a)
{
	int32_t n;

	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_char(o, '[');
	for (int i = 0; i + 4 <= a->item.len; i += 4) {
		memcpy(&n, a->data + i, 4);
		if (i)
			out_str(o, ", ");
		out_int(o, n);
	}
	if (a->item.bits & ITEM_CUT)
		out_str(o, ", ...");
	out_char(o, ']');
}

/* A time of 8 bytes, in ns. */
static void show_time(struct out *o, const struct arg *a)
{
	int64_t ns;

	if (absent(a) || a->item.len != sizeof ns) {
		show_absent(o, a);
		return;
	}
	memcpy(&ns, a->data, sizeof ns);
	out_seconds(o, ns);
	out_char(o, 's');
}

static void show_opt(struct out *o, const struct arg *a)
{
	const struct rec *r = a->e->rec;
	int level = a->param > 1 ? (int)rec_arg(r, a->param - 2) : 0;
	int name = a->param > 0 ? (int)rec_arg(r, a->param - 1) : 0;
	const struct errno_row *err;
	int32_t n[2] = { 0 };
	int64_t t[2] = { 0 };

	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	memcpy(n, a->data, a->item.len < sizeof n ? a->item.len : sizeof n);
	memcpy(t, a->data, a->item.len < sizeof t ? a->item.len : sizeof t);
	if (level == SOL_SOCKET && name == SO_ERROR && n[0] &&
	    (err = errno_row(n[0]))) {
		out_str(o, err->name);
	} else if (level == SOL_SOCKET && name == SO_LINGER &&
		   a->item.len == 8) {
		out_str(o, n[0] ? "{on, " : "{off, ");
		out_int(o, n[1]);
		out_str(o, "s}");
	} else if (level == SOL_SOCKET && a->item.len == 16 &&
		   (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
		out_seconds(o, (int64_t)((uint64_t)t[0] * 1000000000 +
					 (uint64_t)t[1] * 1000));
		out_char(o, 's');
	} else if (a->item.len == 4) {
		out_int(o, n[0]);
	} else {
		show_text(o, a);
	}
}

static void show_pollfds(struct out *o, const struct arg *a)
{
	struct pollfd p;

	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_char(o, '[');
	for (unsigned i = 0; i + sizeof p <= a->item.len; i += sizeof p) {
		memcpy(&p, a->data + i, sizeof p);
		if (i)
			out_str(o, ", ");
		out_int(o, p.fd);
		out_char(o, ' ');
		out_flags(o, NAMES_POLL, (uint16_t)p.events);
		if (p.revents) {
			out_str(o, "=>");
			out_flags(o, NAMES_POLL, (uint16_t)p.revents);
		}
	}
	if (a->item.bits & ITEM_CUT)
		out_str(o, ", ...");
	out_char(o, ']');
}

/* epoll events, 12 bytes each whatever the machine: events, data. */
static void show_events(struct out *o, const struct arg *a)
{
	uint32_t events;
	uint64_t data;

	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_char(o, '[');
	for (int i = 0; i + 12 <= a->item.len; i += 12) {
		memcpy(&events, a->data + i, 4);
		memcpy(&data, a->data + i + 4, 8);
		if (i)
			out_str(o, ", ");
		out_flags(o, NAMES_EPOLL, events);
		out_str(o, " data=");
		if (data < 1 << 20)
			out_uint(o, data, 1);
		else
			out_hex(o, data);
	}
	if (a->item.bits & ITEM_CUT)
		out_str(o, ", ...");
	out_char(o, ']');
}

/* Strings one after the other, each with its 0. */
static void show_argv(struct out *o, const struct arg *a)
{
	int at = 0;

	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_char(o, '[');
	while (at < a->item.len) {
		int len = strnlen((const char *)a->data + at,
				  a->item.len - at);
		if (at)
			out_str(o, ", ");
		out_quoted(o, a->data + at, len);
		at += len + 1;
	}
	if (a->item.bits & ITEM_CUT)
		out_str(o, ", ...");
	out_char(o, ']');
}

/* Addresses, each with a byte of length in front. */
static void show_addrinfo(struct out *o, const struct arg *a)
{
	if (absent(a)) {
		show_absent(o, a);
		return;
	}
	out_char(o, '[');
	for (int at = 0; at < a->item.len; at += 1 + a->data[at]) {
		if (a->data[at] > a->item.len - at - 1)
			break;
		if (at)
			out_str(o, ", ");
		out_addr(o, a->data + at + 1, a->data[at]);
	}
	if (a->item.bits & ITEM_CUT)
		out_str(o, ", ...");
	out_char(o, ']');
}

static void show_sigact(struct out *o, const struct arg *a)
{
	uint64_t handler;
	uint32_t flags;

	if (absent(a) || a->item.len != 12) {
		show_absent(o, a);
		return;
	}
	memcpy(&handler, a->data, 8);
	memcpy(&flags, a->data + 8, 4);
	out_char(o, '{');
	out_handler(o, handler);
	out_str(o, ", ");
	out_flags(o, NAMES_SIGFLAGS, flags & ~0x04000000); /* SA_RESTORER */
	out_char(o, '}');
}

static void show_aio(struct out *o, const struct arg *a)
{
	uint64_t len;

	show_fd(o, a);
	if (a->data && a->item.len == sizeof len) {
		memcpy(&len, a->data, sizeof len);
		out_str(o, ", ");
		out_uint(o, len, 1);
	}
}

/* How a kind is shown: by a function, or as names of a set. */
static const struct {
	show_fn *show;
	bool optional;			/* left out when there is no payload */
	bool flags, enumerated;
	uint8_t set;
} kinds[] = {
	[KIND_SOCK] = { .show = show_fd },
	[KIND_FD] = { .show = show_fd },
	[KIND_STREAM] = { .show = show_fd },
	[KIND_EITHER] = { .show = show_either },
	[KIND_INT] = { .show = show_int },
	[KIND_UINT] = { .show = show_uint },
	[KIND_LEN] = { .show = show_len },
	[KIND_OFFSET] = { .show = show_int },
	[KIND_DOMAIN] = { .enumerated = true, .set = NAMES_DOMAIN },
	[KIND_SOCKTYPE] = { .show = show_socktype },
	[KIND_SOCKFLAGS] = { .flags = true, .set = NAMES_SOCKFLAGS },
	[KIND_HOW] = { .enumerated = true, .set = NAMES_HOW },
	[KIND_SOLEVEL] = { .enumerated = true, .set = NAMES_SOLEVEL },
	[KIND_SONAME] = { .show = show_soname },
	[KIND_FILETYPE] = { .enumerated = true, .set = NAMES_FILETYPE },
	[KIND_MSGFLAGS] = { .flags = true, .set = NAMES_MSGFLAGS },
	[KIND_RWFLAGS] = { .flags = true, .set = NAMES_RWFLAGS },
	[KIND_SPLICEFLAGS] = { .flags = true, .set = NAMES_SPLICEFLAGS },
	[KIND_OPENFLAGS] = { .flags = true, .set = NAMES_OPENFLAGS },
	[KIND_FCNTL] = { .enumerated = true, .set = NAMES_FCNTL },
	[KIND_FCNTLARG] = { .show = show_fcntlarg },
	[KIND_IOCTL] = { .enumerated = true, .set = NAMES_IOCTL },
	[KIND_EPOLLFLAGS] = { .flags = true, .set = NAMES_EPOLLFLAGS },
	[KIND_EPOLLOP] = { .enumerated = true, .set = NAMES_EPOLLOP },
	[KIND_CLONEFLAGS] = { .flags = true, .set = NAMES_CLONEFLAGS },
	[KIND_SIGNUM] = { .show = show_signum },
	[KIND_DISPOSITION] = { .show = show_disposition },
	[KIND_SYSCALL] = { .show = show_len },
	[KIND_ADDR] = { .show = show_addr },
	[KIND_ADDROUT] = { .show = show_addr, .optional = true },
	[KIND_DATA] = { .show = show_text, .optional = true },
	[KIND_ITEMDATA] = { .show = show_text, .optional = true },
	[KIND_IOV] = { .show = show_text, .optional = true },
	[KIND_MSG] = { .show = show_msg, .optional = true },
	[KIND_MSGIN] = { .show = show_msg, .optional = true },
	[KIND_MMSG] = { .show = show_list, .optional = true },
	[KIND_MMSGIN] = { .show = show_list, .optional = true },
	[KIND_OPTIN] = { .show = show_opt },
	[KIND_OPTOUT] = { .show = show_opt, .optional = true },
	[KIND_POLLFDS] = { .show = show_pollfds },
	[KIND_FDSET] = { .show = show_list },
	[KIND_TIMEVAL] = { .show = show_time },
	[KIND_TIMESPEC] = { .show = show_time },
	[KIND_EVENT] = { .show = show_events },
	[KIND_EVENTS] = { .show = show_events, .optional = true },
	[KIND_STRING] = { .show = show_text },
	[KIND_NAMEOUT] = { .show = show_text, .optional = true },
	[KIND_LINE] = { .show = show_text, .optional = true },
	[KIND_LINEPTR] = { .show = show_text, .optional = true },
	[KIND_ARGV] = { .show = show_argv },
	[KIND_PIDPTR] = { .show = show_list, .optional = true },
	[KIND_FDPAIR] = { .show = show_list, .optional = true },
	[KIND_ADDRINFO] = { .show = show_addrinfo, .optional = true },
	[KIND_AIO] = { .show = show_aio },
	[KIND_SIGACT] = { .show = show_sigact },
};

static bool kind_shown(int kind, const struct arg *a)
{
	if (kind == KIND_SKIP || kind == KIND_NEWNAME || (kinds[kind].optional && absent(a)))
		return false;
	/* no flags, nothing to say */
	if (kinds[kind].flags && !a->value)
		return kind == KIND_MSGFLAGS;
	if (kind == KIND_FCNTLARG) {
		int cmd = rec_arg(a->e->rec, a->param - 1);
		return cmd != F_GETFD && cmd != F_GETFL && cmd != F_GETOWN &&
		       cmd != F_GETSIG;
	}
	return true;
}

static void out_arg(struct out *o, int kind, const struct arg *a)
{
	if (kinds[kind].show)
		kinds[kind].show(o, a);
	else if (kinds[kind].flags)
		out_flags(o, kinds[kind].set, (uint32_t)a->value);
	else
		out_name(o, kinds[kind].set, kind == KIND_IOCTL
				? a->value : (uint32_t)a->value);
}

void out_args(struct out *o, const struct event *e)
{
	const uint8_t *row = calls[e->rec->call].kinds;
	bool first = true;

	for (int i = 0; row[i] != KIND_END; i++) {
		struct arg a = { .e = e, .param = i,
				 .value = rec_arg(e->rec, i) };
		a.data = payload_find(e->payload, e->payload_len, i, &a.item);
		if (!kind_shown(row[i], &a))
			continue;
		if (!first)
			out_str(o, ", ");
		first = false;
		out_arg(o, row[i], &a);
	}
}
