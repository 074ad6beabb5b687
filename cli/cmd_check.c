/* SPDX-License-Identifier: MIT */
/* check: every error of every file, in the order of their lines. */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
	int line, col, n;
	char msg[sizeof ((struct rule_err *)0)->msg];
};

struct problems {
	struct problem *all;
	int n;
};

static void collect(const struct rule_err *e, void *ctx)
{
	struct problems *p = ctx;
	struct problem *one;

	p->all = realloc(p->all, (p->n + 1) * sizeof *p->all);
	if (!p->all)
		die(EXIT_OURS, "out of memory");
	one = &p->all[p->n];
	*one = (struct problem){ e->line, e->col, p->n++, "" };
	memcpy(one->msg, e->msg, sizeof one->msg);
}

static int by_place(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->col != y->col ? (x->col < y->col ? -1 : 1)
				: (x->n < y->n ? -1 : 1);
}

static int check(const struct source *s)
{
	struct problems found = { 0 };
	struct rules set = { .report = collect, .ctx = &found };

	rules_room(&set);
	source_parse(&set, s);
	rules_check(&set);
	if (found.n)
		qsort(found.all, found.n, sizeof *found.all, by_place);
	for (int i = 0; i < found.n; i++)
		printf("%s:%d:%d: %s\n", s->shown, found.all[i].line,
		       found.all[i].col, found.all[i].msg);
	free(found.all);
	free(set.rule);
	return found.n ? 1 : 0;
}

static int check_name(const char *name)
{
	struct source s = { .shown = "-" };
	char why[200];
	int status;

	if ((strcmp(name, "-") && !source_find(&s, name, why, sizeof why)) ||
	    !source_read(&s, false, why, sizeof why)) {
		fflush(stdout);
		warn("%s: %s", s.shown, why);
		return EXIT_OURS;
	}
	status = check(&s);
	free(s.text);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct given given;
	int at = options_parse(&given, CHECK, argc, argv), worst = 0;

	if (!argv[at])
		die(EXIT_OURS, "check: expected a file of rules, a preset, or "
		    "- for standard input");
	for (; argv[at]; at++) {
		int status = check_name(argv[at]);
		worst = status > worst ? status : worst;
	}
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_OURS, "check: standard output: %s", strerror(errno));
	return worst;
}
