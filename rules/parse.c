/* SPDX-License-Identifier: MIT */
/*
 * The parser of rules.  By hand, the grammar above each function; a line goes
 * through to its end, so that all its errors are told at once.
 */
#include "rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct parse {
	struct rules *set;
	struct rule *rule;
	const char *line;		/* its first byte: column 1 */
	const char *word, *end;		/* the word at hand */
	bool failed;			/* that word is told already */
};

/* ---- errors ------------------------------------------------------------ */

static void put(struct rule_err *e, size_t *at, const char *s, size_t len)
{
	while (len-- && *at < sizeof e->msg - 1) {
		char c = *s++;
		e->msg[(*at)++] = c < ' ' || c == 127 ? '?' : c;
	}
	e->msg[*at] = 0;
}

void rule_complain(struct rules *set, struct span file, int line, int col,
		   ...)
{
	struct rule_err e = { .file = file, .line = line, .col = col };
	const char *s;
	size_t at = 0;
	va_list list;

	va_start(list, col);
	while ((s = va_arg(list, const char *)))
		put(&e, &at, s, strlen(s));
	va_end(list);
	set->errors++;
	if (set->report)
		set->report(&e, set->ctx);
}

/* One word of the text as a string, cut where it is long. */
struct quoted {
	char s[64];
};

static const char *quote(struct quoted *q, const char *s, const char *end)
{
	size_t len = end - s;

	if (len > sizeof q->s - 4) {
		memcpy(q->s, s, sizeof q->s - 4);
		memcpy(q->s + sizeof q->s - 4, "...", 4);
	} else {
		memcpy(q->s, s, len);
		q->s[len] = 0;
	}
	return q->s;
}

/* what, near the rest of the word from at */
static void fail(struct parse *p, const char *at, const char *what)
{
	const struct rule *r = p->rule;
	int col = at - p->line + 1;
	struct quoted q;

	if (p->failed)
		return;
	p->failed = true;
	if (at < p->end)
		rule_complain(p->set, r->file, r->line, col, what, " near '",
			      quote(&q, at, p->end), "'", NULL);
	else
		rule_complain(p->set, r->file, r->line, col, what,
			      " at the end of '",
			      quote(&q, p->word, p->end), "'", NULL);
}

/* No such WHAT, with the nearest known one where there is one. */
static void unknown(struct parse *p, const char *at, const char *end,
		    const char *what, const char *(*known)(int))
{
	const char *near = word_nearest(at, end - at, known);
	const struct rule *r = p->rule;
	int col = at - p->line + 1;
	struct quoted q;

	if (p->failed)
		return;
	p->failed = true;
	quote(&q, at, end);
	if (near)
		rule_complain(p->set, r->file, r->line, col, "expected ", what,
			      " near '", q.s, "', the nearest is '", near,
			      "'", NULL);
	else
		rule_complain(p->set, r->file, r->line, col, "expected ", what,
			      " near '", q.s, "'", NULL);
}

static bool is(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - at) == len && !memcmp(at, word, len);
}

/* ---- numbers and units ------------------------------------------------- */

static bool digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* DIGITS; false: none there, or beyond 10^18 */
static bool number(const char **at, const char *end, uint64_t *n)
{
	const char *start = *at;

	*n = 0;
	while (digit(*at, end)) {
		if (*n >= UINT64_C(100000000000000000))
			return false;
		*n = *n * 10 + (*(*at)++ - '0');
	}
	return *at > start;
}

/* A whole value that is a number from min to max. */
static uint64_t whole(struct parse *p, const char *at, uint64_t min,
		      uint64_t max, const char *what)
{
	const char *start = at;
	uint64_t n = min;

	if (!number(&at, p->end, &n) || n < min || n > max)
		fail(p, start, what);
	else if (at < p->end)
		fail(p, at, what);
	return n;
}

/* DIGITS[.DIGITS] in units of a millionth of scale */
static bool decimal(const char **at, const char *end, uint64_t scale,
		    uint64_t *value)
{
	uint64_t n, part = scale;

	if (!number(at, end, &n) || n > UINT64_C(1000000000000))
		return false;
	*value = n * scale;
	if (*at == end || **at != '.' || !digit(*at + 1, end))
		return true;
	for ((*at)++; digit(*at, end); (*at)++) {
		part /= 10;
		*value += part * (**at - '0');
	}
	return true;
}

