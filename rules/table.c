/* SPDX-License-Identifier: MIT */
/*
 * The tables of rules/ *.def laid out as constant arrays, and lookups in them.
 * Nothing here allocates, so the shim may call it anywhere.
 */
#include "table.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* strace's numbers for headers older than the constant */
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define KINDS_(...) KINDS_PICK(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1)
#define KINDS_PICK(_1, _2, _3, _4, _5, _6, _7, _8, n, ...) KINDS_##n
#define KINDS_1(a) KIND_##a
#define KINDS_2(a, ...) KIND_##a, KINDS_1(__VA_ARGS__)
#define KINDS_3(a, ...) KIND_##a, KINDS_2(__VA_ARGS__)
#define KINDS_4(a, ...) KIND_##a, KINDS_3(__VA_ARGS__)
#define KINDS_5(a, ...) KIND_##a, KINDS_4(__VA_ARGS__)
#define KINDS_6(a, ...) KIND_##a, KINDS_5(__VA_ARGS__)
#define KINDS_7(a, ...) KIND_##a, KINDS_6(__VA_ARGS__)
#define KINDS_8(a, ...) KIND_##a, KINDS_7(__VA_ARGS__)
/* a row without arguments has one empty kind, which reads as KIND_ */
#define KIND_ KIND_END
#define KINDS(...) { KINDS_(__VA_ARGS__)(__VA_ARGS__) }

const struct call_row calls[CALLS] = {
#define CALL(family_, result_, type, name_, params, args, kinds_, doc_)	\
	{ .name = #name_, .doc = doc_, .prototype = #type " " #name_ #params, \
	  .family = FAMILY_##family_, .result = RESULT_##result_,	\
	  .kinds = KINDS kinds_ },
#define BYHAND(family_, result_, type, name_, params, kinds_, doc_)	\
	CALL(family_, result_, type, name_, params, , kinds_, doc_)
#define ALSO NO_ROW
#define HANDALSO NO_ROW
#include "calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
};

const struct alias_row aliases[] = {
#define CALL NO_ROW
#define BYHAND NO_ROW
#define ALSO(type, name, params, base, args) { #name, CALL_##base },
#define HANDALSO(type, name, params, base) { #name, CALL_##base },
#include "calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
};
const int n_aliases = sizeof aliases / sizeof *aliases;

const uint8_t kind_bytes[] = {
#define KIND(name, bytes, doc) bytes,
#include "kinds.def"
#undef KIND
};

const char *const kind_docs[] = {
#define KIND(name, bytes, doc) doc,
#include "kinds.def"
#undef KIND
};

const struct family_row families[FAMILIES] = {
#define FAMILY(id, name, rule, log, doc) { name, doc, rule, log },
#include "families.def"
#undef FAMILY
};

const struct env_row envs[ENVS] = {
#define ENV(id, name, value, doc) { name, value, doc },
#include "env.def"
#undef ENV
};

const struct errno_row errnos[] = {
#define ERRNO(name, text) { name, #name, text },
#include "errno.def"
#undef ERRNO
};
const int n_errnos = sizeof errnos / sizeof *errnos;

const struct name_row names[] = {
#define NAME(set, name) { NAMES_##set, #name, (uint64_t)name },
#define VALUE(set, name, value) { NAMES_##set, name, value },
#include "names.def"
#undef NAME
#undef VALUE
};
const int n_names = sizeof names / sizeof *names;

static bool same(const char *known, const char *name, int len)
{
	return !strncmp(known, name, len) && !known[len];
}

int call_find(const char *name, int len)
{
	for (int i = 0; i < CALLS; i++)
		if (same(calls[i].name, name, len))
			return i;
	for (int i = 0; i < n_aliases; i++)
		if (same(aliases[i].name, name, len))
			return aliases[i].base;
	return -1;
}

bool call_has_kind(int call, enum kind kind)
{
	for (int i = 0; calls[call].kinds[i] != KIND_END; i++)
		if (calls[call].kinds[i] == kind)
			return true;
	return false;
}

