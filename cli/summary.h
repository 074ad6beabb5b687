/* SPDX-License-Identifier: MIT */
/* A trace at a glance. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "../trace/read.h"

#include <stdio.h>

/* Every connection a chosen call is about, then summary_calls. */
void summary_print(FILE *to, struct trace *t);
/* Chosen calls by function, with their times and errors, like strace -c. */
void summary_calls(FILE *to, struct trace *t);

#endif
