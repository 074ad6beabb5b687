/* SPDX-License-Identifier: MIT */
/*
 * Programs that have given up system calls.
 */

/*
 * A program that has given up one system call which it does not make itself,
 * or all of those: nobody else makes it for the program.
 */
#define CALL(name) { #name, SYS_##name }
static const struct {
	const char *name;
	int number;
} forgone[] = {
	CALL(fcntl), CALL(ioctl), CALL(getsockopt), CALL(setsockopt),
	CALL(getsockname), CALL(getpeername), CALL(shutdown), CALL(socket),
	CALL(bind), CALL(connect), CALL(listen), CALL(process_vm_readv),
	CALL(rt_sigprocmask), CALL(rt_tgsigqueueinfo), CALL(tgkill),
	CALL(clock_nanosleep), CALL(nanosleep), CALL(getuid), CALL(geteuid),
	CALL(getpid), CALL(gettid), CALL(mmap), CALL(munmap), CALL(madvise),
	CALL(sched_yield), CALL(ppoll), CALL(recvmsg), CALL(sendmsg),
	CALL(dup3), CALL(openat), CALL(epoll_ctl), CALL(pipe2),
	CALL(prlimit64), CALL(kill), CALL(rt_sigpending), CALL(futex),
	CALL(clock_gettime), CALL(close_range),
	{ "everything", -1 },
};

/* What the scenes below do themselves. */
static const int kept_calls[] = {
	SYS_read, SYS_write, SYS_recvfrom, SYS_sendto, SYS_readv, SYS_writev,
	SYS_exit_group, SYS_close, SYS_rt_sigreturn, SYS_accept,
	SYS_rt_sigaction,
};
#undef CALL

static int forgone_now;

static void on_sys(int sig, siginfo_t *info, void *context)
{
	char line[40];
	int n = snprintf(line, sizeof line, " call %d", info->si_syscall);

	(void)context;
	_exit(write(STDOUT_FILENO, line, n) == n ? sig : 1);
}

static void give_up_all(void)
{
	enum { N = COUNT(kept_calls) };
	struct sock_filter f[N + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { N + 3, f };

	for (int i = 0; i < N; i++)
		f[i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, kept_calls[i], N - i, 0);
	f[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_TRAP);
	f[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW);
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

static void give_up(int number)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { COUNT(f), f };
	struct sigaction act = { .sa_flags = SA_SIGINFO };

	act.sa_sigaction = on_sys;
	need(sigaction(SIGSYS, &act, NULL));
	signal(SIGURG, on_nothing);
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (number < 0)
		give_up_all();
	else
		need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

static void moves(void)
{
	static struct iovec iov[100];
	char data[100];

	for (int i = 0; i < 100; i++)
		iov[i] = (struct iovec){ data + i, 1 };
	for (int i = 0; i < 3; i++) {
		recv(FD, data, 3, MSG_DONTWAIT);
		recv(FD, data, 1, MSG_PEEK | MSG_DONTWAIT);
		send(FD, "abc", 3, MSG_NOSIGNAL);
		writev(FD, iov, 100);
		readv(FD, iov, 2);
		write(FD, "a", 1);
		raw(SYS_write, peer, (long)"0123456789", 10);
	}
	close(FD);
}

static void scene_moves(void)
{
	connected(kind);
	peer_sends("0123456789");
	nonblocking(FD, true);
	give_up(forgone_now);
	moves();
}

/* The end has come before. */
static void scene_over(void)
{
	char data[4];

	connected(kind);
	peer_sends("0123456789");
	nonblocking(FD, true);
	recv(FD, data, 3, MSG_DONTWAIT);
	send(FD, "abc", 3, MSG_NOSIGNAL);
	give_up(forgone_now);
	moves();
}

static void scene_accept(void)
{
	listening();
	nonblocking(lis, true);
	for (int i = 0; i < 4; i++)
		client();
	give_up(forgone_now);
	for (int i = 0; i < 5; i++)
		close(accept(lis, NULL, NULL));
}

/* These two make what all others have given up. */
static void scene_connect(void)
{
	listening();
	put(need(socket(kind->domain, SOCK_STREAM, 0)));
	if (forgone_now == SYS_connect || forgone_now < 0)
		return;
	give_up(forgone_now);
	slow_connect();
	slow_connect();
	close(FD);
}

static void scene_socket(void)
{
	if (forgone_now == SYS_socket || forgone_now < 0)
		return;
	give_up(forgone_now);
	close(socket(AF_INET, SOCK_STREAM, 0));
	close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "moves", scene_moves }, { "over", scene_over },
	{ "accept", scene_accept }, { "connect", scene_connect },
	{ "socket", scene_socket },
};

/* sandbox KIND SCENE: what was called, by whom is the question. */
static void case_sandbox(void)
{
	kind = kind_named(args[0]);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(scenes); i++)
		for (size_t j = 0; j < COUNT(forgone); j++) {
			forgone_now = forgone[j].number;
			if (strcmp(scenes[i].name, args[1]))
				break;
			printf("without %s", forgone[j].name);
			apart(scenes[i].play);
		}
}
