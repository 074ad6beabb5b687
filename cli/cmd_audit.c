/* SPDX-License-Identifier: MIT */
/*
 * audit: run the program untouched, then once for each call site and fault the
 * kernel could produce there, and say what it gets wrong.
 */
#include "cli.h"

#include "../audit/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- options ------------------------------------------------------------- */

static enum level level_of(const char *text)
{
	for (int i = LEVEL_ERROR; i < LEVELS; i++)
		if (!strcmp(text, level_names[i]))
			return i;
	die(EXIT_OURS, "audit: --fail-on %s: expected error, warning or note",
	    text);
}

typedef void report_fn(FILE *f, const struct audit *a);

static report_fn *form_of(const char *name)
{
	static const struct { const char *name; report_fn *report; } forms[] = {
		{ "text", report_text }, { "json", report_json },
		{ "junit", report_junit },
	};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!name || !strcmp(name, forms[i].name))
			return forms[i].report;
	die(EXIT_OURS, "audit: -f %s: expected text, json or junit", name);
}

/* A word of --faults has to be one of those there are. */
static void check_faults(const char *list)
{
	for (const char *at = list; *at; at += strcspn(at, ",")) {
		int len;
		at += *at == ',';
		len = strcspn(at, ",");
		if (!plan_knows(at, len))
			die(EXIT_OURS, "audit: --faults: '%.*s' is no call "
			    "family and no fault that is tried (all, none, a "
			    "family such as recv, a word such as short or "
			    "EPIPE)", len, at);
	}
}

static void set_faults(struct audit *a, const char *list)
{
	if (!list)
		return;
	a->plan.all = !strcmp(list, "all");
	a->ref.idle = !strcmp(list, "none");
	if (a->plan.all || a->ref.idle)
		return;
	check_faults(list);
	a->plan.only = list;
}

/* The trials' files, unless they are kept, whatever ends us. */
static const struct audit *cleaned;
static pid_t cleaner;

static void clean(void)
{
	if (cleaner == getpid())
		sweep_clean(cleaned);
}

/* Files of ours replace none: the folder is new, or empty. */
static void make_kept(const char *keep)
{
	if (mkdir(keep, 0777) && errno != EEXIST)
		die(EXIT_OURS, "audit: --keep %s: %s", keep, strerror(errno));
	if (rmdir(keep) || mkdir(keep, 0777))
		die(EXIT_OURS, "audit: --keep %s: %s", keep, strerror(errno));
}

static void set_folder(struct audit *a, const char *keep)
{
	const char *tmp = getenv("TMPDIR");
	char *path;

	a->keep = keep != NULL;
	if (keep) {
		make_kept(keep);
		a->dir = absolute(keep);
		return;
	}
	if (asprintf(&path, "%s/sockwrench.XXXXXX", tmp && *tmp ? tmp : "/tmp")
	    < 0 || !mkdtemp(path))
		die(EXIT_OURS, "audit: %s: %s", path, strerror(errno));
	a->dir = path;
	cleaned = a;
	cleaner = getpid();
	atexit(clean);
}

static void set_companions(struct audit *a, const struct given *g)
{
	a->trial.server = g->value[OPTION_SERVER];
	a->trial.client = g->value[OPTION_CLIENT];
	a->ref.server = a->trial.client != NULL;
	if (a->trial.server && a->trial.client)
		die(EXIT_OURS, "audit: --server and --client: the program is "
		    "either a client or a server");
	if ((a->trial.server && !*a->trial.server) ||
	    (a->trial.client && !*a->trial.client))
		die(EXIT_OURS, "audit: --server, --client: expected a command");
	a->trial.input = g->value[OPTION_INPUT];
	if (a->trial.input && access(a->trial.input, R_OK))
		die(EXIT_OURS, "audit: --input %s: %s", a->trial.input,
		    strerror(errno));
}

static void set_jobs(struct audit *a, const char *jobs)
{
	bool companion = a->trial.server || a->trial.client;

	a->jobs = jobs ? (int)option_number("audit: -j", jobs, 1, 1000) : 1;
	/* with all that it needs beside it, a program needs no other network */
	a->trial.netns = (companion || a->jobs > 1) && trial_netns_works();
	if (a->trial.netns || a->jobs == 1)
		return;
	warn("audit: no network namespaces can be had here: one trial at a "
	     "time");
	a->jobs = 1;
}

