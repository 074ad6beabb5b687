/* SPDX-License-Identifier: MIT */
/*
 * Rules that can never fire because another always comes first.  Sockets are
 * told apart by family, protocol and whether they wait: a rule is shadowed
 * when, for each kind on which it could act, one that stands before it acts
 * for certain.  What cannot be told beforehand counts as uncertain, so that no
 * rule is accused wrongly.
 */
#include "check.h"

#include <netdb.h>
#include <string.h>

struct sort {
	int family;
	uint8_t proto;			/* one IS_ bit; 0: no socket */
	int waits;			/* as in struct query */
};

/* ---- what a rule does to a kind of socket ------------------------------- */

static const struct fault_row *fault_on(const struct rule *r, struct sort k)
{
	return fault_find(k.family, r->error, k.proto ? k.proto : IS_ANY);
}

static bool fails(const struct rule *r, struct sort k)
{
	const struct fault_row *f = fault_on(r, k);

	if (says(r, WITH(FORCE)))
		return true;
	return f && (f->condition == ALWAYS ||
		     (f->condition == BLOCKING ? k.waits != 0 : k.waits != 1));
}

static bool acts(const struct rule *r, struct sort k)
{
	if (!(r->families & 1 << k.family) ||
	    (k.proto ? !(r->protos & k.proto) : says(r, WITH(PROTO))) ||
	    (says(r, WITH(BLOCKING)) && !k.waits) ||
	    (says(r, WITH(NONBLOCKING)) && k.waits))
		return false;
	switch (r->action) {
	case FIELD_ERROR:
		return fails(r, k);
	case FIELD_SHORT:
		return says(r, WITH(FORCE)) || k.proto & (IS_TCP | IS_STREAM);
	case FIELD_RESET:
	case FIELD_EOF:
		return k.proto & (IS_TCP | IS_STREAM | IS_SEQ);
	default:
		return true;
	}
}

/* Whether it acts depends on more than the kind of socket. */
static bool vague(enum field action)
{
	switch (action) {
	case FIELD_SHORT:
	case FIELD_LATENCY:
	case FIELD_STALL:
	case FIELD_RATE:
	case FIELD_INPROGRESS:
		return true;
	default:
		return false;
	}
}

static bool ends(const struct rule *r, struct sort k)
{
	const struct fault_row *f = fault_on(r, k);

	return r->action == FIELD_RESET || r->action == FIELD_EOF ||
	       (r->action == FIELD_ERROR && f && f->mechanism == SEVER &&
		!says(r, WITH(ONCE)));
}

static enum moment moment(const struct rule *r, struct sort k)
{
	const struct fault_row *f = fault_on(r, k);

	if (says(r, WITH(AT)) && r->at && ends(r, k))
		return REACHED;
	if (r->action == FIELD_NUMBER ||
	    (k.family == FAMILY_ACCEPT &&
	     (r->action == FIELD_RESET ||
	      (r->action == FIELD_ERROR && f && f->mechanism == TAKE))))
		return MADE;
	return BEFORE;
}

/* Calls that a rule may have to spare, whatever the kind (match.c). */
enum odd { ASIDE, LITERAL, SHOWN, ODDS };

static bool spares(const struct rule *r, struct sort k, enum odd odd)
{
	const struct fault_row *f = fault_on(r, k);
	bool error = r->action == FIELD_ERROR;

	if (says(r, WITH(FORCE)))
		return false;
	switch (odd) {
	case ASIDE:
		return (k.family == FAMILY_LISTEN ||
			(k.family == FAMILY_RECV &&
			 k.proto & (IS_TCP | IS_UDP))) &&
		       (error || r->action == FIELD_SHORT ||
			r->action == FIELD_RESET || r->action == FIELD_EOF);
	case LITERAL:
		return k.family == FAMILY_RESOLVE && error &&
		       r->error != EAI_MEMORY;
	default:
		return k.family == FAMILY_RECV && error &&
		       !(f && f->condition == ALWAYS);
	}
}

/* Whether there are calls that a must spare and b need not. */
static bool leaves(const struct rule *a, const struct rule *b, struct sort k)
{
	for (enum odd odd = 0; odd < ODDS; odd++)
		if (spares(a, k, odd) && !spares(b, k, odd))
			return true;
	return false;
}

