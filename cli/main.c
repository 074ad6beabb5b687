/* SPDX-License-Identifier: MIT */
/* The command: verbs as a table, and the way to die. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERBS "trace, run, audit, check, show or list"

const struct verb verbs[] = {
	{ "trace", cmd_trace, LAUNCH, "[OPTION]... [--] PROG [ARG]...",
	  "Run PROG and log every socket call it makes" },
	{ "run", cmd_trace, LAUNCH, "[OPTION]... [--] PROG [ARG]...",
	  "Run PROG under rules and log the calls that they touch" },
	{ "audit", cmd_audit, AUDIT, "[OPTION]... [--] PROG [ARG]...",
	  "Try every fault at every call, and say what PROG gets wrong" },
	{ "check", cmd_check, CHECK, "FILE|PRESET|-...",
	  "Say what is wrong with rules" },
	{ "show", cmd_show, SHOW, "[OPTION]... TRACE",
	  "Show a trace that -w or SOCKWRENCH_TRACE has written" },
	{ "list", cmd_list, LIST, "calls|errors|presets|env",
	  "List what can be seen, what can fail and how, and ready rules" },
};
const int n_verbs = sizeof verbs / sizeof *verbs;

static void vsay(const char *format, va_list list)
{
	fputs("sockwrench: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
}

void die(int status, const char *format, ...)
{
	va_list list;

	fflush(stdout);
	va_start(list, format);
	vsay(format, list);
	va_end(list);
	exit(status);
}

void warn(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsay(format, list);
	va_end(list);
}

static void help(void)
{
	printf("usage: sockwrench VERB ...\n\n"
	       "See every socket call a program makes, and make some go "
	       "wrong, without\nrecompiling it.\n\n");
	for (int i = 0; i < n_verbs; i++)
		printf("  %-6s %-32s  %s\n", verbs[i].name, verbs[i].usage,
		       verbs[i].doc);
	printf("\nsockwrench VERB --help lists a verb's options. "
	       "Without the command:\n"
	       "  LD_PRELOAD=.../libsockwrench.so PROG [ARG]...\n");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : NULL;

	if (!verb)
		die(EXIT_OURS, "expected a verb: " VERBS
		    " (sockwrench --help)");
	if (!strcmp(verb, "--help") || !strcmp(verb, "-h") ||
	    !strcmp(verb, "help")) {
		help();
		return 0;
	}
	if (!strcmp(verb, "--version") || !strcmp(verb, "-V")) {
		printf("sockwrench %s\n", VERSION);
		return 0;
	}
	for (int i = 0; i < n_verbs; i++)
		if (!strcmp(verbs[i].name, verb))
			return verbs[i].run(argc - 1, argv + 1);
	die(EXIT_OURS, "unknown verb '%s': expected " VERBS, verb);
}
