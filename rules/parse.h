/* SPDX-License-Identifier: MIT */
/*
 * What the parser's parts share: parse.c takes a line apart into words,
 * value.c reads what stands behind a field's `=`, units.c the numbers in it.
 */
#ifndef RULES_PARSE_H
#define RULES_PARSE_H

#include "rule.h"

struct parse {
	struct rules *set;
	struct rule *rule;
	const char *word, *end;		/* the word at hand */
	bool failed;			/* its error is told already */
};

/* WHAT near the rest of the word from at, or the whole word where it ends. */
void parse_fail(struct parse *p, const char *at, const char *what);

/*
 * WHAT near the word from at to end, which is none of those known(0) ... NULL;
 * the nearest of them is named, or else the hint is given.
 */
void parse_unknown(struct parse *p, const char *at, const char *end,
		   const char *what, const char *(*known)(int),
		   const char *hint);

/* Where a piece of the rule's line is. */
struct place parse_place(const struct rule *r, const char *at,
			 const char *end);

/* The word as a field of the rule. */
void parse_field(struct parse *p);
/* The word as strace's inject=SET:error=E:when=... (inject.c). */
void parse_inject(struct parse *p);

bool parse_is(const char *at, const char *end, const char *word);
bool parse_skip(const char **at, const char *end, const char *s);

/* An address up to the end of the word (address.c). */
void parse_address(struct parse *p, const char *at, struct addr_match *m);

/* ---- units.c: each moves on, or returns, behind what it has read --------- */

/* DIGITS as a number, at most 10^18; false: none there. */
bool parse_number(const char **at, const char *end, uint64_t *n);
/* DIGITS["."DIGITS], the part behind the point in billionths. */
bool parse_decimal(const char **at, const char *end, uint64_t *n,
		   uint32_t *billionths);
/* The rest of the word, a number from min to max. */
uint64_t parse_whole(struct parse *p, const char *at, uint64_t min,
		     uint64_t max, const char *what);
/* A time with its unit, in ns; false: none there. */
bool parse_duration(const char **at, const char *end, int64_t *ns);
/* The same, of a rule. */
const char *parse_time(struct parse *p, const char *at, int64_t *ns);
/* A number of bytes, which may have a unit. */
const char *parse_bytes(struct parse *p, const char *at, uint64_t *n);

/* The call of that name, or -1 with the error told. */
int parse_call(struct parse *p, const char *at, const char *end,
	       const char *what);

/* What reads the value of each field; NULL: it has none. */
extern void (*const parse_value[FIELDS])(struct parse *p, const char *at);

#endif
