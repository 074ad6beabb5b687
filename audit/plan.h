/* SPDX-License-Identifier: MIT */
/* Which trials there are: call sites times what the kernel can do there. */
#ifndef AUDIT_PLAN_H
#define AUDIT_PLAN_H

#include "site.h"

enum trial_where { AT_SITE, AT_SOCKET, AT_HEAD, AT_HALF };
enum trial_kind { BENIGN, TERMINAL, SILENCE };
enum trial_needs { ANY, NONBLOCKING, INTERRUPT, LONG, CONNECTING, BOUNDED };

struct planned {
	int site;			/* in sites */
	int row;			/* of trials.def; -1: of errors.def */
	enum trial_kind kind;
	bool note;			/* without evidence that it can happen */
	const char *beside;		/* a second rule, or NULL */
	char rule[600];			/* for -e */
};

struct plan {
	struct planned *trial;
	int n, room;
	int every;			/* n-th call of a site, or 0 */
	bool notes;			/* those without evidence, too */
	bool all;			/* every row of errors.def as well */
	const char *only;		/* families and words with commas, NULL */
	const struct planned *after;	/* whose fault led to the sites, or */
					/*   NULL: it goes with every trial */
};

/* Add the trials of sites from the from-th on. */
void plan_add(struct plan *p, const struct sites *s, int from);

/* Whether a word of only means anything. */
bool plan_knows(const char *word, int len);

#endif
