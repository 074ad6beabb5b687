/* SPDX-License-Identifier: MIT */
/*
 * What was seen, as words; what must work; and the state of a thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FD 100				/* the socket under test, for rules */
#define COUNT(array) (sizeof (array) / sizeof *(array))
#define ROW(name) { #name, by_##name }	/* a function by its name */

static bool real;			/* -r: the kernel makes the event */
static char **args;			/* after CASE */

/* need: what prepares must work. */
static int need_at(int line, long result)
{
	if (result < 0) {
		printf("line %d: %s\n", line, strerrorname_np(errno));
		fflush(stdout);
		_exit(2);
	}
	return result;
}
#define need(call) need_at(__LINE__, call)

/* told: a count, or the name of the error; good until six calls later. */
static const char *told(ssize_t result)
{
	static char room[6][24];
	static int turn;
	char *buf = room[turn++ % 6];

	if (result < 0)
		return strerrorname_np(errno);
	snprintf(buf, sizeof room[0], "%zd", result);
	return buf;
}

/* say_ret: " NAME=RESULT", and the data where some came. */
static void say_ret(const char *name, ssize_t result, const char *data)
{
	printf(" %s=%s", name, told(result));
	if (result > 0 && data)
		printf(":%.*s", (int)(result < 40 ? result : 40), data);
}

static void say_bits(const char *name, int bits)
{
	static const struct {
		int bit;
		const char *name;
	} all[] = {
		{ POLLIN, "IN" }, { POLLOUT, "OUT" }, { POLLERR, "ERR" },
		{ POLLHUP, "HUP" }, { POLLRDHUP, "RDHUP" },
		{ POLLNVAL, "NVAL" }, { POLLPRI, "PRI" },
	};

	printf(" %s=", name);
	for (size_t i = 0; i < COUNT(all); i++)
		if (bits & all[i].bit)
			printf("%s,", all[i].name);
}

static int poll_bits(int fd, int events, int timeout)
{
	struct pollfd p = { fd, events, 0 };

	need(poll(&p, 1, timeout));
	return p.revents;
}

static void say_poll(int fd)
{
	say_bits("poll", poll_bits(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
}

static int so_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof err;

	need(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len));
	return err;
}

static void say_so_error(int fd)
{
	int err = so_error(fd);

	printf(" SO_ERROR=%s", err ? strerrorname_np(err) : "0");
}

/* apart: in a child of its own; what killed it is said. */
static void apart(void (*what)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = need(fork());
	if (!pid) {
		alarm(20);
		what();
		fflush(stdout);
		_exit(0);
	}
	need(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		printf(" killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		printf(" status %d", WEXITSTATUS(status));
	putchar('\n');
}

/* raw: a system call that no object can stand in front of. */
static long raw(long nr, long a, long b, long c)
{
	long result;

#ifdef __x86_64__
	__asm__ volatile("syscall" : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2)
			 : "memory");
	result = x0;
#endif
	errno = result < 0 ? -result : errno;
	return result < 0 ? -1 : result;
}

/* begun: a thread. */
static pthread_t begun(void *(*run)(void *), void *arg)
{
	pthread_t t;

	need(-pthread_create(&t, NULL, run, arg));
	return t;
}

static void *need_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p == MAP_FAILED ? -1 : 0);
	return p;
}

/* chance: the program's own, and the same in every run. */
static uint64_t chance_state;

static unsigned chance(unsigned below)
{
	chance_state = chance_state * 6364136223846793005 + 1442695040888963407;
	return (chance_state >> 33) % below;
}

/* asleep: the thread waits in the kernel. */
static bool asleep(pid_t tid)
{
	char path[64], line[512], *end;
	int fd, n;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof line - 1);
	close(fd);
	line[n > 0 ? n : 0] = 0;
	end = strrchr(line, ')');
	return end && end[2] == 'S';
}

static void until_asleep(volatile pid_t *tid)
{
	while (!*tid || !asleep(*tid))
		sched_yield();
}
