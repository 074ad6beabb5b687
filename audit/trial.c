/* SPDX-License-Identifier: MIT */
/*
 * The course of a trial: a server that listens, the target, clients one after
 * the other, and the end of them all.  Nothing here sleeps for a time that is
 * guessed: every wait is for something that rings (bell.h), or for the
 * time-out.
 */
#include "trial.h"

#include "bell.h"
#include "netns.h"
#include "part.h"
#include "tree.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK (SECOND / 20)		/* who floods does not ring, */
#define SOON (SECOND / 1000)		/*   nor does a new trace */
#define GRACE_TARGET (2 * SECOND)	/* from SIGTERM to SIGKILL, at most */
#define GRACE_SERVER SECOND

struct course {
	const struct trial *t;
	struct trial_result *r;
	struct parts parts;
	char dir[PATH_MAX], tmp[PATH_MAX + 8];
};

/* The first thing that has gone wrong is what is told. */
static void fail(struct course *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct course *c, const char *format, ...)
{
	va_list list;

	if (*c->r->error)
		return;
	va_start(list, format);
	vsnprintf(c->r->error, sizeof c->r->error, format, list);
	va_end(list);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- waiting ----------------------------------------------------------- */

static bool listens(struct parts *all, struct part *p)
{
	struct trace_head *head = part_head(p);

	(void)all;
	return head && atomic_load(&head->listens);
}

static bool over(struct parts *all, struct part *p)
{
	return part_over(all, p);
}

static bool listens_or_over(struct parts *all, struct part *p)
{
	return listens(all, p) || over(all, p);
}

/* Until it is so; false: until that time, or until we are to end. */
static bool await(struct course *c, struct part *p,
		  bool (*so)(struct parts *, struct part *), int64_t until)
{
	for (;;) {
		struct trace_head *head = part_head(p);
		uint32_t heard;
		int64_t left;

		bell_use(head ? &head->bell : NULL);
		heard = bell_heard();
		parts_look(&c->parts);
		if (so(&c->parts, p))
			return true;
		left = until - now();
		if (left <= 0 || bell_stopped())
			return false;
		/* inotify would tell of it, but takes 10 ms to close */
		bell_wait(heard, least(left, head || so == over ? LOOK
								: SOON));
	}
}

/* ---- starting ---------------------------------------------------------- */

/* The first line of a file of a few, without its end. */
static void first_line(const char *path, char *to, int size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(to, size, f))
		*to = 0;
	to[strcspn(to, "\n")] = 0;
	if (f)
		fclose(f);
}

/* Whether it was the command that refused to start it; if so, why. */
static bool refused(struct course *c, const struct part *p)
{
	static const char ours[] = "sockwrench: ";
	size_t n = strlen(ours);
	char line[150];

	if (!p->gone || !WIFEXITED(p->says->status) ||
	    WEXITSTATUS(p->says->status) < 125 ||
	    WEXITSTATUS(p->says->status) > 127)
		return false;
	first_line(p->err, line, sizeof line);
	if (strncmp(line, ours, n))
		return false;
	fail(c, "%s", line + n);
	return true;
}

