/* SPDX-License-Identifier: MIT */
/*
 * The parts of a trial: the target and its companions, each with all the
 * processes that come of it, its files, and what it has used.
 */
#ifndef AUDIT_PART_H
#define AUDIT_PART_H

#include "../trace/file.h"
#include "../trace/tick.h"
#include "trial.h"

#include <limits.h>
#include <sys/types.h>


enum { SAMPLES = 24 };

/* CPU time used up to a moment; ns. */
struct sample {
	int64_t at, cpu;
};

struct part {
	struct trial_part *says;	/* what will be told of it */
	char out[PATH_MAX], err[PATH_MAX], trace[PATH_MAX];
	int out_fd, err_fd;		/* to see how much is written */
	pid_t pid;			/* its first process; 0: none yet */
	bool gone;			/* that one has ended and is reaped */
	bool serves;			/* it may go on as a daemon */
	bool killed;			/* by us */
	struct trace_head *head;	/* NULL: not there yet */
	int64_t begun, left;		/* ns: when it began, and ended */
	int64_t cpu_dead, cpu_live;	/* of who is reaped, of who is left */
	struct sample sample[SAMPLES];	/* the last of n */
	unsigned n;
};

enum { TARGET, SERVER, CLIENT, PARTS = CLIENT + TRIAL_CLIENTS };

struct parts {
	struct part part[PARTS];
	int64_t measured;		/* ns: when CPU times were looked at */
};

/* What a part is started with. */
struct launch {
	char *const *argv;		/* the program by its path */
	const char *input;		/* NULL: /dev/null */
	const char *tmp;		/* TMPDIR */
	int port;			/* PORT, or 0 */
};

static inline int64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Name its files; then start it: 0, or -1 and errno. */
void part_name(struct part *p, const char *dir, const char *prefix);
int part_start(struct part *p, const struct launch *l);
/* The head of its trace, as soon as there is one, or NULL. */
struct trace_head *part_head(struct part *p);

/* Reap who has ended, end who floods, look at CPU times now and then. */
void parts_look(struct parts *all);
/* Whether nobody of it is left. */
bool part_over(struct parts *all, const struct part *p);
/* SIGTERM to its process group, or to the daemons it has left. */
void part_ask(struct parts *all, const struct part *p);
/* SIGKILL to all of it. */
void part_kill(struct parts *all, struct part *p);
/* Put down how it stands: before it is ended, unless it has by itself. */
void part_settle(struct parts *all, struct part *p);
/* End and reap everybody below this process; false: somebody stays. */
bool parts_end(struct parts *all);
/* The last of what is told; close and unmap what is open. */
void parts_close(struct parts *all);

#endif
