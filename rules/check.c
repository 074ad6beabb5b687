/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a rule although it parses: it contradicts itself, or the
 * kernel would never do that.  `force` lifts what is only the kernel's custom.
 * `*` means the families for which a rule makes sense; one that is named must
 * be able to do all that the rule says.
 */
#include "check.h"

#include <string.h>

static const char unfit[] = "expected a field that fits the family";
static const char disagree[] = "expected fields that agree";

/* ---- fields and families ------------------------------------------------ */


static void check_field(struct rules *set, struct rule *r, int f)
{
	int family = check_outside(r->families, fields[f].families);
	char buf[100];

	if (family < 0)
		return;
	if (r->star)
		r->families &= fields[f].families;
	else
		COMPLAIN(set, r, f, unfit, ": ", families[family].name,
			 " cannot have it, only ", check_families(
			 fields[f].families, buf, sizeof buf));
}

#define OF_SOCKETS (WITH(PEER) | WITH(LOCAL) | WITH(ROLE) | WITH(FD) |	\
		    WITH(CONN) | WITH(BLOCKING) | WITH(NONBLOCKING))

/* What a call cannot be told by. */
static const struct {
	uint16_t families;
	uint64_t fields;
	const char *why;
} absent[] = {
	{ ON_RESOLVE, OF_SOCKETS | WITH(PROTO),
	  ": resolve is not about a socket" },
	{ ON_POLL, OF_SOCKETS | WITH(PROTO),
	  ": poll is about many sockets, only via=epoll_ctl about one" },
	{ ON_SOCKET, OF_SOCKETS, ": there is no socket before the call" },
	{ ON_CONNECT | ON_LISTEN | ON_BIND, WITH(ROLE),
	  ": a socket gets its role by that call, or later" },
	{ ON_LISTEN | ON_BIND, WITH(PEER),
	  ": a socket that binds or listens has no peer" },
};

/* poll is about one socket where it is epoll_ctl. */
static bool is_epoll_ctl(const struct rule *r)
{
	for (int i = 0; i < CALLS; i++)
		if (calls[i].family == FAMILY_POLL && i != CALL_epoll_ctl &&
		    (!says(r, WITH(VIA)) || call_set_has(&r->via, i)))
			return false;
	return true;
}

static void check_absent(struct rules *set, struct rule *r)
{
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
		uint16_t bad = r->families & absent[i].families;
		if (!bad || !says(r, absent[i].fields) ||
		    (bad == ON_POLL && is_epoll_ctl(r)))
			continue;
		if (r->star) {
			r->families &= ~bad;
			continue;
		}
		for (int f = 0; f < FIELDS; f++)
			if (r->with & absent[i].fields & UINT64_C(1) << f)
				COMPLAIN(set, r, f, unfit, absent[i].why);
	}
}

static void check_role(struct rules *set, struct rule *r)
{
	uint16_t bad = r->role == ROLE_IS_LISTENER ? ON_SEND | ON_RECV
						   : ON_ACCEPT;

	if (!says(r, WITH(ROLE)))
		return;
	bad &= r->families;
	if (r->star)
		r->families &= ~bad;
	else if (bad)
		COMPLAIN(set, r, FIELD_ROLE, unfit, ": such a socket does "
			 "not ", families[check_outside(bad, 0)].name);
	/* accept's peer is that of the new connection */
	if (r->role == ROLE_IS_LISTENER && says(r, WITH(PEER)) && r->star)
		r->families &= ON_ACCEPT;
	else if (r->role == ROLE_IS_LISTENER && says(r, WITH(PEER)) && !bad &&
		 check_outside(r->families, ON_ACCEPT) >= 0)
		COMPLAIN(set, r, FIELD_PEER, disagree,
			 ": a listener has no peer");
}

