/* SPDX-License-Identifier: MIT */
/*
 * The time of one call, in ns: cost CALL [SOCKETS].  The median of batches,
 * so that a neighbour's noise counts little.  CALL: recv (EAGAIN on an empty
 * TCP socket), read (0 bytes of a plain file), send (1 byte, UDP to nobody).
 * SOCKETS more are opened first, to see that their number does not matter.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 200
#define BATCH 2000
#define LONGEST 4e8			/* ns for all batches */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int connected(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&in, len) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&in, &len) ||
	    connect(fd, (struct sockaddr *)&in, len)) {
		perror("cost");
		exit(1);
	}
	return fd;
}

static int more_sockets(long n)
{
	struct rlimit all;

	getrlimit(RLIMIT_NOFILE, &all);
	all.rlim_cur = all.rlim_max;
	if ((long)all.rlim_cur < n + 64) {
		all.rlim_cur = all.rlim_max = n + 64;
	}
	setrlimit(RLIMIT_NOFILE, &all);
	for (long i = 0; i < n; i++)
		if (socket(AF_INET, SOCK_DGRAM, 0) < 0) {
			perror("socket");
			return -1;
		}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "recv";
	int file = open("/proc/self/exe", O_RDONLY);
	double t[BATCHES], first;
	int b, fd;
	char c;

	if (argc > 2 && more_sockets(atol(argv[2])))
		return 1;
	fd = connected();
	first = now();
	for (b = 0; b < BATCHES && (b < 3 || now() - first < LONGEST); b++) {
		double begin = now();
		if (!strcmp(what, "recv")) {
			for (int i = 0; i < BATCH; i++)
				if (recv(fd, &c, 1, MSG_DONTWAIT) != -1)
					return 1;
		} else if (!strcmp(what, "read")) {
			for (int i = 0; i < BATCH; i++)
				if (read(file, &c, 0))
					return 1;
		} else {
			return 2;
		}
		t[b] = (now() - begin) / BATCH;
	}
	qsort(t, b, sizeof *t, compare);
	printf("%.1f\n", t[b / 2]);
	return 0;
}
