/* SPDX-License-Identifier: MIT */
/* All trials of an audit, several at once, each in a process of its own. */
#ifndef AUDIT_SWEEP_H
#define AUDIT_SWEEP_H

#include "judge.h"
#include "lint.h"

/* What the untouched runs show by themselves. */
struct native {
	struct found found;
	struct site site;
	uint64_t caller, nth;		/* of the call in the first run */
	bool again;			/* the second shows it, too */
};

struct audit {
	struct trial trial;		/* what all trials have in common */
	const char *dir;		/* for the files of all of them */
	bool keep;			/* they stay */
	bool notes;			/* findings without evidence, too */
	int jobs;
	struct reference ref;
	struct sites sites;
	struct native native[16];
	int natives;
	struct plan plan;
	struct outcome *outcome;	/* one a trial of the plan */
	int room;			/* for so many */
	int done;			/* trials that have been run */
	bool stopped;			/* by a signal: the rest was not run */
	int crowded;			/* trials there was no room for */
	char lines[500];		/* what could not be compared */
};

/*
 * Run the program untouched, twice: the reference and the call sites.  0, or -1
 * and why.
 */
int sweep_begin(struct audit *a, char *why, size_t size);
/* Run the plan's trials.  told: after each one, may be NULL. */
void sweep(struct audit *a, void (*told)(const struct audit *a));

/* Nothing of it stays on the disk. */
void sweep_clean(const struct audit *a);

#endif