struct unit {
	const char *name;
	uint64_t scale;
};

/* The unit that stands at *at; NULL: none. */
static const struct unit *unit(const struct unit *units, const char **at,
			       const char *end)
{
	for (; units->name; units++) {
		size_t len = strlen(units->name);
		if ((size_t)(end - *at) < len || memcmp(*at, units->name, len))
			continue;
		*at += len;
		return units;
	}
	return NULL;
}

/* TIME = NUMBER ("ns" | "us" | "ms" | "s" | "m" | "h") */
static const char *time_value(struct parse *p, const char *at, int64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", UINT64_C(60000000000) },
		{ "h", UINT64_C(3600000000000) }, { 0 }
	};
	const char *start = at, *what = "expected a time with its unit, "
				       "such as 250ms or 2s,";
	uint64_t n, whole_part;
	const struct unit *u;

	if (!decimal(&at, p->end, 1000000000, &n)) {
		fail(p, start, what);
		return at;
	}
	u = unit(units, &at, p->end);
	whole_part = n / 1000000000;
	if (!u)
		fail(p, start, what);
	else if (whole_part > UINT64_C(1000000000000000000) / u->scale)
		fail(p, start, "expected a time under 30 years");
	else
		*ns = whole_part * u->scale +
		      n % 1000000000 * u->scale / 1000000000;
	return at;
}

