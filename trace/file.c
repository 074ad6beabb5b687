/* SPDX-License-Identifier: MIT */
/* Creation of a trace file; the layout is in file.h. */
#include "file.h"

#include "../rules/table.h"
#include "tick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (UINT64_C(16) << 30)

uint64_t trace_table(void)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	for (int i = 0; i < CALLS; i++) {
		for (const char *s = calls[i].name; *s; s++)
			h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
		for (int k = 0; k <= CALL_KINDS; k++)
			h = (h ^ calls[i].kinds[k]) * UINT64_C(0x100000001b3);
	}
	return h;
}

/*
 * Sparse, and no larger than RLIMIT_FSIZE: going beyond would kill the program
 * with SIGXFSZ.  Never shorter, since others may have it mapped.
 */
int trace_lengthen(int fd)
{
	uint64_t size = MOST;
	struct rlimit most;
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (!getrlimit(RLIMIT_FSIZE, &most) && most.rlim_cur < size)
		size = most.rlim_cur / TRACE_UNIT * TRACE_UNIT;
	for (; size > TRACE_HEAD; size /= 2)
		if (size <= (uint64_t)st.st_size || !ftruncate(fd, size))
			return 0;
	errno = EFBIG;
	return -1;
}

/* Ticks a second, measured over a fifth of a millisecond. */
static uint64_t measure_rate(uint64_t tick, uint64_t ns)
{
	uint64_t later;

	do
		later = clock_ns(CLOCK_MONOTONIC);
	while (later - ns < 200000);
	return (counter() - tick) * 1000000000 / (later - ns);
}

/* Arguments one after the other, each with its 0. */
static void put_argv(char *to, size_t room, char *const argv[])
{
	for (size_t at = 0; *argv; argv++) {
		size_t len = strlen(*argv) + 1;
		if (at + len >= room)
			return;
		memcpy(to + at, *argv, len);
		at += len;
	}
}

static int put_head(int fd, const char *path, uint64_t seed,
		    char *const argv[])
{
	struct trace_head *head = mmap(NULL, TRACE_HEAD,
				       PROT_READ | PROT_WRITE, MAP_SHARED,
				       fd, 0);
	/* asked before the clocks are read: in a virtual machine it is slow */
	bool constant = counter_constant();

	if (head == MAP_FAILED)
		return -1;
	head->order = TRACE_ORDER;
	head->calls = CALLS;
	head->table = trace_table();
	head->seed = seed;
	head->next = TRACE_HEAD / TRACE_UNIT;
	memcpy(head->path, path, strnlen(path, sizeof head->path - 1));
	put_argv(head->argv, sizeof head->argv, argv);
	head->epoch = clock_ns(CLOCK_REALTIME);
	head->ns = clock_ns(CLOCK_MONOTONIC);
	head->tick = constant ? counter() : head->ns;
	head->rate = constant ? measure_rate(head->tick, head->ns)
			      : 1000000000;
	memcpy(head->magic, TRACE_MAGIC, sizeof head->magic);
	munmap(head, TRACE_HEAD);
	return 0;
}

int trace_create(const char *path, uint64_t seed, char *const argv[])
{
	struct stat st;
	int fd, err;

	if (!lstat(path, &st)) {
		if (!S_ISREG(st.st_mode)) {
			errno = S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
			return -1;
		}
		if (unlink(path))
			return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -1;
	err = trace_lengthen(fd) ? errno : posix_fallocate(fd, 0, TRACE_HEAD);
	if (!err && put_head(fd, path, seed, argv))
		err = errno;
	close(fd);
	if (err)
		unlink(path);
	errno = err;
	return err ? -1 : 0;
}
