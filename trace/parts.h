/* SPDX-License-Identifier: MIT */
/* What text.c, args.c and json.c share, and nobody else needs. */
#ifndef TRACE_PARTS_H
#define TRACE_PARTS_H

#include "text.h"

#include "../rules/table.h"

/* The first argument of that kind of the record's call, or -1. */
int param_of(const struct rec *r, enum kind kind);
/* A constant by its name in a set, else the number. */
void out_name(struct out *o, enum name_set set, uint64_t value);
/* Flags by name with | between, what has no name as a number. */
void out_flags(struct out *o, enum name_set set, uint64_t value);
/* SIG_IGN and the like, or an address. */
void out_handler(struct out *o, uint64_t handler);
/* All arguments, with commas between. */
void out_args(struct out *o, const struct event *e);

#endif
