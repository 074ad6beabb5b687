/* SPDX-License-Identifier: MIT */
/*
 * The values of fields.  The grammar stands above each function; a value goes
 * to the end of its word.
 */
#include "parse.h"

#include <errno.h>
#include <string.h>

/* The value must have ended here. */
static void ended(struct parse *p, const char *at, const char *what)
{
	if (at < p->end)
		parse_fail(p, at, what);
}

/* ---- words -------------------------------------------------------------- */

/* One of the words, its number; a value that is none has its error told. */
static int one_of(struct parse *p, const char *at, const char *const *words,
		  const char *what)
{
	for (int i = 0; words[i]; i++)
		if (parse_is(at, p->end, words[i]))
			return i;
	parse_fail(p, at, what);
	return 0;
}

static void value_PROTO(struct parse *p, const char *at)
{
	static const char *const words[] = { "tcp", "udp", "unix", NULL };
	static const uint8_t protos[] = { IS_TCP, IS_UDP, IS_UNIX };

	p->rule->protos = protos[one_of(p, at, words, "expected tcp, udp or "
					"unix")];
}

static void value_ROLE(struct parse *p, const char *at)
{
	static const char *const words[] = {
		[ROLE_IS_CLIENT] = "client", [ROLE_IS_SERVER] = "server",
		[ROLE_IS_LISTENER] = "listener", [ROLE_IS_PAIR] = "pair", NULL
	};

	p->rule->role = one_of(p, at, words, "expected client, server, "
			       "listener or pair");
}

static void value_PER(struct parse *p, const char *at)
{
	static const char *const words[] = {
		[PER_PROCESS] = "process", [PER_CONN] = "conn",
		[PER_THREAD] = "thread", [PER_TREE] = "tree", NULL
	};

	p->rule->per = one_of(p, at, words, "expected process, conn, "
			      "thread or tree");
}

/* The n-th name of a set of names.def, or NULL. */
static const struct name_row *nth_name(enum name_set set, int n)
{
	for (int i = 0; i < n_names; i++)
		if (names[i].set == set && !n--)
			return &names[i];
	return NULL;
}

static const char *known_signal(int i)
{
	const struct name_row *row = nth_name(NAMES_SIGNUM, i);

	return row ? row->name : NULL;
}

/* SIG = a name of signal(7), with or without its SIG */
static void value_SIGNAL(struct parse *p, const char *at)
{
	const struct name_row *row;

	for (int i = 0; (row = nth_name(NAMES_SIGNUM, i)); i++)
		if (parse_is(at, p->end, row->name) ||
		    parse_is(at, p->end, row->name + strlen("SIG"))) {
			p->rule->signal = (int)row->value;
			return;
		}
	parse_unknown(p, at, p->end, "expected the name of a signal",
		      known_signal, "");
}

static const char *known_error(int i)
{
	const struct name_row *row;

	if (i < n_errnos)
		return errnos[i].name;
	row = nth_name(NAMES_EAI, i - n_errnos);
	return row ? row->name : NULL;
}

/* ERRNO = a name of errno(3), or an EAI_ code */
static int error_value(struct parse *p, const char *at)
{
	const struct name_row *row;

	if (parse_is(at, p->end, "EWOULDBLOCK"))
		return EAGAIN;
	for (int i = 0; i < n_errnos; i++)
		if (parse_is(at, p->end, errnos[i].name))
			return errnos[i].number;
	for (int i = 0; (row = nth_name(NAMES_EAI, i)); i++)
		if (parse_is(at, p->end, row->name))
			return (int)row->value;
	parse_unknown(p, at, p->end, "expected the name of an error",
		      known_error, " (sockwrench list errors)");
	return EINVAL;
}

static void value_ERROR(struct parse *p, const char *at)
{
	p->rule->error = error_value(p, at);
}

static void value_THEN(struct parse *p, const char *at)
{
	p->rule->then = parse_is(at, p->end, "0") ? 0 : error_value(p, at);
}

static const char *known_call(int i)
{
	return i < CALLS ? calls[i].name : NULL;
}

int parse_call(struct parse *p, const char *at, const char *end,
	       const char *what)
{
	int id = at < end ? call_find(at, end - at) : -1;

	if (id < 0)
		parse_unknown(p, at, end, what, known_call,
			      " (sockwrench list calls)");
	return id;
}

