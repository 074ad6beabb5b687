/* SPDX-License-Identifier: MIT */
/*
 * The same load whatever the server does: load PORT CONNS MS ROUNDS.  CONNS
 * clients of 127.0.0.1 send a line each in turn, evenly spread over MS, ROUNDS
 * times, whether or not the answer has come.  Status 1 unless all came back.
 */
#include "bench.h"

#include <poll.h>

static char line[] = "the same load whatever the server does\n";

static void sleep_until(int64_t t)
{
	struct timespec at = { t / SECOND, t % SECOND };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	long conns, rounds, bytes = 0;
	int64_t start, step;
	char buf[4096];
	ssize_t n;
	int *fd;

	if (argc != 5)
		return 2;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(atoi(argv[1]));
	conns = atol(argv[2]);
	rounds = atol(argv[4]);
	step = atol(argv[3]) * (SECOND / 1000) / conns;
	fd = calloc(conns, sizeof *fd);
	alarm(60);
	for (int i = 0; i < conns; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		need(!connect(fd[i], (struct sockaddr *)&in, sizeof in),
		     "connect");
	}
	start = now();
	for (long i = 0; i < rounds * conns; i++) {
		sleep_until(start + i * step);
		need(send(fd[i % conns], line, sizeof line, 0) > 0, "send");
	}
	for (int i = 0; i < conns; i++) {
		shutdown(fd[i], SHUT_WR);
		while ((n = recv(fd[i], buf, sizeof buf, 0)) > 0)
			bytes += n;
	}
	return bytes != rounds * conns * (long)sizeof line;
}
