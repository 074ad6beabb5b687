/* SPDX-License-Identifier: MIT */
/*
 * The generated wrappers: calls.def expanded.  in_NAME does the work, so that
 * NAME and its aliases can share it and the caller's address stays known.
 */
#include "wrap.h"

/* The check of a fortified function: len bytes do not fit into size. */
static inline size_t within(size_t len, size_t size)
{
	if (unlikely(len > size))
		overflow();
	return len;
}

/*
 * quick_NAME: nothing is to be recorded, and libc's function is called at
 * once: a jump, from a function that has saved no register.
 */
#define CALL(family, result, type, name, params, pass, kinds, doc)	\
static inline bool quick_##name params					\
{									\
	int subject = NO_FD;						\
	bool any = false, skip = false;					\
									\
	ZIP(UNUSED, kinds, pass)					\
	ZIP(SUBJECT, kinds, pass)					\
	return call_set_has(&config.quick, CALL_##name) ||		\
	       (any && fd_plain(subject)) || skip;			\
}									\
									\
static __attribute__((noinline)) type					\
in_##name(UNPAREN params, const void *caller)				\
{									\
	int subject = NO_FD;						\
	bool any = false, skip;						\
	struct call c;							\
	uint8_t *at;							\
	type r;								\
									\
	ZIP(SUBJECT, kinds, pass)					\
	(void)skip;							\
	if (!call_begin(&c, CALL_##name, subject, any, caller)) {	\
		r = real.name pass;					\
		return (type)(intptr_t)missed(CALL_##name, subject,	\
					      (long)(intptr_t)r);	\
	}								\
	at = c.rec->args;						\
	ZIP(STORE, kinds, pass)						\
	(void)at;							\
	if (unlikely(c.touch)) {					\
		ZIP(GIVE, kinds, pass)					\
	}								\
	r = REAL(type, real.name pass);					\
	RETURNED(r, BAD_##result, 0 ZIP(KEEPS, kinds, pass),		\
		 ZIP(KEEP, kinds, pass));				\
	return r;							\
}									\
									\
type name params							\
{									\
	if (quick_##name pass)						\
		return real.name pass;					\
	return in_##name(UNPAREN pass, CALLER);				\
}

#define ALSO(type, name, params, base, pass)				\
type name params							\
{									\
	if (quick_##base pass)						\
		return real.base pass;					\
	return in_##base(UNPAREN pass, CALLER);				\
}

#define BYHAND NO_ROW
#define HANDALSO NO_ROW
#include "../rules/calls.def"
