/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several things at once: a child's end, a signal that tells us
 * to end, a program that begins to listen.  All of them change one word, which
 * is waited on (futex(2)), so none is missed between a look and the wait that
 * follows it.
 */
#ifndef AUDIT_BELL_H
#define AUDIT_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* From now on signals ring; as they were before, in a child of ours too. */
void bell_hang(void);
void bell_restore(void);
/* The word that others ring too; NULL: nobody does. */
void bell_use(_Atomic uint32_t *word);
/* What it says now; look around after it, then wait for it to change. */
uint32_t bell_heard(void);
void bell_wait(uint32_t heard, int64_t ns);
/* The signal that has told us to end, or 0. */
int bell_stopped(void);

#endif
