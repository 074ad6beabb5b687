/* SPDX-License-Identifier: MIT */
/*
 * Rules that nobody has written: the parser, the checker, and the questions
 * that the object asks.  The first bytes of the input are the questions, the
 * rest is the text, as it is or as numbers of words of the language.  A rule
 * of which the checker says that it can never fire never may.
 */
#include "../../rules/rule.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUERY 9				/* bytes that become questions */

/* bits of the first byte */
#define STRACE 1			/* one rule in strace's spelling */
#define WORDS 2				/* the text is made of words */

/* What one pass over the text has said. */
struct said {
	const char *text, *end;
	bool strace;			/* one line, no mark at its start */
	int n;
	uint64_t hash;
	bool shadowed[4096];		/* the rule of that line */
};

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	for (const uint8_t *at = data; size--; at++)
		hash = (hash ^ *at) * UINT64_C(0x100000001b3);
	return hash;
}

/* The n-th line of the text, from 1, and its length. */
static size_t line_length(const struct said *s, int n)
{
	const char *at = s->text, *stop;

	if (!s->strace && s->end - at >= 3 && !memcmp(at, "\xef\xbb\xbf", 3))
		at += 3;
	while ((stop = memchr(at, '\n', s->end - at)) && --n)
		at = stop + 1;
	assert(stop ? !n : n == 1);
	return (stop ? stop : s->end) - at;
}

static void report(const struct rule_err *e, void *ctx)
{
	struct said *s = ctx;

	s->n++;
	if (strstr(e->msg, "expected a rule that can fire") && e->line < 4096)
		s->shadowed[e->line] = true;
	s->hash = mix(s->hash, e->msg, strlen(e->msg));
	s->hash = mix(s->hash, &e->col, sizeof e->col);
	assert(e->line >= 1 && e->col >= 1);
	assert((size_t)e->col <= line_length(s, e->line) + 1);
	assert(!strncmp(e->msg, "expected ", 9) && strstr(e->msg, " near '"));
	for (const char *c = e->msg; *c; c++)
		assert((uint8_t)*c >= ' ' && *c != 127);
}

/* ---- a rule without errors makes sense ---------------------------------- */

static void assert_sane(const struct rule *r)
{
	assert(r->families && !(r->families & ~ON_ALL));
	assert(r->first >= 1 && r->first <= r->last && r->step >= 1);
	assert(r->prob >= 1 && r->prob <= 1000000 && r->limit >= 1);
	assert(r->size[0] <= r->size[1] && r->protos);
	assert(r->after >= 0 && r->time[0] >= 0 && r->delay[0] >= 0);
	assert(r->time[0] <= r->time[1] && r->delay[0] <= r->delay[1]);
	assert(r->action <= FIELDS && r->role <= ROLE_IS_PAIR);
	assert(r->per <= PER_THREAD);
	assert(r->per == PER_PROCESS || r->counter < PER_MOST);
	assert(r->action != FIELDS || r->with & (WITH(DELAY) | WITH(SIGNAL)));
	if (r->action == FIELD_SHORT)
		assert(r->amount[0] >= 1 && r->amount[0] <= r->amount[1]);
	if (r->action == FIELD_ERROR)
		assert(r->error && (r->error < 0) ==
		       (r->families == ON_RESOLVE));
	if (r->action == FIELD_RATE)
		assert(r->rate);
	if (r->with & WITH(SIGNAL))
		assert(r->signal > 0 && r->signal < 65);
	for (int i = 0; i < 2; i++)
		assert(r->addr[i].bits >= 0 && r->addr[i].bits <= 128 &&
		       r->addr[i].port >= -1 && r->addr[i].port <= 65535);
}

static uint64_t hash_rules(const struct rules *set)
{
	uint64_t hash = set->n;
	char name[64];

	for (int i = 0; i < set->n; i++) {
		const struct rule *r = &set->rule[i];
		hash = mix(hash, &r->with, sizeof r->with);
		hash = mix(hash, &r->families, sizeof r->families);
		hash = mix(hash, &r->via, sizeof r->via);
		hash = mix(hash, &r->first, sizeof r->first);
		hash = mix(hash, &r->error, sizeof r->error);
		hash = mix(hash, name, rule_name(r, name, sizeof name));
	}
	return hash;
}

/* ---- questions ---------------------------------------------------------- */

static _Atomic uint32_t tally[RULES_MOST][2];

