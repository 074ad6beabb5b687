/* SPDX-License-Identifier: MIT */
/* list WHAT: what the tables hold, for people and for scripts. */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
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

/* The columns of errors.def, two blanks or more between them. */
static void list_errors(void)
{
	for (int i = 0; i < n_faults; i++) {
		const struct fault_row *f = &faults[i];
		char buf[64];
		printf("%-8s  %-15s  %-30s  %-11s  %-6s  %-9s  %s (%s)\n",
		       families[f->family].name, f->name,
		       protos_text(f->protos, buf, sizeof buf),
		       condition_names[f->condition],
		       mechanism_names[f->mechanism], after_names[f->after],
		       f->situation, f->source);
	}
}

/* The comment that a preset begins with, without its sign. */
static void list_preset(const char *dir, const char *name)
{
	char *path, line[200] = "";
	FILE *file;

	if (asprintf(&path, "%s/%s.rules", dir, name) < 0)
		die(EXIT_OURS, "out of memory");
	file = fopen(path, "re");
	if (file && fgets(line, sizeof line, file))
		line[strcspn(line, "\n")] = 0;
	if (file)
		fclose(file);
	free(path);
	printf("%-18s  %s\n", name, line + strspn(line, "# "));
}

static void list_presets(void)
{
	const char *dir;

	for (char **name = presets(&dir); *name; name++)
		list_preset(dir, *name);
}

static const struct {
	const char *name;
	void (*list)(void);
} lists[] = {
	{ "calls", list_calls }, { "errors", list_errors },
	{ "presets", list_presets }, { "env", list_env },
};

int cmd_list(int argc, char **argv)
{
	struct given given;
	int at = options_parse(&given, LIST, argc, argv);
	const char *what = argv[at];

	if (!what || argv[at + 1])
		die(EXIT_OURS, "list: expected one of calls, errors, presets, "
		    "env");
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (!strcmp(what, lists[i].name)) {
			lists[i].list();
			return 0;
		}
	die(EXIT_OURS, "list: expected calls, errors, presets or env, not "
	    "'%s'", what);
}
