/* SPDX-License-Identifier: MIT */
/* From call sites to trials, by the table of trials.def. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
	int family, protos;
	enum trial_where where;
	enum trial_kind kind;
	enum trial_needs needs;
	const char *rule, *beside;
} rows[] = {
#define BESIDE(family, protos, where, kind, needs, rule, beside) \
	{ FAMILY_##family, protos, where, kind, needs, rule, beside },
#define TRIAL(...) BESIDE(__VA_ARGS__, NULL)
#include "trials.def"
#undef TRIAL
#undef BESIDE
};

#define ROWS (int)(sizeof rows / sizeof *rows)

/* Whether that very call can fail so: epoll_ctl is never interrupted. */
static bool possible(const struct row *r, const struct site *at)
{
	const char *error = strstr(r->rule, "error=");

	if (!error)
		return true;
	for (int i = 0; i < n_faults; i++)
		if (faults[i].family == at->family &&
		    !strcmp(faults[i].name, error + 6) &&
		    fault_of_call(&faults[i], at->call))
			return true;
	return false;
}

/* The byte at which a connection is cut: most heads are longer than that. */
#define HEAD 64

static uint64_t middle(const struct row *r, const struct site *at)
{
	uint64_t half = at->moved / 2;

	return r->where == AT_HEAD && half > HEAD ? HEAD : half;
}

/* Whether it says anything there; *note: though not what is known of it. */
static bool makes_sense(const struct row *r, const struct sites *s,
			const struct site *at, bool *note)
{
	*note = false;
	if (r->family != at->family ||
	    (at->protos && !(r->protos & at->protos)))
		return false;
	if (!possible(r, at) || (r->where != AT_SITE && !at->conn))
		return false;
	if ((r->where == AT_HEAD || r->where == AT_HALF) && at->moved < 2)
		return false;
	switch (r->needs) {
	case NONBLOCKING:
		return at->nowait;
	case INTERRUPT:
		*note = !at->handler && !at->bounded;
		return true;
	case BOUNDED:
		return at->bound && at->bound <= 2000000000;
	case CONNECTING:
		*note = !at->handler;
		return s->connecting;
	case LONG:
		return at->most != 1;
	default:
		return true;
	}
}

static bool wanted(const struct plan *p, const struct planned *t, int family)
{
	const char *at = p->only;

	for (; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		int len = strcspn(at, ",");
		char word[40];
		snprintf(word, sizeof word, "%.*s", len, at);
		if (family_find(at, len) == family || strstr(t->rule, word))
			return true;
	}
	return !p->only;
}

/* A second fault on the way that the first has led to. */
static struct planned second(const struct planned *first, struct planned t)
{
	t.beside = strdup(first->rule);
	t.note |= first->note;
	if (t.kind == BENIGN)
		t.kind = first->kind;
	return t;
}

static void add(struct plan *p, struct planned *t, int family)
{
	struct planned *all;

	if (!wanted(p, t, family) || (p->after && t->beside) ||
	    ((t->note || t->kind == SILENCE) && !p->notes))
		return;
	if (p->after)
		*t = second(p->after, *t);
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		all = realloc(p->trial, p->room * sizeof *all);
		if (!all)
			abort();
		p->trial = all;
	}
	p->trial[p->n++] = *t;
}

/* One a socket is enough, however many sites it has. */
static bool there_is(const struct plan *p, const char *rule,
		     const char *beside)
{
	for (int i = 0; i < p->n; i++)
		if (!strcmp(p->trial[i].rule, rule) &&
		    p->trial[i].beside == beside)
			return true;
	return false;
}

/* Once is once, in all the processes of a server. */
static bool counts(const char *rule)
{
	return strstr(rule, "when=") || strstr(rule, "limit=");
}

static void from_row(struct plan *p, const struct sites *s, int site, int row)
{
	const struct site *at = &s->site[site];
	const struct row *r = &rows[row];
	const char *family = families[r->family].name;
	struct planned t = { .site = site, .row = row, .kind = r->kind,
			     .beside = r->beside };

	/* numbers of sockets are each process's own */
	const char *once = !at->child ? "" : counts(r->rule) ? "per=tree " :
			   "per=tree limit=1 ";

	if (!makes_sense(r, s, at, &t.note))
		return;
	if (r->where == AT_SITE)
		snprintf(t.rule, sizeof t.rule, "%s from=%s %s%s", family,
			 at->from, at->child && counts(r->rule) ? "per=tree "
			 : "", r->rule);
	else if (r->where == AT_SOCKET)
		snprintf(t.rule, sizeof t.rule, "%s conn=%u %s%s", family,
			 at->conn, once, r->rule);
	else
		snprintf(t.rule, sizeof t.rule, "%s conn=%u at=%llu %s%s",
			 family, at->conn, (unsigned long long)middle(r, at),
			 once, r->rule);
	if (!there_is(p, t.rule, t.beside))
		add(p, &t, r->family);
}

/* In place of the first call of a site, others. */
static void exhaust(struct plan *p, const struct sites *s, int from)
{
	int n = p->n;

	for (int i = 0; i < n; i++) {
		struct planned t = p->trial[i];
		const struct site *at = &s->site[t.site];
		char *when = strstr(t.rule, "when=1 "), tail[400];
		if (t.site < from || !when)
			continue;
		snprintf(tail, sizeof tail, "%s", when + 7);
		for (uint64_t k = 1 + p->every; k <= at->calls; k += p->every) {
			snprintf(when, t.rule + sizeof t.rule - when,
				 "when=%llu %s", (unsigned long long)k, tail);
			add(p, &t, at->family);
		}
	}
}

/* The rest of what the kernel can do, once. */
static void from_errors(struct plan *p, const struct sites *s, int site)
{
	const struct site *at = &s->site[site];
	struct planned t = { .site = site, .row = -1 };

	for (int i = 0; i < n_faults; i++) {
		const struct fault_row *f = &faults[i];
		if (f->family != at->family ||
		    (at->protos && !(f->protos & at->protos)) ||
		    !fault_of_call(f, at->call) ||
		    (f->condition == NOWAIT && !at->nowait))
			continue;
		t.kind = f->error == EINTR || f->error == EAGAIN ? BENIGN
								 : TERMINAL;
		t.note = f->error == EINTR && !at->handler && !at->bounded;
		snprintf(t.rule, sizeof t.rule, "%s from=%s when=1 error=%s",
			 families[f->family].name, at->from, f->name);
		if (!there_is(p, t.rule, t.beside))
			add(p, &t, f->family);
	}
}

bool plan_knows(const char *word, int len)
{
	char text[40];
	bool known = family_find(word, len) >= 0;

	snprintf(text, sizeof text, "%.*s", len, word);
	for (int i = 0; i < ROWS && !known; i++)
		known = strstr(rows[i].rule, text);
	return known && *text;
}

void plan_add(struct plan *p, const struct sites *s, int from)
{
	for (int i = from; i < s->n; i++) {
		for (int row = 0; row < ROWS; row++)
			from_row(p, s, i, row);
		if (p->all)
			from_errors(p, s, i);
	}
	if (p->every)
		exhaust(p, s, from);
}
