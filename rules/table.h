/* SPDX-License-Identifier: MIT */
/*
 * The tables as C: calls, kinds, families, environment, names of numbers.
 * All of it is constant; lookups by name are linear and meant for start-up.
 */
#ifndef RULES_TABLE_H
#define RULES_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define NO_ROW(...)

enum call_id {
#define CALL(family, result, type, name, ...) CALL_##name,
#define BYHAND(family, result, type, name, ...) CALL_##name,
#define ALSO NO_ROW
#define HANDALSO NO_ROW
#include "calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
	CALLS
};

enum kind {
#define KIND(name, bytes, doc) KIND_##name,
#include "kinds.def"
#undef KIND
};

enum family {
#define FAMILY(id, name, rule, log, doc) FAMILY_##id,
#include "families.def"
#undef FAMILY
	FAMILIES
};

enum result {
	RESULT_COUNT, RESULT_ITEMS, RESULT_VALUE, RESULT_READY, RESULT_NEWFD,
	RESULT_PID, RESULT_ZERO, RESULT_CHAR, RESULT_LINE, RESULT_POINTER, RESULT_HANDLER,
	RESULT_ERRNUM, RESULT_EAI, RESULT_NOTHING, RESULT_NORETURN,
};

enum env_id {
#define ENV(id, name, value, doc) ENV_##id,
#include "env.def"
#undef ENV
	ENVS
};

/* Sets of names.def; the first ones are named like the kinds they belong to. */
enum name_set {
	NAMES_DOMAIN, NAMES_SOCKTYPE, NAMES_SOCKFLAGS, NAMES_HOW,
	NAMES_MSGFLAGS, NAMES_SOLEVEL, NAMES_FCNTL, NAMES_OPENFLAGS,
	NAMES_FDFLAGS, NAMES_IOCTL, NAMES_EPOLLOP, NAMES_EPOLLFLAGS,
	NAMES_FILETYPE, NAMES_RWFLAGS, NAMES_SPLICEFLAGS, NAMES_CLONEFLAGS,
	NAMES_SIGNUM, NAMES_SO, NAMES_TCP, NAMES_IP, NAMES_IPV6, NAMES_POLL,
	NAMES_EPOLL, NAMES_SIGFLAGS, NAMES_EAI,
};

#define CALL_KINDS 8

struct call_row {
	const char *name;
	const char *doc;
	const char *prototype;
	uint8_t family;
	uint8_t result;
	uint8_t kinds[CALL_KINDS + 1];	/* KIND_END after the last */
};

struct alias_row {
	const char *name;
	uint8_t base;			/* the call it is logged as */
};

struct family_row {
	const char *name, *doc;
	bool rule, log;
};

struct env_row {
	const char *name, *value, *doc;
};

struct errno_row {
	int number;
	const char *name, *text;
};

struct name_row {
	uint8_t set;
	const char *name;
	uint64_t value;
};

extern const struct call_row calls[CALLS];
extern const struct alias_row aliases[];
extern const int n_aliases;
extern const uint8_t kind_bytes[];
extern const char *const kind_docs[];
extern const struct family_row families[FAMILIES];
extern const struct env_row envs[ENVS];
extern const struct errno_row errnos[];
extern const int n_errnos;
extern const struct name_row names[];
extern const int n_names;

/* The call of that name or alias, or -1. */
int call_find(const char *name, int len);
/* Whether one of its arguments is of that kind. */
bool call_has_kind(int call, enum kind kind);
/* The family of that name, or -1. */
int family_find(const char *name, int len);
/* The row of an errno, or NULL for a number Linux does not use. */
const struct errno_row *errno_row(int number);
/* The name of a value in a set, or NULL. */
const char *name_of(enum name_set set, uint64_t value);

/* A set of calls. */
struct call_set {
	uint64_t bits[(CALLS + 63) / 64];
};

static inline bool call_set_has(const struct call_set *s, int id)
{
	return s->bits[id / 64] >> (id % 64) & 1;
}

void call_set_add(struct call_set *set, int id);
void call_set_family(struct call_set *set, int family);
/* What is recorded when nobody says otherwise. */
void call_set_default(struct call_set *set);
/*
 * Parse "send,recv,poll" (calls, families, all, none, strace's %network and
 * %desc, ! in front).  0; or -1 and *bad points at the word that is no call.
 */
int call_set_parse(struct call_set *set, const char *text, const char **bad);
/* The closest of the words known(0), known(1) ... NULL, or NULL: none is near. */
const char *word_nearest(const char *word, int len, const char *(*known)(int));
/* The known call or family closest to a misspelt one, or NULL. */
const char *call_nearest(const char *name, int len);

#endif
