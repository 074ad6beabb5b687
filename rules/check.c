/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a rule although it parses: it says nothing to do, it
 * contradicts itself, the kernel would never do that, or another rule always
 * comes first.  `force` lifts what is only the kernel's custom.
 */
#include "rule.h"

#include <errno.h>
#include <string.h>

#define CONNECTED (WITH(PEER) | WITH(LOCAL) | WITH(ROLE) | WITH(FD) |	\
		   WITH(CONN) | WITH(BLOCKING) | WITH(NONBLOCKING))

static bool says(const struct rule *r, uint64_t fields_)
{
	return r->with & fields_;
}

#define COMPLAIN(set, r, field, ...)					\
	rule_complain(set, (r)->file, (r)->line, (r)->cols[field],	\
		      __VA_ARGS__, NULL)

/* The first family of a set that is no member of another, or -1. */
static int outside(uint16_t some, uint16_t of)
{
	for (int i = 0; i < FAMILIES; i++)
		if (some & ~of & 1 << i)
			return i;
	return -1;
}

/* ---- families ---------------------------------------------------------- */

/*
 * A field that not every family can have.  `*` means those that can; a family
 * that was named must be able to.
 */
static void check_field(struct rules *set, struct rule *r, int f, bool all)
{
	int family = outside(r->families, fields[f].families);

	if (family < 0)
		return;
	if (!all || !(r->families & fields[f].families))
		COMPLAIN(set, r, f, "expected what ", families[family].name,
			 " can have: ", fields[f].name, fields[f].value ? "="
			 : "", " is of no use to it");
	else
		r->families &= fields[f].families;
}

static void check_via(struct rules *set, struct rule *r, bool all)
{
	uint16_t via = 0;

	if (!says(r, WITH(VIA)))
		return;
	for (int i = 0; i < CALLS; i++) {
		if (!call_set_has(&r->via, i))
			continue;
		via |= 1 << calls[i].family;
		if (!(r->families & 1 << calls[i].family))
			COMPLAIN(set, r, FIELD_VIA, "expected a function of "
				 "the rule's families: ", calls[i].name,
				 " is one of ", families[calls[i].family].name);
	}
	if (all)
		r->families &= via;
	else if (outside(r->families, via) >= 0)
		COMPLAIN(set, r, FIELD_VIA, "expected a function of family ",
			 families[outside(r->families, via)].name, " too, or "
			 "that family not to be named");
}

/* Matchers that a call cannot have: there is no socket (yet). */
static void check_socketless(struct rules *set, struct rule *r, bool all)
{
	static const enum field of_sockets[] = {
		FIELD_PEER, FIELD_LOCAL, FIELD_ROLE, FIELD_FD, FIELD_CONN,
		FIELD_BLOCKING, FIELD_NONBLOCKING, FIELD_PROTO,
	};
	uint16_t none = ON_SOCKET | ON_RESOLVE;

	for (size_t i = 0; i < sizeof of_sockets / sizeof *of_sockets; i++) {
		int f = of_sockets[i];
		/* socket() knows at least which protocol it will be */
		uint16_t bad = f == FIELD_PROTO ? ON_RESOLVE : none;
		if (!(r->with >> f & 1) || !(r->families & bad))
			continue;
		if (all && r->families & ~bad)
			r->families &= ~bad;
		else if (r->families & ON_RESOLVE & bad)
			COMPLAIN(set, r, f, "expected no ", fields[f].name,
				 " for resolve: it is not about a socket");
		else
			COMPLAIN(set, r, f, "expected no ", fields[f].name,
				 " for socket: there is none before the call");
	}
}

/* ---- what contradicts itself ------------------------------------------- */

static bool is_unix(enum addr_kind kind)
{
	return kind == ADDR_PATH || kind == ADDR_ABSTRACT;
}

