/* SPDX-License-Identifier: MIT */
/*
 * Parts of a trial.  This process is a subreaper: who has lost its parent
 * becomes a child of it, so everybody is somewhere below.  A child that is
 * not the first process of a part is such an orphan; it belongs to the
 * companion whose trace it is attached to, or else to the target.
 */
#include "part.h"

#include "../rules/table.h"
#include "bell.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD (64 << 20)		/* bytes of output that are too many */
#define EVERY (SECOND / 20)		/* between two looks at CPU times */
#define STACK "8"			/* frames of the caller kept per call */
#define PATIENCE (5 * SECOND)		/* until what was killed is gone */

/* ---- the beginning ----------------------------------------------------- */

void part_name(struct part *p, const char *dir, const char *prefix)
{
	snprintf(p->out, sizeof p->out, "%s/%sout", dir, prefix);
	snprintf(p->err, sizeof p->err, "%s/%serr", dir, prefix);
	snprintf(p->trace, sizeof p->trace, "%s/%strace", dir, prefix);
}

/* Nothing that the caller's own variables ask of us is meant here. */
static void set_environment(const struct launch *l)
{
	char port[16];

	for (int i = 0; i < ENVS; i++)
		unsetenv(envs[i].name);
	setenv("SOCKWRENCH_STACK", STACK, 1);
	setenv("TMPDIR", l->tmp, 1);
	snprintf(port, sizeof port, "%d", l->port);
	if (l->port)
		setenv("PORT", port, 1);
}

/*
 * In the child: a session of its own, so that no terminal stops it, and none
 * of it without us.
 */
static _Noreturn void become(const struct part *p, const struct launch *l,
			     int in, pid_t parent)
{
	bell_restore();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)	/* it was too late for that */
		_exit(EXIT_FAILURE);
	set_environment(l);
	dup2(in, STDIN_FILENO);
	dup2(p->out_fd, STDOUT_FILENO);
	dup2(p->err_fd, STDERR_FILENO);
	execv(l->argv[0], l->argv);
	dprintf(STDERR_FILENO, "sockwrench: %s: %s\n", l->argv[0],
		strerror(errno));
	_exit(125);
}

static int create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

int part_start(struct part *p, const struct launch *l)
{
	const char *input = l->input ? l->input : "/dev/null";
	int in = open(input, O_RDONLY | O_CLOEXEC);
	pid_t self = getpid();

	p->out_fd = create(p->out);
	p->err_fd = create(p->err);
	p->begun = now();
	p->pid = in < 0 || p->out_fd < 0 || p->err_fd < 0 ? -1 : fork();
	if (!p->pid)
		become(p, l, in, self);
	if (in >= 0)
		close(in);
	if (p->pid > 0)
		return 0;
	p->pid = 0;
	return -1;
}

