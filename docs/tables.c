/* SPDX-License-Identifier: MIT */
/*
 * tables WHAT: a table of the source as the documentation wants it.  WHAT:
 * options VERB, env (troff for the man pages), calls (Markdown).  Run by
 * docs/make.sh.
 */
#include "../rules/table.h"

#include <stdio.h>
#include <string.h>

enum verbs { LAUNCH = 1, SHOW = 2, LIST = 4 };

static const struct {
	char letter;
	const char *name, *value;
	int verbs;
	const char *doc;
} options[] = {
#define OPTION(id, letter, name, value, verbs, doc) \
	{ letter, name, value, verbs, doc },
#include "../cli/options.def"
#undef OPTION
};

/* Text with troff's own characters escaped. */
static void troff(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
	}
}

static void print_options(int verb)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (!(options[i].verbs & verb))
			continue;
		printf(".TP\n.B ");
		if (options[i].letter)
			printf("\\-%c", options[i].letter);
		if (options[i].name) {
			printf("%s\\-\\-", options[i].letter ? ", " : "");
			troff(options[i].name);
		}
		if (options[i].value) {
			printf(" \\fI");
			troff(options[i].value);
			printf("\\fR");
		}
		printf("\n");
		troff(options[i].doc);
		printf("\n");
	}
}

static void print_env(void)
{
	for (int i = 0; i < ENVS; i++) {
		if (i == ENV_STATE)
			continue;
		printf(".TP\n.BI %s= ", envs[i].name);
		troff(envs[i].value);
		printf("\n");
		troff(envs[i].doc);
		printf("\n");
	}
}

static void print_aliases(int call)
{
	const char *before = "; also ";

	for (int i = 0; i < n_aliases; i++) {
		if (aliases[i].base != call)
			continue;
		printf("%s`%s`", before, aliases[i].name);
		before = ", ";
	}
}

static void print_calls(void)
{
	printf("# Calls\n\nEvery function sockwrench stands in front of, from "
	       "rules/calls.def.\nA name behind \"also\" is recorded as the "
	       "call it stands with.\n");
	for (int f = 0; f < FAMILIES; f++) {
		printf("\n## %s\n\n%s%s.\n\n", families[f].name,
		       families[f].doc, families[f].log ? ""
		       : " (recorded when -e trace= names them)");
		for (int i = 0; i < CALLS; i++) {
			if (calls[i].family != f)
				continue;
			printf("- `%s`: %s", calls[i].name, calls[i].doc);
			print_aliases(i);
			printf("\n");
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "env"))
		print_env();
	else if (!strcmp(what, "calls"))
		print_calls();
	else if (!strcmp(what, "options") && argc > 2)
		print_options(!strcmp(argv[2], "show") ? SHOW : LAUNCH);
	else
		return 2;
	return 0;
}