static _Atomic uint32_t *counter(struct query *q, int rule, bool fired)
{
	(void)q;
	return &tally[rule][fired];
}

static uint64_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

/* An address that a socket of that protocol can have, or none. */
static void address(struct query *q, int end, uint64_t *state)
{
	static const struct sockaddr_un paths[] = {
		{ AF_UNIX, "/run/x" }, { AF_UNIX, "\0xy" }, { AF_UNIX, "" },
	};
	static struct sockaddr_in in[3];
	static struct sockaddr_in6 in6[2];
	uint64_t n = draw(state);

	for (int i = 0; i < 3; i++)
		in[i] = (struct sockaddr_in){ AF_INET, htons(80), {
			htonl(i ? 0x0a000001 : 0x7f000001) }, "" };
	in6[0].sin6_family = in6[1].sin6_family = AF_INET6;
	inet_pton(AF_INET6, "::ffff:10.0.0.1", &in6[0].sin6_addr);
	inet_pton(AF_INET6, "::1", &in6[1].sin6_addr);
	if (q->protos & IS_UNIX) {
		q->addr[end] = &paths[n % 3];
		q->alen[end] = n % 3 == 2 ? 2 : sizeof *paths;
	} else if (n & 1) {
		q->addr[end] = &in[n / 2 % 3];
		q->alen[end] = sizeof *in;
	} else {
		q->addr[end] = &in6[n / 2 % 2];
		q->alen[end] = sizeof *in6;
	}
	if (n / 8 % 5 == 0)
		q->alen[end] = 0;
}

/* A call as there could be one. */
static struct query some_query(uint64_t *state)
{
	int call = draw(state) % CALLS;
	uint16_t set = call_families(call);
	struct query q = {
		.call = call, .family = calls[call].family,
		.moment = draw(state) % 3, .fd = draw(state) % 5,
		.conn = draw(state) % 3, .protos = 1 << draw(state) % 6,
		.role = (int)(draw(state) % 5) - 1,
		.exe = { { "/bin/x", 6 }, { "x", 1 } },
		.waits = draw(state) % 3, .count = counter, .seed = 3,
		.path = 1, .nth = draw(state), .elapsed = draw(state) * 2,
	};

	if (set & (ON_RESOLVE | ON_POLL))
		q.protos = 0;
	if (set & ON_RESOLVE && draw(state) & 1)
		q.name = draw(state) & 1 ? "www.example.org" : "localhost";
	if (set & (ON_SEND | ON_RECV)) {
		q.sized = draw(state) % 4;
		q.whole = draw(state) % 4 == 0;
		q.size = draw(state) % 110;
		q.offset = draw(state) % 60;
		q.family = set == (ON_SEND | ON_RECV) && draw(state) & 1
			? FAMILY_RECV : q.family;
	}
	/* what a rule may have to spare */
	q.literal = set & ON_RESOLVE && draw(state) & 1;
	q.shown = q.family == FAMILY_RECV && draw(state) % 4 == 0
		  ? draw(state) % 50 : 0;
	q.aside = (q.family == FAMILY_LISTEN ||
		   (q.family == FAMILY_RECV && q.protos & (IS_TCP | IS_UDP))) &&
		  draw(state) % 4 == 0;
	address(&q, 0, state);
	address(&q, 1, state);
	return q;
}

/* Whether the call is made. */
static bool ask(const struct rules *set, const struct said *s, struct query *q)
{
	struct verdict v = rules_ask(set, q);

	assert(v.cut > 0 && !v.rule == !v.id && v.id <= set->n);
	if (!v.rule)
		return true;
	assert(v.rule == &set->rule[v.id - 1]);
	assert(v.rule->families & 1 << q->family);
	assert(v.rule->line >= 4096 || !s->shadowed[v.rule->line]);
	if (v.rule->action == FIELD_SHORT)
		assert(rule_short(v.rule, v.draw, q->size) >= 1);
	return !(v.rule->with & (WITH(ERROR) | WITH(RESET) | WITH(EOF)));
}

/* Before the call, and perhaps once more when it has been made. */
static void ask_twice(const struct rules *set, const struct said *s,
		      uint64_t *state)
{
	struct query q = some_query(state);
	enum moment later = q.moment;

	q.moment = BEFORE;
	if (call_futile(q.call) || !ask(set, s, &q) || later == BEFORE)
		return;
	q.moment = later;
	ask(set, s, &q);
}