/* CALL {"," CALL} */
static void value_VIA(struct parse *p, const char *at)
{
	for (;;) {
		const char *comma = memchr(at, ',', p->end - at);
		const char *end = comma ? comma : p->end;
		int id = parse_call(p, at, end, "expected a function");
		if (id >= 0)
			call_set_add(&p->rule->via, id);
		if (!comma)
			return;
		at = comma + 1;
		p->failed = false;
	}
}

/* ---- the other matchers ------------------------------------------------- */

static void value_PEER(struct parse *p, const char *at)
{
	parse_address(p, at, &p->rule->addr[1]);
}

static void value_LOCAL(struct parse *p, const char *at)
{
	parse_address(p, at, &p->rule->addr[0]);
}

static void value_FD(struct parse *p, const char *at)
{
	p->rule->fd = parse_whole(p, at, 0, INT32_MAX, "expected a "
				  "descriptor's number");
}

static void value_CONN(struct parse *p, const char *at)
{
	p->rule->conn = parse_whole(p, at, 1, UINT32_MAX, "expected a "
				    "connection's number, from 1,");
}

static void value_EXE(struct parse *p, const char *at)
{
	p->rule->exe = (struct span){ at, p->end - at };
}

static void value_NAME(struct parse *p, const char *at)
{
	p->rule->name = (struct span){ at, p->end - at };
}

/* MODULE "+0x" HEX */
static void one_from(struct parse *p, const char *at, const char *end)
{
	struct rule_from *f = &p->rule->from[p->rule->froms++];
	const char *plus = end;

	while (plus > at && *plus != '+')
		plus--;
	f->module = (struct span){ at, plus - at };
	if (plus == at || end - plus < 4 || end - plus > 18 || plus[1] != '0' ||
	    plus[2] != 'x')
		goto bad;
	for (f->offset = 0, plus += 3; plus < end; plus++) {
		const char *digits = "0123456789abcdef";
		const char *d = memchr(digits, *plus | 32, 16);
		if (!d)
			goto bad;
		f->offset = f->offset * 16 + (d - digits);
	}
	return;
bad:
	parse_fail(p, at, "expected MODULE+0xOFFSET");
}

/* FROM ["<" FROM]... */
static void value_FROM(struct parse *p, const char *at)
{
	while (!p->failed) {
		const char *end = memchr(at, '<', p->end - at);
		if (p->rule->froms == FROM_MOST) {
			parse_fail(p, at, "expected at most 4 places");
			return;
		}
		one_from(p, at, end ? end : p->end);
		if (!end)
			return;
		at = end + 1;
	}
}

/* BYTES | BYTES ".." [BYTES] */
static void value_SIZE(struct parse *p, const char *at)
{
	uint64_t *size = p->rule->size;
	const char *start = at;

	at = parse_bytes(p, at, &size[0]);
	size[1] = size[0];
	if (parse_skip(&at, p->end, "..")) {
		size[1] = UINT64_MAX;
		if (at < p->end)
			at = parse_bytes(p, at, &size[1]);
	}
	ended(p, at, "expected MIN..MAX, in bytes,");
	if (size[1] < size[0])
		parse_fail(p, start, "expected the smaller size first");
}

static void value_AT(struct parse *p, const char *at)
{
	ended(p, parse_bytes(p, at, &p->rule->at), "expected one number of "
	      "bytes");
}

static void one_time(struct parse *p, const char *at, int64_t *ns)
{
	ended(p, parse_time(p, at, ns), "expected one time");
}

static void value_AFTER(struct parse *p, const char *at)
{
	one_time(p, at, &p->rule->after);
}

/* A count that is not 0; counters have 32 bits. */
static bool count(struct parse *p, const char **at, uint64_t *n)
{
	const char *start = *at;

	if (parse_number(at, p->end, n) && *n && *n <= UINT32_MAX)
		return true;
	parse_fail(p, start, "expected a number from 1 to 4294967295");
	return false;
}

/* FIRST [".." LAST] ["+" [STEP]] */
static void value_WHEN(struct parse *p, const char *at)
{
	struct rule *r = p->rule;
	const char *start = at;

	r->step = 1;
	if (!count(p, &at, &r->first))
		return;
	r->last = r->first;
	if (parse_skip(&at, p->end, "..")) {
		if (count(p, &at, &r->last) && r->last < r->first)
			parse_fail(p, start, "expected a last call that is "
				   "not before the first");
	} else if (at < p->end && *at == '+') {
		r->last = UINT64_MAX;
	}
	if (parse_skip(&at, p->end, "+") && at < p->end)
		count(p, &at, &r->step);
	ended(p, at, "expected FIRST[..LAST][+[STEP]]");
}

