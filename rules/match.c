/* SPDX-License-Identifier: MIT */
/*
 * Which rule touches a call.  Every rule counts the calls that match it,
 * whether or not another decides; the first that matches and fires decides.
 * Chance is a hash of what the call is, so that the same seed means the same
 * run, whatever the threads do.
 */
#include "rule.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- chance ------------------------------------------------------------ */

/* The finalizer of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (*s)
		h = (h ^ (uint8_t)*s++) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t draw(const struct query *q, int rule)
{
	uint64_t x = mix(q->seed);

	x = mix(x ^ q->path);
	x = mix(x ^ (uint64_t)rule << 40 ^ (uint64_t)q->family << 32 ^ q->conn);
	return mix(x ^ q->nth);
}

uint64_t draw_between(uint64_t from, uint64_t a, uint64_t b)
{
	uint64_t n = b - a + 1;

	return n ? a + (uint64_t)((unsigned __int128)mix(from) * n >> 64)
		 : mix(from);
}

uint64_t rule_short(const struct rule *r, uint64_t from, uint64_t size)
{
	uint64_t n = r->percent ? size / 100 * r->amount[0] +
				  size % 100 * r->amount[0] / 100
				: draw_between(from, r->amount[0],
					       r->amount[1]);
	return n ? n : 1;
}

/* ---- matchers ---------------------------------------------------------- */

