/* SPDX-License-Identifier: MIT */
/*
 * The lint of socket use: what a trace proves to be wrong with the program
 * that made it, whether or not something went wrong for it.  What a trace
 * cannot prove is no finding.
 */
#ifndef AUDIT_LINT_H
#define AUDIT_LINT_H

#include "../trace/read.h"
#include "finding.h"

/*
 * Go over the trace, all of its calls, once, and hand out each finding.  They
 * come as they are found, leaks at the end.  Needs memory for each socket;
 * without it, less is found.
 */
void lint_trace(struct trace *t,
		void (*found)(const struct finding *f, void *ctx), void *ctx);
/*
 * Whether every call is in the trace that was to be.  Where one may be
 * missing, only what a call shows by itself is found.
 */
bool lint_whole(const struct trace *t);

#endif