/* ---- the text, twice ---------------------------------------------------- */

static void parse(struct rules *set, struct said *s)
{
	struct span file = { "fuzz", 4 };
	size_t size = s->end - s->text;

	if (s->strace)
		rules_parse_inject(set, file, 1, s->text, size);
	else
		rules_parse(set, file, 1, s->text, size);
	rules_check(set);
	assert(set->errors == s->n);
	for (int i = 0; i < set->n; i++)
		assert_sane(&set->rule[i]);
}

/* No byte of 0 or of a line's end: that is for whoever hands the text in. */
static size_t one_line(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!text[i] || text[i] == '\n')
			return i;
	return size;
}

/* Pieces that fit together more often than letters do. */
static const char *const words[] = {
	"\nrecv ", "\nsend ", "\n* ", "\naccept ", "\nconnect ", "\nsocket ",
	"\nrecv,send ", "\nresolve ", "\npoll ", "\nclose ", "\nlisten ",
	"\nbind ", "\nshutdown ", "\nsockopt ", "\ninject=recvfrom", "\n# ",
	"\ninject=%network", "\nread ", " error=EINTR ", " error=EPIPE ",
	" error=ECONNREFUSED ", " error=EMFILE ", " error=EAI_AGAIN ",
	" error=EAGAIN ", " error=ENOMEM ", " error=EINPROGRESS ", " reset ",
	" eof ", " pass ", " short=1..4 ", " short=50% ", " number=1024 ",
	" delay=1ms..2ms ", " signal=USR1 ", " inprogress=1s ", " rate=1kB/s ",
	" latency=2s ", " stall=forever ", " then=ETIMEDOUT ", " once ",
	" force ", " peer=127.0.0.1:80 ", " peer=10.0.0.0/8:* ",
	" peer=unix:* ", " peer=unix:@x? ", " peer=[::1]/64:80 ",
	" local=*:* ", " local=[::]/0:80 ", " proto=tcp ", " proto=udp ",
	" proto=unix ", " role=client ", " role=listener ", " role=pair ",
	" fd=3 ", " conn=1 ", " via=read,write ", " via=epoll_ctl ",
	" via=fputs ", " exe=*x ", " exe=/bin/* ", " name=*.org ",
	" blocking ", " nonblocking ", " size=1..100 ", " size=2 ", " at=0 ",
	" at=50 ", " after=1s ", " when=2 ", " when=1..4+2 ", " when=3+ ",
	" per=conn ", " per=thread ", " prob=5% ", " prob=100% ", " limit=2 ",
	":error=EIO", ":when=2", ":delay_enter=5", ":signal=SIGALRM",
	":retval=0", ",", "=", "..", "+", "1", "0", "%", "*", "/", ":", "x",
	"ms", "KiB", ".5", "\r", "\t",
};

/* The text of an input, of exactly its size. */
static char *text_of(const uint8_t *data, size_t *size, bool pieces)
{
	const size_t n = sizeof words / sizeof *words;
	char *text = malloc(*size * 20 + 1);
	size_t at = 0;

	if (!text)
		abort();
	for (size_t i = 0; i < *size; i++)
		if (pieces && data[i] < n)
			at = stpcpy(text + at, words[data[i]]) - text;
		else
			text[at++] = data[i];
	*size = at;
	return realloc(text, at + !at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rule room[RULES_MOST];
	bool strace = size && *data & STRACE;
	uint64_t hash[2], said[2], state = 0;
	static struct said s;
	struct rules set;
	char *text;

	if (size < QUERY)
		return 0;
	size -= QUERY;
	text = text_of(data + QUERY, &size, *data & WORDS);
	if (strace)
		size = one_line(text, size);
	for (int i = 0; i < 2; i++) {
		s = (struct said){ .text = text, .end = text + size,
				   .strace = strace };
		set = (struct rules){ .rule = room, .room = RULES_MOST,
				      .report = report, .ctx = &s };
		parse(&set, &s);
		hash[i] = hash_rules(&set);
		said[i] = s.hash;
	}
	assert(hash[0] == hash[1] && said[0] == said[1]);
	memset(tally, 0, sizeof tally);
	memcpy(&state, data + 1, sizeof state);
	for (int i = 0; set.n && i < 300; i++)
		ask_twice(&set, &s, &state);
	free(text);
	return 0;
}