static void check_per(struct rules *set, struct rule *r)
{
	uint16_t none = ON_SOCKET | ON_RESOLVE | ON_POLL;

	if (!says(r, WITH(PER)))
		return;
	if (!says(r, WITH(WHEN) | WITH(LIMIT)))
		COMPLAIN(set, r, FIELD_PER, "expected when= or limit= beside "
			 "it", ": per= says what they count in");
	if (r->per == PER_CONN && r->star)
		r->families &= ~none;
	else if (r->per == PER_CONN && r->families & none)
		COMPLAIN(set, r, FIELD_PER, "expected process or thread", ": ",
			 families[check_outside(r->families & none, 0)].name,
			 " is not about one connection");
}

/* ---- functions ---------------------------------------------------------- */

/* The caller says how many bytes, and the kernel how many of them. */
static bool is_sized(int call)
{
	static const enum kind kinds[] = {
		KIND_LEN, KIND_DATA, KIND_IOV, KIND_MSG, KIND_MSGIN, KIND_MMSG,
		KIND_MMSGIN,
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (call_has_kind(call, kinds[i]))
			return !call_has_kind(call, KIND_STREAM);
	return false;
}

/* Why a function cannot do what the rule says, or NULL. */
static const char *useless(const struct rule *r, int call)
{
	const struct fault_row *f = r->action == FIELD_ERROR
		? check_fault(r, calls[call].family) : NULL;

	if (!families[calls[call].family].rule)
		return "no rule touches it";
	if (call_futile(call))
		return call_futile(call);
	if (says(r, WITH(SIZE) | WITH(AT) | WITH(SHORT)) && !is_sized(call))
		return "stdio decides how much it moves";
	if (says(r, WITH(NAME)) && !call_has_kind(call, KIND_STRING))
		return "it looks up no name";
	if (says(r, WITH(NUMBER)) && call == CALL_socketpair)
		return "it makes two descriptors";
	if (f && !says(r, WITH(FORCE)) && !fault_of_call(f, call))
		return "it does not return that error, others of its family do";
	return NULL;
}

static void check_function(struct rules *set, const struct rule *r,
			   struct place where, int call)
{
	static const char what[] = "expected a function that fits the rule";
	const char *why = useless(r, call);

	if (!(r->families & call_families(call)) &&
	    families[calls[call].family].rule)
		rule_complain(set, r, where, what, r->star ? ": the rest does "
			      "not fit " : ": it is one of ",
			      families[calls[call].family].name);
	else if (why)
		rule_complain(set, r, where, what, ": ", why);
}

/* Each function that via= names, where it stands. */
static void check_functions(struct rules *set, const struct rule *r)
{
	struct place whole = r->place[FIELD_VIA];
	const char *at = r->text + whole.col - 1, *end = at + whole.len;

	if (whole.len > 4 && !memcmp(at, "via=", 4))
		at += 4;
	while (at < end) {
		const char *comma = memchr(at, ',', end - at);
		const char *stop = comma ? comma : end;
		int call = call_find(at, stop - at);
		if (call >= 0)
			check_function(set, r, (struct place){
					at - r->text + 1, stop - at }, call);
		at = stop + 1;
	}
}

static void check_via(struct rules *set, struct rule *r)
{
	uint16_t via = 0;
	int without;

	if (!says(r, WITH(VIA)))
		return;
	for (int i = 0; i < CALLS; i++)
		if (call_set_has(&r->via, i))
			via |= call_families(i);
	without = check_outside(r->families, via);
	if (r->star)
		r->families &= via;
	else if (check_outside(via, r->families) < 0 && without >= 0)
		COMPLAIN(set, r, FIELD_VIA, "expected a function of each "
			 "family", ": ", families[without].name, " has none "
			 "there");
}

/* ---- fields against each other ------------------------------------------ */

static bool is_unix(enum addr_kind kind)
{
	return kind == ADDR_PATH || kind == ADDR_ABSTRACT;
}

static uint8_t with_addr(const struct addr_match *m, const char **why)
{
	*why = is_unix(m->kind) ? "only AF_UNIX sockets have paths"
				: "AF_UNIX sockets have paths for addresses";
	return is_unix(m->kind) ? IS_UNIX : IS_ANY & ~IS_UNIX;
}

static uint8_t with_role(const struct rule *r, const char **why)
{
	if (r->role == ROLE_IS_CLIENT)
		return IS_ANY;
	*why = r->role == ROLE_IS_PAIR
		? "socketpair makes AF_UNIX sockets"
		: "nobody waits at a datagram socket";
	return r->role == ROLE_IS_PAIR ? IS_UNIX
				       : IS_ANY & ~(IS_UDP | IS_DGRAM);
}

/* The protocols of sockets that a field can be true of, or can be done to. */
static uint8_t protos_with(const struct rule *r, int field, const char **why)
{
	bool forced = says(r, WITH(FORCE));

	switch (field) {
	case FIELD_PROTO:
		return r->protos;
	case FIELD_LOCAL:
		return with_addr(&r->addr[0], why);
	case FIELD_PEER:
		return with_addr(&r->addr[1], why);
	case FIELD_ROLE:
		return with_role(r, why);
	case FIELD_AT:
		*why = "datagrams have no offset";
		return IS_TCP | IS_STREAM;
	case FIELD_SHORT:
		*why = "a datagram goes whole or not at all (force does it "
		       "anyway)";
		return forced ? IS_ANY : IS_TCP | IS_STREAM;
	case FIELD_RESET:
	case FIELD_EOF:
		*why = "a datagram socket has no connection that could end";
		return IS_TCP | IS_STREAM | IS_SEQ;
	case FIELD_INPROGRESS:
		*why = "only TCP takes time to connect (force does it anyway)";
		return forced ? IS_ANY : IS_TCP;
	default:
		return IS_ANY;
	}
}

/* Where the first field stands that is not about these protocols. */
static struct place opponent(const struct rule *r, uint8_t fit)
{
	const char *why;

	for (int f = 0; f < FIELDS; f++)
		if (r->with >> f & 1 && !(protos_with(r, f, &why) & fit))
			return r->place[f];
	return r->whole;
}

/* A word of the rule as a string. */
static const char *word(const struct rule *r, struct place at, char *buf,
			size_t size)
{
	size_t len = at.len < size ? at.len : size - 1;

	memcpy(buf, r->text + at.col - 1, len);
	buf[len] = 0;
	return buf;
}

static void check_protos(struct rules *set, struct rule *r)
{
	for (int f = 0; f < FIELDS; f++) {
		const char *why = NULL;
		uint8_t fit = IS_ANY;
		char other[64];
		if (r->with >> f & 1)
			fit = protos_with(r, f, &why);
		if (!(r->protos & fit)) {
			COMPLAIN(set, r, f, disagree, ", beside ",
				 word(r, opponent(r, fit), other,
				      sizeof other), ": ", why);
			return;
		}
		r->protos &= fit;
	}
}

/* What sockets of some protocols do not do at all. */
static void check_custom(struct rules *set, struct rule *r, uint16_t bad,
			 uint8_t fit, const char *why)
{
	bad &= r->families;
	if (!bad || r->protos & fit || says(r, WITH(FORCE)))
		return;
	if (r->star)
		r->families &= ~bad;
	else
		rule_complain(set, r, opponent(r, fit), disagree, ": ", why,
			      " (force does it anyway)");
}

/* Whether an IPv6 prefix has room for addresses that are IPv4 ones. */
static bool holds_ip4(const struct addr_match *m)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int bits = m->bits < 96 ? m->bits : 96;

	return !memcmp(m->ip, mapped, bits / 8) &&
	       (bits % 8 == 0 ||
		!((m->ip[bits / 8] ^ mapped[bits / 8]) >> (8 - bits % 8)));
}