int family_find(const char *name, int len)
{
	for (int i = 0; i < FAMILIES; i++)
		if (same(families[i].name, name, len))
			return i;
	return -1;
}

const struct errno_row *errno_row(int number)
{
	for (int i = 0; i < n_errnos; i++)
		if (errnos[i].number == number)
			return &errnos[i];
	return NULL;
}

const char *name_of(enum name_set set, uint64_t value)
{
	for (int i = 0; i < n_names; i++)
		if (names[i].set == set && names[i].value == value)
			return names[i].name;
	return NULL;
}

static void set_call(struct call_set *set, int id, bool in)
{
	uint64_t bit = 1ULL << (id % 64);

	if (in)
		set->bits[id / 64] |= bit;
	else
		set->bits[id / 64] &= ~bit;
}

static void set_family(struct call_set *set, int family, bool in)
{
	for (int i = 0; i < CALLS; i++)
		if (calls[i].family == family)
			set_call(set, i, in);
}

void call_set_add(struct call_set *set, int id)
{
	set_call(set, id, true);
}

void call_set_family(struct call_set *set, int family)
{
	set_family(set, family, true);
}

static void set_all(struct call_set *set, bool in)
{
	for (int i = 0; i < CALLS; i++)
		set_call(set, i, in);
}

void call_set_default(struct call_set *set)
{
	for (int i = 0; i < CALLS; i++)
		set_call(set, i, families[calls[i].family].log);
	/* what is running is said with the first thing it does */
	set_call(set, CALL_execve, true);
}

/* word: CALL | FAMILY | "all" | "none" | "%network" | "%net" | "%desc" */
static int set_word(struct call_set *set, const char *word, int len, bool in)
{
	int id;

	if (same("all", word, len)) {
		set_all(set, in);
	} else if (same("none", word, len)) {
		set_all(set, !in);
	} else if (same("%network", word, len) || same("%net", word, len)) {
		for (int i = 0; i < CALLS; i++)
			if (families[calls[i].family].log)
				set_call(set, i, in);
	} else if ((id = call_find(word, len)) >= 0) {
		set_call(set, id, in);
		/* a family may share its name with a call: take both */
		if ((id = family_find(word, len)) >= 0)
			set_family(set, id, in);
	} else {
		if (len > 1 && *word == '%')
			word++, len--;
		if ((id = family_find(word, len)) < 0)
			return -1;
		set_family(set, id, in);
	}
	return 0;
}

int call_set_parse(struct call_set *set, const char *text, const char **bad)
{
	bool in = *text != '!';

	text += !in;
	set_all(set, !in);
	for (;;) {
		int len = strcspn(text, ",");
		if (!len || set_word(set, text, len, in)) {
			*bad = text;
			return -1;
		}
		text += len;
		if (!*text++)
			return 0;
	}
}

/* Edit distance of two short words, capped: only near misses matter. */
static int distance(const char *a, int la, const char *b, int lb)
{
	uint8_t row[32];

	if (la > 30 || lb > 30)
		return INT32_MAX;
	for (int j = 0; j <= lb; j++)
		row[j] = j;
	for (int i = 1; i <= la; i++) {
		int diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= lb; j++) {
			int best = diagonal + (a[i - 1] != b[j - 1]);
			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > row[j - 1] + 1)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[lb];
}

const char *word_nearest(const char *word, int len, const char *(*known)(int))
{
	const char *best = NULL, *name;
	int least = len / 3 + 2;

	for (int i = 0; (name = known(i)); i++) {
		int d = distance(word, len, name, strlen(name));
		if (d < least) {
			least = d;
			best = name;
		}
	}
	return best;
}

static const char *known_name(int i)
{
	if (i < CALLS)
		return calls[i].name;
	return i < CALLS + FAMILIES ? families[i - CALLS].name : NULL;
}

const char *call_nearest(const char *name, int len)
{
	return word_nearest(name, len, known_name);
}
