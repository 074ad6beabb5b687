/* SPDX-License-Identifier: MIT */
/*
 * The table of descriptors alone, at sizes no limit on descriptors allows
 * here: ns to find one socket's description while N others are there, and to
 * bear and leave one.
 */
#include "../shim/fd.c"

#include <stdio.h>

#define ROUNDS 2000000

struct real real;
struct config config;
static struct here page;
struct here *here = &page;
_Atomic uint64_t own_forbidden;
__thread struct thread me;

void trace_conn(const struct conn *c, uint64_t start)
{
	(void)c;
	(void)start;
}

void rules_conn_new(const struct conn *c)
{
	(void)c;
}

void sever_forget(struct conn *c)
{
	(void)c;
}

void gate_forget(struct conn *c)
{
	(void)c;
}

void set_share(uint32_t slot)
{
	(void)slot;
}

void set_put(uint32_t slot)
{
	(void)slot;
}

void watch_leave(int fd, struct conn *c)
{
	(void)fd;
	(void)c;
}

static double since(uint64_t begin)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - begin) / ROUNDS;
}

static void measure(int n)
{
	volatile uint32_t sum = 0;
	uint64_t begin;
	double find, life;

	for (int fd = 0; fd < n; fd++)
		fd_born(fd, PROTO_TCP, ROLE_NONE);
	begin = clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < ROUNDS; i++)
		sum += slot_conn(fd_look(n - 1 - i % 8))->ordinal;
	find = since(begin);
	begin = clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < ROUNDS; i++) {
		fd_born(n, PROTO_TCP, ROLE_NONE);
		conn_put(fd_leave(n));
	}
	life = since(begin);
	(void)sum;
	printf("  %8d sockets %8.1f to find one %8.1f to bear and leave one\n",
	       n, find, life);
	fd_leave_range(0, ~0u);
}

int main(void)
{
	fd_table();
	for (int n = 10; n <= 1000000; n *= 10)
		measure(n);
	return 0;
}