static void check_addrs(struct rules *set, const struct rule *r)
{
	const struct addr_match *a = &r->addr[0], *b = &r->addr[1];

	if (!says(r, WITH(PEER)) || !says(r, WITH(LOCAL)))
		return;
	if (a->kind == ADDR_IP6 && b->kind == ADDR_IP4) {
		b = a;
		a = &r->addr[1];
	}
	if (a->kind == ADDR_IP4 && b->kind == ADDR_IP6 && !holds_ip4(b))
		COMPLAIN(set, r, FIELD_PEER, disagree,
			 ": no connection has these two ends");
}

static void check_pairs(struct rules *set, const struct rule *r)
{
	if (says(r, WITH(BLOCKING)) && says(r, WITH(NONBLOCKING)))
		COMPLAIN(set, r, FIELD_NONBLOCKING, disagree,
			 ": no descriptor is both");
	if (r->action == FIELD_PASS && says(r, WITH(DELAY) | WITH(SIGNAL)))
		COMPLAIN(set, r, FIELD_PASS, disagree,
			 ": pass leaves the call as it is");
	if (says(r, WITH(ONCE)) && r->action != FIELD_ERROR)
		COMPLAIN(set, r, FIELD_ONCE, "expected error= beside it",
			 ": once limits an error to one call");
	if (says(r, WITH(THEN)) && r->action != FIELD_INPROGRESS)
		COMPLAIN(set, r, FIELD_THEN, "expected inprogress= beside it",
			 ": then= says how that ends");
}

