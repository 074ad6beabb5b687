/* SPDX-License-Identifier: MIT */
/*
 * The report: findings of one name at one call site are one, told by the first
 * trial that showed it; the worst come first.
 */
#include "report.h"

#include "lines.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const struct found *found;
	const struct site *site;
	const struct planned *trial;	/* the first that shows it; NULL: the */
	const struct outcome *outcome;	/*   untouched runs do */
	int times;			/* trials that do */
	enum level level;
};

enum level found_level(const struct audit *a, int trial,
		       const struct found *f)
{
	const struct planned *p = &a->plan.trial[trial];
	const struct site *s = &a->sites.site[p->site];

	/* nobody can tell where a stream that has no other end should end */
	if (f->id == FINDING_TRUNCATED_ACCEPTED && s->ended && !s->length)
		return LEVEL_NOTE;
	/* nor does Linux take a client back that nobody else can have taken */
	if (f->id == FINDING_BLOCKING_ACCEPT && !s->forked)
		return LEVEL_NOTE;
	/* nor what it has told of, unless somebody else has read it */
	if (f->odd)
		return LEVEL_NOTE;
	if (p->note || p->kind == SILENCE)
		return LEVEL_NOTE;
	return f->mild ? LEVEL_WARNING : findings[f->id].level;
}

static struct entry *entry_find(struct entry *all, int n,
				const struct entry *like)
{
	for (int i = 0; i < n; i++)
		if (all[i].site == like->site && all[i].trial &&
		    all[i].level == like->level &&
		    all[i].found->id == like->found->id)
			return &all[i];
	return NULL;
}

static int worse(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	if (a->level != b->level)
		return (int)a->level - (int)b->level;
	if (!a->trial != !b->trial)
		return a->trial ? 1 : -1;
	if (a->site != b->site)
		return a->site < b->site ? -1 : 1;
	return (int)a->found->id - (int)b->found->id;
}

static void add(const struct audit *a, struct entry *all, int *n,
		struct entry new)
{
	struct entry *e;

	if (new.level == LEVEL_NOTE && !a->notes)
		return;
	e = entry_find(all, *n, &new);
	if (e)
		e->times++;
	else
		all[(*n)++] = new;
}

/* All entries, allocated; *n of them. */
static struct entry *entries(const struct audit *a, int *n)
{
	struct entry *all = calloc(a->plan.n * FOUND_MOST + a->natives + 1,
				   sizeof *all);

	*n = 0;
	for (int i = 0; all && i < a->natives; i++)
		add(a, all, n, (struct entry){
			&a->native[i].found, &a->native[i].site, NULL, NULL, 1,
			findings[a->native[i].found.id].level });
	for (int i = 0; all && i < a->plan.n; i++) {
		const struct outcome *o = &a->outcome[i];
		const struct planned *p = &a->plan.trial[i];
		for (int k = 0; o->verdict == FOUND && k < o->n; k++)
			add(a, all, n, (struct entry){
				&o->found[k], &a->sites.site[p->site], p, o, 1,
				found_level(a, i, &o->found[k]) });
	}
	if (*n)
		qsort(all, *n, sizeof *all, worse);
	return all;
}

int report_count(const struct audit *a, enum level level)
{
	int n, count = 0;
	struct entry *all = entries(a, &n);

	for (int i = 0; i < n; i++)
		count += all[i].level <= level;
	free(all);
	return count;
}

const char *report_failure(const struct audit *a)
{
	for (int i = 0; i < a->plan.n; i++)
		if (a->outcome[i].verdict == NO_TRIAL && *a->outcome[i].failed)
			return a->outcome[i].failed;
	return NULL;
}

static int count(const struct audit *a, enum judged verdict)
{
	int n = 0;

	for (int i = 0; i < a->plan.n; i++)
		n += a->outcome[i].verdict == verdict;
	return n;
}

/* ---- text --------------------------------------------------------------------- */

/* As a shell would have to read it. */
static void quoted(FILE *f, const char *s)
{
	if (*s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
			    "UVWXYZ0123456789@%_+=:,./-")]) {
		fputs(s, f);
		return;
	}
	fputc('\'', f);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	fputc('\'', f);
}

