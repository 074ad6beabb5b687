/* SPDX-License-Identifier: MIT */
/*
 * Staying as the program's parent, for what can be said only when it has
 * ended: the counts of -c, the rules of --must-fire that have not fired.
 */
#ifndef CLI_STAY_H
#define CLI_STAY_H

#include "../rules/rule.h"

#include <sys/types.h>

struct stay {
	const char *trace;		/* what will have been recorded */
	bool temporary;			/* it goes when it has been read */
	bool count;			/* -c, and its output or NULL */
	const char *output;
	const struct rules *rules;	/* that must fire, or NULL */
	pid_t child;
};

/* A new file in TMPDIR, for a trace. */
const char *stay_file(void);
/* Fork: true in the parent, false in the child that becomes the program. */
bool stay_fork(struct stay *s);
/* In the child: the program could not be executed, which tells nothing. */
void stay_failed(void);
/*
 * Wait and tell.  Ends as the program ended, by the same signal or with the
 * status that is returned: its own, or 125.
 */
int stay_until_end(const struct stay *s);

#endif
