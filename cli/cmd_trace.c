/* SPDX-License-Identifier: MIT */
/*
 * trace, run: set the environment and become the program, so that its status,
 * signals, terminal and pid are its own.  Only -c and --must-fire stay, as a
 * parent (stay.c).
 */
#include "rules.h"
#include "stay.h"

#include "../trace/file.h"
#include "../trace/tick.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the object ------------------------------------------------------- */

/* Beside this command, or in PREFIX/lib where this is PREFIX/bin. */
static void find_object(char *to, size_t size)
{
	static const char *const places[] = { "", "../lib/" };
	const char *self = own_dir();
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char *whole;
		snprintf(path, sizeof path, "%s/%slibsockwrench.so", self,
			 places[i]);
		whole = realpath(path, NULL);
		if (!whole)
			continue;
		snprintf(to, size, "%s", whole);
		free(whole);
		if (strpbrk(to, ": "))
			die(EXIT_OURS, "%s: LD_PRELOAD cannot hold a name with "
			    "a space or a colon", to);
		return;
	}
	die(EXIT_OURS, "libsockwrench.so is neither in %s nor in %s/../lib",
	    self, self);
}

/* A sanitizer's runtime first, it insists; then we; then what was there. */
static void set_preload(const struct target *t)
{
	char object[PATH_MAX], *value;
	const char *theirs = getenv("LD_PRELOAD");

	find_object(object, sizeof object);
	if (asprintf(&value, "%s%s%s%s%s", t->runtime ? t->runtime : "",
		     t->runtime ? ":" : "", object,
		     theirs && *theirs ? ":" : "", theirs ? theirs : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1))
		die(EXIT_OURS, "LD_PRELOAD: %s", strerror(errno));
}

/* ---- the sinks -------------------------------------------------------- */

static void set_log(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY |
		    O_CLOEXEC;
	int fd;

	if (!strcmp(path, "stderr") || !strcmp(path, "none")) {
		set_env(ENV_LOG, path);
		return;
	}
	set_env(ENV_LOG, absolute(path));
	if (strstr(path, "%p"))
		return;
	fd = open(path, flags, 0600);
	if (fd < 0)
		die(EXIT_OURS, "-o %s: %s", path, errno == ELOOP ?
		    "is a symbolic link, which is not followed" :
		    strerror(errno));
	close(fd);
}

static void set_trace(const char *path, uint64_t seed, char **argv)
{
	char *whole = absolute(path);

	if (trace_create(whole, seed, argv))
		die(EXIT_OURS, "-w %s: %s", path, errno == ENODEV ?
		    "is no regular file" : strerror(errno));
	set_env(ENV_TRACE, whole);
}

/* The beginning of time, and that the files are there: not for its children
 * to truncate again. */
static void set_state(void)
{
	char state[128];

	snprintf(state, sizeof state, "-:0:0:%lu:%lu:0:1",
		 (unsigned long)clock_ns(CLOCK_MONOTONIC),
		 (unsigned long)clock_ns(CLOCK_REALTIME));
	set_env(ENV_STATE, state);
}

/* ---- options into environment ----------------------------------------- */

static void set_times(int count)
{
	static const char *const forms[] = { "t", "tt", "ttt" };
	time_t now = time(NULL);
	char value[32];
	struct tm tm;

	if (count > 3)
		die(EXIT_OURS, "-t: expected -t, -tt or -ttt");
	localtime_r(&now, &tm);
	snprintf(value, sizeof value, "%s%+ld", forms[count - 1],
		 tm.tm_gmtoff);
	set_env(ENV_TIMES, value);
}

static void set_options(const struct given *g)
{
	struct call_set unused;

	for (int i = 0; i < g->n; i++) {
		const char *expr = g->each[i].value;
		if (g->each[i].option != OPTION_EXPR ||
		    strncmp(expr, "trace=", 6))
			continue;
		expr_parse(&unused, expr);
		set_env(ENV_CALLS, expr + 6);
	}
	if (g->value[OPTION_STRSIZE]) {
		option_number("-s", g->value[OPTION_STRSIZE], 0, 4096);
		set_env(ENV_STRSIZE, g->value[OPTION_STRSIZE]);
	}
	if (g->count[OPTION_OK] && g->count[OPTION_FAILED])
		die(EXIT_OURS, "-z and -Z together leave nothing to record");
	if (g->count[OPTION_OK] || g->count[OPTION_FAILED])
		set_env(ENV_ONLY, g->count[OPTION_OK] ? "ok" : "failed");
	if (g->count[OPTION_TIME])
		set_times(g->count[OPTION_TIME]);
	if (g->value[OPTION_SEED]) {
		option_number("--seed", g->value[OPTION_SEED], 0,
			      UINT64_MAX);
		set_env(ENV_SEED, g->value[OPTION_SEED]);
	}
}