static void check_addrs(struct rules *set, const struct rule *r)
{
	static const enum field which[2] = { FIELD_LOCAL, FIELD_PEER };
	const struct addr_match *a = r->addr;

	for (int i = 0; i < 2; i++) {
		if (!(r->with >> which[i] & 1) || !says(r, WITH(PROTO)))
			continue;
		if (is_unix(a[i].kind) && r->protos != IS_UNIX)
			COMPLAIN(set, r, which[i], "expected an address and a "
				 "port: unix: is not of that proto=");
		if (!is_unix(a[i].kind) && r->protos == IS_UNIX)
			COMPLAIN(set, r, which[i], "expected unix:PATH, since "
				 "proto=unix is given");
	}
	if (!says(r, WITH(PEER)) || !says(r, WITH(LOCAL)))
		return;
	if (is_unix(a[0].kind) != is_unix(a[1].kind) ||
	    (a[0].kind == ADDR_IP4 && a[1].kind == ADDR_IP6) ||
	    (a[0].kind == ADDR_IP6 && a[1].kind == ADDR_IP4))
		COMPLAIN(set, r, FIELD_PEER, "expected peer= and local= of "
			 "one kind: no connection has both of these");
}

static void check_role(struct rules *set, const struct rule *r)
{
	int role = r->role;

	if (!says(r, WITH(ROLE)))
		return;
	if (r->families == ON_ACCEPT && role != ROLE_IS_LISTENER)
		COMPLAIN(set, r, FIELD_ROLE, "expected role=listener: nothing "
			 "else accepts");
	else if (!(r->families & ~(ON_SEND | ON_RECV)) &&
		 role == ROLE_IS_LISTENER)
		COMPLAIN(set, r, FIELD_ROLE, "expected another role: a "
			 "listener moves no data");
	else if (r->families == ON_CONNECT && role != ROLE_IS_CLIENT)
		COMPLAIN(set, r, FIELD_ROLE, "expected role=client: nothing "
			 "else connects");
}

static void check_counting(struct rules *set, const struct rule *r)
{
	if (says(r, WITH(PER)) && !says(r, WITH(WHEN) | WITH(LIMIT)))
		COMPLAIN(set, r, FIELD_PER, "expected when= or limit=, which "
			 "per= counts for");
	if (says(r, WITH(PER)) && r->per == PER_CONN &&
	    r->families & (ON_SOCKET | ON_RESOLVE) && r->families != ON_ALL)
		COMPLAIN(set, r, FIELD_PER, "expected process or thread: the "
			 "call is not about a connection");
	if (says(r, WITH(BLOCKING)) && says(r, WITH(NONBLOCKING)))
		COMPLAIN(set, r, FIELD_NONBLOCKING, "expected blocking or "
			 "nonblocking: no descriptor is both");
}

/* ---- the action -------------------------------------------------------- */

static void check_manner(struct rules *set, const struct rule *r)
{
	if (says(r, WITH(THEN)) && r->action != FIELD_INPROGRESS)
		COMPLAIN(set, r, FIELD_THEN, "expected inprogress=, whose end "
			 "then= tells");
	else if (says(r, WITH(THEN)) && r->then && !says(r, WITH(FORCE))) {
		const struct fault_row *f =
			fault_find(FAMILY_CONNECT, r->then, IS_TCP);
		if (!f || f->after != DEAD)
			COMPLAIN(set, r, FIELD_THEN, "expected an error that a "
				 "connection in progress can end with: "
				 "ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH ...");
	}
	if (says(r, WITH(ONCE)) && r->action != FIELD_ERROR)
		COMPLAIN(set, r, FIELD_ONCE, "expected error=, which once "
			 "limits to one call");
	if (r->action == FIELD_PASS && says(r, WITH(DELAY) | WITH(SIGNAL)))
		COMPLAIN(set, r, FIELD_PASS, "expected pass alone: it leaves "
			 "the call as it is");
}

static void check_stream(struct rules *set, struct rule *r)
{
	uint8_t streams = IS_TCP | IS_STREAM;
	uint8_t connected = IS_TCP | IS_STREAM | IS_SEQ;

	if (says(r, WITH(AT)) && !(r->protos & streams))
		COMPLAIN(set, r, FIELD_AT, "expected a stream: datagrams are "
			 "no stream and have no offset");
	if (r->action == FIELD_SHORT && !(r->protos & streams))
		COMPLAIN(set, r, FIELD_SHORT, "expected a stream: a datagram "
			 "is sent whole or not at all");
	else if (r->action == FIELD_SHORT && !r->percent &&
		 r->amount[0] >= r->size[1])
		COMPLAIN(set, r, FIELD_SHORT, "expected fewer bytes than size= "
			 "lets through: such a call is never cut");
	if ((r->action == FIELD_RESET || r->action == FIELD_EOF) &&
	    !(r->protos & connected))
		COMPLAIN(set, r, r->action, "expected a connection: a datagram "
			 "socket has none that could end");
}

