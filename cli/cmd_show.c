/* SPDX-License-Identifier: MIT */
/* show: a trace as text, as JSON, at a glance, or what is wrong in it. */
#include "cli.h"

#include "../audit/lint.h"
#include "../audit/print.h"
#include "../trace/out.h"
#include "../trace/read.h"
#include "summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE (256 << 10)		/* of a line; longer ones end ... */

static char line[LINE];

/* ---- options ---------------------------------------------------------- */

static struct trace_choice choose(const struct given *g)
{
	struct trace_choice c = {
		.injected = g->count[OPTION_INJECTED],
		.ok = g->count[OPTION_OK], .failed = g->count[OPTION_FAILED],
		.some = true,
	};

	if (c.ok && c.failed)
		die(EXIT_OURS, "show: -z and -Z together leave nothing to "
		    "show");
	call_set_default(&c.set);
	if (g->value[OPTION_SET])
		expr_parse(&c.set, g->value[OPTION_SET]);
	if (g->value[OPTION_CONN])
		c.conn = option_number("show: --conn", g->value[OPTION_CONN], 1,
				       INT32_MAX);
	if (g->value[OPTION_ONLY_PID])
		c.pid = option_number("show: --pid",
				      g->value[OPTION_ONLY_PID], 1, INT32_MAX);
	return c;
}

static struct times times_of(const struct given *g, const struct trace *t)
{
	static const enum time_form forms[] = {
		TIMES_SINCE, TIMES_CLOCK, TIMES_MICRO, TIMES_EPOCH,
	};
	time_t start = trace_facts(t)->epoch / 1000000000;
	int count = g->count[OPTION_TIME];
	struct tm tm = { 0 };

	if (count > 3)
		die(EXIT_OURS, "show: -t: expected -t, -tt or -ttt");
	localtime_r(&start, &tm);
	return (struct times){ forms[count], tm.tm_gmtoff };
}

/* ---- forms ------------------------------------------------------------ */

static void write_line(struct out *o)
{
	if (o->cut) {
		memcpy(o->at, "...\n", 4);
		o->at += 4;
	}
	fwrite(o->start, 1, out_len(o), stdout);
}

static void show_text(struct trace *t, const struct given *g)
{
	struct times times = times_of(g, t);
	struct trace_call c;

	while (trace_next(t, &c)) {
		struct out o = { line, line, line + sizeof line - 4, false };
		if (!c.chosen)
			continue;
		text_event(&o, &c.event, times);
		write_line(&o);
	}
}

static void out_argv(struct out *o, const struct trace_facts *f)
{
	for (int at = 0; at < f->argv_len;) {
		size_t len = strnlen(f->argv + at, f->argv_len - at);
		if (at)
			out_char(o, ',');
		out_json(o, f->argv + at, len);
		at += len + 1;
	}
}

static void show_header(const struct trace_facts *f)
{
	struct out o = OUT(line);

	out_str(&o, "{\"sockwrench\":{\"version\":\"" VERSION "\",\"clock\":");
	out_str(&o, f->counter ? "\"tsc\"" : "\"monotonic\"");
	out_str(&o, ",\"epoch\":");
	out_uint(&o, f->epoch, 1);
	out_str(&o, ",\"seed\":");
	out_uint(&o, f->seed, 1);
	out_str(&o, ",\"argv\":[");
	out_argv(&o, f);
	out_str(&o, "],\"dropped\":");
	out_uint(&o, f->dropped, 1);
	out_str(&o, ",\"damaged\":");
	out_uint(&o, f->damaged, 1);
	out_str(&o, "}}\n");
	write_line(&o);
}

static void show_json(struct trace *t, const struct given *g)
{
	struct trace_call c;

	(void)g;
	show_header(trace_facts(t));
	while (trace_next(t, &c)) {
		struct out o = OUT(line);
		if (!c.chosen)
			continue;
		json_event(&o, &c.event);
		write_line(&o);
	}
}

static void show_summary(struct trace *t, const struct given *g)
{
	(void)g;
	summary_print(stdout, t);
}

static void show_lint(struct trace *t, const struct given *g)
{
	lint_print(stdout, t, times_of(g, t));
	if (!lint_whole(t))
		warn("lint: calls are missing%s: what needs all of them to be "
		     "proven is not looked for", trace_facts(t)->partial ?
		     " (-e trace=, -z or -Z)" : "");
}

static const struct form {
	const char *name;
	void (*show)(struct trace *t, const struct given *g);
} forms[] = {
	{ "text", show_text }, { "json", show_json },
	{ "summary", show_summary }, { "lint", show_lint },
};

static const struct form *form_of(const char *name)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!name || !strcmp(forms[i].name, name))
			return &forms[i];
	die(EXIT_OURS, "show: -f %s: expected text, json, summary or lint", name);
}

/* ---- the verb --------------------------------------------------------- */

/* What the trace does not have. */
static void tell_missing(const struct trace_facts *f)
{
	if (f->dropped == 1)
		warn("1 call did not fit into the trace and is missing");
	else if (f->dropped)
		warn("%" PRIu64 " calls did not fit into the trace and are "
		     "missing", f->dropped);
	if (f->damaged)
		warn("the trace is damaged: %" PRIu64 " of its records could "
		     "not be read", f->damaged);
	if (f->cut)
		warn("the trace is truncated: its last calls are missing");
}

int cmd_show(int argc, char **argv)
{
	static char buffer[1 << 20];
	struct given g;
	int at = options_parse(&g, SHOW, argc, argv);
	const struct form *form = form_of(g.value[OPTION_FORMAT]);
	struct trace_choice choice = choose(&g);
	const char *path = argv[at];
	struct trace *t;
	char why[256];

	if (!path || argv[at + 1])
		die(EXIT_OURS, "show: expected one trace file, %s",
		    path ? "and nothing behind it" : "nothing is given");
	t = trace_read(path, why, sizeof why);
	if (!t)
		die(EXIT_OURS, "show: %s: %s", path, why);
	trace_choose(t, &choice);
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	form->show(t, &g);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_OURS, "show: standard output: %s", strerror(errno));
	tell_missing(trace_facts(t));
	trace_free(t);
	return 0;
}