static void command(FILE *f, const struct audit *a, const struct planned *p)
{
	fputs(p ? "sockwrench run -e " : "sockwrench trace", f);
	if (p)
		quoted(f, p->rule);
	if (p && p->beside) {
		fputs(" -e ", f);
		quoted(f, p->beside);
	}
	fputs(" --", f);
	for (char *const *arg = a->trial.argv; *arg; arg++) {
		fputc(' ', f);
		if (!strcmp(*arg, "$PORT"))
			fputs("\"$PORT\"", f);	/* whoever pastes it has one */
		else
			quoted(f, *arg);
	}
	if (a->trial.input) {
		fputs(" <", f);
		quoted(f, a->trial.input);
	}
}

/* One place a line, as far as they say something. */
static void backtrace(FILE *f, const char *stack)
{
	const char *label = "from";

	for (int i = 0; *stack && i < 5; i++) {
		size_t len = strcspn(stack, "<");
		const char *line = line_of(stack, len);
		if (strstr(line, "libc.so.6+") || strstr(line, "_start"))
			break;
		fprintf(f, "    %-9s %s\n", label, line);
		label = "";
		stack += len + (stack[len] != 0);
	}
}

static void entry_text(FILE *f, const struct audit *a, const struct entry *e)
{
	const struct outcome *o = e->outcome;
	const struct site *s = e->site;

	fprintf(f, "%s: %s: %s at %s\n", level_names[e->level],
		findings[e->found->id].name, calls[s->call].name,
		line_of(s->stack, strcspn(s->stack, "<")));
	fprintf(f, "    %-9s %s\n", "injected",
		e->trial ? e->trial->rule : "nothing");
	fprintf(f, "    %-9s %s", "happened", e->found->what);
	if (e->times > 1)
		fprintf(f, " (and under %d other fault%s)", e->times - 1,
			e->times > 2 ? "s" : "");
	fputc('\n', f);
	backtrace(f, s->stack);
	for (int i = 0; o && i < o->tail; i++)
		fprintf(f, "    %-9s %s\n", i ? "" : "last", o->tail_line[i]);
	if (!o)
		fprintf(f, "    %-9s %s", "call", s->line);
	fprintf(f, "    %-9s ", "again");
	command(f, a, e->trial);
	fputs("\n\n", f);
}

static void totals(FILE *f, const struct audit *a, int n)
{
	int left = a->plan.n - a->done;

	fprintf(f, "%d call site%s, %d trial%s: %d tolerated, %d handled, "
		"%d finding%s, %d not reached", a->sites.n,
		a->sites.n == 1 ? "" : "s", a->done, a->done == 1 ? "" : "s",
		count(a, TOLERATED), count(a, HANDLED), n,
		n == 1 ? "" : "s", count(a, NOT_REACHED));
	if (count(a, UNSTEADY))
		fprintf(f, ", %d seen once only", count(a, UNSTEADY));
	if (count(a, NO_TRIAL))
		fprintf(f, ", %d could not be run", count(a, NO_TRIAL));
	if (left + a->crowded)
		fprintf(f, ", %d left out", left + a->crowded);
	fputc('\n', f);
	if (report_failure(a))
		fprintf(f, "%s\n", report_failure(a));
	if (a->ref.idle)
		fputs("nothing was injected\n", f);
	if (a->lines[0])
		fprintf(f, "%s\n", a->lines);
}

void report_text(FILE *f, const struct audit *a)
{
	int n;
	struct entry *all = entries(a, &n);

	for (int i = 0; i < n; i++)
		entry_text(f, a, &all[i]);
	totals(f, a, n);
	free(all);
}

/* ---- JSON --------------------------------------------------------------------- */

static void json(FILE *f, const char *key, const char *value)
{
	char buf[3000];
	struct out o = OUT(buf);

	out_json(&o, value, strlen(value));
	fprintf(f, "\"%s\":%.*s", key, (int)out_len(&o), buf);
}