/* ---- progress -------------------------------------------------------------- */

static int64_t begun, shown;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* A line that is written over; nothing in the first two seconds. */
static void progress(const struct audit *a)
{
	int64_t t = now(), took = t - begun;

	if (took < 2 * SECOND || t - shown < SECOND / 10)
		return;
	shown = t;
	fprintf(stderr, "\r%d of %d trials, about %lld s to go \033[K", a->done,
		a->plan.n, a->done ? (long long)(took / a->done *
						 (a->plan.n - a->done) /
						 SECOND) : 0LL);
}

/* ---- the verb ---------------------------------------------------------------- */

static char *own_path(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (!path)
		die(EXIT_OURS, "/proc/self/exe: %s", strerror(errno));
	return path;
}

/* Ten times the untouched run is patience enough, and a second is little. */
static void set_timeout(struct audit *a, const char *given)
{
	int64_t took = a->ref.base.took;

	if (!given)
		a->trial.timeout = took > SECOND / 10 ? 10 * took : SECOND;
}

static void check_untouched(const struct audit *a)
{
	const struct trial_result *r = &a->ref.base.view[0].result;

	if (!a->ref.server && !r->target.ended)
		die(EXIT_OURS, "audit: the untouched program did not end "
		    "within %.1f s: give it --timeout, or --client if it is a "
		    "server", a->trial.timeout / 1e9);
	if (a->ref.server && !r->listened)
		die(EXIT_OURS, "audit: the untouched program never listened");
	if (a->ref.server && !a->ref.base.clients)
		die(EXIT_OURS, "audit: --client: it fails with the untouched "
		    "program");
	if (!a->sites.n)
		die(EXIT_OURS, "audit: the untouched program made no socket "
		    "call%s", a->ref.exe ? " (--target matches none?)" : "");
}

int cmd_audit(int argc, char **argv)
{
	static struct audit a;
	struct given g;
	int at = options_parse(&g, AUDIT, argc, argv);
	enum level fail = level_of(g.value[OPTION_FAIL_ON]
				   ? g.value[OPTION_FAIL_ON] : "warning");
	report_fn *report = form_of(g.value[OPTION_REPORT]);
	struct target target;
	char why[300];
	bool tty = isatty(2);

	if (!argv[at])
		die(EXIT_OURS, "audit: expected a program");
	target_find(&target, argv[at]);
	a.trial.argv = argv + at;
	a.trial.self = own_path();
	if (g.value[OPTION_AUDIT_SEED])
		a.trial.seed = option_number("audit: --seed",
					     g.value[OPTION_AUDIT_SEED], 0,
					     UINT64_MAX);
	a.trial.timeout = g.value[OPTION_TIMEOUT]
			  ? option_time("audit: --timeout",
					g.value[OPTION_TIMEOUT]) : 10 * SECOND;
	a.ref.exe = g.value[OPTION_TARGET];
	a.notes = g.count[OPTION_NOTES] || fail == LEVEL_NOTE;
	if (g.value[OPTION_EXHAUSTIVE])
		a.plan.every = option_number("audit: --exhaustive",
					     g.value[OPTION_EXHAUSTIVE], 1,
					     1000000);
	set_faults(&a, g.value[OPTION_FAULTS]);
	set_companions(&a, &g);
	set_jobs(&a, g.value[OPTION_JOBS]);
	set_folder(&a, g.value[OPTION_KEEP]);
	begun = now();
	if (sweep_begin(&a, why, sizeof why))
		die(EXIT_OURS, "audit: %s", why);
	check_untouched(&a);
	set_timeout(&a, g.value[OPTION_TIMEOUT]);
	a.plan.notes = a.notes;
	plan_add(&a.plan, &a.sites, 0);
	sweep(&a, tty ? progress : NULL);
	if (tty)
		fprintf(stderr, "\r\033[K");
	report(stdout, &a);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_OURS, "audit: standard output: %s", strerror(errno));
	if (a.stopped)
		warn("audit: interrupted: what was found until then");
	else if (report_failure(&a))
		warn("audit: not every trial could be run: %s",
		     report_failure(&a));
	return a.stopped ? 130 : report_count(&a, fail) ? 1 :
	       report_failure(&a) ? EXIT_OURS : 0;
}
