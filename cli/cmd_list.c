/* SPDX-License-Identifier: MIT */
/* list calls|env: what the tables hold, for people and for scripts. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static void list_aliases(int call)
{
	const char *before = " (also ";

	for (int i = 0; i < n_aliases; i++) {
		if (aliases[i].base != call)
			continue;
		printf("%s%s", before, aliases[i].name);
		before = ", ";
	}
	if (before[1] == ' ')
		return;
	if (before[0] == ',')
		printf(")");
}

static void list_calls(void)
{
	for (int f = 0; f < FAMILIES; f++) {
		printf("%s%s: %s%s\n", f ? "\n" : "", families[f].name,
		       families[f].doc,
		       families[f].log ? "" : " (only with -e trace=)");
		for (int i = 0; i < CALLS; i++) {
			if (calls[i].family != f)
				continue;
			printf("  %-18s %s", calls[i].name, calls[i].doc);
			list_aliases(i);
			printf("\n");
		}
	}
}

static void list_env(void)
{
	for (int i = 0; i < ENVS; i++)
		printf("%s=%s\n    %s\n", envs[i].name, envs[i].value,
		       envs[i].doc);
}

int cmd_list(int argc, char **argv)
{
	struct given given;
	int at = options_parse(&given, LIST, argc, argv);
	const char *what = argv[at];

	if (!what || argv[at + 1])
		die(EXIT_OURS, "list: expected one of calls, env");
	if (!strcmp(what, "calls"))
		list_calls();
	else if (!strcmp(what, "env"))
		list_env();
	else
		die(EXIT_OURS, "list: expected calls or env, not '%s'", what);
	return 0;
}