static void entry_json(FILE *f, const struct audit *a, const struct entry *e)
{
	const struct { const char *key, *value; } all[] = {
		{ "finding", findings[e->found->id].name },
		{ "level", level_names[e->level] },
		{ "call", calls[e->site->call].name },
		{ "at", line_of(e->site->stack, strcspn(e->site->stack, "<")) },
		{ "from", e->site->from },
		{ "injected", e->trial ? e->trial->rule : "" },
		{ "happened", e->found->what },
	};
	char *again;
	size_t len;
	FILE *mem = open_memstream(&again, &len);

	command(mem, a, e->trial);
	fclose(mem);
	fputc('{', f);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		json(f, all[i].key, all[i].value);
		fputc(',', f);
	}
	fprintf(f, "\"trials\":%d,", e->times);
	json(f, "again", again);
	fputs("}\n", f);
	free(again);
}

void report_json(FILE *f, const struct audit *a)
{
	int n;
	struct entry *all = entries(a, &n);

	fprintf(f, "{\"sockwrench\":{\"version\":\"" VERSION "\"},\"sites\":%d,"
		"\"trials\":%d,\"tolerated\":%d,\"handled\":%d,\"findings\":%d,"
		"\"not_reached\":%d,\"unsteady\":%d,\"not_run\":%d}\n",
		a->sites.n, a->done, count(a, TOLERATED), count(a, HANDLED), n,
		count(a, NOT_REACHED), count(a, UNSTEADY),
		count(a, NO_TRIAL) + a->plan.n - a->done);
	for (int i = 0; i < n; i++)
		entry_json(f, a, &all[i]);
	free(all);
}

/* ---- JUnit -------------------------------------------------------------------- */

static void xml(FILE *f, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '&': fputs("&amp;", f); break;
		case '"': fputs("&quot;", f); break;
		default:
			/* other control characters are none of XML's */
			fputc((unsigned char)*s < ' ' && *s != '\n' &&
			      *s != '\t' ? '?' : *s, f);
		}
}

static bool shows(const struct audit *a, int trial, int k)
{
	const struct outcome *o = &a->outcome[trial];

	return o->verdict == FOUND && k < o->n &&
	       (a->notes ||
		found_level(a, trial, &o->found[k]) != LEVEL_NOTE);
}

static void failure(FILE *f, const struct found *found)
{
	fprintf(f, "<failure type=\"%s\" message=\"",
		findings[found->id].name);
	xml(f, found->what);
	fputs("\"/>", f);
}

static void case_junit(FILE *f, const struct site *s, const char *name,
		       int64_t took)
{
	fputs("  <testcase classname=\"", f);
	xml(f, s->from);
	fputs("\" name=\"", f);
	xml(f, name);
	fprintf(f, "\" time=\"%.3f\">", took / 1e9);
}

/* One trial is one case; what it has found are its failures. */
static void trial_junit(FILE *f, const struct audit *a, int i)
{
	const struct outcome *o = &a->outcome[i];

	case_junit(f, &a->sites.site[a->plan.trial[i].site],
		   a->plan.trial[i].rule, o->took);
	for (int k = 0; k < FOUND_MOST; k++)
		if (shows(a, i, k))
			failure(f, &o->found[k]);
	if (o->verdict == NO_TRIAL || o->verdict == NOT_RUN) {
		fputs("<error message=\"", f);
		xml(f, o->failed[0] ? o->failed : "it was not run");
		fputs("\"/>", f);
	}
	fputs("</testcase>\n", f);
}

void report_junit(FILE *f, const struct audit *a)
{
	int failures = 0, natives = 0;

	for (int i = 0; i < a->plan.n; i++)
		for (int k = 0; k < FOUND_MOST; k++)
			if (shows(a, i, k)) {
				failures++;
				break;
			}
	for (int i = 0; i < a->natives; i++)
		natives += a->notes || findings[a->native[i].found.id].level !=
				       LEVEL_NOTE;
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"sockwrench audit\" tests=\"%d\" "
		"failures=\"%d\" errors=\"%d\">\n", a->plan.n + natives,
		failures + natives, count(a, NO_TRIAL) + count(a, NOT_RUN));
	for (int i = 0; i < a->natives; i++) {
		const struct native *n = &a->native[i];
		if (!a->notes && findings[n->found.id].level == LEVEL_NOTE)
			continue;
		case_junit(f, &n->site, "nothing injected", 0);
		failure(f, &n->found);
		fputs("</testcase>\n", f);
	}
	for (int i = 0; i < a->plan.n; i++)
		trial_junit(f, a, i);
	fputs("</testsuite>\n", f);
}
