/* SPDX-License-Identifier: MIT */
/*
 * A program that does, one thing per word, what makes life hard for an object
 * preloaded into it.  What it prints must be the same with and without one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#ifndef __GLIBC__			/* musl has not these functions */
#define close_range(a, b, c) syscall(SYS_close_range, a, b, c)
#define closefrom(a) syscall(SYS_close_range, a, ~0u, 0)
#define posix_spawn_file_actions_addclosefrom_np(fa, fd) (void)(fa)
#endif

static int pair[2];

static void make_pair(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		abort();
}

/* ---- early: before any constructor of the object ----------------------- */

static ssize_t early = -1;

__attribute__((constructor(101))) static void construct(void)
{
	int sv[2];
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return;
	if (send(sv[0], "x", 1, 0) == 1)
		early = recv(sv[1], &c, 1, 0);
	close(sv[0]);
	close(sv[1]);
}

static int do_early(void)
{
	printf("%zd\n", early);
	return 0;
}

/* ---- handler: calls from a signal handler, in the middle of calls ------ */

static int other[2];
static volatile sig_atomic_t handled;

static void on_alarm(int sig)
{
	char c;

	(void)sig;
	if (send(other[0], "h", 1, MSG_DONTWAIT) == 1 &&
	    recv(other[1], &c, 1, MSG_DONTWAIT) == 1)
		handled++;
}

static int do_handler(void)
{
	struct itimerval every = { { 0, 200 }, { 0, 200 } }, never = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_RESTART };
	long calls = 0;
	char c;

	make_pair();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, other))
		return 1;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (handled < 300) {
		if (send(pair[0], "m", 1, 0) != 1 ||
		    recv(pair[1], &c, 1, 0) != 1)
			return 1;
		calls += 2;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	fprintf(stderr, "%ld\n", calls + 2 * handled);
	puts("ok");
	return 0;
}

/* ---- jump: siglongjmp out of a blocked call ---------------------------- */

static sigjmp_buf back;

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static int do_jump(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 2000 } };
	volatile int jumps = 0;
	char c;

	make_pair();
	signal(SIGALRM, on_jump);
	while (jumps < 50) {
		if (sigsetjmp(back, 1)) {
			jumps++;
			continue;
		}
		setitimer(ITIMER_REAL, &soon, NULL);
		recv(pair[1], &c, 1, 0);
		return 1;
	}
	if (send(pair[0], "x", 1, 0) != 1 || recv(pair[1], &c, 1, 0) != 1)
		return 1;
	printf("%d jumps\n", jumps);
	return 0;
}

/* ---- cancel: cancellation points stay cancellation points -------------- */

static int lonely;			/* a listener nobody connects to */
static pthread_barrier_t ready;