/* Calls that are never cut, since less than that goes in one piece. */
static void check_short(struct rules *set, const struct rule *r)
{
	struct query q = { .family = FAMILY_SEND, .protos = r->protos };
	uint64_t piece = r->families & ON_SEND && !r->star &&
			 r->protos == IS_STREAM ? query_piece(&q) : 1;

	if (r->action != FIELD_SHORT)
		return;
	if (r->size[1] <= 1 || (!r->percent && r->amount[0] >= r->size[1]))
		COMPLAIN(set, r, FIELD_SHORT, disagree,
			 ": no call of that size= is cut");
	else if (r->size[1] <= piece && !says(r, WITH(FORCE)))
		COMPLAIN(set, r, FIELD_SIZE, disagree, ": an AF_UNIX socket "
			 "takes so little whole or not at all");
}

/* ---- the rule ----------------------------------------------------------- */

/* accept learns its peer by accepting: then it is too late for some. */
static void check_accept(struct rules *set, struct rule *r)
{
	const struct fault_row *f = fault_find(FAMILY_ACCEPT, r->error,
					       r->protos);
	bool early = r->action == FIELDS || r->action == FIELD_PASS ||
		     (r->action == FIELD_ERROR &&
		      !(f && f->mechanism == TAKE));

	if (!(r->families & ON_ACCEPT) || !says(r, WITH(PEER)) || !early)
		return;
	if (r->star)
		r->families &= ~ON_ACCEPT;
	else
		COMPLAIN(set, r, FIELD_PEER, unfit, ": accept learns the peer "
			 "when it has taken the connection, too late for "
			 "this");
}

void rule_check(struct rules *set, struct rule *r)
{
	int errors = set->errors;

	check_via(set, r);
	for (int f = 0; f < FIELDS; f++)
		if (r->with >> f & 1)
			check_field(set, r, f);
	check_absent(set, r);
	check_role(set, r);
	check_per(set, r);
	check_protos(set, r);
	check_addrs(set, r);
	check_pairs(set, r);
	check_short(set, r);
	if (set->errors != errors)
		return;
	check_custom(set, r, ON_ACCEPT | ON_LISTEN, IS_ANY & ~(IS_UDP |
		     IS_DGRAM), "nobody waits at a datagram socket");
	if (r->action == FIELD_RESET)
		check_custom(set, r, ON_CONNECT, IS_TCP,
			     "only a TCP handshake can be reset");
	if (set->errors == errors)
		check_errors(set, r);
	check_accept(set, r);
	if (says(r, WITH(VIA)) && set->errors == errors)
		check_functions(set, r);
	if (set->errors == errors && !r->families)
		rule_complain(set, r, r->whole, "expected a family that all "
			      "of this fits");
}