/* NUMBER "%" */
static void value_PROB(struct parse *p, const char *at)
{
	const char *start = at;
	uint32_t billionths;
	uint64_t n;

	if (parse_decimal(&at, p->end, &n, &billionths) && n <= 100 &&
	    parse_is(at, p->end, "%")) {
		n = n * 10000 + billionths / 100000;
		if (n && n <= 1000000) {
			p->rule->prob = n;
			return;
		}
	}
	parse_fail(p, start, "expected a percentage from 0.0001% to 100%");
}

static void value_LIMIT(struct parse *p, const char *at)
{
	p->rule->limit = parse_whole(p, at, 1, UINT32_MAX, "expected a number "
				     "of times, from 1,");
}

/* ---- actions ------------------------------------------------------------ */

/* N "%" | BYTES [".." BYTES] */
static void value_SHORT(struct parse *p, const char *at)
{
	const char *start = at;
	struct rule *r = p->rule;

	at = parse_bytes(p, at, &r->amount[0]);
	r->amount[1] = r->amount[0];
	if (parse_skip(&at, p->end, "%")) {
		r->percent = true;
		if (!r->amount[0] || r->amount[0] >= 100)
			parse_fail(p, start, "expected a part from 1% to 99%");
	} else if (parse_skip(&at, p->end, "..")) {
		at = parse_bytes(p, at, &r->amount[1]);
		if (r->amount[1] < r->amount[0])
			parse_fail(p, start, "expected the smaller number "
				   "first");
	}
	ended(p, at, "expected BYTES, BYTES..BYTES or N%");
	if (!r->amount[0])
		parse_fail(p, start, "expected at least 1 byte, since 0 would "
			   "mean the end,");
}

/* TIME [".." TIME], more than none */
static void time_range(struct parse *p, const char *at, int64_t *t)
{
	const char *start = at;

	at = parse_time(p, at, &t[0]);
	t[1] = t[0];
	if (parse_skip(&at, p->end, ".."))
		at = parse_time(p, at, &t[1]);
	ended(p, at, "expected TIME or TIME..TIME");
	if (t[1] < t[0])
		parse_fail(p, start, "expected the shorter time first");
	if (!t[1])
		parse_fail(p, start, "expected a time longer than 0");
}

/* None is as good as any: the connection is there at once. */
static void value_INPROGRESS(struct parse *p, const char *at)
{
	int64_t *t = p->rule->time;

	one_time(p, at, &t[0]);
	t[1] = t[0];
}

static void value_LATENCY(struct parse *p, const char *at)
{
	time_range(p, at, p->rule->time);
}

static void value_DELAY(struct parse *p, const char *at)
{
	time_range(p, at, p->rule->delay);
}

/* TIME | "forever" */
static void value_STALL(struct parse *p, const char *at)
{
	int64_t *t = p->rule->time;
	const char *start = at;

	if (parse_is(at, p->end, "forever")) {
		t[0] = t[1] = FOREVER;
		return;
	}
	ended(p, parse_time(p, at, &t[0]), "expected one time, or forever,");
	t[1] = t[0];
	if (!t[0])
		parse_fail(p, start, "expected a time longer than 0");
}

/* BYTES "/s" */
static void value_RATE(struct parse *p, const char *at)
{
	const char *start = at;

	at = parse_bytes(p, at, &p->rule->rate);
	if (!parse_is(at, p->end, "/s") || !p->rule->rate)
		parse_fail(p, start, "expected bytes a second, such as "
			   "64KiB/s,");
}

static void value_NUMBER(struct parse *p, const char *at)
{
	p->rule->number = parse_whole(p, at, 0, 1 << 20, "expected a "
				      "descriptor's number up to 1048576");
}

/* ---- the table ---------------------------------------------------------- */

#define value_BLOCKING NULL
#define value_NONBLOCKING NULL
#define value_RESET NULL
#define value_EOF NULL
#define value_PASS NULL
#define value_ONCE NULL
#define value_FORCE NULL

void (*const parse_value[FIELDS])(struct parse *p, const char *at) = {
#define FIELD(id, name, value, class, families, doc) value_##id,
#include "fields.def"
#undef FIELD
};