/* Whether b, which could act, comes too late. */
static bool precedes(const struct rule *a, const struct rule *b, struct sort k)
{
	enum moment at = moment(a, k);

	if (leaves(a, b, k))
		return false;
	if (vague(a->action) && a->action != b->action)
		return false;
	if (at == moment(b, k))
		return true;
	/* a call that fails makes nothing and moves nothing */
	return at == BEFORE && !says(a, WITH(AT)) &&
	       (a->action == FIELD_ERROR || ends(a, k));
}

/* ---- matchers that contain others --------------------------------------- */

/* Whether what b stands for, a stands for too; false where hard to tell. */
static bool glob_covers(struct span a, struct span b)
{
	if (a.len == b.len && !memcmp(a.s, b.s, a.len))
		return true;
	/* ? would take b's star for one character */
	return !memchr(a.s, '?', a.len) && glob_match(a, b.s, b.len);
}

/* A slash changes what is compared: the path, or the last part of it. */
static bool exe_covers(struct span a, struct span b)
{
	return !memchr(a.s, '/', a.len) == !memchr(b.s, '/', b.len) &&
	       glob_covers(a, b);
}

static bool prefix_covers(const struct addr_match *a,
			  const struct addr_match *b)
{
	int bytes = a->bits / 8, rest = a->bits % 8;

	return a->bits <= b->bits && !memcmp(a->ip, b->ip, bytes) &&
	       (!rest || !((a->ip[bytes] ^ b->ip[bytes]) >> (8 - rest)));
}

static bool addr_covers(const struct addr_match *a, const struct addr_match *b)
{
	bool paths = b->kind == ADDR_PATH || b->kind == ADDR_ABSTRACT;

	if (a->kind == ADDR_ANY ? paths : a->kind != b->kind)
		return false;
	if (paths)
		return glob_covers(a->glob, b->glob);
	return (a->port < 0 || a->port == b->port) &&
	       (a->kind == ADDR_ANY || prefix_covers(a, b));
}

/* The same places, or the beginning of them. */
static bool from_covers(const struct rule *a, const struct rule *b)
{
	for (int i = 0; i < a->froms; i++)
		if (i >= b->froms || a->from[i].offset != b->from[i].offset ||
		    !exe_covers(a->from[i].module, b->from[i].module))
			return false;
	return true;
}

/* But for family, protocol and waiting. */
static bool matchers_cover(const struct rule *a, const struct rule *b)
{
	const uint64_t here = WITH(PEER) | WITH(LOCAL) | WITH(ROLE) |
		WITH(FD) | WITH(CONN) | WITH(EXE) | WITH(NAME) | WITH(SIZE) |
		WITH(FROM) | WITH(AT);

	if (a->with & here & ~b->with)
		return false;
	return a->after <= b->after &&
	       (!says(a, WITH(SIZE)) || (a->size[0] <= b->size[0] &&
					 a->size[1] >= b->size[1])) &&
	       (!says(a, WITH(AT)) || a->at == b->at) &&
	       (!says(a, WITH(ROLE)) || a->role == b->role) &&
	       (!says(a, WITH(FD)) || a->fd == b->fd) &&
	       (!says(a, WITH(CONN)) || a->conn == b->conn) &&
	       (!says(a, WITH(EXE)) || exe_covers(a->exe, b->exe)) &&
	       (!says(a, WITH(FROM)) || from_covers(a, b)) &&
	       (!says(a, WITH(NAME)) || glob_covers(a->name, b->name)) &&
	       (!says(a, WITH(PEER)) ||
		addr_covers(&a->addr[1], &b->addr[1])) &&
	       (!says(a, WITH(LOCAL)) ||
		addr_covers(&a->addr[0], &b->addr[0]));
}

/* ---- functions ---------------------------------------------------------- */

static bool takes(const struct rule *r, int family, int call)
{
	const struct fault_row *f = fault_find(family, r->error, IS_ANY);

	return (!says(r, WITH(VIA)) || call_set_has(&r->via, call)) &&
	       (r->action != FIELD_ERROR || says(r, WITH(FORCE)) || !f ||
		fault_of_call(f, call));
}

static bool functions_cover(const struct rule *a, const struct rule *b,
			    int family)
{
	for (int i = 0; i < CALLS; i++)
		if (call_families(i) & 1 << family && !call_futile(i) &&
		    takes(b, family, i) && !takes(a, family, i))
			return false;
	return true;
}

/* ---- one rule and another ----------------------------------------------- */

