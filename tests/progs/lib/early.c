/* SPDX-License-Identifier: MIT */
/*
 * A library with a constructor, initialised before the preloaded object, and
 * with a malloc of its own that writes to a socket: calls come before anything
 * of ours has run, from inside malloc, and from inside dlsym if that allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);

static int sv[2] = { -1, -1 };
static char report[2048];
static int at;

void *malloc(size_t size)
{
	if (sv[0] >= 0 && write(sv[0], "malloc", 6) != 6)
		abort();
	return __libc_malloc(size);
}

#define TRY(call) do { errno = 0; long r_ = (long)(call); \
	at += snprintf(report + at, sizeof report - at, "%s %ld %d\n", \
		       #call, r_, errno); } while (0)

static int child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(send(sv[0], "early", 5, 0) != 5);
	waitpid(pid, &status, 0);
	at += snprintf(report + at, sizeof report - at, "fork %d\n", status);
	return 0;
}

__attribute__((constructor)) static void construct(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	char buf[64];

	/* the calls that would go on to libc without a look first */
	TRY(sigaction(SIGUSR1, &sa, NULL));
	TRY(signal(SIGUSR2, SIG_IGN) == SIG_DFL);
	TRY(poll(NULL, 0, 0));
	TRY(select(0, NULL, NULL, NULL, &(struct timeval){ 0 }));
	TRY(fflush(NULL));
	TRY(epoll_wait(900, (void *)report, 1, 0));
	TRY(close_range(900, 910, 0));
	TRY(syscall(SYS_getppid) == getppid());
	TRY(fcntl(900, F_GETFD));
	TRY(ioctl(900, 0));
	TRY(dup(900));
	TRY(lseek(900, 0, SEEK_SET));
	TRY(system(":"));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		abort();
	free(malloc(10));
	TRY(send(sv[0], "early", 5, 0));
	TRY(recv(sv[1], buf, sizeof buf, 0));
	child();
}

int first(void)
{
	fputs(report, stderr);
	return 0;
}