static bool start(struct course *c, struct part *p, struct launch *l)
{
	l->tmp = c->tmp;
	if (!part_start(p, l))
		return true;
	fail(c, "%s: %s", l->input ? l->input : c->dir, strerror(errno));
	return false;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* self run -w TRACE -s 4096 --seed N -o none [-e RULE]... -- ARGV... */
static const char **target_argv(const struct trial *t, const char *trace,
				const char *seed, const char *port)
{
	const char *head[] = {
		t->self, "run", "-w", trace, "-s", "4096", "--seed", seed,
		"-e", "trace=all", "-o", "none",
	};
	const char *const *own = (const char *const *)t->argv;
	size_t n = sizeof head / sizeof *head, rules = count(t->rules);
	const char **argv = calloc(n + 2 * rules + count(own) + 2,
				   sizeof *argv);

	if (!argv)
		return NULL;
	memcpy(argv, head, sizeof head);
	for (size_t i = 0; i < rules; i++) {
		argv[n++] = "-e";
		argv[n++] = t->rules[i];
	}
	argv[n++] = "--";
	for (size_t i = 0; own[i]; i++)
		argv[n++] = *port && !strcmp(own[i], "$PORT") ? port : own[i];
	return argv;
}

static bool start_target(struct course *c, int port)
{
	struct part *p = &c->parts.part[TARGET];
	struct launch l = { .input = c->t->input, .port = port };
	const char **argv;
	char seed[24], number[8] = "";
	bool ok;

	snprintf(seed, sizeof seed, "%" PRIu64, c->t->seed);
	if (port)
		snprintf(number, sizeof number, "%d", port & 65535);
	part_name(p, c->dir, "");
	argv = target_argv(c->t, p->trace, seed, number);
	l.argv = (char *const *)argv;
	ok = argv && start(c, p, &l);
	if (!argv)
		fail(c, "%s", strerror(ENOMEM));
	free(argv);
	return ok;
}

static bool start_companion(struct course *c, struct part *p,
			    const char *prefix, const char *command, int port)
{
	const char *argv[] = {
		c->t->self, "trace", "-w", p->trace, "-o", "none", "--",
		"sh", "-c", command, NULL,
	};
	struct launch l = { .argv = (char *const *)argv, .port = port };

	part_name(p, c->dir, prefix);
	return start(c, p, &l);
}

/* ---- the server -------------------------------------------------------- */

static void serve_failed(struct course *c, struct part *p)
{
	char line[100];

	if (bell_stopped() || refused(c, p))
		return;
	first_line(p->err, line, sizeof line);
	if (p->gone)
		fail(c, "the server ended before it listened%s%s",
		     *line ? ": " : "", line);
	else
		fail(c, "the server did not listen within %.3g s",
		     (double)c->t->timeout / SECOND);
}

/* Start the companion and wait for it; its port, 0: none on TCP, or -1. */
static int serve(struct course *c)
{
	struct part *p = &c->parts.part[SERVER];

	p->serves = true;
	if (!start_companion(c, p, "server.", c->t->server, 0))
		return -1;
	await(c, p, listens_or_over, p->begun + c->t->timeout);
	if (listens(&c->parts, p))
		return atomic_load(&p->head->port);
	serve_failed(c, p);
	return -1;
}

/* SIGTERM, and so much time to end; the rest is parts_end's. */
static void ask(struct course *c, struct part *p, int64_t grace)
{
	part_settle(&c->parts, p);
	if (part_over(&c->parts, p) || bell_stopped())
		return;
	part_ask(&c->parts, p);
	await(c, p, over, now() + least(grace, c->t->timeout));
}

/* ---- clients ----------------------------------------------------------- */

static void run_client(struct course *c, int i)
{
	struct part *p = &c->parts.part[CLIENT + i];
	char prefix[24];

	snprintf(prefix, sizeof prefix, "client.%d.", i + 1);
	if (!start_companion(c, p, prefix, c->t->client, c->r->port))
		return;
	c->r->clients++;
	await(c, p, over, p->begun + c->t->timeout);
	part_settle(&c->parts, p);
	part_kill(&c->parts, p);
	await(c, p, over, now() + SECOND);
	refused(c, p);
}

/* The target is a server: its clients, then its end. */
static void attend(struct course *c)
{
	struct part *p = &c->parts.part[TARGET];

	await(c, p, listens_or_over, p->begun + c->t->timeout);
	c->r->listened = listens(&c->parts, p);
	if (c->r->listened)
		c->r->port = atomic_load(&p->head->port);
	for (int i = 0; c->r->listened && i < c->t->clients; i++) {
		if (over(&c->parts, p) || bell_stopped() || *c->r->error)
			break;
		run_client(c, i);
		/* a later one that nobody serves says enough */
		if (i && !c->r->client[i].ended)
			break;
	}
	ask(c, p, GRACE_TARGET);
}

/* ---- all of it --------------------------------------------------------- */

static void watch(struct course *c)
{
	struct part *p = &c->parts.part[TARGET];

	await(c, p, over, p->begun + c->t->timeout);
	part_settle(&c->parts, p);
}

static void conduct(struct course *c)
{
	struct part *target = &c->parts.part[TARGET];
	int port = c->t->server ? serve(c) : 0;

	target->serves = c->t->client;
	if (port < 0 || bell_stopped() || !start_target(c, port))
		return;
	if (c->t->client)
		attend(c);
	else
		watch(c);
	part_kill(&c->parts, target);
	await(c, target, over, now() + SECOND);
	refused(c, target);
	if (c->t->server)
		ask(c, &c->parts.part[SERVER], GRACE_SERVER);
}

static void prepare(struct course *c)
{

	for (int i = 0; i < PARTS; i++) {
		struct part *p = &c->parts.part[i];
		p->says = i == TARGET ? &c->r->target : i == SERVER ? &c->r->server
			  : &c->r->client[i - CLIENT];
		p->out_fd = p->err_fd = -1;
	}
	c->parts.measured = now();
	if (!realpath(c->t->dir, c->dir))
		fail(c, "%s: %s", c->t->dir, strerror(errno));
	snprintf(c->tmp, sizeof c->tmp, "%s/tmp", c->dir);
	if (!*c->r->error && mkdir(c->tmp, 0700))
		fail(c, "%s: %s", c->tmp, strerror(errno));
	if (!tree_known())
		fail(c, "this kernel does not tell of children "
		     "(CONFIG_PROC_CHILDREN)");
	if (!*c->r->error && c->t->netns && netns_enter())
		fail(c, "a network namespace: %s", strerror(errno));
	/* whoever runs trials may be killed; entering a network may undo it */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void finish(struct course *c)
{
	if (!parts_end(&c->parts))
		fail(c, "some of its processes could not be killed");
	bell_use(NULL);
	parts_close(&c->parts);
	bell_restore();
	if (!bell_stopped())
		return;
	signal(bell_stopped(), SIG_DFL);
	raise(bell_stopped());
	fail(c, "%s", strsignal(bell_stopped()));
}

int trial_run(const struct trial *t, struct trial_result *r)
{
	struct course c = { .t = t, .r = r };

	memset(r, 0, sizeof *r);
	bell_hang();
	prepare(&c);
	if (!*r->error)
		conduct(&c);
	finish(&c);
	return *r->error ? -1 : 0;
}
