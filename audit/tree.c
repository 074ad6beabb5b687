/* SPDX-License-Identifier: MIT */
/* Trees of processes; what /proc cannot tell is taken for nobody. */
#include "tree.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define TICK 1000			/* ms: who waits less only looks around */

bool tree_known(void)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/self/task/%d/children", getpid());
	return !access(name, R_OK);
}

/* The kernel lists children by the thread that has made them. */
static void thread_children(pid_t pid, const char *tid,
			    void (*visit)(pid_t, void *), void *arg)
{
	char name[320];
	FILE *f;
	int child;

	snprintf(name, sizeof name, "/proc/%d/task/%s/children", pid, tid);
	f = fopen(name, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &child) == 1)
		visit(child, arg);
	fclose(f);
}

void tree_children(pid_t pid, void (*visit)(pid_t, void *), void *arg)
{
	char name[64];
	const struct dirent *d;
	DIR *tasks;

	snprintf(name, sizeof name, "/proc/%d/task", pid);
	tasks = opendir(name);
	if (!tasks)
		return;
	while ((d = readdir(tasks)))
		if (*d->d_name != '.')
			thread_children(pid, d->d_name, visit, arg);
	closedir(tasks);
}

/* ---- CPU time ---------------------------------------------------------- */

/* utime, stime, cutime and cstime of proc_pid_stat(5), in ns. */
static int64_t process_cpu(pid_t pid)
{
	char name[32], line[1024];
	const char *at;
	int64_t t[4];
	FILE *f;

	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	f = fopen(name, "re");
	if (!f)
		return 0;
	line[fread(line, 1, sizeof line - 1, f)] = 0;
	fclose(f);
	/* a program's name may hold anything, parentheses too */
	at = strrchr(line, ')');
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			  "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
			  &t[0], &t[1], &t[2], &t[3]) != 4)
		return 0;
	return (t[0] + t[1] + t[2] + t[3]) *
	       (1000000000 / sysconf(_SC_CLK_TCK));
}

static void add_cpu(pid_t pid, void *sum)
{
	*(int64_t *)sum += process_cpu(pid);
	tree_children(pid, add_cpu, sum);
}

int64_t tree_cpu(pid_t root)
{
	int64_t sum = 0;

	add_cpu(root, &sum);
	return sum;
}

/* ---- asleep ------------------------------------------------------------- */

/* The system call a process's first thread is in (proc_pid_syscall(5)). */
struct waiting {
	pid_t pid;
	long call;			/* -1: none, or not known */
	unsigned long arg[6];
};

static struct waiting process_call(pid_t pid)
{
	struct waiting w = { .pid = pid };
	char name[32];
	FILE *f;

	snprintf(name, sizeof name, "/proc/%d/syscall", pid);
	f = fopen(name, "re");
	if (!f || fscanf(f, "%ld %lx %lx %lx %lx %lx %lx", &w.call, &w.arg[0],
			 &w.arg[1], &w.arg[2], &w.arg[3], &w.arg[4],
			 &w.arg[5]) != 7)
		w.call = -1;
	if (f)
		fclose(f);
	return w;
}

/* A time-out in its memory, ms; 0: there is none. */
static long timespec_ms(const struct waiting *w, unsigned long at)
{
	struct timespec t = { 0 };
	struct iovec to = { &t, sizeof t }, from = { (void *)at, sizeof t };

	if (!at || process_vm_readv(w->pid, &to, 1, &from, 1, 0) < 0)
		return 0;
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How long a call that waits for descriptors does so at most, ms. */
static long time_out(const struct waiting *w)
{
	switch (w->call) {
#ifdef SYS_poll
	case SYS_poll:
		return (int)w->arg[2];
	case SYS_epoll_wait:
		return (int)w->arg[3];
#endif
	case SYS_epoll_pwait:
		return (int)w->arg[3];
	case SYS_ppoll:
		return timespec_ms(w, w->arg[2]);
	case SYS_pselect6:
		return timespec_ms(w, w->arg[4]);
	default:
		return 0;
	}
}

struct sleepers {
	int asleep, awake;
};

static void count_sleeper(pid_t pid, void *arg)
{
	struct sleepers *s = arg;
	struct waiting w = process_call(pid);

	if (w.call == SYS_clock_nanosleep || w.call == SYS_nanosleep ||
	    time_out(&w) >= TICK)
		s->asleep++;
	else if (w.call != SYS_wait4 && w.call != SYS_waitid)
		s->awake++;
	tree_children(pid, count_sleeper, arg);
}

bool tree_asleep(pid_t root)
{
	struct sleepers s = { 0 };

	count_sleeper(root, &s);
	return s.asleep && !s.awake;
}

/* ---- the end ----------------------------------------------------------- */

/* Stopped first: it has no more children, and waits for none of them. */
static void kill_all(pid_t pid, void *unused)
{
	kill(pid, SIGSTOP);
	tree_children(pid, kill_all, unused);
	kill(pid, SIGKILL);
}

void tree_kill(pid_t root)
{
	kill_all(root, NULL);
}
