/* SPDX-License-Identifier: MIT */
/*
 * trace, run: set the environment and become the program, so that its status,
 * signals, terminal and pid are its own.  Only -c stays, as a parent.
 */
#include "cli.h"

#include "../trace/file.h"
#include "../trace/read.h"
#include "../trace/tick.h"
#include "summary.h"

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

static void set(enum env_id id, const char *value)
{
	if (setenv(envs[id].name, value, 1))
		die(EXIT_OURS, "setenv: %s", strerror(errno));
}

/* The file's name from the root: children may run elsewhere. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX], *name;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof cwd) ||
	    asprintf(&name, "%s/%s", cwd, path) < 0)
		die(EXIT_OURS, "%s: %s", path, strerror(errno));
	return name;
}

/* ---- the object ------------------------------------------------------- */

/* Beside this command, or in PREFIX/lib where this is PREFIX/bin. */
static void find_object(char *to, size_t size)
{
	static const char *const places[] = { "", "../lib/" };
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0)
		die(EXIT_OURS, "/proc/self/exe: %s", strerror(errno));
	self[n] = 0;
	*strrchr(self, '/') = 0;
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
		set(ENV_LOG, path);
		return;
	}
	set(ENV_LOG, absolute(path));
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
	set(ENV_TRACE, whole);
}

/* The beginning of time, and that the files are there: not for its children
 * to truncate again. */
static void set_state(void)
{
	char state[128];

	snprintf(state, sizeof state, "-:0:0:%lu:%lu:0:1",
		 (unsigned long)clock_ns(CLOCK_MONOTONIC),
		 (unsigned long)clock_ns(CLOCK_REALTIME));
	set(ENV_STATE, state);
}

/* ---- options into environment ----------------------------------------- */

static uint64_t number(const char *what, const char *text, uint64_t most)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n > most)
		die(EXIT_OURS, "%s %s: expected a whole number up to %llu",
		    what, text, (unsigned long long)most);
	return n;
}

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
	set(ENV_TIMES, value);
}

static void set_options(const struct given *g)
{
	struct call_set unused;

	if (g->value[OPTION_EXPR]) {
		expr_parse(&unused, g->value[OPTION_EXPR]);
		set(ENV_CALLS, g->value[OPTION_EXPR] + 6);
	}
	if (g->value[OPTION_STRSIZE]) {
		number("-s", g->value[OPTION_STRSIZE], 4096);
		set(ENV_STRSIZE, g->value[OPTION_STRSIZE]);
	}
	if (g->count[OPTION_OK] && g->count[OPTION_FAILED])
		die(EXIT_OURS, "-z and -Z together leave nothing to record");
	if (g->count[OPTION_OK] || g->count[OPTION_FAILED])
		set(ENV_ONLY, g->count[OPTION_OK] ? "ok" : "failed");
	if (g->count[OPTION_TIME])
		set_times(g->count[OPTION_TIME]);
	if (g->value[OPTION_SEED]) {
		number("--seed", g->value[OPTION_SEED], UINT64_MAX);
		set(ENV_SEED, g->value[OPTION_SEED]);
	}
}

/* ---- becoming the program --------------------------------------------- */

static _Noreturn void become(const struct target *t, char **argv)
{
	execv(t->path, argv);
	die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "%s: %s",
	    t->path, errno == ENOEXEC ? "neither a program nor a script "
	    "with #!" : strerror(errno));
}

/* End as the program ended. */
static int end_as(int status)
{
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status);
}

static void print_counts(const char *path, const char *output)
{
	char why[256];
	struct trace *trace = trace_read(path, why, sizeof why);
	FILE *to = output ? fopen(output, "we") : stderr;

	if (!to)
		die(EXIT_OURS, "-o %s: %s", output, strerror(errno));
	unlink(path);
	if (!trace)
		die(EXIT_OURS, "%s: %s", path, why);
	summary_calls(to, trace);
	trace_free(trace);
	if (to != stderr && fclose(to))
		die(EXIT_OURS, "-o %s: %s", output, strerror(errno));
}

/* -c: count into a trace of our own, and say what is in it at the end. */
static int count(const struct target *t, const struct given *g, char **argv)
{
	const char *dir = getenv("TMPDIR");
	const char *kept = g->value[OPTION_TRACE];
	char *path;
	int status, fd;
	pid_t pid;

	if (asprintf(&path, "%s/sockwrench.XXXXXX", dir ? dir : "/tmp") < 0)
		die(EXIT_OURS, "%s", strerror(errno));
	if (!kept) {
		fd = mkstemp(path);
		if (fd < 0)
			die(EXIT_OURS, "%s: %s", path, strerror(errno));
		close(fd);
		set_trace(path, 0, argv);
	}
	set(ENV_LOG, "none");
	pid = fork();
	if (pid < 0)
		die(EXIT_OURS, "fork: %s", strerror(errno));
	if (!pid)
		become(t, argv);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	print_counts(kept ? kept : path, g->value[OPTION_OUTPUT]);
	return end_as(status);
}

int cmd_trace(int argc, char **argv)
{
	struct given g;
	struct target t;
	bool quiet = !strcmp(argv[0], "run");
	int at = options_parse(&g, LAUNCH, argc, argv);
	uint64_t seed = 0;

	if (g.count[OPTION_PID])
		die(EXIT_OURS, "-p: an object can be preloaded only when a "
		    "program starts: start it with sockwrench, or use "
		    "strace -p on one that runs");
	if (!argv[at])
		die(EXIT_OURS, "%s: no program given", argv[0]);
	target_find(&t, argv[at]);
	/* the environment is another way to give the same options */
	if (!g.value[OPTION_TRACE])
		g.value[OPTION_TRACE] = getenv(envs[ENV_TRACE].name);
	if (!g.value[OPTION_OUTPUT])
		g.value[OPTION_OUTPUT] = getenv(envs[ENV_LOG].name);
	set_options(&g);
	if (g.value[OPTION_SEED])
		seed = strtoull(g.value[OPTION_SEED], NULL, 10);
	if (g.value[OPTION_TRACE])
		set_trace(g.value[OPTION_TRACE], seed, argv + at);
	if (!g.count[OPTION_COUNT] && g.value[OPTION_OUTPUT])
		set_log(g.value[OPTION_OUTPUT]);
	else if (g.value[OPTION_TRACE] || quiet)
		set(ENV_LOG, "none");
	else
		set(ENV_LOG, "stderr");
	set_state();
	set_preload(&t);
	if (t.go)
		warn("%s is a Go program: only calls made through cgo are "
		     "seen, Go's own are not", argv[at]);
	if (g.count[OPTION_COUNT])
		return count(&t, &g, argv + at);
	become(&t, argv + at);
}