static void block(int how)
{
	struct pollfd p = { pair[1], POLLIN, 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	struct iovec iov = { &(char){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	char c, big[65536] = { 0 };
	int ep;
	fd_set set;

	switch (how) {
	case 0:
		recv(pair[1], &c, 1, 0);
		break;
	case 1:
		if (read(pair[1], &c, 1) < 0)
			break;
		break;
	case 2:
		recvmsg(pair[1], &m, 0);
		break;
	case 3:
		poll(&p, 1, -1);
		break;
	case 4:
		FD_ZERO(&set);
		FD_SET(pair[1], &set);
		select(pair[1] + 1, &set, NULL, NULL, NULL);
		break;
	case 5:
		ep = epoll_create1(0);
		epoll_ctl(ep, EPOLL_CTL_ADD, pair[1], &ev);
		epoll_wait(ep, &ev, 1, -1);
		break;
	case 6:
		accept(lonely, NULL, NULL);
		break;
	case 7:
		while (send(pair[0], big, sizeof big, 0) > 0)
			;
		break;
	}
}

static void *victim(void *how)
{
	pthread_barrier_wait(&ready);
	block((int)(intptr_t)how);
	return NULL;
}

static int do_cancel(void)
{
	pthread_barrier_init(&ready, NULL, 2);
	lonely = socket(AF_INET, SOCK_STREAM, 0);
	if (listen(lonely, 1))
		return 1;
	make_pair();
	for (int how = 0; how < 8; how++) {
		pthread_t t;
		void *result;
		if (pthread_create(&t, NULL, victim, (void *)(intptr_t)how))
			return 1;
		pthread_barrier_wait(&ready);
		pthread_cancel(t);
		pthread_join(t, &result);
		printf("%d %s\n", how, result == PTHREAD_CANCELED
						? "cancelled" : "not");
	}
	return 0;
}

/* ---- threads: many short ones, all calling ----------------------------- */

static void *chatter(void *unused)
{
	int sv[2];
	char c;

	(void)unused;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return "pair";
	for (int i = 0; i < 100; i++)
		if (send(sv[0], "x", 1, 0) != 1 || recv(sv[1], &c, 1, 0) != 1)
			return "io";
	close(sv[0]);
	close(sv[1]);
	return NULL;
}

static int do_threads(void)
{
	for (int round = 0; round < 20; round++) {
		pthread_t t[16];
		for (int i = 0; i < 16; i++)
			if (pthread_create(&t[i], NULL, chatter, NULL))
				return 1;
		for (int i = 0; i < 16; i++) {
			void *why;
			pthread_join(t[i], &why);
			if (why)
				return 1;
		}
	}
	puts("ok");
	return 0;
}

/* ---- forks: while other threads call ----------------------------------- */

static volatile int stop;

static void *keep_calling(void *unused)
{
	while (!stop)
		if (chatter(unused))
			return "broken";
	return NULL;
}

static int do_forks(void)
{
	pthread_t t[3];
	int good = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, keep_calling, NULL);
	for (int i = 0; i < 100; i++) {
		int status;
		pid_t pid = i % 3 ? fork() : (pid_t)syscall(SYS_fork);
		if (!pid)
			_exit(chatter(NULL) ? 1 : 0);
		if (waitpid(pid, &status, 0) == pid && !status)
			good++;
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d children\n", good);
	return 0;
}

/* ---- orphans: each process ends as soon as it has a child --------------- */

static int do_orphans(void)
{
	for (int i = 0; i < 40; i++) {
		/* by libc and by number: nobody tells of the second */
		pid_t pid = i % 2 ? fork() : (pid_t)syscall(SYS_fork);
		if (pid)
			_exit(0);
		if (chatter(NULL) || chatter(NULL))
			_exit(1);
	}
	printf("the 40th orphan\n");
	return 0;
}

/* ---- drop: a daemon that gives up its rights as soon as it is one -------- */

static int do_drop(void)
{
	if (fork())
		_exit(0);
	if (!getuid() && (setgid(65534) || setuid(65534)))
		return 1;
	if (chatter(NULL) || chatter(NULL))
		return 1;
	printf("dropped\n");
	return 0;
}

/* ---- children: every way to start a program ---------------------------- */

static int reap(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static int do_children(void)
{
	char *argv[] = { "behave", "early", NULL };
	char *none[] = { NULL };
	pid_t pid;
	FILE *f;
	char line[16] = "";

	fflush(stdout);
	if (!(pid = fork())) {
		execve("/proc/self/exe", argv, none);
		_exit(9);
	}
	printf("fork, execve without environment: %d\n", reap(pid));
	fflush(stdout);
	if (!(pid = vfork())) {
		execv("/proc/self/exe", argv);
		_exit(9);
	}
	printf("vfork: %d\n", reap(pid));
	fflush(stdout);
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, none))
		return 1;
	printf("posix_spawn: %d\n", reap(pid));
	fflush(stdout);
	clearenv();
	printf("system: %d\n", system("/proc/$PPID/exe early"));
	f = popen("/proc/$PPID/exe early", "r");
	if (!f || !fgets(line, sizeof line, f))
		return 1;
	printf("popen: %d %s", pclose(f), line);
	return 0;
}

/* ---- closing: a child that is started with everything closed ------------ */

static int do_closing(void)
{
	char *argv[] = { "behave", "early", NULL };
	posix_spawn_file_actions_t fa;
	pid_t pid;

	fflush(stdout);
	posix_spawn_file_actions_init(&fa);
	/* and, if that is asked for, with another standard error */
	if (getenv("ELSEWHERE"))
		posix_spawn_file_actions_addopen(&fa, 2, getenv("ELSEWHERE"),
						 O_WRONLY | O_CREAT, 0600);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (posix_spawn(&pid, "/proc/self/exe", &fa, NULL, argv, environ))
		return 1;
	return reap(pid);
}

/* ---- calls N [kill]: N calls that fail, and an end that is no end ------- */

static int do_calls(long n, int die)
{
	char c;

	make_pair();
	for (long i = 0; i < n; i++)
		if (recv(pair[0], &c, 1, MSG_DONTWAIT) != -1)
			return 1;
	if (die)
		kill(getpid(), SIGKILL);
	printf("%ld calls\n", n);
	return 0;
}

/* ---- self: what a program sees of itself ------------------------------- */

static int do_self(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int n = 0;

	for (int i = 0; i < 3; i++)
		printf("%d %ld\n", rand(), random());
	for (char **v = environ; *v; v++)
		if (strncmp(*v, "SOCKWRENCH_", 11) &&
		    strncmp(*v, "LD_PRELOAD=", 11) && strncmp(*v, "_=", 2))
			puts(*v);
	while (d && (e = readdir(d)))
		if (*e->d_name != '.' && atoi(e->d_name) != dirfd(d))
			n += printf("fd %s\n", e->d_name) > 0;
	printf("%d descriptors\n", n);
	return 0;
}

/* ---- numbers: how many descriptors there are, and which ----------------- */

static int do_numbers(void)
{
	int fd, n = 0;

	make_pair();
	while ((fd = dup(pair[0])) >= 0)
		n += printf("%d ", fd) > 0;
	printf("\n%d until errno %d\n", n, errno);
	return 0;
}

/* ---- closeall: loops that close everything, and go on ------------------- */

static int do_closeall(void)
{
	struct rlimit most;
	int bad = 0;
	char c;

	getrlimit(RLIMIT_NOFILE, &most);
	for (int fd = 3; fd < (int)most.rlim_cur; fd++)
		bad += close(fd) && errno != EBADF;
	make_pair();
	printf("%d %d %d\n", bad, pair[0], pair[1]);
	close_range(3, ~0u, 0);
	make_pair();
	printf("%d %d\n", pair[0], pair[1]);
	closefrom(3);
	make_pair();
	if (send(pair[0], "x", 1, 0) != 1 || recv(pair[1], &c, 1, 0) != 1)
		return 1;
	printf("%d %d\n", pair[0], pair[1]);
	/* a shell's way to put its own descriptors somewhere */
	for (int fd = 3; fd < 2048 && fd < (int)most.rlim_cur; fd++)
		if (dup2(1, fd) != fd)
			return 1;
	printf("dup2 everywhere\n");
	make_pair();
	return send(pair[0], "x", 1, 0) != 1 || recv(pair[1], &c, 1, 0) != 1;
}

/* ---- errno, bad pointers: the kernel's answers stay the kernel's -------- */

static int do_errors(void)
{
	struct sockaddr *nowhere = (struct sockaddr *)8;
	char c;

	make_pair();
	errno = 77;
	send(pair[0], "x", 1, 0);
	recv(pair[1], &c, 1, 0);
	poll(&(struct pollfd){ pair[0], POLLOUT, 0 }, 1, 0);
	printf("errno untouched: %d\n", errno);
#define TRY(call) do { errno = 0; long r_ = (call); \
	printf("%ld %d\n", r_, errno); } while (0)
	TRY(send(pair[0], (void *)8, 1, 0));
	TRY(recv(pair[0], (void *)8, 1, MSG_DONTWAIT));
	TRY(connect(pair[0], nowhere, 16));
	TRY(connect(-1, nowhere, 16));
	TRY(bind(pair[0], nowhere, 16));
	TRY(sendto(pair[0], "x", 1, 0, nowhere, 16));
	TRY(sendmsg(pair[0], (void *)8, 0));
	TRY(recvmsg(pair[0], (void *)8, MSG_DONTWAIT));
	TRY(getsockname(pair[0], nowhere, (void *)8));
	TRY(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, (void *)8, (void *)8));
	TRY(setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, (void *)8, 4));
	TRY(poll((void *)8, 1, 0));
	TRY(select(pair[0] + 1, (void *)8, NULL, NULL, NULL));
	TRY(writev(pair[0], (void *)8, 1));
	TRY(readv(pair[0], (void *)8, 1));
	TRY(epoll_ctl(pair[0], EPOLL_CTL_DEL, pair[1], NULL));
	TRY(write(-1, "", 1));
	TRY(close(-1));
	TRY(shutdown(0, SHUT_WR));
	return 0;
}

