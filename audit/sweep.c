/* SPDX-License-Identifier: MIT */
/*
 * A process for each trial: it runs the target, judges it and writes what came
 * of it into memory it shares with us.  What is found is tried once more, with
 * more time: a finding is true twice or none.
 */
#include "sweep.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
	stop = sig;
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* ---- folders ----------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	remove(path);
	return 0;
}

static void folder_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void sweep_clean(const struct audit *a)
{
	folder_remove(a->dir);
}

static char *folder_new(const struct audit *a, const char *name, int n)
{
	char *path;

	if (asprintf(&path, "%s/%s%d", a->dir, name, n) < 0)
		abort();
	folder_remove(path);
	if (mkdir(path, 0700)) {
		fprintf(stderr, "sockwrench: %s: %s\n", path, strerror(errno));
		_exit(125);
	}
	return path;
}

/* ---- one trial ------------------------------------------------------------------ */

static int run(const struct audit *a, const struct planned *p,
	       const char *dir, int longer, struct trial_result *r)
{
	const char *rules[3] = { p ? p->rule : NULL, p ? p->beside : NULL };
	struct trial t = a->trial;

	/* one meets the fault; a leak shows after a few others */
	t.clients = p || a->ref.base.clients ? TRIAL_LATER + 1
					     : TRIAL_CLIENTS;
	if (p)
		t.timeout += a->sites.site[p->site].bound;
	t.dir = dir;
	t.rules = rules;
	t.timeout *= longer;
	return trial_run(&t, r);
}

/* The program has gone where it does not go untouched. */
static bool leads(const struct audit *a, const char *dir)
{
	char why[200];
	struct trace *t = view_trace(dir, "trace", why, sizeof why);
	bool new = t && sites_miss(&a->sites, t, a->ref.exe);

	if (t)
		trace_free(t);
	return new;
}

/* In a process of its own, which then ends. */
static _Noreturn void attempt(const struct audit *a, int i)
{
	const struct planned *p = &a->plan.trial[i];
	struct outcome *o = &a->outcome[i];
	char *dir = folder_new(a, "trial.", i + 1);
	struct view now;
	struct trial_result r;
	bool again = o->again;

	memset(o, 0, sizeof *o);
	o->again = again;
	if (run(a, a->ref.idle ? NULL : p, dir, again ? 3 : 1, &r)) {
		o->verdict = NO_TRIAL;
		snprintf(o->failed, sizeof o->failed, "%s", r.error);
	} else {
		view_read(&now, dir);
		now.result = r;
		judge(&a->ref, p, &now, dir, o);
		o->leads = !p->beside && o->verdict != NOT_REACHED &&
			   o->verdict != NO_TRIAL && leads(a, dir);
	}
	if (!a->keep && !o->leads)
		folder_remove(dir);
	_exit(0);
}

/* ---- the untouched runs --------------------------------------------------------- */

static pid_t fork_here(void)
{
	fflush(NULL);
	return fork();
}

/* Run untouched, in a child; its result comes back. */
static int untouched(const struct audit *a, const char *dir,
		     struct trial_result *r)
{
	struct trial_result *to = shared(sizeof *to);
	int status;
	pid_t pid = fork_here();

	if (!pid)
		_exit(run(a, NULL, dir, 1, to) ? 1 : 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		if (stop)
			kill(pid, SIGTERM);
	*r = *to;
	munmap(to, sizeof *to);
	return status;
}

/* Once for a name and a place: the call itself is looked up later. */
static void note_lint(const struct finding *f, void *ctx)
{
	struct audit *a = ctx;
	struct native *n = &a->native[a->natives];

	a->ref.linted[f->id] = true;
	for (int i = 0; i < a->natives; i++)
		if (a->native[i].found.id == f->id &&
		    a->native[i].caller == f->caller)
			return;
	if (a->natives == sizeof a->native / sizeof *a->native)
		return;
	a->natives++;
	*n = (struct native){ .caller = f->caller, .nth = f->nth };
	n->found.id = f->id;
	snprintf(n->found.what, sizeof n->found.what, "%s", f->text);
}

/* Where in the program they are. */
static void place(struct audit *a, struct trace *t)
{
	struct trace_call c;

	trace_rewind(t, false);
	for (uint64_t nth = 0; trace_next(t, &c); nth++)
		for (int i = 0; i < a->natives; i++)
			if (a->native[i].nth == nth)
				site_of(&a->native[i].site, &c);
}

/* Those that the second run does not show are none. */
static void keep_lint(const struct finding *f, void *ctx)
{
	struct audit *a = ctx;

	a->ref.linted[f->id] = true;
	for (int i = 0; i < a->natives; i++)
		a->native[i].again |= a->native[i].found.id == f->id;
}

static void drop_lint(struct audit *a)
{
	int n = 0;

	for (int i = 0; i < a->natives; i++)
		if (a->native[i].again && !a->ref.idle)
			a->native[n++] = a->native[i];
	a->natives = n;
}

static int learn(struct audit *a, const char *dir, bool second, char *why,
		 size_t size)
{
	char reason[200];
	struct trace *t = view_trace(dir, "trace", reason, sizeof reason);

	if (!t) {
		snprintf(why, size, "the trace of the untouched run: %s",
			 reason);
		return -1;
	}
	sites_add(&a->sites, t, a->ref.exe);
	trace_rewind(t, false);
	lint_trace(t, second ? keep_lint : note_lint, a);
	if (!second)
		place(a, t);
	trace_free(t);
	return 0;
}

/* What of it a trial cannot be compared in. */
static void tell_unstable(struct audit *a)
{
	static const char *const how[] = {
		NULL, "numbers", "the lines that differ", "anything",
	};
	const struct base *b = &a->ref.base;
	const struct { const char *what; enum stable stable; } all[] = {
		{ "output", b->out }, { "messages", b->err },
		{ "data sent", b->stream }, { "clients' output", b->client },
	};
	struct out o = { a->lines, a->lines, a->lines + sizeof a->lines - 1,
			 false };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i].stable == EXACT)
			continue;
		if (out_len(&o))
			out_str(&o, "; ");
		out_str(&o, all[i].what);
		out_str(&o, i ? " differ" : " differs");
		out_str(&o, " between two untouched runs: not compared in ");
		out_str(&o, how[all[i].stable]);
	}
	*o.at = 0;
}

