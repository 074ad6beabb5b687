/* SPDX-License-Identifier: MIT */
/*
 * tables WHAT: a table of the source as the documentation wants it.  WHAT:
 * options VERB, env, fields CLASS, findings (troff for the man pages), calls,
 * md-families, md-fields CLASS, md-errors (Markdown).  Run by docs/make.sh.
 */
#include "../audit/finding.h"
#include "../rules/rule.h"

#include <stdio.h>
#include <string.h>

enum verbs { LAUNCH = 1, SHOW = 2, LIST = 4, CHECK = 8, AUDIT = 16 };

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

/* Those that the lint finds; the others take faults. */
static void print_findings(void)
{
	for (int i = 0; i < FINDINGS; i++) {
		const struct finding_row *row = &findings[i];
		if (!row->lint)
			continue;
		printf(".TP\n.BR ");
		troff(row->name);
		printf(" \" (%s)\"\n", level_names[row->level]);
		troff(row->means);
		printf("\n");
		troff(row->fix);
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

/* ---- rules -------------------------------------------------------------- */

static int class_of(const char *name)
{
	static const char *const names_[] = {
		[MATCHER] = "matcher", [ACTION] = "action",
		[BESIDE] = "beside", [MANNER] = "manner",
	};

	for (int i = 0; i < 4; i++)
		if (!strcmp(name, names_[i]))
			return i;
	return -1;
}

/* Text of a cell: | would end it, and what else means something is itself. */
static void cell(const char *s, const char *special)
{
	for (; *s; s++)
		printf(strchr(special, *s) ? "\\%c" : "%c", *s);
}

static void print_families_of(uint16_t set)
{
	if (set == ON_ALL) {
		printf("all");
		return;
	}
	for (int i = 0; i < FAMILIES; i++)
		if (set & 1 << i)
			printf("%s%s", set & ((1 << i) - 1) ? " " : "",
			       families[i].name);
}

static void print_md_families(void)
{
	printf("| family | calls that |\n|---|---|\n");
	for (int i = 0; i < FAMILIES; i++)
		if (families[i].rule)
			printf("| `%s` | %s |\n", families[i].name,
			       families[i].doc);
	printf("| `*` | any of them for which the rule makes sense |\n");
}

static void print_md_fields(int class)
{
	printf("| field | of | |\n|---|---|---|\n");
	for (int i = 0; i < FIELDS; i++) {
		if ((int)fields[i].class != class)
			continue;
		printf("| `%s%s", fields[i].name, fields[i].value ? "=" : "");
		cell(fields[i].value ? fields[i].value : "", "|");
		printf("` | ");
		print_families_of(fields[i].families);
		printf(" | ");
		cell(fields[i].doc, "|*_[");
		printf(" |\n");
	}
}

static void print_md_errors(void)
{
	printf("| family | error | on | descriptor | mechanism | after | "
	       "what has happened |\n|---|---|---|---|---|---|---|\n");
	for (int i = 0; i < n_faults; i++) {
		const struct fault_row *f = &faults[i];
		char buf[64];
		printf("| %s | %s | %s | %s | %s | %s | ",
		       families[f->family].name, f->name,
		       protos_text(f->protos, buf, sizeof buf),
		       condition_names[f->condition],
		       mechanism_names[f->mechanism], after_names[f->after]);
		cell(f->situation, "|*_[");
		printf(" (");
		cell(f->source, "|*_[");
		printf(") |\n");
	}
}

static void print_fields(int class)
{
	for (int i = 0; i < FIELDS; i++) {
		if ((int)fields[i].class != class)
			continue;
		printf(".TP\n.B %s%s", fields[i].name,
		       fields[i].value ? "=\\fI" : "");
		troff(fields[i].value ? fields[i].value : "");
		printf("%s\n", fields[i].value ? "\\fR" : "");
		troff(fields[i].doc);
		printf("\n");
	}
}

static void print_md_findings(void)
{
	printf("| finding | level | what it means | what repairs it |\n"
	       "|---|---|---|---|\n");
#define FINDING(id, name, level, means, fix) \
	printf("| `%s` | %s | %s | %s |\n", name, \
	       #level[0] == 'E' ? "error" : #level[0] == 'W' ? "warning" \
	       : "note", means, fix);
#include "../audit/findings.def"
#undef FINDING
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *which = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "env"))
		print_env();
	else if (!strcmp(what, "findings"))
		print_findings();
	else if (!strcmp(what, "calls"))
		print_calls();
	else if (!strcmp(what, "options") && *which)
		print_options(!strcmp(which, "show") ? SHOW :
			      !strcmp(which, "audit") ? AUDIT : LAUNCH);
	else if (!strcmp(what, "md-findings"))
		print_md_findings();
	else if (!strcmp(what, "md-families"))
		print_md_families();
	else if (!strcmp(what, "md-errors"))
		print_md_errors();
	else if (!strcmp(what, "md-fields") && class_of(which) >= 0)
		print_md_fields(class_of(which));
	else if (!strcmp(what, "fields") && class_of(which) >= 0)
		print_fields(class_of(which));
	else
		return 2;
	return 0;
}