/* ---- stack: a thread with the smallest stack and a small signal stack --- */

static void on_stack(int sig)
{
	char c;

	(void)sig;
	send(pair[0], "s", 1, 0);
	recv(pair[1], &c, 1, 0);
}

static void *tiny(void *unused)
{
	char *stack = malloc(SIGSTKSZ);
	stack_t ss = { .ss_sp = stack, .ss_size = SIGSTKSZ };
	struct sigaction sa = { .sa_handler = on_stack,
				.sa_flags = SA_ONSTACK };

	(void)unused;
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	pthread_kill(pthread_self(), SIGUSR1);
	return chatter(NULL);
}

static int do_stack(void)
{
	pthread_attr_t attr;
	pthread_t t;
	void *why;

	make_pair();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	if (pthread_create(&t, &attr, tiny, NULL))
		return 1;
	pthread_join(t, &why);
	puts(why ? why : "ok");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		int (*run)(void);
	} words[] = {
		{ "early", do_early }, { "handler", do_handler },
		{ "jump", do_jump }, { "cancel", do_cancel },
		{ "threads", do_threads }, { "forks", do_forks },
		{ "orphans", do_orphans },
		{ "drop", do_drop }, { "children", do_children }, { "self", do_self },
		{ "closeall", do_closeall }, { "errors", do_errors },
		{ "numbers", do_numbers }, { "stack", do_stack }, { "closing", do_closing },
	};

	if (!strcmp(what, "calls") && argc > 2)
		return do_calls(atol(argv[2]), argc > 3);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].name, what))
			return words[i].run();
	return 2;
}