static const struct unit byte_units[] = {
	{ "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
	{ "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "B", 1 },
	{ 0 }
};

/* BYTES = NUMBER ["B" | "kB" | "KiB" | "MB" | "MiB" | "GB" | "GiB"] */
static const char *bytes(struct parse *p, const char *at, uint64_t *n)
{
	const char *start = at, *what = "expected a number of bytes, such as "
				       "4096 or 64KiB,";
	const struct unit *u;

	*n = 0;
	if (!number(&at, p->end, n)) {
		fail(p, start, what);
		return at;
	}
	u = unit(byte_units, &at, p->end);
	if (u && *n > UINT64_C(1000000000000000) / u->scale)
		fail(p, start, "expected fewer than 10^15 bytes");
	else if (u)
		*n *= u->scale;
	return at;
}

/* A value that must have ended here. */
static void ended(struct parse *p, const char *at, const char *what)
{
	if (at < p->end)
		fail(p, at, what);
}

static bool skip(const char **at, const char *end, const char *s)
{
	size_t len = strlen(s);

	if ((size_t)(end - *at) < len || memcmp(*at, s, len))
		return false;
	*at += len;
	return true;
}

/* ---- the values of fields ---------------------------------------------- */

/* [ADDR[/BITS]]:PORT where ADDR is an IPv4 address or "*" */
static void parse_ip4(struct parse *p, const char *at, const char *colon,
		      struct addr_match *m)
{
	const char *slash = memchr(at, '/', colon - at);
	const char *stop = slash ? slash : colon;
	const char *what = "expected an address: 10.0.0.1, 10.0.0.0/8, * or "
			   "[::1]";
	struct quoted q;
	uint64_t bits = 32;

	if (is(at, stop, "*") && !slash) {
		m->kind = ADDR_ANY;
		return;
	}
	m->kind = ADDR_IP4;
	if (stop - at >= 16 || inet_pton(AF_INET, quote(&q, at, stop),
					 m->ip) != 1)
		fail(p, at, what);
	if (slash) {
		at = slash + 1;
		if (!number(&at, colon, &bits) || at != colon || bits > 32)
			fail(p, slash + 1, "expected a prefix from 0 to 32");
	}
	m->bits = bits;
}

/* "[" IPv6 "]" ["/" BITS] */
static const char *parse_ip6(struct parse *p, const char *at,
			     struct addr_match *m)
{
	const char *close = memchr(at, ']', p->end - at);
	uint64_t bits = 128;
	struct quoted q;

	m->kind = ADDR_IP6;
	if (!close || close - at > 48 ||
	    inet_pton(AF_INET6, quote(&q, at + 1, close), m->ip) != 1) {
		fail(p, at, "expected an IPv6 address in brackets");
		return p->end;
	}
	at = close + 1;
	if (at < p->end && *at == '/') {
		const char *start = ++at;
		if (!number(&at, p->end, &bits) || bits > 128)
			fail(p, start, "expected a prefix from 0 to 128");
	}
	m->bits = bits;
	return at;
}

/* ":" ("*" | NUMBER) */
static void parse_port(struct parse *p, const char *at, struct addr_match *m)
{
	if (at == p->end || *at != ':') {
		fail(p, at, "expected :PORT, or :* for any,");
		return;
	}
	m->port = -1;
	if (!is(++at, p->end, "*"))
		m->port = whole(p, at, 0, 65535,
				"expected a port from 0 to 65535, or *,");
}

/* ADDR = "unix:" ["@"] GLOB | "[" IPv6 "]" PORT | (IPv4 | "*") PORT */
static void parse_addr(struct parse *p, const char *at, struct addr_match *m)
{
	const char *colon;

	if (skip(&at, p->end, "unix:")) {
		m->kind = skip(&at, p->end, "@") ? ADDR_ABSTRACT : ADDR_PATH;
		m->glob = (struct span){ at, p->end - at };
		if (at == p->end)
			fail(p, at, "expected a path, or * for any,");
		return;
	}
	if (at < p->end && *at == '[') {
		parse_port(p, parse_ip6(p, at, m), m);
		return;
	}
	colon = memchr(at, ':', p->end - at);
	if (!colon) {
		fail(p, at, "expected ADDR:PORT, such as 127.0.0.1:80 or "
		     "*:443,");
		return;
	}
	parse_ip4(p, at, colon, m);
	parse_port(p, colon, m);
}

static void parse_PEER(struct parse *p, const char *at)
{
	parse_addr(p, at, &p->rule->addr[1]);
}

static void parse_LOCAL(struct parse *p, const char *at)
{
	parse_addr(p, at, &p->rule->addr[0]);
}

static void parse_PROTO(struct parse *p, const char *at)
{
	struct rule *r = p->rule;

	if (is(at, p->end, "tcp"))
		r->protos = IS_TCP;
	else if (is(at, p->end, "udp"))
		r->protos = IS_UDP;
	else if (is(at, p->end, "unix"))
		r->protos = IS_UNIX;
	else
		fail(p, at, "expected tcp, udp or unix");
}

static void parse_ROLE(struct parse *p, const char *at)
{
	static const char *const roles[] = {
		"client", "server", "listener", "pair"
	};

	for (int i = 0; i < 4; i++) {
		if (!is(at, p->end, roles[i]))
			continue;
		p->rule->role = i;
		return;
	}
	fail(p, at, "expected client, server, listener or pair");
}

static void parse_FD(struct parse *p, const char *at)
{
	p->rule->fd = whole(p, at, 0, INT32_MAX,
			    "expected a descriptor's number");
}

static void parse_CONN(struct parse *p, const char *at)
{
	p->rule->conn = whole(p, at, 1, UINT32_MAX,
			      "expected a connection's number, from 1,");
}

static const char *known_call(int i)
{
	return i < CALLS ? calls[i].name : NULL;
}

/* CALL {"," CALL} */
static void parse_VIA(struct parse *p, const char *at)
{
	for (;;) {
		const char *comma = memchr(at, ',', p->end - at);
		const char *end = comma ? comma : p->end;
		int id = call_find(at, end - at);
		if (id < 0 || end == at)
			unknown(p, at, end, "a function", known_call);
		else
			call_set_add(&p->rule->via, id);
		if (!comma)
			return;
		at = comma + 1;
	}
}

static void glob(struct parse *p, const char *at, struct span *to)
{
	*to = (struct span){ at, p->end - at };
	if (at == p->end)
		fail(p, at, "expected a name, * and ? stand for others,");
}

static void parse_EXE(struct parse *p, const char *at)
{
	glob(p, at, &p->rule->exe);
}

static void parse_NAME(struct parse *p, const char *at)
{
	glob(p, at, &p->rule->name);
}

static void parse_SIZE(struct parse *p, const char *at)
{
	uint64_t *size = p->rule->size;
	const char *start = at;

	at = bytes(p, at, &size[0]);
	size[1] = size[0];
	if (skip(&at, p->end, "..")) {
		size[1] = UINT64_MAX;
		if (at < p->end)
			at = bytes(p, at, &size[1]);
	}
	ended(p, at, "expected MIN..MAX, in bytes,");
	if (size[1] < size[0])
		fail(p, start, "expected the smaller size first");
}

static void parse_AT(struct parse *p, const char *at)
{
	ended(p, bytes(p, at, &p->rule->at), "expected a number of bytes, "
	      "such as 4096 or 64KiB,");
}

static void parse_AFTER(struct parse *p, const char *at)
{
	ended(p, time_value(p, at, &p->rule->after), "expected one time");
}

/* FIRST [".." LAST] ["+" [STEP]] */
static void parse_WHEN(struct parse *p, const char *at)
{
	const char *what = "expected FIRST[..LAST][+[STEP]], counted from 1,";
	struct rule *r = p->rule;
	const char *start = at;

	if (!number(&at, p->end, &r->first) || !r->first) {
		fail(p, start, what);
		return;
	}
	r->last = r->first;
	r->step = 1;
	if (skip(&at, p->end, "..")) {
		start = at;
		if (!number(&at, p->end, &r->last))
			fail(p, start, what);
		else if (r->last < r->first)
			fail(p, start, "expected a last call that is not "
			     "before the first");
	} else if (at < p->end && *at == '+') {
		r->last = UINT64_MAX;
	}
	if (skip(&at, p->end, "+") && at < p->end) {
		start = at;
		if (!number(&at, p->end, &r->step) || !r->step)
			fail(p, start, "expected a step of 1 or more");
	}
	ended(p, at, what);
}

static void parse_PER(struct parse *p, const char *at)
{
	struct rule *r = p->rule;

	if (is(at, p->end, "process"))
		r->per = PER_PROCESS;
	else if (is(at, p->end, "conn"))
		r->per = PER_CONN;
	else if (is(at, p->end, "thread"))
		r->per = PER_THREAD;
	else
		fail(p, at, "expected process, conn or thread");
}

static void parse_PROB(struct parse *p, const char *at)
{
	const char *what = "expected a percentage from 0.0001% to 100%,";
	const char *start = at;
	uint64_t n;

	if (!decimal(&at, p->end, 10000, &n) || !n || n > 1000000)
		fail(p, start, what);
	else if (!skip(&at, p->end, "%") || at < p->end)
		fail(p, start, what);
	else
		p->rule->prob = n;
}

static void parse_LIMIT(struct parse *p, const char *at)
{
	p->rule->limit = whole(p, at, 1, UINT32_MAX,
			       "expected a number of times, from 1,");
}

/* ---- actions ----------------------------------------------------------- */

static const char *known_error(int i)
{
	if (i < n_errnos)
		return errnos[i].name;
	for (int n = 0, at = n_errnos; n < n_names; n++)
		if (names[n].set == NAMES_EAI && at++ == i)
			return names[n].name;
	return NULL;
}

/* ERRNO = a name of errno.def, or an EAI_ code */
static int error_value(struct parse *p, const char *at)
{
	if (is(at, p->end, "EWOULDBLOCK"))
		return EAGAIN;
	for (int i = 0; i < n_errnos; i++)
		if (is(at, p->end, errnos[i].name))
			return errnos[i].number;
	for (int i = 0; i < n_names; i++)
		if (names[i].set == NAMES_EAI && is(at, p->end, names[i].name))
			return (int)names[i].value;
	unknown(p, at, p->end, "the name of an error", known_error);
	return EINVAL;
}

static void parse_ERROR(struct parse *p, const char *at)
{
	p->rule->error = error_value(p, at);
}

static void parse_THEN(struct parse *p, const char *at)
{
	p->rule->then = is(at, p->end, "0") ? 0 : error_value(p, at);
}

/* N "%" | BYTES [".." BYTES] */
static void parse_SHORT(struct parse *p, const char *at)
{
	const char *what = "expected a number of bytes, A..B or N%,";
	const char *start = at;
	struct rule *r = p->rule;

	at = bytes(p, at, &r->amount[0]);
	r->amount[1] = r->amount[0];
	if (skip(&at, p->end, "%")) {
		r->percent = true;
		if (!r->amount[0] || r->amount[0] >= 100)
			fail(p, start, "expected a part from 1% to 99%");
	} else if (skip(&at, p->end, "..")) {
		at = bytes(p, at, &r->amount[1]);
		if (r->amount[1] < r->amount[0])
			fail(p, start, "expected the smaller number first");
	}
	ended(p, at, what);
	if (!r->amount[0])
		fail(p, start, "expected at least 1 byte: 0 would mean the "
		     "end");
}

/* TIME [".." TIME] */
static void time_range(struct parse *p, const char *at, int64_t *t)
{
	const char *start = at;

	at = time_value(p, at, &t[0]);
	t[1] = t[0];
	if (skip(&at, p->end, ".."))
		at = time_value(p, at, &t[1]);
	ended(p, at, "expected TIME or TIME..TIME");
	if (t[1] < t[0])
		fail(p, start, "expected the shorter time first");
}

static void parse_INPROGRESS(struct parse *p, const char *at)
{
	int64_t *t = p->rule->time;

	ended(p, time_value(p, at, &t[0]), "expected one time");
	t[1] = t[0];
}

static void parse_LATENCY(struct parse *p, const char *at)
{
	time_range(p, at, p->rule->time);
}

static void parse_DELAY(struct parse *p, const char *at)
{
	time_range(p, at, p->rule->delay);
}

static void parse_STALL(struct parse *p, const char *at)
{
	int64_t *t = p->rule->time;

	if (is(at, p->end, "forever"))
		t[0] = FOREVER;
	else
		ended(p, time_value(p, at, &t[0]), "expected one time, or "
		      "forever");
	t[1] = t[0];
}

/* BYTES "/s" */
static void parse_RATE(struct parse *p, const char *at)
{
	const char *start = at, *what = "expected bytes a second, such as "
				       "64KiB/s,";
	at = bytes(p, at, &p->rule->rate);
	if (!skip(&at, p->end, "/s") || at < p->end || !p->rule->rate)
		fail(p, start, what);
}

static void parse_NUMBER(struct parse *p, const char *at)
{
	p->rule->number = whole(p, at, 0, 1 << 20, "expected a descriptor's "
				"number up to 1048576");
}

static const char *known_signal(int i)
{
	for (int n = 0, at = 0; n < n_names; n++)
		if (names[n].set == NAMES_SIGNUM && at++ == i)
			return names[n].name;
	return NULL;
}

static void parse_SIGNAL(struct parse *p, const char *at)
{
	for (int i = 0; i < n_names; i++) {
		if (names[i].set != NAMES_SIGNUM ||
		    !(is(at, p->end, names[i].name) ||
		      is(at, p->end, names[i].name + 3)))
			continue;
		p->rule->signal = names[i].value;
		return;
	}
	unknown(p, at, p->end, "the name of a signal", known_signal);
}

/* ---- a field ----------------------------------------------------------- */

static void no_value(struct parse *p, const char *at)
{
	(void)p;
	(void)at;
}
#define parse_BLOCKING no_value
#define parse_NONBLOCKING no_value
#define parse_RESET no_value
#define parse_EOF no_value
#define parse_PASS no_value
#define parse_ONCE no_value
#define parse_FORCE no_value

static void (*const parsers[FIELDS])(struct parse *p, const char *at) = {
#define FIELD(id, name, value, class, families, doc) parse_##id,
#include "fields.def"
#undef FIELD
};

static const char *known_field(int i)
{
	return i < FIELDS ? fields[i].name : NULL;
}

static const char *known_family(int i)
{
	for (int n = 0, at = 0; n < FAMILIES; n++)
		if (families[n].rule && at++ == i)
			return families[n].name;
	return NULL;
}

/* What a second action would contradict. */
static void one_action(struct parse *p, enum field id)
{
	struct rule *r = p->rule;
	struct quoted q;

	if (fields[id].class != ACTION)
		return;
	if (r->action == FIELDS) {
		r->action = id;
		return;
	}
	rule_complain(p->set, r->file, r->line, p->word - p->line + 1,
		      "expected one action, found '",
		      quote(&q, p->word, p->end), "' besides '",
		      fields[r->action].name, "'", NULL);
	p->failed = true;
}

/* NAME | NAME "=" VALUE */
static void parse_field(struct parse *p)
{
	const char *eq = memchr(p->word, '=', p->end - p->word);
	const char *stop = eq ? eq : p->end;
	struct rule *r = p->rule;
	int id = 0;

	while (id < FIELDS && !is(p->word, stop, fields[id].name))
		id++;
	if (id == FIELDS) {
		unknown(p, p->word, stop, "a matcher or an action",
			known_field);
		return;
	}
	if (r->with >> id & 1) {
		fail(p, p->word, "expected each field once, found another");
		return;
	}
	r->with |= UINT64_C(1) << id;
	r->cols[id] = p->word - p->line + 1;
	one_action(p, id);
	if (p->failed)
		return;
	if (fields[id].value && (!eq || eq + 1 == p->end))
		rule_complain(p->set, r->file, r->line, stop - p->line + 1,
			      "expected ", fields[id].name, "=",
			      fields[id].value, NULL);
	else if (!fields[id].value && eq)
		fail(p, eq, "expected no value");
	else
		parsers[id](p, eq ? eq + 1 : p->end);
}

/* FAMILY {"," FAMILY} | "*" */
static void parse_families(struct parse *p)
{
	const char *at = p->word;

	if (is(at, p->end, "*")) {
		p->rule->families = ON_ALL;
		return;
	}
	for (;;) {
		const char *comma = memchr(at, ',', p->end - at);
		const char *end = comma ? comma : p->end;
		int id = family_find(at, end - at);
		if (id < 0 || !families[id].rule)
			unknown(p, at, end, "a family of calls", known_family);
		else
			p->rule->families |= 1 << id;
		if (!comma)
			return;
		at = comma + 1;
	}
}

/* ---- a line ------------------------------------------------------------ */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word before end; false: no more, or a comment. */
static bool next_word(struct parse *p, const char *end)
{
	const char *at = p->end;

	while (at < end && blank(*at))
		at++;
	if (at == end || *at == '#')
		return false;
	p->word = at;
	while (at < end && !blank(*at))
		at++;
	p->end = at;
	p->failed = false;
	return true;
}

static bool begin(struct parse *p, struct rules *set, struct rule *r,
		  struct span file, int line)
{
	if (set->n == set->room || set->n == RULES_MOST) {
		rule_complain(set, file, line, 1, "expected no more than 1000 "
			      "rules", NULL);
		return false;
	}
	*r = (struct rule){
		.file = file, .line = line, .action = FIELDS,
		.protos = IS_ANY, .fd = -1, .first = 1, .last = UINT64_MAX,
		.step = 1, .prob = 1000000, .limit = UINT32_MAX,
		.size = { 0, UINT64_MAX },
	};
	*p = (struct parse){ .set = set, .rule = r };
	return true;
}

/* The rule is whole: to be kept if it makes sense. */
static void finish(struct rules *set, struct rule *r, int errors)
{
	int like = 0;

	if (set->errors == errors)
		rule_check(set, r);
	if (set->errors != errors)
		return;
	for (int i = 0; i < set->n; i++)
		like += set->rule[i].per == r->per;
	r->counter = like;
	if (r->per != PER_PROCESS && like >= PER_MOST)
		rule_complain(set, r->file, r->line, r->cols[FIELD_PER],
			      "expected no more than 8 rules that count per "
			      "connection, and 8 per thread", NULL);
	else
		set->rule[set->n++] = *r;
}

/* RULE = FAMILIES {FIELD} ["#" ...] */
static void parse_line(struct rules *set, struct span file, int line,
		       const char *text, const char *end)
{
	int errors = set->errors;
	struct parse p;
	struct rule r;

	if (!begin(&p, set, &r, file, line))
		return;
	p.line = p.end = text;
	if (!next_word(&p, end))
		return;
	parse_families(&p);
	while (next_word(&p, end))
		parse_field(&p);
	finish(set, &r, errors);
}

void rules_parse(struct rules *set, struct span file, int line,
		 const char *text, size_t len)
{
	const char *end = text + len;

	/* a file from an editor that marks UTF-8 */
	skip(&text, end, "\xef\xbb\xbf");
	for (; text < end; line++) {
		const char *stop = memchr(text, '\n', end - text);
		stop = stop ? stop : end;
		if (memchr(text, 0, stop - text)) {
			rule_complain(set, file, line, 1, "expected text, "
				      "found a byte 0", NULL);
			return;
		}
		parse_line(set, file, line, text, stop);
		text = stop + 1;
	}
}

/* ---- strace's spelling ------------------------------------------------- */

/* A call or a family of strace's SET: into via and families. */
static void inject_name(struct parse *p, const char *at, const char *end)
{
	struct rule *r = p->rule;
	int id = call_find(at, end - at);

	if (is(at, end, "%network") || is(at, end, "%net")) {
		r->families = ON_ALL;
	} else if (id >= 0 && families[calls[id].family].rule) {
		r->families |= 1 << calls[id].family;
		r->with |= WITH(VIA);
		call_set_add(&r->via, id);
	} else {
		unknown(p, at, end, "a system call on sockets", known_call);
	}
}

/* NAME {"," NAME} */
static const char *inject_set(struct parse *p, const char *at, const char *end)
{
	for (;;) {
		const char *stop = at;
		while (stop < end && *stop != ',' && *stop != ':')
			stop++;
		p->word = at;
		p->end = stop;
		p->failed = false;
		inject_name(p, at, stop);
		if (stop == end || *stop == ':')
			return stop;
		at = stop + 1;
	}
}

/* delay_enter=USECONDS, which may have a unit */
static void inject_delay(struct parse *p, const char *at)
{
	int64_t *t = p->rule->delay;
	uint64_t us;
	const char *stop = at;

	if (number(&stop, p->end, &us) && stop == p->end && us < 1000000000)
		t[0] = us * 1000;
	else
		ended(p, time_value(p, at, &t[0]), "expected microseconds");
	t[1] = t[0];
	p->rule->with |= WITH(DELAY);
}

/* An option of inject= that is a field of ours, or has one. */
static void inject_option(struct parse *p)
{
	const char *at = p->word;

	if (skip(&at, p->end, "delay_enter="))
		inject_delay(p, at);
	else if (skip(&at, p->end, "error=") || skip(&at, p->end, "signal=") ||
		 skip(&at, p->end, "when="))
		parse_field(p);
	else
		fail(p, at, "expected error=, signal=, when= or delay_enter=");
}

/* SET {":" OPTION} */
void rules_parse_inject(struct rules *set, struct span file, int line,
			const char *text, size_t len)
{
	const char *end = text + len, *at = text;
	int errors = set->errors;
	struct parse p;
	struct rule r;

	if (!begin(&p, set, &r, file, line))
		return;
	p.line = text;
	skip(&at, end, "inject=");
	at = inject_set(&p, at, end);
	while (at < end) {
		p.word = ++at;
		while (at < end && *at != ':')
			at++;
		p.end = at;
		p.failed = false;
		inject_option(&p);
	}
	finish(set, &r, errors);
}

/* ---- names ------------------------------------------------------------- */

int rule_name(const struct rule *r, char *buf, size_t size)
{
	char digits[12];
	int n = 0, len = r->file.len;
	unsigned line = r->line;

	do
		digits[n++] = '0' + line % 10;
	while (line /= 10);
	if ((size_t)(len + n + 2) > size)
		len = (int)size - n - 2;
	memcpy(buf, r->file.s, len);
	buf[len++] = ':';
	while (n)
		buf[len++] = digits[--n];
	buf[len] = 0;
	return len;
}
