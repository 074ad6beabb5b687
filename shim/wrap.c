/* SPDX-License-Identifier: MIT */
/*
 * The generated wrappers: calls.def expanded.  in_NAME does the work, so that
 * NAME and its aliases can share it and the caller's address stays known.
 */
#include "wrap.h"

extern void __chk_fail(void) __attribute__((noreturn));

/* The check of a fortified function: len bytes do not fit into size. */
static inline size_t within(size_t len, size_t size)
{
	if (unlikely(len > size))
		__chk_fail();
	return len;
}

#define CALL(family, result, type, name, params, pass, kinds, doc)	\
static inline __attribute__((always_inline)) type			\
in_##name(const void *caller, UNPAREN params)				\
{									\
	int subject = NO_FD;						\
	bool any = false, skip = false;					\
	struct call c;							\
	uint8_t *at;							\
	type r;								\
									\
	ZIP(SUBJECT, kinds, pass)					\
	if ((any && fd_plain(subject)) || skip ||			\
	    !call_begin(&c, CALL_##name, subject, any, caller))		\
		return real.name pass;					\
	at = c.rec->args;						\
	ZIP(STORE, kinds, pass)						\
	(void)at;							\
	r = real.name pass;						\
	RETURNED(r, BAD_##result, 0 ZIP(KEEPS, kinds, pass),		\
		 ZIP(KEEP, kinds, pass));				\
	return r;							\
}									\
type name params							\
{									\
	return in_##name(__builtin_return_address(0), UNPAREN pass);	\
}

#define ALSO(type, name, params, base, pass)				\
type name params							\
{									\
	return in_##base(__builtin_return_address(0), UNPAREN pass);	\
}

#define BYHAND NO_ROW
#define HANDALSO NO_ROW
#include "../rules/calls.def"
