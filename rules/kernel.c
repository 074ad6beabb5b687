/* SPDX-License-Identifier: MIT */
/* Errors that Linux would not return, and why; errors.def knows. */
#include "check.h"

#include <errno.h>
#include <string.h>

int check_outside(uint16_t some, uint16_t of)
{
	for (int i = 0; i < FAMILIES; i++)
		if (some & ~of & 1 << i)
			return i;
	return -1;
}

const char *check_families(uint16_t set, char *buf, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < FAMILIES; i++) {
		size_t len = strlen(families[i].name);
		if (!(set & 1 << i) || at + len + 2 > size)
			continue;
		if (at)
			buf[at++] = ' ';
		memcpy(buf + at, families[i].name, len);
		at += len;
	}
	buf[at] = 0;
	return buf;
}

static const char *error_name(int error)
{
	const struct errno_row *row = errno_row(error);

	return error < 0 ? name_of(NAMES_EAI, (uint64_t)(int64_t)error)
	     : row ? row->name : "it";
}

/* Whether the kernel can do it when the descriptor is as the rule wants. */
static bool fits(const struct rule *r, const struct fault_row *f)
{
	return f->condition != BLOCKING || !says(r, WITH(NONBLOCKING));
}

const struct fault_row *check_fault(const struct rule *r, int family)
{
	for (int i = 0; i < n_faults; i++)
		if (faults[i].family == family && faults[i].error == r->error &&
		    faults[i].protos & r->protos && fits(r, &faults[i]))
			return &faults[i];
	return NULL;
}

/* The families that can fail so. */
static uint16_t failing(int error)
{
	uint16_t set = 0;

	for (int i = 0; i < n_faults; i++)
		if (faults[i].error == error)
			set |= 1 << faults[i].family;
	return set;
}

static const char not_so[] = "expected an error that Linux returns there";

/* Why an error cannot be, as well as can be told. */
static void impossible(struct rules *set, const struct rule *r, int family)
{
	const struct fault_row *other = fault_find(family, r->error, IS_ANY);
	const char *name = error_name(r->error);
	char buf[100];

	if (family == FAMILY_CONNECT && r->error == EINPROGRESS)
		COMPLAIN(set, r, FIELD_ERROR, "expected inprogress=TIME",
			 ": a connection in progress must end some day");
	else if (other && !(other->protos & r->protos))
		COMPLAIN(set, r, FIELD_ERROR, not_so, ": ",
			 families[family].name, " returns ", name, " on ",
			 protos_text(other->protos, buf, sizeof buf),
			 " only (force does it anyway)");
	else if (other)
		COMPLAIN(set, r, FIELD_ERROR, not_so, ": ",
			 families[family].name, " returns ", name, " on ",
			 condition_names[other->condition],
			 " descriptors only (force does it anyway)");
	else if (failing(r->error))
		COMPLAIN(set, r, FIELD_ERROR, not_so, ": not ",
			 families[family].name, ", but ", check_families(
			 failing(r->error), buf, sizeof buf), " can return ",
			 name, " (force does it anyway)");
	else
		COMPLAIN(set, r, FIELD_ERROR, not_so, ": no call returns ",
			 name, " because of the network (force does it "
			 "anyway)");
}

/* EAI_ codes and errno are of two worlds, which force does not join. */
static void check_world(struct rules *set, struct rule *r)
{
	uint16_t world = r->error < 0 ? ON_RESOLVE : ON_ALL & ~ON_RESOLVE;

	if (r->star)
		r->families &= world;
	else if (check_outside(r->families, world) < 0)
		return;
	else if (r->error < 0)
		COMPLAIN(set, r, FIELD_ERROR, "expected the name of an errno",
			 ": only resolve fails with EAI_ codes");
	else
		COMPLAIN(set, r, FIELD_ERROR, "expected an EAI_ code",
			 ": resolve fails with those");
}

static void check_possible(struct rules *set, struct rule *r)
{
	bool terminal = false;

	for (int i = 0; i < FAMILIES; i++) {
		const struct fault_row *f = check_fault(r, i);
		if (!(r->families & 1 << i))
			continue;
		if (!f && !r->star) {
			impossible(set, r, i);
			return;
		}
		if (!f)
			r->families &= ~(1 << i);
		terminal |= f && f->after == DEAD;
	}
	if (r->star && !failing(r->error))
		impossible(set, r, FAMILY_SOCKET);
	else if (says(r, WITH(ONCE)) && r->families && !terminal)
		COMPLAIN(set, r, FIELD_ONCE, "expected a terminal error beside "
			 "it", ": after this one the socket goes on anyway");
}

static void check_then(struct rules *set, const struct rule *r)
{
	const struct fault_row *f;

	if (!says(r, WITH(THEN)) || !r->then)
		return;
	f = fault_find(FAMILY_CONNECT, r->then, IS_TCP);
	if (r->then < 0 || (!says(r, WITH(FORCE)) && (!f || f->after != DEAD)))
		COMPLAIN(set, r, FIELD_THEN, "expected an error that ends a "
			 "handshake", ": ECONNREFUSED, ETIMEDOUT, "
			 "EHOSTUNREACH, ECONNRESET or ENOPROTOOPT");
}

void check_errors(struct rules *set, struct rule *r)
{
	int errors = set->errors;

	if (r->action == FIELD_ERROR)
		check_world(set, r);
	if (r->action == FIELD_ERROR && !says(r, WITH(FORCE)) &&
	    set->errors == errors)
		check_possible(set, r);
	check_then(set, r);
}
