/* SPDX-License-Identifier: MIT */
/* The parent that stays: signals, waiting, and reading the trace at the end. */
#include "stay.h"

#include "../trace/read.h"
#include "cli.h"
#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *stay_file(void)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	if (asprintf(&path, "%s/sockwrench.XXXXXX", dir ? dir : "/tmp") < 0)
		die(EXIT_OURS, "%s", strerror(errno));
	fd = mkstemp(path);
	if (fd < 0)
		die(EXIT_OURS, "%s: %s", path, strerror(errno));
	close(fd);
	return path;
}

/* ---- signals ------------------------------------------------------------- */

static volatile sig_atomic_t child;	/* set before a handler can run */

/* Whoever ends us means the program. */
static void pass_on(int sig)
{
	kill(child, sig);
}

static void be_parent(void)
{
	static const int passed[] = { SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = pass_on };

	/* a terminal sends these to the program too */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
		sigaction(passed[i], &act, NULL);
}

static int failure[2] = { -1, -1 };	/* a pipe that exec closes */

bool stay_fork(struct stay *s)
{
	sigset_t held, old;

	if (pipe2(failure, O_CLOEXEC))
		die(EXIT_OURS, "pipe: %s", strerror(errno));
	sigfillset(&held);
	sigprocmask(SIG_BLOCK, &held, &old);
	s->child = fork();
	if (s->child < 0)
		die(EXIT_OURS, "fork: %s", strerror(errno));
	child = s->child;
	if (s->child)
		be_parent();
	sigprocmask(SIG_SETMASK, &old, NULL);
	return s->child;
}

void stay_failed(void)
{
	int err = errno;

	if (failure[1] >= 0 && write(failure[1], "", 1) < 0)
		warn("pipe: %s", strerror(errno));
	errno = err;
}

/* Whether the program has never been there. */
static bool has_failed(void)
{
	char c;

	close(failure[1]);
	return read(failure[0], &c, 1) == 1;
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

/* ---- the trace ----------------------------------------------------------- */

static void print_counts(struct trace *trace, const char *output)
{
	FILE *to = output ? fopen(output, "we") : stderr;

	if (!to)
		die(EXIT_OURS, "-o %s: %s", output, strerror(errno));
	summary_calls(to, trace);
	if (to != stderr && fclose(to))
		die(EXIT_OURS, "-o %s: %s", output, strerror(errno));
}

/* The words of a rule's field, "when=3". */
static struct span words_of(const struct rule *r, enum field field)
{
	struct place p = r->place[field];

	return (struct span){ r->text + p.col - 1, p.len };
}

/* "recv ", or nothing where a rule is about several families. */
static const char *family_of(const struct rule *r)
{
	static char name[32];

	*name = 0;
	for (int f = 0; f < FAMILIES; f++)
		if (r->families == 1 << f)
			snprintf(name, sizeof name, "%s ", families[f].name);
	return name;
}

/* What calls have lacked that matched, and that the rule could not act on. */
static const char *lack_of(const struct rule *r)
{
	const struct fault_row *f = NULL;

	for (int i = 0; i < FAMILIES && r->action == FIELD_ERROR && !f; i++)
		if (r->families & 1 << i)
			f = fault_find(i, r->error, r->protos);
	if (f && f->condition != ALWAYS)
		return f->condition == BLOCKING ? "was blocking"
						: "was nonblocking";
	return r->action == FIELD_SHORT ? "could be cut short"
					: "could go wrong like that";
}

/* What has stopped the calls that matched. */
static void stopped(const struct rule *r, const struct rule_score *s,
		    char *why, size_t size)
{
	enum field field = !s->able ? FIELD_AT :
			   r->with & WITH(WHEN) ? FIELD_WHEN : FIELD_PROB;
	struct span w = words_of(r, field);
	bool chance = field == FIELD_WHEN && r->prob < 1000000;

	if (!s->able && r->with & WITH(AT))
		snprintf(why, size, "none got to %.*s", w.len, w.s);
	else if (!s->able)
		snprintf(why, size, "none %s", lack_of(r));
	else if (!s->turn)
		snprintf(why, size, "%.*s%s let none through", w.len, w.s,
			 chance ? " and prob=" : "");
	else
		snprintf(why, size, s->fired ? "it could not be carried out" :
			 "other rules came first");
}

/* How many calls have come how far with a rule. */
static void why_unfired(const struct rule *r, const struct rule_score *s,
			char *why, size_t size)
{
	uint32_t n = s->able ? s->able : s->matched;
	int at;

	if (!n) {
		snprintf(why, size, "no %scall matched it", family_of(r));
		return;
	}
	at = snprintf(why, size, "%u %scall%s matched it, but ", n,
		      family_of(r), n == 1 ? "" : "s");
	stopped(r, s, why + at, size - at);
}

/* Each rule that has not fired, by name; how many there are. */
static int tell_unfired(struct trace *trace, const struct rules *rules)
{
	const struct rule_score *score = trace_facts(trace)->score;
	bool fired[RULES_MOST + 1] = { false };
	struct trace_call c;
	char name[600], why[300];
	int n = 0;

	while (trace_next(trace, &c))
		if (c.event.rec->rule <= rules->n)
			fired[c.event.rec->rule] = true;
	for (int i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->rule[i];
		/* who lets a call pass leaves no trace of it */
		if (fired[i + 1] || (r->action == FIELD_PASS &&
				     score[i].fired))
			continue;
		rule_name(r, name, sizeof name);
		why_unfired(r, &score[i], why, sizeof why);
		warn("%s never fired: %s", name, why);
		n++;
	}
	return n;
}

static struct trace *read_trace(const struct stay *s)
{
	char why[256];
	struct trace *trace = trace_read(s->trace, why, sizeof why);

	if (s->temporary)
		unlink(s->trace);
	if (!trace)
		die(EXIT_OURS, "%s: %s", s->trace, why);
	return trace;
}

/* What the trace says; true where a rule has not fired. */
static bool tell(const struct stay *s)
{
	struct trace *trace = read_trace(s);
	int unfired = s->rules ? tell_unfired(trace, s->rules) : 0;

	if (unfired && trace_facts(trace)->dropped)
		warn("%" PRIu64 " calls did not fit into the trace",
		     trace_facts(trace)->dropped);
	if (s->count)
		print_counts(trace, s->output);
	trace_free(trace);
	return unfired;
}

int stay_until_end(const struct stay *s)
{
	int status;

	while (waitpid(s->child, &status, 0) < 0 && errno == EINTR)
		;
	if (!has_failed())
		return tell(s) ? EXIT_OURS : end_as(status);
	if (s->temporary)
		unlink(s->trace);
	return end_as(status);
}
