/* SPDX-License-Identifier: MIT */
/* What the lint has found, for people. */
#ifndef AUDIT_PRINT_H
#define AUDIT_PRINT_H

#include "../trace/read.h"

#include <stdio.h>

/*
 * The lint's findings, the worst first: those at chosen calls, cases of one
 * call site as one, each with its call as a line of text.  How many.
 */
int lint_print(FILE *to, struct trace *t, struct times times);

#endif
