/* SPDX-License-Identifier: MIT */
/*
 * The bell.  Handlers do nothing but change the word; the shim changes it
 * where it lies in the head of a trace (trace_listens).  A signal also ends
 * FUTEX_WAIT, and between the look and the wait it makes the word differ.
 */
#include "bell.h"

#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int rings[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
enum { RINGS = sizeof rings / sizeof *rings };

static struct sigaction were[RINGS];	/* and the mask: kept by bell_hang */
static sigset_t mask;
static _Atomic uint32_t own;		/* where no trace is waited for */
static _Atomic uint32_t *_Atomic bell = &own;
static volatile sig_atomic_t stopped;	/* by this signal; set by ring */

static void ring(int sig)
{
	if (sig != SIGCHLD)
		stopped = sig;
	atomic_fetch_add(atomic_load(&bell), 1);
}

void bell_hang(void)
{
	struct sigaction act = { .sa_handler = ring,
				 .sa_flags = SA_NOCLDSTOP };
	sigset_t heard;

	stopped = 0;
	sigemptyset(&heard);
	for (int i = 0; i < RINGS; i++) {
		sigaction(rings[i], &act, &were[i]);
		sigaddset(&heard, rings[i]);
	}
	sigprocmask(SIG_UNBLOCK, &heard, &mask);
}

void bell_restore(void)
{
	for (int i = 0; i < RINGS; i++)
		sigaction(rings[i], &were[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void bell_use(_Atomic uint32_t *word)
{
	atomic_store(&bell, word ? word : &own);
}

uint32_t bell_heard(void)
{
	return atomic_load(atomic_load(&bell));
}

void bell_wait(uint32_t heard, int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	/* not FUTEX_PRIVATE: the word is in a file that others have mapped */
	syscall(SYS_futex, atomic_load(&bell), FUTEX_WAIT, heard, &t, NULL, 0);
}

int bell_stopped(void)
{
	return stopped;
}