/* Whether the kernel can do it when the descriptor is as the rule wants. */
static bool fits(const struct rule *r, const struct fault_row *f)
{
	return !(f->condition == BLOCKING && says(r, WITH(NONBLOCKING))) &&
	       !(f->condition == NOWAIT && says(r, WITH(BLOCKING)));
}

/* Why an error cannot be, as well as can be told. */
static void impossible(struct rules *set, const struct rule *r, int family)
{
	const struct fault_row *other = fault_find(family, r->error, IS_ANY);
	const struct errno_row *row = errno_row(r->error);
	const char *name = r->error < 0 ? name_of(NAMES_EAI, r->error)
					: row ? row->name : "it";
	char buf[64];

	if (family == FAMILY_CONNECT && r->error == EINPROGRESS)
		COMPLAIN(set, r, FIELD_ERROR, "expected inprogress=TIME: a "
			 "connection in progress must end some day");
	else if (other && !(other->protos & r->protos))
		COMPLAIN(set, r, FIELD_ERROR, "expected an error of that "
			 "proto=: Linux returns ", name, " from ",
			 families[family].name, " on ", protos_text(
			 other->protos, buf, sizeof buf), " only (force does "
			 "it anyway)");
	else if (other)
		COMPLAIN(set, r, FIELD_ERROR, "expected an error that such a "
			 "descriptor can have: ", name, " comes from ",
			 families[family].name, " on ", condition_names[
			 other->condition], " descriptors only");
	else
		COMPLAIN(set, r, FIELD_ERROR, "expected an error of ",
			 families[family].name, ": Linux does not return ",
			 name, " there (sockwrench list errors)");
}

/* The first fault of a family that the rule could mean, or NULL. */
static const struct fault_row *possible(const struct rule *r, int family)
{
	for (int i = 0; i < n_faults; i++)
		if (faults[i].family == family && faults[i].error == r->error &&
		    faults[i].protos & r->protos && fits(r, &faults[i]))
			return &faults[i];
	return NULL;
}

static void check_error(struct rules *set, struct rule *r, bool all)
{
	bool terminal = false;
	uint16_t can = 0;

	for (int i = 0; i < FAMILIES; i++) {
		const struct fault_row *f;
		if (!(r->families & 1 << i))
			continue;
		f = possible(r, i);
		can |= f ? 1 << i : 0;
		terminal |= f && f->after == DEAD;
		if (!f && !all) {
			impossible(set, r, i);
			return;
		}
	}
	if (!can)
		COMPLAIN(set, r, FIELD_ERROR, "expected an error that some "
			 "call returns (sockwrench list errors)");
	else if (says(r, WITH(ONCE)) && !terminal)
		COMPLAIN(set, r, FIELD_ONCE, "expected no once: after this "
			 "error the socket goes on anyway");
	else
		r->families = can;
}

/* accept learns its peer by accepting: then it is too late for some. */
static void check_accept(struct rules *set, const struct rule *r)
{
	const struct fault_row *f;

	if (!(r->families & ON_ACCEPT) || !says(r, WITH(PEER)) ||
	    r->families == ON_ALL)
		return;
	f = r->action == FIELD_ERROR ? fault_find(FAMILY_ACCEPT, r->error,
						  r->protos) : NULL;
	if (r->action == FIELDS || (f && f->mechanism != TAKE))
		COMPLAIN(set, r, FIELD_PEER, "expected no peer: accept knows "
			 "it only when the connection has been taken");
}