/* In one family: wherever b could act, a does, and first. */
static bool covers_family(const struct rule *a, const struct rule *b,
			  int family)
{
	struct sort k = { .family = family };

	if (!functions_cover(a, b, family))
		return false;
	for (int proto = 0; proto < IS_ANY; proto = proto ? proto * 2 : 1)
		for (k.waits = 0; k.waits <= WAITS_BOUNDED; k.waits++) {
			k.proto = proto;
			if (!proto && family != FAMILY_RESOLVE &&
			    family != FAMILY_POLL)
				continue;
			if (acts(b, k) && !(acts(a, k) && precedes(a, b, k)))
				return false;
		}
	return true;
}

static bool covers(const struct rule *a, const struct rule *b)
{
	if (!matchers_cover(a, b))
		return false;
	for (int f = 0; f < FAMILIES; f++)
		if (b->families & 1 << f && !covers_family(a, b, f))
			return false;
	return true;
}

static bool every_turn(const struct rule *r)
{
	return r->first == 1 && r->step == 1 && r->last == UINT64_MAX;
}

/* The last call a rule has its turn at. */
static uint64_t last_turn(const struct rule *r)
{
	return r->last == UINT64_MAX ? r->last
		: r->first + (r->last - r->first) / r->step * r->step;
}

/* Of calls that both count alike, whether a has its turn when b has. */
static bool turns_cover(const struct rule *a, const struct rule *b)
{
	return a->per == b->per && a->first <= b->first &&
	       (b->first - a->first) % a->step == 0 &&
	       (b->step % a->step == 0 || last_turn(b) == b->first) &&
	       last_turn(b) <= last_turn(a);
}

static bool always(const struct rule *r)
{
	return !r->never && r->prob == 1000000 && !says(r, WITH(LIMIT));
}

/* The two count alike, and whenever b has its turn a has, too. */
static bool keeps_pace(const struct rule *a, const struct rule *b)
{
	return always(a) && turns_cover(a, b) && covers(a, b) && covers(b, a);
}

/*
 * b acts on what a call has made or moved, and a rule before a takes some
 * calls and lets them be made: for these a does not come first.
 */
static bool let_through(const struct rule *all, const struct rule *a,
			const struct rule *b, int family)
{
	if (b->action != FIELD_NUMBER && !says(b, WITH(AT)) &&
	    family != FAMILY_ACCEPT)
		return false;
	for (const struct rule *z = all; z < a; z++)
		if (!z->never && z->families & 1 << family &&
		    z->action != FIELD_ERROR && z->action != FIELD_RESET &&
		    z->action != FIELD_EOF)
			return true;
	return false;
}

static bool let_through_any(const struct rule *all, const struct rule *a,
			    const struct rule *b)
{
	for (int f = 0; f < FAMILIES; f++)
		if (b->families & 1 << f && let_through(all, a, b, f))
			return true;
	return false;
}

/* The first of n rules that is before b in a family every time, or NULL. */
static const struct rule *first_in(const struct rule *all, int n,
				   const struct rule *b, int family)
{
	for (const struct rule *a = all; a < all + n; a++)
		if (always(a) && every_turn(a) &&
		    a->families & 1 << family && matchers_cover(a, b) &&
		    covers_family(a, b, family) &&
		    !let_through(all, a, b, family))
			return a;
	return NULL;
}

/* A rule that is always before b, or NULL; *others: it takes more than one. */
static const struct rule *first(const struct rule *all, int n,
				const struct rule *b, bool *others)
{
	const struct rule *found = NULL;

	*others = false;
	for (const struct rule *a = all; a < all + n; a++)
		if (keeps_pace(a, b) && !let_through_any(all, a, b))
			return a;
	for (int f = 0; f < FAMILIES; f++) {
		const struct rule *a;
		if (!(b->families & 1 << f))
			continue;
		a = first_in(all, n, b, f);
		if (!a)
			return NULL;
		*others |= found && a != found;
		found = found ? found : a;
	}
	return found;
}

void rules_check(struct rules *set)
{
	for (int i = 1; i < set->n; i++) {
		struct rule *b = &set->rule[i];
		const struct rule *a;
		bool others;
		char name[300];
		a = first(set->rule, i, b, &others);
		if (!a)
			continue;
		b->never = true;
		rule_name(a, name, sizeof name);
		rule_complain(set, b, b->whole, "expected a rule that can fire",
			      ": ", name, others ? " and others always come "
			      "first" : " always comes first");
	}
}
