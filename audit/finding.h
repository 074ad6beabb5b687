/* SPDX-License-Identifier: MIT */
/* What is wrong with a program, by name. */
#ifndef AUDIT_FINDING_H
#define AUDIT_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum finding_id {
#define FINDING(id, name, level, means, fix) FINDING_##id,
#include "findings.def"
#undef FINDING
	FINDINGS
};

/* The worst first. */
enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE, LEVELS };

struct finding_row {
	const char *name;
	enum level level;
	bool lint;			/* any trace may show it */
	const char *means, *fix;	/* a sentence each */
};

extern const struct finding_row findings[FINDINGS];
extern const char *const level_names[LEVELS];

/* One case of it, at a call of a trace. */
struct finding {
	enum finding_id id;
	uint32_t proc;			/* index of the trace's process */
	uint64_t caller;		/* return address of the call */
	int call;			/* enum call_id */
	int64_t conn;			/* index of the trace's socket, or -1 */
	uint64_t nth;			/* number of the call, from 0 */
	char text[200];			/* what happened, without a newline */
};

#endif
