/* SPDX-License-Identifier: MIT */
/* What the parts of the checker share: check.c, and kernel.c for errors. */
#ifndef RULES_CHECK_H
#define RULES_CHECK_H

#include "rule.h"

static inline bool says(const struct rule *r, uint64_t fields_)
{
	return r->with & fields_;
}

#define COMPLAIN(set, r, field, ...)					\
	rule_complain(set, r, (r)->place[field], __VA_ARGS__)

/* The first family of a set that is no member of another, or -1. */
int check_outside(uint16_t some, uint16_t of);
/* "send recv" */
const char *check_families(uint16_t set, char *buf, size_t size);

/* The first fault of a family that the rule could mean, or NULL. */
const struct fault_row *check_fault(const struct rule *r, int family);
/* error= and then=: what the kernel never says, or never says there. */
void check_errors(struct rules *set, struct rule *r);

#endif