/* '*' any characters, '?' one; the rest stands for itself. */
bool glob_match(struct span glob, const char *s, int len)
{
	const char *g = glob.s, *end = glob.s + glob.len, *stop = s + len;
	const char *star = NULL, *back = s;

	while (s < stop) {
		if (g < end && *g == '*') {
			star = ++g;
			back = s;
		} else if (g < end && (*g == '?' || *g == *s)) {
			g++;
			s++;
		} else if (star) {
			g = star;
			s = ++back;
		} else {
			return false;
		}
	}
	while (g < end && *g == '*')
		g++;
	return g == end;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	int bytes = bits / 8, rest = bits % 8;

	return !memcmp(a, b, bytes) &&
	       (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

/* An IPv6 address that is an IPv4 one is matched as both. */
static bool match_ip(const struct addr_match *m, const void *addr,
		     uint32_t len)
{
	struct sockaddr_in6 in6 = { 0 };
	struct sockaddr_in in;
	const uint8_t *ip4 = NULL;

	memcpy(&in6, addr, len < sizeof in6 ? len : sizeof in6);
	memcpy(&in, &in6, sizeof in);
	if (in6.sin6_family == AF_INET)
		ip4 = (const uint8_t *)&in.sin_addr;
	else if (in6.sin6_family != AF_INET6)
		return false;
	else if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		ip4 = in6.sin6_addr.s6_addr + 12;
	/* the port is in the same place */
	if (m->port >= 0 && ntohs(in.sin_port) != m->port)
		return false;
	if (m->kind == ADDR_ANY)
		return true;
	if (m->kind == ADDR_IP4)
		return ip4 && same_bits(m->ip, ip4, m->bits);
	return in6.sin6_family == AF_INET6 &&
	       same_bits(m->ip, in6.sin6_addr.s6_addr, m->bits);
}

static bool match_unix(const struct addr_match *m, const void *addr,
		       uint32_t len)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	const char *path = (const char *)addr + head;
	sa_family_t family;

	memcpy(&family, addr, sizeof family);
	if (family != AF_UNIX || len <= head)
		return false;
	len -= head;
	if (m->kind == ADDR_ABSTRACT)
		return !*path && glob_match(m->glob, path + 1, len - 1);
	return *path && glob_match(m->glob, path, strnlen(path, len));
}

static bool match_addr(const struct addr_match *m, const void *addr,
		       uint32_t len)
{
	if (len < sizeof(sa_family_t))
		return false;
	return m->kind >= ADDR_PATH ? match_unix(m, addr, len)
				    : match_ip(m, addr, len);
}

bool file_match(struct span glob, struct span exe)
{
	if (!memchr(glob.s, '/', glob.len))
		for (int i = exe.len; i > 0; i--)
			if (exe.s[i - 1] == '/') {
				exe.s += i;
				exe.len -= i;
				break;
			}
	return glob_match(glob, exe.s, exe.len);
}

/* The protocols of a rule are those its action is possible on (kernel.c). */
static bool of_protos(const struct rule *r, const struct query *q)
{
	return q->protos ? r->protos & q->protos : !(r->with & WITH(PROTO));
}

/* An address that is not known yet, or is an argument, may be the right one. */
static bool may_addr(const struct rule *r, const struct query *q, int i)
{
	bool given = i && (q->family == FAMILY_CONNECT ||
			   q->family == FAMILY_ACCEPT ||
			   (q->family == FAMILY_SEND && !(q->protos & IS_TCP)));

	return given || !q->alen[i] ||
	       match_addr(&r->addr[i], q->addr[i], q->alen[i]);
}

bool rule_may(const struct rule *r, const struct query *q)
{
	uint64_t with = r->with;

	/* bytes are counted towards at= whichever function moves them */
	return (r->families & 1 << q->family || with & WITH(AT)) &&
	       of_protos(r, q) &&
	       (!(with & WITH(CONN)) || r->conn == q->conn) &&
	       (!(with & WITH(PEER)) || may_addr(r, q, 1)) &&
	       (!(with & WITH(LOCAL)) || may_addr(r, q, 0));
}

static int waits(struct query *q)
{
	if (q->waits < 0)
		q->waits = q->ask(q);
	return q->waits;
}

/* What the rule says of the call, but for its number and for chance. */
static bool matches(const struct rule *r, struct query *q)
{
	uint64_t with = r->with;

	return (!(with & WITH(VIA)) || call_set_has(&r->via, q->call)) &&
	       of_protos(r, q) &&
	       (!(with & WITH(ROLE)) || r->role == q->role) &&
	       (!(with & WITH(FD)) || r->fd == q->fd) &&
	       (!(with & WITH(CONN)) || r->conn == q->conn) &&
	       (!(with & WITH(PEER)) ||
		match_addr(&r->addr[1], q->addr[1], q->alen[1])) &&
	       (!(with & WITH(LOCAL)) ||
		match_addr(&r->addr[0], q->addr[0], q->alen[0])) &&
	       (!(with & WITH(EXE)) || file_match(r->exe, q->exe[0]) ||
		file_match(r->exe, q->exe[1])) &&
	       (!(with & WITH(FROM)) || (q->from && q->from(q, r))) &&
	       (!(with & WITH(NAME)) || (q->name &&
		glob_match(r->name, q->name, strnlen(q->name, 256)))) &&
	       (!(with & WITH(SIZE)) || (q->sized &&
		q->size >= r->size[0] && q->size <= r->size[1])) &&
	       (!(with & WITH(AFTER)) || q->elapsed >= r->after) &&
	       (!(with & WITH(BLOCKING)) || waits(q)) &&
	       (!(with & WITH(NONBLOCKING)) || !waits(q));
}

/* ---- what can be done to this call --------------------------------------- */

static const struct fault_row *fault_of(const struct rule *r,
					const struct query *q)
{
	return fault_find(q->family, r->error,
			  q->protos ? q->protos : IS_ANY);
}

/* When in the call the rule acts. */
static enum moment moment_of(const struct rule *r, const struct query *q,
			     const struct fault_row *f)
{
	bool ends = r->action == FIELD_RESET || r->action == FIELD_EOF ||
		    (f && f->mechanism == SEVER && !(r->with & WITH(ONCE)));

	if (r->with & WITH(AT) && r->at && ends)
		return REACHED;
	if (r->action == FIELD_NUMBER)
		return MADE;
	if (q->family == FAMILY_ACCEPT &&
	    (r->action == FIELD_RESET || (f && f->mechanism == TAKE)))
		return MADE;
	return BEFORE;
}

/* Whether this function of the family is one that fails so. */
static bool of_call(const struct fault_row *f, int call)
{
	if (f->family != FAMILY_POLL)
		return true;
	switch (f->error) {
	case EINTR:
		return calls[call].result == RESULT_READY;
	case EMFILE:
	case ENFILE:
		return calls[call].result == RESULT_NEWFD;
	case ENOSPC:
		return calls[call].result == RESULT_ZERO;
	default:
		return true;
	}
}

/*
 * AF_UNIX takes what fits into half of the smallest send buffer in one piece
 * or not at all (unix_stream_sendmsg).  What MSG_PEEK has shown is there.
 */
uint64_t query_piece(const struct query *q)
{
	if (q->family == FAMILY_RECV && q->shown)
		return q->shown;
	return q->family == FAMILY_SEND && q->protos & IS_STREAM ? 2240 : 1;
}

/* Whether the call could fail so, as it stands. */
static bool fails(const struct fault_row *f, struct query *q)
{
	if (q->literal && f->error != EAI_MEMORY)
		return false;
	if (f->condition == ALWAYS)
		return true;
	if (q->family == FAMILY_RECV && q->shown)
		return false;		/* it finds what is there */
	return f->condition == BLOCKING ? waits(q) != 0 : waits(q) != 1;
}

/* Whether the kernel could do it to this very call. */
static bool can(const struct rule *r, struct query *q,
		const struct fault_row *f)
{
	if (q->aside && !(r->with & WITH(FORCE)))
		return r->action != FIELD_ERROR && r->action != FIELD_SHORT &&
		       r->action != FIELD_RESET && r->action != FIELD_EOF;
	switch (r->action) {
	case FIELD_ERROR:
		if (r->with & WITH(FORCE))
			return true;
		return f && of_call(f, q->call) && fails(f, q);
	case FIELD_SHORT:
		return q->sized && q->size > query_piece(q) && !q->whole &&
		       q->protos & (IS_TCP | IS_STREAM);
	case FIELD_RESET:
	case FIELD_EOF:
		return q->protos & (IS_TCP | IS_STREAM | IS_SEQ);
	default:
		return true;
	}
}

/* at=: the call begins there, has got there, or must be cut there. */
static bool at_offset(const struct rule *r, const struct query *q,
		      uint64_t *cut)
{
	if (!(r->with & WITH(AT)))
		return true;
	if (!q->sized || !(q->protos & (IS_TCP | IS_STREAM)))
		return false;
	if (q->offset == r->at)
		return true;
	if (q->offset < r->at && r->at - q->offset < *cut)
		*cut = r->at - q->offset;
	return false;
}

/* ---- counting ---------------------------------------------------------- */

static bool in_turn(const struct rule *r, uint64_t n)
{
	return n >= r->first && n <= r->last && !((n - r->first) % r->step);
}

static bool counts(const struct query *q)
{
	return !q->guess || q->taken;
}

/* limit=: one more of so many, by one thread at a time. */
static bool within_limit(const struct rule *r, struct query *q, int i)
{
	_Atomic uint32_t *fired = q->count(q, i, true);
	uint32_t n = atomic_load_explicit(fired, memory_order_relaxed);

	do {
		if (n >= r->limit || !counts(q))
			return n < r->limit;
	} while (!atomic_compare_exchange_weak(fired, &n, n + 1));
	return true;
}

static void score(_Atomic uint32_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static bool fires(const struct rule *r, struct query *q, int i, bool taken,
		  struct rule_score *s)
{
	uint64_t n = 1;

	if (s)
		score(&s->able);
	if (r->with & WITH(WHEN))
		n = atomic_fetch_add(q->count(q, i, false), counts(q)) +
		    UINT64_C(1);
	if ((taken && !s) || !in_turn(r, n))
		return false;
	if (r->prob < 1000000 && draw(q, i) % 1000000 >= r->prob)
		return false;
	if (s)
		score(&s->turn);
	if (taken || (r->with & WITH(LIMIT) && !within_limit(r, q, i)))
		return false;
	if (s)
		score(&s->fired);
	return true;
}

/* Its turn is over, or chance has decided: no need to look any closer. */
static bool hopeless(const struct rule *r, struct query *q, int i)
{
	if (r->with & WITH(AT))
		return false;		/* calls are cut there all the same */
	if (r->with & WITH(WHEN))
		return r->last < UINT32_MAX &&
		       atomic_load_explicit(q->count(q, i, false),
					    memory_order_relaxed) >= r->last;
	return r->prob < 1000000 && draw(q, i) % 1000000 >= r->prob;
}

/* What is not known of a call before it is made. */
#define UNTOLD (WITH(VIA) | WITH(SIZE) | WITH(FROM))

struct verdict rules_ask(const struct rules *set, struct query *q)
{
	struct verdict v = { .cut = UINT64_MAX };

	for (int i = 0; i < set->n; i++) {
		const struct rule *r = &set->rule[i];
		const struct fault_row *f;
		struct rule_score *s;
		uint64_t cut = UINT64_MAX;
		enum moment moment;

		if (!(r->families & 1 << q->family) ||
		    (q->guess && r->with & UNTOLD) ||
		    (!set->score && hopeless(r, q, i)) || !matches(r, q))
			continue;
		f = r->action == FIELD_ERROR ? fault_of(r, q) : NULL;
		moment = moment_of(r, q, f);
		s = set->score && counts(q) ? &set->score[i] : NULL;
		/* a call may be asked about again, at another moment */
		if (s && q->moment == (moment == MADE ? MADE : BEFORE))
			score(&s->matched);
		if (!at_offset(r, q, &cut)) {
			/* the call that reaches the byte is cut there */
			if (q->moment == BEFORE && cut < v.cut)
				v.cut = cut;
			continue;
		}
		if (moment != q->moment || !can(r, q, f) ||
		    !fires(r, q, i, v.rule != NULL, s))
			continue;
		v.rule = r;
		v.id = i + 1;
		v.fault = f;
		v.draw = draw(q, i);
	}
	return v;
}

void rules_calls(const struct rules *set, struct call_set *wanted)
{
	for (int i = 0; i < set->n; i++) {
		const struct rule *r = &set->rule[i];
		for (int id = 0; id < CALLS; id++)
			if (r->families & call_families(id) &&
			    (!(r->with & WITH(VIA)) ||
			     call_set_has(&r->via, id)))
				call_set_add(wanted, id);
	}
}
