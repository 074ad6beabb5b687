/* SPDX-License-Identifier: MIT */
/* What a trial shows of the program: the oracle. */
#ifndef AUDIT_JUDGE_H
#define AUDIT_JUDGE_H

#include "finding.h"
#include "plan.h"
#include "view.h"

enum judged {
	NOT_RUN,
	NOT_REACHED,			/* the fault never happened */
	TOLERATED,			/* nothing came of it */
	HANDLED,			/* it failed, and said so */
	FOUND,
	UNSTEADY,			/* found once, and not again */
	NO_TRIAL,			/* ours: what is in failed */
};

struct found {
	enum finding_id id;
	bool mild;			/* it says itself that it cannot */
	bool odd;			/* no kernel is known to do that */
	char what[200];			/* what happened */
};

enum { FOUND_MOST = 5, TAIL_LINES = 5, TAIL_WIDTH = 240 };

/* Fixed in size: those who run trials write it into memory that is shared. */
struct outcome {
	enum judged verdict;
	bool again;			/* with more time */
	bool unended;			/* it was still at it */
	bool leads;			/* to call sites that are new */
	int n;				/* of found */
	struct found found[FOUND_MOST];
	int tail;			/* the last calls before the end */
	char tail_line[TAIL_LINES][TAIL_WIDTH];
	int64_t took;
	char failed[200];
};

/* What is known without a fault: lint that says nothing new is left out. */
struct reference {
	struct base base;
	bool linted[FINDINGS];		/* in the untouched runs */
	bool server;			/* the target is one */
	bool idle;			/* no fault is injected: the oracle's */
					/*   own test */
	const char *exe;		/* which programs are meant, or NULL */
};

/* Judge the trial whose files are in dir. */
void judge(const struct reference *ref, const struct planned *p,
	   const struct view *now, const char *dir, struct outcome *o);

#endif
