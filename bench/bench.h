/* SPDX-License-Identifier: MIT */
/* What the programs of bench/ share: time, medians, connections of their own. */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static inline int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static inline void need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static inline int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* A listener on any address and a free port, which goes to *in. */
static inline int listener(struct sockaddr_in *in)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof *in;

	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	need(!bind(fd, (struct sockaddr *)in, len) && !listen(fd, 4096) &&
	     !getsockname(fd, (struct sockaddr *)in, &len), "listen");
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd;
}

/* A connection to ADDRESS of this host; its server's end is ends[1]. */
static inline void tcp_pair(int ends[2], const char *address)
{
	struct sockaddr_in in;
	int from = listener(&in);

	in.sin_addr.s_addr = inet_addr(address);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	need(!connect(ends[0], (struct sockaddr *)&in, sizeof in), "connect");
	ends[1] = accept(from, NULL, NULL);
	need(ends[1] >= 0, "accept");
	close(from);
}

static inline void room_for(long n)
{
	struct rlimit all;

	getrlimit(RLIMIT_NOFILE, &all);
	all.rlim_cur = all.rlim_max;
	if ((long)all.rlim_cur < n + 64)
		all.rlim_cur = all.rlim_max = n + 64;
	setrlimit(RLIMIT_NOFILE, &all);
}

#endif
