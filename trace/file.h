/* SPDX-License-Identifier: MIT */
/*
 * The trace file.  A head of six pages, then units of 4 KiB.  A thread takes a
 * run of units by one atomic add to head.next, makes sure that they have disk
 * space, and fills their 64-byte slots alone; the run's first slot says whose
 * it is.  The file is made large and sparse (it is mapped once, the descriptor
 * closed) and cut to what was used when its last process ends.
 */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "../rules/rule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TRACE_MAGIC "sockwrt3"
#define TRACE_UNIT 4096
#define TRACE_TREES 64
#define TRACE_HEAD (6 * TRACE_UNIT)
#define TRACE_PIDS 1000
#define TRACE_ORDER 0x01020304u
#define TRACE_SEALED (UINT64_C(1) << 63)

struct trace_head {
	char magic[8];
	uint32_t order;			/* TRACE_ORDER, as its writer saw it */
	uint32_t calls;			/* CALLS and a hash of their names: */
	uint64_t table;			/*   the reader must know the same */
	uint64_t tick, ns, epoch;	/* one moment on three clocks: ticks, */
					/*   CLOCK_MONOTONIC, since 1970 */
	uint64_t rate;			/* ticks a second, a first estimate; */
					/*   1,000,000,000: ticks are ns */
	uint64_t seed;
	_Atomic uint64_t next;		/* units taken, the head's included; */
					/*   TRACE_SEALED: being cut just now */
	_Atomic uint64_t dropped;	/* calls there was no room for */
	_Atomic uint32_t procs;		/* numbers given to processes */
	_Atomic uint32_t crowded;	/* more than TRACE_PIDS at once */
	_Atomic uint32_t bell;		/* a futex: it changes as one listens */
	_Atomic uint32_t listens;	/* calls of listen that succeeded */
	_Atomic uint32_t port;		/* of the first on TCP, or 0 */
	char path[1024];		/* where the file is, to cut it */
	char argv[2000];		/* the first program's arguments */
	_Atomic int32_t pids[TRACE_PIDS]; /* attached processes; -PID: a child */
					/*   that PID is about to have */
	struct rule_score score[RULES_MOST];
	_Atomic uint32_t partial;	/* not every call was to be recorded */
	_Atomic uint32_t tree[TRACE_TREES][2]; /* per=tree of the first rules: */
					/*   that matched, that it fired on */
};

/* The first slot of a run of units. */
struct trace_run {
	uint32_t magic;			/* RUN_MAGIC; written last */
	uint32_t units;
	int32_t pid, tid;
	uint32_t proc;			/* number of the process, from 1 */
	uint32_t pad;
	uint64_t tick, ns;		/* one moment on two clocks */
	uint64_t unused[2];
	uint64_t check;			/* proc ^ units ^ tick: not chance */
};

#define RUN_MAGIC 0x4e55526bu

_Static_assert(sizeof(struct trace_head) <= TRACE_HEAD, "head");
_Static_assert(sizeof(struct trace_run) == 64, "run");

/* Hash of the table of calls, so that a file of another version is refused. */
uint64_t trace_table(void);

/*
 * Create the file, 0600, in place of what was there (a process that still
 * writes to the old one goes on writing to it).  -1 and errno: EISDIR, ENODEV
 * (no regular file), EFBIG (RLIMIT_FSIZE) or what open says.
 */
int trace_create(const char *path, uint64_t seed, char *const argv[]);
/* Make the file its full, sparse size again; -1 and errno. */
int trace_lengthen(int fd);

#endif