int sweep_begin(struct audit *a, char *why, size_t size)
{
	struct sigaction act = { .sa_handler = on_stop };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	for (int i = 0; i < 2; i++) {
		struct view *v = &a->ref.base.view[i];
		char *dir = folder_new(a, "untouched.", i + 1);
		struct trial_result r;
		if (untouched(a, dir, &r) || r.error[0]) {
			snprintf(why, size, "%s", stop ? "interrupted" :
				 r.error[0] ? r.error : "it could not be run");
			return -1;
		}
		view_read(v, dir);
		v->result = r;
		if (learn(a, dir, i, why, size))
			return -1;
		if (!a->keep)
			folder_remove(dir);
		free(dir);
	}
	drop_lint(a);
	base_compare(&a->ref.base);
	tell_unstable(a);
	return 0;
}

/* ---- all of them ----------------------------------------------------------------- */

struct worker {
	pid_t pid;
	int trial;
};

static void start(struct audit *a, struct worker *w, int i)
{
	w->trial = i;
	w->pid = fork_here();
	if (!w->pid)
		attempt(a, i);
}

static bool confirmed(const struct outcome *was, const struct outcome *now)
{
	return now->verdict == FOUND && was->n && now->n &&
	       now->found[0].id == was->found[0].id;
}

/* It had not ended: with more time it shows what becomes of it. */
static bool in_time(const struct outcome *o)
{
	return !o->n || o->found[0].id != FINDING_HANG;
}

/* A trial is over: true when it has to be run once more. */
static bool over(struct audit *a, struct worker *w, struct outcome *before)
{
	struct outcome *o = &a->outcome[w->trial];
	struct outcome *was = &before[w->trial];

	if ((o->unended && !o->again) ||
	    (o->verdict == FOUND &&
	     (!was->n || (!in_time(was) && in_time(o))))) {
		*was = *o;
		o->again = true;
		return true;
	}
	if (was->n && !confirmed(was, o) && o->verdict != NO_TRIAL &&
	    (in_time(was) || o->verdict == FOUND))
		o->verdict = UNSTEADY;
	a->done++;
	return false;
}

/* Trials of what the fault of trial i has led to, with that fault. */
static void follow(struct audit *a, int i)
{
	struct planned first = a->plan.trial[i];
	int from = a->sites.n;
	char *dir, why[200];
	struct trace *t;

	if (asprintf(&dir, "%s/trial.%d", a->dir, i + 1) < 0)
		abort();
	t = view_trace(dir, "trace", why, sizeof why);
	if (t) {
		sites_add(&a->sites, t, a->ref.exe);
		trace_free(t);
	}
	a->plan.after = &first;
	plan_add(&a->plan, &a->sites, from);
	a->plan.after = NULL;
	if (a->plan.n > a->room) {
		a->crowded += a->plan.n - a->room;
		a->plan.n = a->room;
	}
	if (!a->keep)
		folder_remove(dir);
	free(dir);
}

static void end_all(struct worker *w, int n)
{
	for (int i = 0; i < n; i++)
		if (w[i].pid > 0)
			kill(w[i].pid, SIGTERM);
}

void sweep(struct audit *a, void (*told)(const struct audit *a))
{
	struct worker *w = calloc(a->jobs, sizeof *w);
	struct outcome *before;
	int next = 0, running = 0, status;
	bool told_stop = false;

	/* what new call sites add ends somewhere */
	a->room = 2 * a->plan.n + 100;
	before = calloc(a->room, sizeof *before);
	a->outcome = shared(a->room * sizeof *a->outcome);
	while (running || (next < a->plan.n && !stop)) {
		pid_t pid;
		for (int i = 0; i < a->jobs && next < a->plan.n && !stop; i++)
			if (w[i].pid <= 0) {
				start(a, &w[i], next++);
				running++;
			}
		pid = waitpid(-1, &status, 0);
		if (stop && !told_stop) {
			end_all(w, a->jobs);
			told_stop = true;
		}
		for (int i = 0; i < a->jobs && pid > 0; i++) {
			if (w[i].pid != pid)
				continue;
			w[i].pid = 0;
			running--;
			if (stop || status)
				a->outcome[w[i].trial].verdict = NO_TRIAL;
			if (!stop && over(a, &w[i], before)) {
				start(a, &w[i], w[i].trial);
				running++;
			} else if (!stop && a->outcome[w[i].trial].leads) {
				follow(a, w[i].trial);
			}
		}
		if (told)
			told(a);
	}
	a->stopped = stop;
	free(before);
	free(w);
}