void rule_check(struct rules *set, struct rule *r)
{
	bool all = r->families == ON_ALL;
	int errors = set->errors;

	if (r->action == FIELDS && !says(r, WITH(DELAY) | WITH(SIGNAL))) {
		rule_complain(set, r->file, r->line, 1, "expected an action: "
			      "error=, short=, reset, eof, delay= ...", NULL);
		return;
	}
	for (int f = 0; f < FIELDS; f++)
		if (r->with >> f & 1)
			check_field(set, r, f, all);
	check_via(set, r, all);
	check_socketless(set, r, all);
	check_addrs(set, r);
	check_role(set, r);
	check_counting(set, r);
	check_manner(set, r);
	if (set->errors != errors)
		return;
	if (!says(r, WITH(FORCE)))
		check_stream(set, r);
	if (set->errors == errors && r->action == FIELD_ERROR &&
	    !says(r, WITH(FORCE)))
		check_error(set, r, all);
	if (set->errors == errors)
		check_accept(set, r);
	if (set->errors == errors && !r->families)
		rule_complain(set, r->file, r->line, 1, "expected a family "
			      "for which all of this makes sense", NULL);
}

/* ---- rules against each other ------------------------------------------ */

static bool same_span(struct span a, struct span b)
{
	return a.len == b.len && !memcmp(a.s, b.s, a.len);
}

static bool same_addr(const struct addr_match *a, const struct addr_match *b)
{
	return a->kind == b->kind && a->port == b->port &&
	       a->bits == b->bits && !memcmp(a->ip, b->ip, sizeof a->ip) &&
	       same_span(a->glob, b->glob);
}

/* Whether the rule takes every call that matches it, now and always. */
static bool certain(const struct rule *r)
{
	const struct fault_row *f;

	if (says(r, WITH(WHEN) | WITH(PROB) | WITH(LIMIT) | WITH(AFTER) |
		 WITH(AT)))
		return false;
	switch (r->action) {
	case FIELD_PASS:
		return true;
	case FIELD_ERROR:
		for (int i = 0; i < FAMILIES; i++) {
			if (!(r->families & 1 << i))
				continue;
			f = fault_find(i, r->error, r->protos);
			if (!f || f->condition != ALWAYS ||
			    r->protos & ~f->protos || f->mechanism == TAKE)
				return false;
		}
		return !says(r, WITH(FORCE));
	default:
		return false;
	}
}

/* Whether each call that b matches is matched by a too. */
static bool covers(const struct rule *a, const struct rule *b)
{
	static const uint64_t exact = WITH(ROLE) | WITH(FD) | WITH(CONN) |
		WITH(BLOCKING) | WITH(NONBLOCKING) | WITH(EXE) | WITH(NAME) |
		WITH(PEER) | WITH(LOCAL);

	if (b->families & ~a->families || b->protos & ~a->protos ||
	    a->with & exact & ~b->with ||
	    a->size[0] > b->size[0] || a->size[1] < b->size[1])
		return false;
	for (int i = 0; i < CALLS && says(a, WITH(VIA)); i++)
		if ((!says(b, WITH(VIA)) || call_set_has(&b->via, i)) &&
		    b->families & 1 << calls[i].family &&
		    !call_set_has(&a->via, i))
			return false;
	return (!says(a, WITH(ROLE)) || a->role == b->role) &&
	       (!says(a, WITH(FD)) || a->fd == b->fd) &&
	       (!says(a, WITH(CONN)) || a->conn == b->conn) &&
	       (!says(a, WITH(EXE)) || same_span(a->exe, b->exe)) &&
	       (!says(a, WITH(NAME)) || same_span(a->name, b->name)) &&
	       (!says(a, WITH(PEER)) || same_addr(&a->addr[1], &b->addr[1])) &&
	       (!says(a, WITH(LOCAL)) || same_addr(&a->addr[0], &b->addr[0]));
}

void rules_check(struct rules *set)
{
	for (int j = 1; j < set->n; j++)
		for (int i = 0; i < j; i++) {
			const struct rule *a = &set->rule[i];
			const struct rule *b = &set->rule[j];
			char name[300];
			if (!certain(a) || !covers(a, b))
				continue;
			rule_name(a, name, sizeof name);
			rule_complain(set, b->file, b->line, 1, "expected a "
				      "rule that can fire: ", name,
				      " always comes first", NULL);
			break;
		}
}
