/* SPDX-License-Identifier: MIT */
/* Options, from the table in options.def to getopt_long(3) and to help. */
#include "cli.h"

#include "../rules/parse.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_row options[OPTIONS] = {
#define OPTION(id, letter, name, value, verbs, doc) \
	{ letter, name, value, verbs, doc },
#include "options.def"
#undef OPTION
};

/* getopt_long's value of an option: its letter, or a number above all. */
static int code(int i)
{
	return options[i].letter ? options[i].letter : 256 + i;
}

static void fill(int verb, char *letters, struct option *longs)
{
	*letters++ = '+';
	*letters++ = ':';
	for (int i = 0; i < OPTIONS; i++) {
		const struct option_row *o = &options[i];
		if (!(o->verbs & verb))
			continue;
		if (o->letter)
			*letters++ = o->letter;
		if (o->letter && o->value)
			*letters++ = ':';
		if (o->name)
			*longs++ = (struct option){ o->name, o->value != NULL,
						    NULL, code(i) };
	}
	*letters = 0;
	*longs = (struct option){ 0 };
}

static _Noreturn void help(int verb, const char *name)
{
	for (int i = 0; i < n_verbs; i++)
		if (!strcmp(verbs[i].name, name))
			printf("usage: sockwrench %s %s\n\n%s.\n", name,
			       verbs[i].usage, verbs[i].doc);
	options_help(verb);
	exit(0);
}

int options_parse(struct given *given, int verb, int argc, char **argv)
{
	char letters[2 * OPTIONS + 3];
	struct option longs[OPTIONS + 1];
	int c;

	memset(given, 0, sizeof *given);
	given->each = calloc(argc, sizeof *given->each);
	if (!given->each)
		die(EXIT_OURS, "out of memory");
	fill(verb, letters, longs);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == ':')
			die(EXIT_OURS, "%s: option '%s' needs a value",
			    argv[0], argv[optind - 1]);
		if (c == '?' && optopt && optopt < 256)
			die(EXIT_OURS, "%s: unknown option '-%c' "
			    "(sockwrench %s --help lists them)", argv[0],
			    optopt, argv[0]);
		if (c == '?')
			die(EXIT_OURS, "%s: unknown option '%s' "
			    "(sockwrench %s --help lists them)", argv[0],
			    argv[optind - 1], argv[0]);
		for (int i = 0; i < OPTIONS; i++) {
			if (!(options[i].verbs & verb) || code(i) != c)
				continue;
			given->value[i] = optarg;
			given->count[i]++;
			if (optarg)
				given->each[given->n++] =
					(struct each){ i, optarg };
		}
	}
	if (given->count[OPTION_HELP])
		help(verb, argv[0]);
	return optind;
}

uint64_t option_number(const char *what, const char *text, uint64_t least,
		       uint64_t most)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n < least ||
	    n > most)
		die(EXIT_OURS, "%s %s: expected a whole number from %llu to "
		    "%llu", what, text, (unsigned long long)least,
		    (unsigned long long)most);
	return n;
}

int64_t option_time(const char *what, const char *text)
{
	const char *at = text, *end = text + strlen(text);
	int64_t ns;

	if (!parse_duration(&at, end, &ns) || at < end || ns < 1000000 ||
	    ns > INT64_C(86400000000000))
		die(EXIT_OURS, "%s %s: expected a time such as 500ms, 2s or "
		    "1m, up to a day", what, text);
	return ns;
}

/* Text in lines of up to 52 columns, the later ones indented. */
static void wrap(const char *text)
{
	size_t len = strlen(text);

	while (len > 52) {
		int cut = 52;
		while (cut > 1 && text[cut] != ' ')
			cut--;
		printf("%.*s\n%26s", cut, text, "");
		text += cut + 1;
		len -= cut + 1;
	}
	printf("%s\n", text);
}

void options_help(int verb)
{
	bool title = false;

	for (int i = 0; i < OPTIONS; i++) {
		const struct option_row *o = &options[i];
		char left[64], letter[8] = "";
		if (!(o->verbs & verb))
			continue;
		if (!title)
			printf("\nOptions:\n");
		title = true;
		if (o->letter)
			snprintf(letter, sizeof letter, "-%c%s", o->letter,
				 o->name ? ", " : "");
		snprintf(left, sizeof left, "%s%s%s%s%s", letter,
			 o->name ? "--" : "", o->name ? o->name : "",
			 o->value ? " " : "", o->value ? o->value : "");
		printf("  %-22s  ", left);
		if (strlen(left) > 22)
			printf("\n%26s", "");
		wrap(o->doc);
	}
}

void expr_parse(struct call_set *set, const char *expr)
{
	const char *bad, *near;
	int len;

	if (strncmp(expr, "trace=", 6))
		die(EXIT_OURS, "-e %s: expected trace=SET", expr);
	if (!call_set_parse(set, expr + 6, &bad))
		return;
	len = strcspn(bad, ",");
	near = call_nearest(bad, len);
	if (near)
		die(EXIT_OURS, "-e %s: no call or family '%.*s', "
		    "the nearest is '%s'", expr, len, bad, near);
	die(EXIT_OURS, "-e %s: no call or family '%.*s' "
	    "(sockwrench list calls shows them)", expr, len, bad);
}
