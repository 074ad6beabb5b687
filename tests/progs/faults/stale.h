/* SPDX-License-Identifier: MIT */
/*
 * A number that something else has now.  A socket is met, and maybe faulted;
 * then another object has its number, by ways that the preloaded object can
 * see or cannot, and everything is done to that.
 */

static void by_file(void)
{
	spare = need(memfd_create("file", 0));
	need(pwrite(spare, "0123456789abcdef", 16, 0));
	far = need(dup(spare));
}

static void both(int end[2], int which)
{
	spare = end[which];
	far = end[!which];
	nonblocking(spare, true);
	nonblocking(far, true);
}

static void by_pipe_out(void)
{
	int end[2];

	need(pipe(end));
	both(end, 1);
}

static void by_pipe_in(void)
{
	int end[2];

	need(pipe(end));
	need(write(end[1], "0123456789abcdef", 16));
	both(end, 0);
}

static void by_eventfd(void)
{
	spare = need(eventfd(7, EFD_NONBLOCK));
	far = need(dup(spare));
}

static void by_epoll(void)
{
	spare = need(epoll_create1(0));
	far = need(dup(spare));
}

/* Its peer's address is another than that of the first socket. */
static void by_socket(void)
{
	struct kind k = { "tcp", AF_INET, SOCK_STREAM, "127.0.0.3" };
	int end[2];

	make_pair(&k, end);
	need(raw(SYS_write, end[1], (long)"0123456789abcdef", 16));
	arrived(end[0], 16);
	both(end, 0);
}

static const struct object objects[] = {
	ROW(file), ROW(pipe_out), ROW(pipe_in), ROW(eventfd), ROW(epoll),
	ROW(socket),
};

/* How the number changes hands: spare becomes old. */
static void by_raw(void)
{
	need(raw(SYS_close, old, 0, 0));
	need(raw(SYS_dup, spare, 0, 0) == old ? 0 : -1);
}

static void by_raw_dup3(void)
{
	need(raw(SYS_dup3, spare, old, 0));
}

static void by_raw_range(void)
{
	need(raw(SYS_close_range, old, old, 0));
	need(fcntl(spare, F_DUPFD, old) == old ? 0 : -1);
}

static void by_raw_then_dup(void)
{
	need(raw(SYS_close, old, 0, 0));
	need(dup(spare) == old ? 0 : -1);
}

/* What close returns is another matter: the number is free. */
static void by_close(void)
{
	close(old);
	need(raw(SYS_dup, spare, 0, 0) == old ? 0 : -1);
}

static void by_dup2(void)
{
	need(dup2(spare, old));
}

static void by_range(void)
{
	need(close_range(old, old, 0));
	need(raw(SYS_dup, spare, 0, 0) == old ? 0 : -1);
}

static void by_fclose(void)
{
	fclose(fdopen(old, "r+"));
	need(raw(SYS_dup, spare, 0, 0) == old ? 0 : -1);
}

static void pass(int over, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof fd)];
	} control = { .head = { CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { "p", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control.room };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	need(raw(SYS_sendmsg, over, (long)&m, 0));
}

/* take: the descriptor that pass sent; -1: none came. */
static int take(int over, bool by_libc)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control.room };
	int fd = -1;

	need(by_libc ? recvmsg(over, &m, 0)
		     : raw(SYS_recvmsg, over, (long)&m, 0));
	if (m.msg_controllen >= CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
	return fd;
}

static void by_rights(void)
{
	int over[2];

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, over));
	pass(over[0], spare);
	need(raw(SYS_close, old, 0, 0));
	need(take(over[1], false) == old ? 0 : -1);
	raw(SYS_close, over[0], 0, 0);
	raw(SYS_close, over[1], 0, 0);
}

/* The parent goes on with the socket, the child with the other thing. */
static void by_fork(void)
{
	fflush(stdout);
	if (!need(fork())) {
		by_raw();
		return;
	}
	need(wait(NULL));
	if (recv(old, (char[4]){ 0 }, 4, MSG_DONTWAIT) < 0 && errno == EBADF)
		printf(" the parent has lost its socket");
	fflush(stdout);
	_exit(0);
}

/* Another program has them, and looks at them for the first time. */
static void by_exec(void)
{
	char a[12], b[12];

	by_raw();
	snprintf(a, sizeof a, "%d", old);
	snprintf(b, sizeof b, "%d", far);
	fflush(stdout);
	execl("/proc/self/exe", "faults", "tries", object->name, a, b, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} hands[] = {
	ROW(raw), ROW(raw_dup3), ROW(raw_range), ROW(raw_then_dup), ROW(close),
	ROW(dup2), ROW(range), ROW(fclose), ROW(rights), ROW(fork),
	ROW(exec),
};

static void (*hand)(void);
static const char *preface;		/* calls on the socket before: r w f */

static void say_rest(void)
{
	char data[256];
	ssize_t n = object->make == by_file ? pread(far, data, sizeof data, 0)
					    : read(far, data, sizeof data);

	printf(" far=%s", told(n));
	for (ssize_t i = 0; i < n; i++)
		printf("%c", data[i] > ' ' && data[i] <= '~' ? data[i] : '.');
}

static void do_tries(void)
{
	for (size_t i = 0; i < COUNT(tries); i++) {
		char data[64] = "";
		long n = tries[i].call(data);
		bool text = tries[i].in && object->make != by_eventfd;
		say_ret(tries[i].name, n, text ? data : NULL);
	}
	say_rest();
}

/* The first socket, as the lowest free number; ten bytes wait in it. */
static void meet_old(void)
{
	struct kind k = { "tcp", AF_INET, SOCK_STREAM, "127.0.0.2" };
	int end[2], low[3] = { -1, -1, -1 };

	make_pair(&k, end);
	for (size_t i = 0; i < COUNT(low); i++)
		low[i] = need(dup(end[1]));	/* no holes below */
	old = need(dup(end[0]));
	other = need(fcntl(end[1], F_DUPFD, 50));
	close(end[0]);
	for (size_t i = 0; i < COUNT(low); i++)
		need(dup2(STDERR_FILENO, low[i]));
	need(dup2(STDERR_FILENO, end[0]));
	need(dup2(STDERR_FILENO, end[1]));
	need(send(other, "0123456789", 10, 0));
	arrived(old, 10);
}

static void stale(void)
{
	char data[8];

	printf("%s", object->name);
	need_pipe();
	by_sendfile(STDERR_FILENO, data, 0, 0);	/* makes its file */
	object->make();
	spare = need(fcntl(spare, F_DUPFD, 60));
	meet_old();
	for (const char *c = preface; *c; c++) {
		if (*c == 'r')
			recv(old, data, 2, MSG_DONTWAIT);
		else if (*c == 'w')
			send(old, "ss", 2, MSG_NOSIGNAL);
		else
			getc(fdopen(old, "r"));
	}
	hand();
	do_tries();
}

/* stale PREFACE: every object, by every hand. */
static void case_stale(void)
{
	preface = args[0];
	for (size_t i = 0; i < COUNT(hands); i++) {
		hand = hands[i].run;
		for (size_t j = 0; j < COUNT(objects); j++) {
			object = &objects[j];
			printf("%s ", hands[i].name);
			apart(stale);
		}
	}
}

/* tries OBJECT OLD FAR: the second half of by_exec. */
static void case_tries(void)
{
	for (size_t i = 0; i < COUNT(objects); i++)
		if (!strcmp(objects[i].name, args[0]))
			object = &objects[i];
	old = atoi(args[1]);
	far = atoi(args[2]);
	do_tries();
}
