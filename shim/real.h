/* SPDX-License-Identifier: MIT */
/*
 * libc's own functions, one pointer per row of calls.def except ALSO, whose
 * wrappers call their base.  Before start they are stand-ins that make the
 * plain system call (a malloc called by dlsym may want to write); real_find
 * puts in what dlsym(RTLD_NEXT) says.
 */
#ifndef SHIM_REAL_H
#define SHIM_REAL_H

#include "calls.h"

struct real {
#define CALL(family, result, type, name, ...) __typeof__(name) *name;
#define BYHAND(family, result, type, name, ...) __typeof__(name) *name;
#define HANDALSO(type, name, ...) __typeof__(name) *name;
#define ALSO NO_ROW
#include "../rules/calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
};

/* written by real_find at start, read-only after */
extern struct real real;

void real_find(void);

#endif