struct trace_head *part_head(struct part *p)
{
	int fd = p->head || !p->pid ? -1 : open(p->trace, O_RDWR | O_CLOEXEC);
	void *head = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return p->head;
	if (!fstat(fd, &st) && st.st_size >= TRACE_HEAD)
		head = mmap(NULL, TRACE_HEAD, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	close(fd);
	if (head == MAP_FAILED)
		return NULL;
	/* what is written last says that the rest is there */
	if (!memcmp(head, TRACE_MAGIC, strlen(TRACE_MAGIC)))
		p->head = head;
	else
		munmap(head, TRACE_HEAD);
	return p->head;
}

/* ---- whose a process is ------------------------------------------------ */

static bool attached(struct part *p, pid_t pid)
{
	struct trace_head *head = part_head(p);

	for (int i = 0; head && i < TRACE_PIDS; i++)
		if (atomic_load(&head->pids[i]) == pid)
			return true;
	return false;
}

static struct part *owner(struct parts *all, pid_t pid)
{
	for (struct part *p = all->part; p < all->part + PARTS; p++)
		if (p->pid == pid && !p->gone)
			return p;
	for (struct part *p = all->part + SERVER; p < all->part + PARTS; p++)
		if (p->pid && attached(p, pid))
			return p;
	return &all->part[TARGET];
}

/* Children of this process that are a part's, counted or told something. */
struct errand {
	struct parts *all;
	const struct part *of;
	int sig, n;
};

static void run_errand(pid_t pid, void *arg)
{
	struct errand *e = arg;

	if (owner(e->all, pid) != e->of)
		return;
	e->n++;
	if (e->sig == SIGKILL)
		tree_kill(pid);
	else if (e->sig)
		kill(pid, e->sig);
}

static int errand(struct parts *all, const struct part *of, int sig)
{
	struct errand e = { .all = all, .of = of, .sig = sig };

	tree_children(getpid(), run_errand, &e);
	return e.n;
}

bool part_over(struct parts *all, const struct part *p)
{
	return p->gone && (!p->serves || !errand(all, p, 0));
}

void part_ask(struct parts *all, const struct part *p)
{
	/* it may not have come to its own group yet */
	if (p->gone || kill(-p->pid, SIGTERM))
		errand(all, p, SIGTERM);
}

void part_kill(struct parts *all, struct part *p)
{
	p->killed = true;
	errand(all, p, SIGKILL);
}

/* ---- what they use ----------------------------------------------------- */

static void measure_child(pid_t pid, void *all)
{
	owner(all, pid)->cpu_live += tree_cpu(pid);
}

static void measure(struct parts *all)
{
	for (int i = 0; i < PARTS; i++)
		all->part[i].cpu_live = 0;
	tree_children(getpid(), measure_child, all);
	all->measured = now();
	for (int i = 0; i < PARTS; i++) {
		struct part *p = &all->part[i];
		p->sample[p->n++ % SAMPLES] = (struct sample){
			all->measured, p->cpu_dead + p->cpu_live,
		};
	}
}

/* CPU time of the last second, from the youngest sample that is as old. */
static int64_t busy(const struct part *p, struct sample last)
{
	struct sample first = { p->begun, 0 };
	int64_t cpu, time;

	for (unsigned i = p->n > SAMPLES ? p->n - SAMPLES : 0; i < p->n; i++) {
		struct sample s = p->sample[i % SAMPLES];
		if (s.at > p->begun && s.at <= last.at - SECOND)
			first = s;
	}
	time = last.at - first.at;
	cpu = last.cpu - first.cpu;
	return cpu < 0 ? 0 : time > SECOND ? cpu * SECOND / time : cpu;
}

static uint64_t written(const struct part *p)
{
	struct stat out, err;

	if (fstat(p->out_fd, &out) || fstat(p->err_fd, &err))
		return 0;
	return out.st_size + err.st_size;
}

void part_settle(struct parts *all, struct part *p)
{
	struct sample last;

	measure(all);
	last = p->sample[(p->n - 1) % SAMPLES];
	p->says->ended = !p->killed && part_over(all, p);
	p->says->asleep = !p->gone && tree_asleep(p->pid);
	p->says->took = (p->gone ? p->left : last.at) - p->begun;
	p->says->cpu = last.cpu;
	p->says->busy = busy(p, last);
}

/* ---- looking after them ------------------------------------------------ */

static int64_t used(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * SECOND +
	       (u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

static void reap(struct parts *all)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct part *p = owner(all, pid);
		p->cpu_dead += used(&usage);
		if (p->pid != pid)
			continue;
		p->gone = true;
		p->left = now();
		p->says->status = status;
	}
}

static void end_flood(struct parts *all)
{
	for (struct part *p = all->part; p < all->part + PARTS; p++)
		if (p->pid && !p->says->flooded && written(p) > FLOOD) {
			p->says->flooded = true;
			if (!part_over(all, p))
				part_kill(all, p);
		}
}

void parts_look(struct parts *all)
{
	reap(all);
	end_flood(all);
	if (now() - all->measured >= EVERY)
		measure(all);
}

/* ---- the end ----------------------------------------------------------- */

static void kill_child(pid_t pid, void *unused)
{
	(void)unused;
	tree_kill(pid);
}

static bool alone(void)
{
	siginfo_t i;

	return waitid(P_ALL, 0, &i, WEXITED | WNOHANG | WNOWAIT) &&
	       errno == ECHILD;
}

bool parts_end(struct parts *all)
{
	int64_t until = now() + PATIENCE;

	while (!alone()) {
		uint32_t heard = bell_heard();
		/* who has just been born may be in no list yet: again */
		tree_children(getpid(), kill_child, NULL);
		reap(all);
		if (now() > until)
			return false;
		if (!alone())
			bell_wait(heard, EVERY);
	}
	return true;
}

/* Who was killed has left its trace 16 GiB long, however little is in it. */
static void cut(struct part *p)
{
	const struct trace_head *head = part_head(p);
	uint64_t used = head ? (head->next & ~TRACE_SEALED) *
			       TRACE_UNIT : 0;
	struct stat st;

	if (!stat(p->trace, &st) && used >= TRACE_HEAD &&
	    used < (uint64_t)st.st_size && truncate(p->trace, used))
		return;			/* then it stays as it is */
}

static void part_close(struct part *p, bool alone)
{
	if (p->pid) {
		p->says->written = written(p);
		if (alone)
			cut(p);
	}
	if (p->head)
		munmap(p->head, TRACE_HEAD);
	if (p->out_fd >= 0)
		close(p->out_fd);
	if (p->err_fd >= 0)
		close(p->err_fd);
}

void parts_close(struct parts *all)
{
	bool nobody = alone();

	for (int i = 0; i < PARTS; i++)
		part_close(&all->part[i], nobody);
}