/* Options that make sense with rules only, or without them only. */
static void check_rules(const struct given *g, bool run, bool rules)
{
	if (g->count[OPTION_MUST_FIRE] && !rules)
		die(EXIT_OURS, "--must-fire: expected a rule, by -r or -e");
	if (run && rules && (g->count[OPTION_OK] || g->count[OPTION_FAILED]))
		die(EXIT_OURS, "run: -z and -Z are for trace: with rules only "
		    "the calls that they touch are logged");
}

/* run is quiet without rules, and logs what they do where there are some. */
static void set_sinks(const struct given *g, bool run, bool rules,
		      bool temporary)
{
	const char *log = g->value[OPTION_OUTPUT];
	bool only = run && rules;

	if (only)
		set_env(ENV_ONLY, "injected");
	if (g->count[OPTION_COUNT])
		set_env(ENV_LOG, "none");
	else if (log)
		set_log(log);
	else if (!only && ((g->value[OPTION_TRACE] && !temporary) || run))
		set_env(ENV_LOG, "none");
	else
		set_env(ENV_LOG, "stderr");
}

/* The environment is another way to give the same options. */
static void set_defaults(struct given *g)
{
	static const struct {
		enum option_id option;
		enum env_id env;
	} same[] = {
		{ OPTION_TRACE, ENV_TRACE }, { OPTION_OUTPUT, ENV_LOG },
	};

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (!g->value[same[i].option])
			g->value[same[i].option] =
				getenv(envs[same[i].env].name);
}

/* A trace of our own where one is needed and none was asked for. */
static bool set_temporary(struct given *g, bool quiet)
{
	if (!g->count[OPTION_COUNT] && !g->count[OPTION_MUST_FIRE])
		return false;
	if (g->value[OPTION_TRACE])
		return false;
	g->value[OPTION_TRACE] = stay_file();
	/* calls that a rule has touched are recorded all the same */
	if (quiet && !g->count[OPTION_COUNT])
		set_env(ENV_CALLS, "none");
	return true;
}

static _Noreturn void become(const struct target *t, char **argv)
{
	execv(t->path, argv);
	stay_failed();
	die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "%s: %s",
	    t->path, errno == ENOEXEC ? "neither a program nor a script "
	    "with #!" : strerror(errno));
}

static int start(const struct target *t, const struct given *g,
		 const struct rules *rules, bool temporary, char **argv)
{
	struct stay stay = {
		.trace = g->value[OPTION_TRACE], .temporary = temporary,
		.output = g->value[OPTION_OUTPUT],
		.count = g->count[OPTION_COUNT],
		.rules = g->count[OPTION_MUST_FIRE] ? rules : NULL,
	};

	if ((stay.count || stay.rules) && stay_fork(&stay))
		return stay_until_end(&stay);
	become(t, argv);
}

int cmd_trace(int argc, char **argv)
{
	struct given g;
	struct target t;
	struct rules rules = { 0 };
	bool run = !strcmp(argv[0], "run"), temporary;
	int at = options_parse(&g, LAUNCH, argc, argv);
	uint64_t seed = 0;

	if (g.count[OPTION_PID])
		die(EXIT_OURS, "-p: an object can be preloaded only when a "
		    "program starts: start it with sockwrench, or use "
		    "strace -p on one that runs");
	if (!argv[at])
		die(EXIT_OURS, "%s: no program given", argv[0]);
	target_find(&t, argv[at]);
	set_options(&g);
	rules_gather(&rules, &g);
	check_rules(&g, run, rules.n > 0);
	set_defaults(&g);
	temporary = set_temporary(&g, run);
	if (getenv(envs[ENV_SEED].name))
		seed = strtoull(getenv(envs[ENV_SEED].name), NULL, 10);
	if (g.value[OPTION_TRACE])
		set_trace(g.value[OPTION_TRACE], seed, argv + at);
	set_sinks(&g, run, rules.n > 0, temporary);
	set_state();
	set_preload(&t);
	if (t.go)
		warn("%s is a Go program: only calls made through cgo are "
		     "seen, Go's own are not", argv[at]);
	return start(&t, &g, &rules, temporary, argv + at);
}
