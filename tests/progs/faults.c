/* SPDX-License-Identifier: MIT */
/*
 * What faults must do, and must never do, as one line for each thing that can
 * be seen:
 *
 *	faults [-r] CASE [ARGS]
 *
 * With -r the kernel makes the event happen; without it a rule does, or
 * nothing does.  The lines must be equal: where there is no event, with and
 * without the object.  Nothing that depends on time or chance is printed.
 *
 * The socket under test is descriptor FD, so that a rule can name it, or the
 * lowest free number where numbers matter.  A hang ends by SIGALRM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
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

#define FD 100
#define COUNT(array) (sizeof (array) / sizeof *(array))
/* Tables of functions: their names are what is printed. */
#define ROW(name) { #name, by_##name }

static bool real;			/* the kernel makes the event happen */
static char **args;			/* after CASE */

/* ---- saying and preparing ------------------------------------------------ */

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

/* ---- sockets ------------------------------------------------------------- */

struct kind {
	const char *name;
	int domain, type;
	const char *ip;
};

static const struct kind kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "unix", AF_UNIX, SOCK_STREAM, NULL },
	{ "seqpacket", AF_UNIX, SOCK_SEQPACKET, NULL },
	{ "dgram", AF_UNIX, SOCK_DGRAM, NULL },
	{ "udp", AF_INET, SOCK_DGRAM, "127.0.0.1" },
	{ "tcp6", AF_INET6, SOCK_STREAM, "::1" },
	{ "mapped", AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1" },
};

static const struct kind *kind = kinds;	/* of the case */
static int peer = -1;			/* the other end of FD */

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool is_tcp(const struct kind *k)
{
	return k->domain != AF_UNIX && k->type == SOCK_STREAM;
}

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	printf("no kind %s\n", name);
	exit(2);
}

static socklen_t address(int domain, const char *ip, union addr *a)
{
	memset(a, 0, sizeof *a);
	a->any.sa_family = domain;
	if (domain == AF_INET)
		inet_pton(domain, ip, &a->in.sin_addr);
	else
		inet_pton(domain, ip, &a->in6.sin6_addr);
	return domain == AF_INET ? sizeof a->in : sizeof a->in6;
}

/* bound: a socket on a port of its own; *a says which. */
static int bound(const struct kind *k, union addr *a, socklen_t *len)
{
	int fd = need(socket(k->domain, k->type | SOCK_CLOEXEC, 0));

	*len = address(k->domain, k->ip, a);
	need(bind(fd, &a->any, *len));
	need(getsockname(fd, &a->any, len));
	return fd;
}

static void inet_pair(const struct kind *k, int end[2])
{
	union addr a, b;
	socklen_t len;
	int lis = bound(k, &a, &len);

	if (k->type == SOCK_DGRAM) {
		end[0] = bound(k, &b, &len);
		need(connect(end[0], &a.any, len));
		need(connect(lis, &b.any, len));
		end[1] = lis;
		return;
	}
	need(listen(lis, 5));
	end[0] = need(socket(k->domain, SOCK_STREAM, 0));
	need(connect(end[0], &a.any, len));
	end[1] = need(accept(lis, NULL, NULL));
	close(lis);
}

static void make_pair(const struct kind *k, int end[2])
{
	if (k->domain == AF_UNIX)
		need(socketpair(AF_UNIX, k->type, 0, end));
	else
		inet_pair(k, end);
}

/* put: the socket under test gets its number. */
static void put(int fd)
{
	need(dup2(fd, FD));
	need(close(fd));
}

/* connected: a new FD and peer. */
static void connected(const struct kind *k)
{
	int end[2];

	if (peer >= 0)
		close(peer);
	make_pair(k, end);
	put(end[0]);
	peer = end[1];
}

/* arrived: n bytes can be read there. */
static void arrived(int fd, int n)
{
	int now = 0;

	while (need(ioctl(fd, FIONREAD, &now)) >= 0 && now < n)
		sched_yield();
}

static void peer_sends(const char *data)
{
	need(send(peer, data, strlen(data), MSG_NOSIGNAL));
	arrived(FD, kind->type == SOCK_STREAM ? strlen(data) : 1);
}

/* peer_resets: FD has met the end of its connection when it returns. */
static void peer_resets(void)
{
	struct linger now = { 1, 0 };

	if (is_tcp(kind))
		need(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now));
	else
		need(send(FD, "u", 1, MSG_NOSIGNAL));	/* which it never reads */
	close(peer);
	peer = -1;
	while (!(poll_bits(FD, 0, -1) & POLLHUP))
		;
}

static void peer_ends(void)
{
	need(shutdown(peer, SHUT_WR));
	while (!(poll_bits(FD, POLLRDHUP, -1) & POLLRDHUP))
		;
}

static void nonblocking(int fd, bool on)
{
	int flags = need(fcntl(fd, F_GETFL));

	need(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK
				   : flags & ~O_NONBLOCK));
}

/* ---- ways to move bytes ---------------------------------------------------- */

/* Each makes one call and returns what it returned. */
struct way {
	const char *name;
	ssize_t (*call)(int fd, char *data, size_t n, int flags);
	bool flags;			/* the call has some */
	bool stdio;
};

static ssize_t by_recv(int fd, char *data, size_t n, int flags)
{
	return recv(fd, data, n, flags);
}

static ssize_t by_recvfrom(int fd, char *data, size_t n, int flags)
{
	union addr from;
	socklen_t len = sizeof from;

	return recvfrom(fd, data, n, flags, &from.any, &len);
}

static ssize_t by_recvmsg(int fd, char *data, size_t n, int flags)
{
	struct iovec iov[2] = { { data, n / 2 }, { data + n / 2, n - n / 2 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	return recvmsg(fd, &m, flags);
}

static ssize_t by_recvmmsg(int fd, char *data, size_t n, int flags)
{
	struct iovec iov = { data, n };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int got = recvmmsg(fd, &m, 1, flags, NULL);

	return got == 1 ? (ssize_t)m.msg_len : got;
}

static ssize_t by_read(int fd, char *data, size_t n, int flags)
{
	(void)flags;
	return read(fd, data, n);
}

static ssize_t by_readv(int fd, char *data, size_t n, int flags)
{
	struct iovec iov[3] = { { data, n / 3 }, { NULL, 0 },
				{ data + n / 3, n - n / 3 } };

	(void)flags;
	return readv(fd, iov, 3);
}

static ssize_t by_preadv2(int fd, char *data, size_t n, int flags)
{
	struct iovec iov = { data, n };

	(void)flags;
	return preadv2(fd, &iov, 1, -1, 0);
}

static int through[2] = { -1, -1 };	/* a pipe, empty between calls */

static void need_pipe(void)
{
	if (through[0] < 0)
		need(pipe2(through, O_CLOEXEC));
}

static ssize_t by_splice_in(int fd, char *data, size_t n, int flags)
{
	ssize_t got;

	(void)flags;
	need_pipe();
	got = splice(fd, NULL, through[1], NULL, n, 0);
	for (ssize_t at = 0; at < got;)
		at += need(read(through[0], data + at, got - at));
	return got;
}

static const struct way in_ways[] = {
	{ "recv", by_recv, true, false },
	{ "recvfrom", by_recvfrom, true, false },
	{ "recvmsg", by_recvmsg, true, false },
	{ "recvmmsg", by_recvmmsg, true, false },
	{ "read", by_read, false, false },
	{ "readv", by_readv, false, false },
	{ "preadv2", by_preadv2, false, false },
	{ "splice", by_splice_in, false, false },
};

static ssize_t by_send(int fd, char *data, size_t n, int flags)
{
	return send(fd, data, n, flags);
}

static ssize_t by_sendto(int fd, char *data, size_t n, int flags)
{
	return sendto(fd, data, n, flags, NULL, 0);
}

static ssize_t by_sendmsg(int fd, char *data, size_t n, int flags)
{
	struct iovec iov[2] = { { data, n / 2 }, { data + n / 2, n - n / 2 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	return sendmsg(fd, &m, flags);
}

/* Two messages on a stream, or one; the bytes they took. */
static ssize_t by_sendmmsg(int fd, char *data, size_t n, int flags)
{
	struct iovec iov[2] = { { data, n / 2 }, { data + n / 2, n - n / 2 } };
	struct mmsghdr m[2] = {
		{ .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = iov + 1, .msg_iovlen = 1 } },
	};
	bool two = kind->type == SOCK_STREAM && n > 1;
	int sent;

	if (!two)
		m[0].msg_hdr.msg_iovlen = 2;
	sent = sendmmsg(fd, m, two ? 2 : 1, flags);
	return sent < 1 ? sent : (ssize_t)(m[0].msg_len +
					   (sent > 1 ? m[1].msg_len : 0));
}

static ssize_t by_write(int fd, char *data, size_t n, int flags)
{
	(void)flags;
	return write(fd, data, n);
}

static ssize_t by_writev(int fd, char *data, size_t n, int flags)
{
	struct iovec iov[3] = { { data, n / 3 }, { NULL, 0 },
				{ data + n / 3, n - n / 3 } };

	(void)flags;
	return writev(fd, iov, 3);
}

static ssize_t by_pwritev2(int fd, char *data, size_t n, int flags)
{
	struct iovec iov = { data, n };

	(void)flags;
	return pwritev2(fd, &iov, 1, -1, 0);
}

static ssize_t by_sendfile(int fd, char *data, size_t n, int flags)
{
	static int file = -1;
	static off_t end;		/* pages on their way stay as they are */
	off_t at = end, from = end;
	ssize_t sent;

	(void)flags;
	if (file < 0)
		file = need(memfd_create("file", MFD_CLOEXEC));
	end += need(pwrite(file, data, n, end));
	sent = sendfile(fd, file, &at, n);
	return at - from == (sent > 0 ? sent : 0) ? sent : -2;
}

static ssize_t by_splice_out(int fd, char *data, size_t n, int flags)
{
	static char rest[65536];
	ssize_t went;
	int err;

	(void)flags;
	need_pipe();
	need(write(through[1], data, n));
	went = splice(through[0], NULL, fd, NULL, n, 0);
	err = errno;
	for (size_t at = went > 0 ? went : 0; at < n;)
		at += need(read(through[0], rest, n - at));
	errno = err;
	return went;
}

static FILE *stream;			/* on FD, for as long as it is FD */

static ssize_t by_fwrite(int fd, char *data, size_t n, int flags)
{
	(void)flags;
	if (!stream)
		stream = fdopen(fd, "w");
	if (fwrite(data, 1, n, stream) != n || fflush(stream))
		return -1;
	return n;
}

static ssize_t by_dprintf(int fd, char *data, size_t n, int flags)
{
	(void)flags;
	return dprintf(fd, "%.*s", (int)n, data);
}

static const struct way out_ways[] = {
	{ "send", by_send, true, false },
	{ "sendto", by_sendto, true, false },
	{ "sendmsg", by_sendmsg, true, false },
	{ "sendmmsg", by_sendmmsg, true, false },
	{ "write", by_write, false, false },
	{ "writev", by_writev, false, false },
	{ "pwritev2", by_pwritev2, false, false },
	{ "sendfile", by_sendfile, false, false },
	{ "splice", by_splice_out, false, false },
	{ "fwrite", by_fwrite, false, true },
	{ "dprintf", by_dprintf, false, true },
};

static const struct way *way;		/* of the case */

/* ---- stale: a number that something else has now ---------------------------- */

/*
 * A socket is met, and maybe faulted; then another object has its number by
 * ways that the preloaded object can see, or cannot.  Everything is done to
 * that, and it is what it would be for a program without sockets.
 */
struct object {
	const char *name;
	void (*make)(void);		/* as spare, and far if it has two ends */
};

static int old, other, spare, far;	/* other: the peer of old */
static const struct object *object;

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

/* What is done to it. */
static long try_send(char *data)
{
	return send(old, strcpy(data, "se"), 2, MSG_NOSIGNAL);
}

static long try_recv(char *data) { return recv(old, data, 2, 0); }
static long try_read(char *data) { return read(old, data, 3); }
static long try_pread(char *data) { return pread(old, data, 3, 1); }
static long try_readv(char *data) { return by_readv(old, data, 2, 0); }
static long try_preadv2(char *data) { return by_preadv2(old, data, 2, 0); }
static long try_recvmsg(char *data) { return by_recvmsg(old, data, 2, 0); }
static long try_recvmmsg(char *data) { return by_recvmmsg(old, data, 2, 0); }
static long try_splice(char *data) { return by_splice_in(old, data, 2, 0); }
static long try_write(char *data) { return write(old, strcpy(data, "wr"), 2); }

static long try_writev(char *data)
{
	return by_writev(old, strcpy(data, "ve"), 2, 0);
}

static long try_pwritev2(char *data)
{
	return by_pwritev2(old, strcpy(data, "p2"), 2, 0);
}

static long try_pwrite(char *data)
{
	return pwrite(old, strcpy(data, "PW"), 2, 1);
}

static long try_sendmsg(char *data)
{
	return by_sendmsg(old, strcpy(data, "ms"), 2, MSG_NOSIGNAL);
}

static long try_sendfile(char *data)
{
	return by_sendfile(old, strcpy(data, "sf"), 2, 0);
}

static long try_splice_to(char *data)
{
	return by_splice_out(old, strcpy(data, "sp"), 2, 0);
}

static long try_dprintf(char *data)
{
	return dprintf(old, "%s", strcpy(data, "dp"));
}

static long try_write8(char *data)
{
	return write(old, strcpy(data, "\1\0\0\0\0\0\0"), 8);
}

static long try_read8(char *data) { return read(old, data, 8); }

static long try_shutdown(char *data)
{
	(void)data;
	return shutdown(old, SHUT_RD);
}

static long try_connect(char *data)
{
	union addr a;
	socklen_t len = address(AF_INET, "127.0.0.1", &a);

	(void)data;
	return connect(old, &a.any, len);
}

static long try_bind(char *data)
{
	union addr a;
	socklen_t len = address(AF_INET, "127.0.0.1", &a);

	(void)data;
	return bind(old, &a.any, len);
}

static long try_accept(char *data)
{
	(void)data;
	return accept(old, NULL, NULL);
}

static long try_nodelay(char *data)
{
	memset(data, 0, 4);
	return setsockopt(old, IPPROTO_TCP, TCP_NODELAY, data, 4);
}

static long try_so_type(char *data)
{
	return getsockopt(old, SOL_SOCKET, SO_TYPE, data, &(socklen_t){ 4 });
}

static long try_fionread(char *data) { return ioctl(old, FIONREAD, data); }

static long try_lseek(char *data)
{
	(void)data;
	return lseek(old, 2, SEEK_SET);
}

static long try_poll(char *data)
{
	(void)data;
	return poll_bits(old, POLLIN | POLLOUT, 0);
}

static long try_close(char *data)
{
	(void)data;
	return close(old);
}

static const struct {
	const char *name;
	long (*call)(char *data);
	bool in;
} tries[] = {
#define IN(name) { #name, try_##name, true }
#define OUT(name) { #name, try_##name, false }
	IN(read), OUT(lseek), IN(readv), IN(preadv2), IN(pread), IN(recv),
	IN(recvmsg), IN(recvmmsg), IN(splice), IN(read8), OUT(write8),
	OUT(send), OUT(write), OUT(writev), OUT(pwritev2), OUT(pwrite),
	OUT(sendmsg), OUT(sendfile), OUT(splice_to), OUT(dprintf),
	OUT(fionread), OUT(poll), OUT(so_type), OUT(nodelay), OUT(connect),
	OUT(bind), OUT(accept), OUT(shutdown), OUT(close), OUT(close),
	IN(read), OUT(write), OUT(recv), OUT(send),
#undef IN
#undef OUT
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

/*
 * nosock FD: the calls that only sockets know, on what is none; they name the
 * mistake, whatever else could have gone wrong.
 */
static void case_nosock(void)
{
	int file = need(memfd_create("file", 0));
	int gone = need(fcntl(file, F_DUPFD, 50));
	const int fds[] = { file, gone, -1, 9999, 1 << 30, -100 };

	close(gone);
	for (size_t i = 0; i < COUNT(fds); i++) {
		old = fds[i];
		printf("%d", old);
		for (size_t j = 0; j < COUNT(tries); j++) {
			char data[64] = "";
			say_ret(tries[j].name, tries[j].call(data), NULL);
			if (i == 0 && tries[j].call == try_dprintf)
				break;
		}
		putchar('\n');
	}
}

/* ---- epipe: the signal, when, where and what it says ------------------------- */

enum disposition { DEFAULT, IGNORED, HANDLED, BLOCKED, FLAGGED, DISPOSITIONS };

static const char *const disposition_names[] = {
	"default", "ignored", "handled", "blocked", "MSG_NOSIGNAL",
};

static enum disposition disposition;
static volatile sig_atomic_t pipes, elsewhere, other_infos;
static volatile pid_t writer;
static int rounds;			/* writes in a row */

/* The kernel's own: from the process itself, for the thread that writes. */
static void on_pipe(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (gettid() == writer)
		pipes++;
	else
		elsewhere++;
	if (sig != SIGPIPE || info->si_code != SI_USER ||
	    info->si_pid != getpid() || info->si_uid != getuid())
		other_infos++;
}

static void dispose(void)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO };
	sigset_t set;

	act.sa_sigaction = on_pipe;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (disposition == IGNORED)
		signal(SIGPIPE, SIG_IGN);
	if (disposition == HANDLED)
		sigaction(SIGPIPE, &act, NULL);
	if (disposition == BLOCKED)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool is_pending(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

static void *writes(void *unused)
{
	int flags = disposition == FLAGGED ? MSG_NOSIGNAL : 0;
	char data[] = "abcdefgh";

	writer = gettid();
	for (int i = 0; i < rounds; i++) {
		say_ret(way->name, way->call(FD, data, 8, flags), NULL);
		printf("/%d", pipes);
		if (is_pending(SIGPIPE))
			printf("/pending");
		fflush(stdout);
	}
	return unused;
}

/* The write end of FD is over, and nobody is owed an error for it. */
static void broken(void)
{
	if (kind->type == SOCK_DGRAM) {
		need(kind->domain == AF_UNIX ? shutdown(peer, SHUT_RD)
					     : shutdown(FD, SHUT_WR));
		return;
	}
	peer_resets();
	so_error(FD);
}

static void epipe(void)
{
	pthread_t t;

	connected(kind);
	if (real)
		broken();
	dispose();
	need(-pthread_create(&t, NULL, writes, NULL));
	pthread_join(t, NULL);
	if (elsewhere || other_infos || is_pending(SIGPIPE))
		printf(" astray %d %d", elsewhere, other_infos);
}

/* epipe KIND ROUNDS: through every call, whatever becomes of the signal. */
static void case_epipe(void)
{
	kind = kind_named(args[0]);
	rounds = atoi(args[1]);
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		for (int d = 0; d < DISPOSITIONS; d++) {
			disposition = d;
			if (d == FLAGGED && !way->flags)
				continue;
			printf("%s", disposition_names[d]);
			apart(epipe);
		}
	}
}

/* ---- short: less than was asked for, and nothing lost ------------------------ */

enum { TEXT = 5000, PARTS_MOST = 1024 };

static char text[TEXT + 1], got[TEXT + 1];
static ssize_t most;			/* what a rule lets through at once */

static void make_text(void)
{
	for (int i = 0; i < TEXT; i++)
		text[i] = 'a' + chance(26);
}

/* fits: what a call on a stream may have returned. */
static bool fits(ssize_t n, size_t asked)
{
	return n >= 1 && (size_t)n <= asked && n <= most;
}

/* drain: what is left in the peer, to got from at on. */
static size_t drain(size_t at)
{
	ssize_t n;

	arrived(peer, 1);
	while (at < TEXT && (n = recv(peer, got + at, TEXT - at,
				      MSG_DONTWAIT)) > 0)
		at += n;
	return at;
}

static bool all_out(void)
{
	size_t seen = 0;

	for (size_t at = 0; at < TEXT;) {
		size_t n = 1 + chance(400), left = TEXT - at;
		ssize_t went = way->call(FD, text + at, n < left ? n : left, 0);
		if (!fits(went, n))
			return false;
		at += went;
		if (chance(4) == 0)
			seen = drain(seen);
	}
	while (seen < TEXT)
		seen = drain(seen);
	return !memcmp(got, text, TEXT);
}

static void feed(void)
{
	for (size_t at = 0; at < TEXT;)
		at += need(send(peer, text + at, TEXT - at, 0));
}

static bool all_in(void)
{
	memset(got, 0, TEXT);
	feed();
	for (size_t at = 0; at < TEXT;) {
		size_t n = 1 + chance(400), left = TEXT - at;
		ssize_t came = way->call(FD, got + at, n < left ? n : left, 0);
		if (!fits(came, n))
			return false;
		at += came;
	}
	return !memcmp(got, text, TEXT);
}

/*
 * shorts KIND MOST: everything arrives, once and in order, through calls that
 * move no more than MOST bytes.
 */
static void case_shorts(void)
{
	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		connected(kind);
		printf("in %s %s\n", way->name, all_in() ? "ok" : "bad");
	}
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		connected(kind);
		if (!way->stdio)
			printf("out %s %s\n", way->name,
			       all_out() ? "ok" : "bad");
	}
}

/* The same in a thread with the smallest stack there is. */
static void *on_little(void *unused)
{
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		if (!all_in())
			return (void *)way->name;
	}
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		if (!way->stdio && !all_out())
			return (void *)way->name;
	}
	return unused;
}

static void case_little(void)
{
	pthread_attr_t attr;
	pthread_t t;
	void *bad;

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	connected(kind);
	pthread_attr_init(&attr);
	need(-pthread_attr_setstacksize(&attr, 16384));
	need(-pthread_create(&t, &attr, on_little, NULL));
	pthread_join(t, &bad);
	printf("%s\n", bad ? (char *)bad : "ok");
}

/* ---- parts: iovecs and messages that are the program's own -------------------- */

/* The arguments, in memory that cannot be written to during a call. */
static struct {
	struct iovec iov[PARTS_MOST];
	struct msghdr msg;
} *page;

static const size_t page_size = (sizeof *page + 4095) & ~4095;

static void page_open(bool open)
{
	if (!page)
		page = need_map(page_size);
	need(mprotect(page, page_size, open ? PROT_READ | PROT_WRITE
					    : PROT_READ));
}

/* lay: n bytes in so many parts, some of them empty. */
static void lay(char *data, size_t n, int parts)
{
	page_open(true);
	for (int i = 0; i < parts; i++) {
		size_t len = i == parts - 1 ? n : chance(3) * (n / parts);
		if (chance(5) == 0 && i < parts - 1)
			len = 0;
		if (len > n)
			len = n;
		page->iov[i] = (struct iovec){ len ? data : NULL, len };
		data += len;
		n -= len;
	}
	page->msg = (struct msghdr){ .msg_iov = page->iov,
				     .msg_iovlen = parts };
	page_open(false);
}

static ssize_t by_parts_writev(int parts)
{
	return writev(FD, page->iov, parts);
}

static ssize_t by_parts_pwritev2(int parts)
{
	return pwritev2(FD, page->iov, parts, -1, 0);
}

static ssize_t by_parts_sendmsg(int parts)
{
	(void)parts;
	return sendmsg(FD, &page->msg, 0);
}

/* Three messages: an empty one, the parts, one byte that is not there. */
static ssize_t by_parts_sendmmsg(int parts)
{
	struct mmsghdr m[2] = { { .msg_hdr = page->msg },
				{ .msg_hdr = { .msg_iovlen = 0 } } };
	struct mmsghdr was[2];
	int n;

	(void)parts;
	memcpy(was, m, sizeof m);
	n = sendmmsg(FD, m, 2, 0);
	if (memcmp(&m[0].msg_hdr, &was[0].msg_hdr, sizeof was[0].msg_hdr) ||
	    memcmp(&m[1].msg_hdr, &was[1].msg_hdr, sizeof was[1].msg_hdr))
		return -2;
	return n < 1 ? n : (ssize_t)m[0].msg_len;
}

static ssize_t by_parts_readv(int parts)
{
	return readv(FD, page->iov, parts);
}

static ssize_t by_parts_preadv2(int parts)
{
	return preadv2(FD, page->iov, parts, -1, 0);
}

/* unchanged: but for what recvmsg hands out; a stream has none of it. */
static bool unchanged(const struct msghdr *m, const void *name)
{
	return m->msg_iov == page->iov &&
	       m->msg_iovlen == page->msg.msg_iovlen && m->msg_name == name &&
	       !m->msg_control && !m->msg_controllen && !m->msg_flags;
}

static ssize_t by_parts_recvmsg(int parts)
{
	struct msghdr m = page->msg;
	union addr from;
	ssize_t n;

	(void)parts;
	m.msg_name = &from;
	m.msg_namelen = sizeof from;
	m.msg_flags = 99;
	n = recvmsg(FD, &m, 0);
	return unchanged(&m, &from) && !m.msg_namelen ? n : -2;
}

static ssize_t by_parts_recvmmsg(int parts)
{
	struct mmsghdr m = { .msg_hdr = page->msg };
	int n = recvmmsg(FD, &m, 1, 0, NULL);

	(void)parts;
	if (!unchanged(&m.msg_hdr, NULL))
		return -2;
	return n == 1 ? (ssize_t)m.msg_len : n;
}

static const struct {
	const char *name;
	ssize_t (*call)(int parts);
} parts_out[] = {
	ROW(parts_writev), ROW(parts_pwritev2), ROW(parts_sendmsg),
	ROW(parts_sendmmsg),
}, parts_in[] = {
	ROW(parts_readv), ROW(parts_preadv2), ROW(parts_recvmsg),
	ROW(parts_recvmmsg),
};

static bool parts_go_out(ssize_t (*call)(int), int parts)
{
	size_t seen = 0;

	for (size_t at = 0; at < TEXT;) {
		ssize_t n;
		lay(text + at, TEXT - at, parts);
		n = call(parts);
		if (!fits(n, TEXT - at))
			return false;
		at += n;
		seen = drain(seen);
	}
	return seen == TEXT && !memcmp(got, text, TEXT);
}

static bool parts_come_in(ssize_t (*call)(int), int parts)
{
	memset(got, 0, TEXT);
	feed();
	arrived(FD, TEXT);
	for (size_t at = 0; at < TEXT;) {
		ssize_t n;
		lay(got + at, TEXT - at, parts);
		n = call(parts);
		if (!fits(n, TEXT - at))
			return false;
		at += n;
	}
	return !memcmp(got, text, TEXT);
}

/* parts KIND MOST */
static void case_parts(void)
{
	static const int numbers[] = { 1, 2, 8, 9, 10, 100, 1024 };

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	connected(kind);
	for (size_t i = 0; i < COUNT(numbers); i++)
		for (size_t j = 0; j < COUNT(parts_in); j++)
			printf("%d %s %s %s %s\n", numbers[i],
			       parts_in[j].name, parts_come_in(
			       parts_in[j].call, numbers[i]) ? "ok" : "bad",
			       parts_out[j].name, parts_go_out(
			       parts_out[j].call, numbers[i]) ? "ok" : "bad");
}

/* ---- messages: what goes with the bytes --------------------------------------- */

static int descriptors_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += raw(SYS_fcntl, fd, F_GETFD, 0) >= 0;
	return n;
}

/* send_rights: the text, and a descriptor with its first part. */
static void send_rights(int over, bool many)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
				SCM_RIGHTS } };
	struct iovec iov[2] = { { text, 30 }, { text + 30, 70 } };
	struct mmsghdr m = { .msg_hdr = {
		.msg_iov = iov, .msg_iovlen = 2, .msg_control = &control,
		.msg_controllen = sizeof control.room } };
	int file = need(memfd_create("file", 0));
	size_t at;

	need(pwrite(file, "rights", 6, 0));
	memcpy(CMSG_DATA(&control.head), &file, sizeof file);
	if (many)
		at = need(sendmmsg(over, &m, 1, 0)) ? m.msg_len : 0;
	else
		at = need(sendmsg(over, &m.msg_hdr, 0));
	while (at < 100)
		at += need(send(over, text + at, 100 - at, 0));
	close(file);
}

struct met {
	size_t bytes;
	int rights, flags, name;
	char text[100];
};

/* take_rights: a hundred bytes, and all that comes along. */
static void take_rights(int over, size_t room, int flags, struct met *met)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	union addr from;

	while (met->bytes < 100) {
		struct iovec iov = { met->text + met->bytes,
				     100 - met->bytes };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_name = &from,
				    .msg_namelen = sizeof from,
				    .msg_control = &control,
				    .msg_controllen = room };
		struct cmsghdr *h;
		char word[6] = "";
		int fd;

		met->bytes += need(recvmsg(over, &m, flags));
		met->flags |= m.msg_flags;
		met->name |= m.msg_namelen;
		h = CMSG_FIRSTHDR(&m);
		if (!h || h->cmsg_len < CMSG_LEN(sizeof fd))
			continue;
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
		met->rights += pread(fd, word, 6, 0) == 6 &&
			       !memcmp(word, "rights", 6);
		printf(" flags %d", fcntl(fd, F_GETFD));
		close(fd);
	}
}

/* messages: descriptors go along once, whichever part of the data is cut. */
static void case_messages(void)
{
	static const size_t rooms[] = { CMSG_SPACE(4 * sizeof(int)),
					CMSG_LEN(sizeof(int)),
					sizeof(struct cmsghdr), 0 };

	kind = kind_named("unix");
	make_text();
	connected(kind);
	for (size_t i = 0; i < 4 * COUNT(rooms); i++) {
		bool out = i & 1;
		int open = descriptors_open();
		struct met met = { 0 };
		send_rights(out ? FD : peer, i & 2);
		take_rights(out ? peer : FD, rooms[i / 4],
			    i & 2 ? MSG_CMSG_CLOEXEC : 0, &met);
		printf(" %s: %zu bytes, %d rights, %s%s, name %d, %d left %s\n",
		       out ? "out" : "in", met.bytes, met.rights,
		       met.flags & MSG_CTRUNC ? "CTRUNC" : "",
		       met.flags & MSG_TRUNC ? "TRUNC" : "", met.name,
		       descriptors_open() - open,
		       memcmp(met.text, text, 100) ? "bad" : "");
	}
}

/* ---- whole: what is never cut -------------------------------------------------- */

static void whole_stream(void)
{
	char data[200];

	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		if (!way->flags)
			continue;
		need(send(peer, text, 200, 0));
		arrived(FD, 200);
		printf("%s", way->name);
		say_ret("PEEK", way->call(FD, data, 150, MSG_PEEK), data);
		say_ret("WAITALL", way->call(FD, data, 150, MSG_WAITALL), data);
		say_ret("PEEK+WAITALL", way->call(FD, data, 50, MSG_WAITALL |
						  MSG_PEEK), data);
		say_ret("WAITALL", way->call(FD, data, 50, MSG_WAITALL), data);
		putchar('\n');
	}
}

static void whole_message(void)
{
	char data[200];

	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		if (way->stdio)
			continue;
		printf("%s", way->name);
		say_ret("100", way->call(FD, text, 100, 0), NULL);
		say_ret("got", recv(peer, data, 200, MSG_DONTWAIT), data);
		putchar('\n');
	}
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		need(send(peer, text, 100, 0));
		printf("%s", way->name);
		if (way->call == by_splice_in)
			nonblocking(FD, true);
		say_ret("100", way->call(FD, data, 200, 0), data);
		nonblocking(FD, false);
		say_ret("left", recv(FD, data, 200, MSG_DONTWAIT), data);
		putchar('\n');
	}
}

/* whole KIND */
static void case_whole(void)
{
	kind = kind_named(args[0]);
	make_text();
	connected(kind);
	if (kind->type == SOCK_STREAM)
		whole_stream();
	else
		whole_message();
}

/* ---- bad: arguments that no call takes ------------------------------------------ */

static char *volatile nowhere = (char *)16;
static volatile int minus = -1;		/* unseen by the compiler */

static ssize_t message(bool out, void *iov, size_t n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };

	return out ? sendmsg(FD, &m, 0) : recvmsg(FD, &m, 0);
}

static ssize_t messages(bool out, void *iov, size_t n)
{
	struct mmsghdr m = { .msg_hdr = { .msg_iov = iov, .msg_iovlen = n } };

	return out ? sendmmsg(FD, &m, 1, 0) : recvmmsg(FD, &m, 1, 0, NULL);
}

static ssize_t vectors(bool out, void *iov, size_t n)
{
	return out ? writev(FD, iov, n) : readv(FD, iov, n);
}

static ssize_t vectors2(bool out, void *iov, size_t n)
{
	return out ? pwritev2(FD, iov, n, -1, 0) : preadv2(FD, iov, n, -1, 0);
}

static void bad_vectors(bool out)
{
	static struct iovec many[1030];
	static const struct {
		const char *name;
		ssize_t (*call)(bool out, void *iov, size_t n);
	} calls[] = {
		{ "v", vectors }, { "v2", vectors2 }, { "msg", message },
		{ "mmsg", messages },
	};
	struct iovec bad = { nowhere, 8 }, half[2] = { { got, 0 }, bad };
	struct iovec huge[2] = { { text, 8 }, { text, minus } };

	for (size_t i = 0; i < COUNT(calls); i++) {
		printf("%s %s", calls[i].name, out ? "out" : "in");
		say_ret("array", calls[i].call(out, nowhere, 3), NULL);
		say_ret("base", calls[i].call(out, &bad, 1), NULL);
		say_ret("second", calls[i].call(out, half, 2), NULL);
		say_ret("length", calls[i].call(out, huge, 2), NULL);
		say_ret("many", calls[i].call(out, many, 1025), NULL);
		say_ret("minus", calls[i].call(out, many, minus), NULL);
		putchar('\n');
	}
}

static void bad_out(void)
{
	struct mmsghdr *mm = (void *)nowhere;

	say_ret("send", send(FD, nowhere, 8, 0), NULL);
	say_ret("sendto", sendto(FD, nowhere, 8, 0, NULL, 0), NULL);
	say_ret("write", write(FD, nowhere, 8), NULL);
	say_ret("sendmsg", sendmsg(FD, &mm->msg_hdr, 0), NULL);
	say_ret("sendmmsg", sendmmsg(FD, mm, 1, 0), NULL);
	say_ret("none", sendmmsg(FD, mm, 0, 0), NULL);
	say_ret("empty", write(FD, nowhere, 0), NULL);
	say_ret("flags", pwritev2(FD, &(struct iovec){ nowhere, 0 }, 1, -1,
				  0x4000), NULL);
	putchar('\n');
}

static void bad_in(void)
{
	struct mmsghdr *mm = (void *)nowhere;
	socklen_t *len = (void *)nowhere;

	say_ret("recv", recv(FD, nowhere, 8, 0), NULL);
	say_ret("recvfrom", recvfrom(FD, nowhere, 8, 0, NULL, NULL), NULL);
	say_ret("read", read(FD, nowhere, 8), NULL);
	say_ret("recvmsg", recvmsg(FD, &mm->msg_hdr, 0), NULL);
	say_ret("recvmmsg", recvmmsg(FD, mm, 1, 0, NULL), NULL);
	say_ret("none", recvmmsg(FD, mm, 0, 0, NULL), NULL);
	say_ret("empty", read(FD, nowhere, 0), NULL);
	say_ret("so_error", getsockopt(FD, SOL_SOCKET, SO_ERROR, nowhere, len),
		NULL);
	say_ret("sockname", getsockname(FD, (void *)mm, len), NULL);
	say_ret("peername", getpeername(FD, (void *)mm, len), NULL);
	say_ret("fionread", ioctl(FD, FIONREAD, nowhere), NULL);
	putchar('\n');
}

/* bad KIND [end]: the data is still there afterwards; end: of a reset. */
static void case_bad(void)
{
	char data[20] = "";

	kind = kind_named(args[0]);
	connected(kind);
	peer_sends("0123456789");
	signal(SIGPIPE, SIG_IGN);
	if (args[1] && real)
		peer_resets();
	if (args[1])
		say_ret("first", recv(FD, data, 2, 0), data);
	if (args[1])
		say_ret("empty", read(FD, nowhere, 0), NULL);
	so_error(FD);
	bad_in();
	bad_vectors(false);
	for (int i = 0; i < 10 && recv(FD, data + i, 1, MSG_DONTWAIT) == 1;)
		i++;
	printf("left %s\n", data);
	bad_out();
	bad_vectors(true);
}

/* ---- at: the stream ends at that byte ------------------------------------------ */

enum { MUCH = 400000 };			/* bytes, more than any at= */

static char *stream_text, *stream_got;
static ssize_t reader_end;
static size_t cut_at, reader_total;
static bool waits;			/* FD is blocking */

/* reads_all: the peer, to whatever end. */
static void *reads_all(void *unused)
{
	ssize_t n;

	reader_total = 0;
	while (reader_total < MUCH &&
	       (n = recv(peer, stream_got + reader_total, MUCH - reader_total,
			 0)) > 0)
		reader_total += n;
	reader_end = n < 0 ? -errno : n;
	return unused;
}

static size_t next_size(size_t left)
{
	static const size_t below[] = { 3, 100, 5000, 60000 };
	size_t n = 1 + chance(below[chance(COUNT(below))]);

	return n < left ? n : left;
}

/* push: total bytes, or until something else happens; how many went. */
static size_t push(size_t total, const char **end)
{
	size_t at = 0;

	*end = "0";
	while (at < total) {
		ssize_t n = way->call(FD, stream_text + at,
				      next_size(total - at), 0);
		if (n > 0) {
			at += n;
		} else if (n < 0 && errno == EAGAIN && !waits) {
			poll_bits(FD, POLLOUT, -1);
		} else {
			*end = told(n);
			break;
		}
	}
	return at;
}

static size_t pull(size_t total, const char **end)
{
	size_t at = 0;

	*end = "-";
	while (at < total) {
		ssize_t n;
		if (!waits)
			poll_bits(FD, POLLIN, -1);
		n = way->call(FD, stream_got + at, next_size(total - at), 0);
		if (n <= 0) {
			*end = told(n);
			break;
		}
		at += n;
	}
	return at;
}

static bool same_text(size_t n)
{
	return !memcmp(stream_text, stream_got, n);
}

static void say_reader(void)
{
	printf(" peer %zu %s %s", reader_total, reader_end < 0 ?
	       strerrorname_np(-reader_end) : "0",
	       same_text(reader_total) ? "same" : "other");
}

static void at_out(void)
{
	size_t went, limit = cut_at + 2000;
	const char *end;
	pthread_t t;

	connected(kind);
	nonblocking(FD, !waits);
	need(-pthread_create(&t, NULL, reads_all, NULL));
	went = push(limit, &end);
	printf("%zu %s", went, end);
	say_ret("next", way->call(FD, text, 10, 0), NULL);
	say_ret("recv", recv(FD, text, 10, MSG_DONTWAIT), NULL);
	need(close(FD));
	pthread_join(t, NULL);
	say_reader();
}

static void at_in(void)
{
	size_t came, much = real ? cut_at : cut_at + 2000;
	const char *end, *first = "-";
	char data[200];

	connected(kind);
	nonblocking(FD, !waits);
	if (much)
		need(send(peer, stream_text, much, 0));
	arrived(FD, much);
	if (cut_at > 1)
		first = told(recv(FD, data, sizeof data, MSG_PEEK));
	came = pull(real ? cut_at : cut_at + 2000, &end);
	if (real) {
		args[2] ? peer_ends() : peer_resets();
		came += pull(2000, &end);
	}
	printf("%zu %s peek %s %s", came, end, first,
	       same_text(came) ? "same" : "other");
	say_ret("next", way->call(FD, data, 10, 0), NULL);
	say_poll(FD);
	say_ret("send", send(FD, data, 10, MSG_NOSIGNAL), NULL);
}

static void at_all(const struct way *ways, size_t n, void (*one)(void))
{
	stream_text = need_map(MUCH);
	stream_got = need_map(MUCH);
	for (int i = 0; i < MUCH; i++)
		stream_text[i] = 'a' + chance(26);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 2 * n; i++) {
		waits = i & 1;
		way = &ways[i / 2];
		if (way->stdio)
			continue;
		printf("%s %s ", way->name, waits ? "blocking" : "nonblocking");
		one();
		putchar('\n');
	}
}

/* out KIND AT, in KIND AT [eof] */
static void case_out(void)
{
	kind = kind_named(args[0]);
	cut_at = atoi(args[1]);
	at_all(out_ways, COUNT(out_ways), at_out);
}

static void case_in(void)
{
	kind = kind_named(args[0]);
	cut_at = atoi(args[1]);
	at_all(in_ways, COUNT(in_ways), at_in);
}

/*
 * two AT: two connections, taking turns; then the first socket once more, and
 * a copy of it, which is no other stream.
 */
static void case_two(void)
{
	int end[2][2], copy;
	size_t went[2] = { 0 };
	union addr a;
	socklen_t len;

	signal(SIGPIPE, SIG_IGN);
	make_pair(kind, end[0]);
	make_pair(kind, end[1]);
	copy = need(dup(end[0][0]));
	for (int i = 0; i < 40; i++) {
		int fd = i & 1 ? end[1][0] : i & 2 ? copy : end[0][0];
		ssize_t n = send(fd, text, 1 + i % 3, 0);
		if (n > 0)
			went[i & 1] += n;
	}
	printf("%zu %zu", went[0], went[1]);
	need(connect(copy, &(struct sockaddr){ AF_UNSPEC, "" }, sizeof a.any));
	close(end[1][1]);
	end[1][1] = bound(kind, &a, &len);
	need(listen(end[1][1], 1));
	say_ret("again", connect(end[0][0], &a.any, len), NULL);
	went[0] = 0;
	for (ssize_t n; went[0] < 60 && (n = send(copy, text, 4, 0)) > 0;)
		went[0] += n;
	printf(" %zu\n", went[0]);
}

/* ---- unread: what had arrived comes first ----------------------------------------- */

/*
 * Letters: r receive, p peek, q how many bytes are there, c through a copy, k in
 * a child, b poll, e an epoll set, n names, o SO_ERROR, u connect, w send,
 * s shutdown, z receive nothing, j SO_ERROR into too little room.
 */
static int copy = -1, sets[2];		/* of FD; level, edge */

static void say_epoll(const char *name, int set)
{
	struct epoll_event ev = { .events = 0 };
	int n = need(epoll_wait(set, &ev, 1, 0));

	say_bits(name, n ? (int)ev.events : 0);
}

static void say_names(void)
{
	union addr a;
	socklen_t len = sizeof a;

	say_ret("getpeername", getpeername(FD, &a.any, &len), NULL);
	len = sizeof a;
	say_ret("getsockname", getsockname(FD, &a.any, &len), NULL);
	printf(":%d:%s", (int)len, a.any.sa_family != AF_INET ? "" :
	       inet_ntoa(a.in.sin_addr));
	if (a.any.sa_family == AF_INET && a.in.sin_port)
		printf(":port");
}

static void say_count(void)
{
	int n = -1;
	long r = ioctl(FD, FIONREAD, &n);

	say_ret("FIONREAD", r, NULL);
	printf(":%d", n);
}

/* In a child: one byte of what is there, which the parent does not get. */
static void say_child(char letter);
static void probe(char letter);

static void say_connect(void)
{
	union addr a;
	socklen_t len = address(AF_INET, "127.0.0.1", &a);

	if (kind->domain == AF_UNIX)
		a.any.sa_family = AF_UNIX;
	a.in.sin_port = 1;
	say_ret("connect", connect(FD, &a.any, len), NULL);
}

static void receive(int fd, size_t n)
{
	char data[64] = "";

	say_ret(way->name, way->call(fd, data, n, 0), data);
}

static void probe(char letter)
{
	char data[64] = "", room = 77;
	socklen_t one = 1;

	switch (letter) {
	case 'r': receive(FD, 4); break;
	case 'R': receive(FD, 64); break;
	case 'c': receive(copy, 3); break;
	case 'z': receive(FD, 0); break;
	case 'k': say_child('r'); break;
	case 'K': say_child('o'); break;
	case 'q': say_count(); break;
	case 'b': say_poll(FD); break;
	case 'n': say_names(); break;
	case 'o': say_so_error(FD); break;
	case 'u': say_connect(); break;
	case 'p': say_ret("peek", recv(FD, data, 64, MSG_PEEK), data); break;
	case 't': say_ret("trunc", recv(FD, NULL, 2, MSG_TRUNC), NULL); break;
	case 'a': say_ret("waitall", recv(FD, data, 64, MSG_WAITALL), data);
		break;
	case 'w': say_ret("send", send(FD, "w", 1, MSG_NOSIGNAL), NULL); break;
	case 's': say_ret("shutdown", shutdown(FD, SHUT_WR), NULL); break;
	case 'j': say_ret("so_error", getsockopt(FD, SOL_SOCKET, SO_ERROR,
						 &room, &one), NULL);
		printf(":%d", room != 0);
		break;
	case 'e':
		say_epoll("level", sets[0]);
		say_epoll("edge", sets[1]);
		break;
	}
}

static void say_child(char letter)
{
	fflush(stdout);
	if (!need(fork())) {
		printf(" child");
		probe(letter);
		fflush(stdout);
		_exit(0);
	}
	need(wait(NULL));
}

/* watched: a copy of FD, and two sets with FD in them. */
static void watched(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP };

	copy = need(fcntl(FD, F_DUPFD, 110));
	for (int i = 0; i < 2; i++) {
		sets[i] = need(epoll_create1(0));
		need(epoll_ctl(sets[i], EPOLL_CTL_ADD, FD, &ev));
		ev.events |= EPOLLET;
	}
}

static const char *letters;

static void unread(void)
{
	connected(kind);
	watched();
	if (*letters == '0')
		letters++;
	else
		peer_sends("0123456789");
	if (real)
		args[2] && !strcmp(args[2], "eof") ? peer_ends()
						   : peer_resets();
	for (const char *at = letters; *at; at++)
		probe(*at);
}

/* unread KIND LETTERS [eof]: in that order, for every way to receive. */
static void case_unread(void)
{
	kind = kind_named(args[0]);
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		letters = args[1];
		apart(unread);
	}
}

/* ---- blocked: another thread is in its call already ------------------------------- */

/*
 * Thread B waits in a call; then thread A's call meets the rule, or with -r
 * the peer resets and A makes its call after it.  Either of the two may have
 * the error, but one of them has it, and the other what Linux then says.
 */
struct waiting {
	const char *name;
	ssize_t (*call)(void);
	bool data;			/* and not readiness */
};

static volatile pid_t waiter;
static ssize_t waiter_ret;
static int waiter_err;
static const struct waiting *waiting;
static volatile sig_atomic_t all_pipes;

static ssize_t wait_in(const struct way *w)
{
	char data[64];

	return w->call(FD, data, sizeof data, 0);
}

static ssize_t by_wait_recv(void) { return wait_in(&in_ways[0]); }
static ssize_t by_wait_recvfrom(void) { return wait_in(&in_ways[1]); }
static ssize_t by_wait_recvmsg(void) { return wait_in(&in_ways[2]); }
static ssize_t by_wait_recvmmsg(void) { return wait_in(&in_ways[3]); }
static ssize_t by_wait_read(void) { return wait_in(&in_ways[4]); }
static ssize_t by_wait_readv(void) { return wait_in(&in_ways[5]); }
static ssize_t by_wait_preadv2(void) { return wait_in(&in_ways[6]); }
static ssize_t by_wait_splice(void) { return wait_in(&in_ways[7]); }

static ssize_t by_wait_peek(void)
{
	char byte;

	return recv(FD, &byte, 1, MSG_PEEK);
}

static ssize_t by_wait_getc(void)
{
	FILE *f = fdopen(dup(FD), "r");
	int c = getc(f);

	return c == EOF ? (ferror(f) ? -1 : 0) : 1;
}

static ssize_t by_wait_poll(void)
{
	return poll_bits(FD, POLLIN | POLLRDHUP, -1);
}

static ssize_t by_wait_ppoll(void)
{
	struct pollfd p = { FD, POLLIN | POLLRDHUP, 0 };

	need(ppoll(&p, 1, NULL, NULL));
	return p.revents;
}

static ssize_t by_wait_select(void)
{
	fd_set in, ex;

	FD_ZERO(&in);
	FD_SET(FD, &in);
	FD_ZERO(&ex);
	FD_SET(FD, &ex);
	need(select(FD + 1, &in, NULL, &ex, NULL));
	return FD_ISSET(FD, &in) + 2 * FD_ISSET(FD, &ex);
}

static ssize_t by_wait_pselect(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(FD, &in);
	return need(pselect(FD + 1, &in, NULL, NULL, NULL, NULL));
}

static ssize_t wait_epoll(unsigned more)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | more };
	int set = need(epoll_create1(0));

	need(epoll_ctl(set, EPOLL_CTL_ADD, FD, &ev));
	need(epoll_wait(set, &ev, 1, -1));
	return ev.events;
}

static ssize_t by_wait_level(void) { return wait_epoll(0); }
static ssize_t by_wait_edge(void) { return wait_epoll(EPOLLET); }
static ssize_t by_wait_oneshot(void) { return wait_epoll(EPOLLONESHOT); }

/* The buffers are full; what went before does not count. */
static ssize_t by_wait_send(void)
{
	return send(FD, text, sizeof text, 0);
}

static ssize_t by_wait_write(void)
{
	return write(FD, text, sizeof text);
}

static const struct waiting waits_for[] = {
	{ "recv", by_wait_recv, true }, { "recvfrom", by_wait_recvfrom, true },
	{ "recvmsg", by_wait_recvmsg, true },
	{ "recvmmsg", by_wait_recvmmsg, true },
	{ "read", by_wait_read, true }, { "readv", by_wait_readv, true },
	{ "preadv2", by_wait_preadv2, true },
	{ "splice", by_wait_splice, true }, { "peek", by_wait_peek, true },
	{ "getc", by_wait_getc, true },
	{ "poll", by_wait_poll, false }, { "ppoll", by_wait_ppoll, false },
	{ "select", by_wait_select, false },
	{ "pselect", by_wait_pselect, false },
	{ "level", by_wait_level, false }, { "edge", by_wait_edge, false },
	{ "oneshot", by_wait_oneshot, false },
	{ "send", by_wait_send, true }, { "write", by_wait_write, true },
};

static void on_any_pipe(int sig)
{
	(void)sig;
	all_pipes++;
}

static void *waits_there(void *unused)
{
	waiter = gettid();
	waiter_ret = waiting->call();
	waiter_err = errno;
	return unused;
}

static bool waits_to_send(void)
{
	return waiting->call == by_wait_send || waiting->call == by_wait_write;
}

/* fill: nothing more fits, in whichever buffer. */
static void fill(void)
{
	nonblocking(FD, true);
	while (raw(SYS_write, FD, (long)text, sizeof text) > 0)
		;
	while (raw(SYS_write, FD, (long)text, 1) > 0)
		;
	nonblocking(FD, false);
}

static ssize_t act(char what)
{
	char data[8];

	switch (what) {
	case 'w': return send(FD, "a", 1, MSG_DONTWAIT);
	case 'r': return recv(FD, data, 8, MSG_DONTWAIT);
	default: return shutdown(FD, SHUT_WR);
	}
}

/* What a call says that comes too late for the error. */
static const char *too_late(bool sends)
{
	return sends ? "EPIPE" : "0";
}

/*
 * legal: one has the error, the other what then comes, and signals come with
 * EPIPE alone.  Shutdown takes no error.
 */
static bool legal(const char *a, const char *b)
{
	const char *error = args[2];
	bool a_sends = *args[1] == 'w';
	int epipes = !strcmp(a, "EPIPE") + !strcmp(b, "EPIPE");

	if (all_pipes != epipes)
		return false;
	if (*args[1] == 's')
		return !strcmp(a, "ENOTCONN") && !strcmp(b, error);
	return (!strcmp(a, error) && !strcmp(b, too_late(waits_to_send()))) ||
	       (!strcmp(b, error) && !strcmp(a, too_late(a_sends)));
}

static void say_waiter(const char *a)
{
	const char *b;

	errno = waiter_err;
	b = told(waiter_ret);
	if (!waiting->data && strstr(waiting->name, "select"))
		printf(" %s %zd", a, waiter_ret);
	else if (!waiting->data)
		say_bits(a, waiter_ret & ~POLLERR);
	else if (legal(a, b))
		printf(" legal");
	else
		printf(" A %s, B %s, %d SIGPIPE", a, b, all_pipes);
}

static void blocked(void)
{
	const char *acted;
	pthread_t t;

	connected(kind);
	signal(SIGPIPE, on_any_pipe);
	if (waits_to_send())
		fill();
	need(-pthread_create(&t, NULL, waits_there, NULL));
	until_asleep(&waiter);
	if (real)
		peer_resets();
	acted = told(act(*args[1]));
	pthread_join(t, NULL);
	say_waiter(acted);
	so_error(FD);
	say_poll(FD);
	say_ret("recv", recv(FD, text, 1, MSG_DONTWAIT), NULL);
	say_ret("send", send(FD, text, 1, MSG_NOSIGNAL), NULL);
}

/* blocked KIND r|w|s ERROR: what A calls, and what is to be the error. */
static void case_blocked(void)
{
	kind = kind_named(args[0]);
	for (size_t i = 0; i < COUNT(waits_for); i++) {
		waiting = &waits_for[i];
		printf("%s", waiting->name);
		apart(blocked);
	}
}

/* ---- interrupted: cancelled, handled, jumped out of --------------------------------- */

static const int cancellable[] = { 0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 14, 17 };

static void *waits_for_ever(void *index)
{
	waiter = gettid();
	waits_for[(intptr_t)index].call();
	return NULL;
}

/* cancel: a call that is cancelled leaves everything fit for the next. */
static void case_cancel(void)
{
	void *end;

	make_text();
	connected(kind);
	for (int i = 0; i < 5 * (int)COUNT(cancellable); i++) {
		intptr_t which = cancellable[i % COUNT(cancellable)];
		pthread_t t;
		waiter = 0;
		if (waits_for[which].call == by_wait_send)
			fill();
		need(-pthread_create(&t, NULL, waits_for_ever, (void *)which));
		until_asleep(&waiter);
		need(-pthread_cancel(t));
		pthread_join(t, &end);
		if (i >= (int)COUNT(cancellable))
			continue;
		printf("%s %s\n", waits_for[which].name,
		       end == PTHREAD_CANCELED ? "cancelled" : "not");
	}
	connected(kind);
	most = TEXT;
	way = &in_ways[0];
	printf("after %s\n", all_in() ? "ok" : "bad");
}

/* accept: so is one that waits for nobody. */
static int nobodys = -1;

static void *waits_for_nobody(void *unused)
{
	waiter = gettid();
	accept(nobodys, NULL, NULL);
	return unused;
}

static void case_accepting(void)
{
	union addr a;
	socklen_t len;
	pthread_t t;
	void *end;

	nobodys = bound(kind, &a, &len);
	need(listen(nobodys, 5));
	need(-pthread_create(&t, NULL, waits_for_nobody, NULL));
	until_asleep(&waiter);
	need(-pthread_cancel(t));
	pthread_join(t, &end);
	printf("accept %s\n", end == PTHREAD_CANCELED ? "cancelled" : "not");
}

/*
 * handler: sends on its own connection, while a call on another one is at any
 * point of its work; both streams are whole.
 */
static int own[2];
static volatile sig_atomic_t handled, handled_bytes, mishandled;

static void on_timer(int sig)
{
	char data[3] = "hhh";
	ssize_t n = send(own[0], data, 3, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)sig;
	handled++;
	handled_bytes += n > 0 ? n : 0;
	while ((n = recv(own[1], data, 3, MSG_DONTWAIT)) > 0)
		handled_bytes -= n;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		mishandled++;
}

static void case_handler(void)
{
	struct itimerval every = { { 0, 150 }, { 0, 150 } }, never = { 0 };
	struct sigaction act = { .sa_handler = on_timer,
				 .sa_flags = SA_RESTART };
	int bad = 0;

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	make_pair(kind, own);
	connected(kind);
	sigaction(SIGALRM, &act, NULL);
	need(setitimer(ITIMER_REAL, &every, NULL));
	for (int i = 0; handled < 200; i++) {
		way = &in_ways[i % 7];
		bad += !all_in();
		way = &out_ways[i % 7];
		bad += !all_out();
	}
	need(setitimer(ITIMER_REAL, &never, NULL));
	for (ssize_t n; (n = recv(own[1], got, 3, MSG_DONTWAIT)) > 0;)
		handled_bytes -= n;
	printf("%d bad, %d mishandled, %d lost\n", bad, mishandled,
	       handled_bytes);
}

/* jump: out of a call, as often as it likes; the next ones are as ever. */
static sigjmp_buf back;

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void case_jump(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 1500 } };
	volatile int jumps = 0;
	struct iovec iov[20];
	char data[100];

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	connected(kind);
	signal(SIGALRM, on_jump);
	for (int i = 0; i < 20; i++)
		iov[i] = (struct iovec){ data + 5 * i, 5 };
	while (jumps < 60) {
		if (sigsetjmp(back, 1)) {
			jumps++;
			continue;
		}
		need(setitimer(ITIMER_REAL, &soon, NULL));
		if (jumps & 1)
			readv(FD, iov, 20);
		else
			recv(FD, data, 100, 0);
	}
	signal(SIGALRM, SIG_IGN);
	way = &in_ways[5];
	printf("%d jumps, %s\n", jumps, all_in() ? "ok" : "bad");
}

/* ---- counts: what when=, per= and limit= count ----------------------------------- */

/* The pattern of results: . went, E failed. */
static void pattern(const char *name, int fd, int calls)
{
	printf(" %s:", name);
	for (int i = 0; i < calls; i++)
		putchar(send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? '.' : 'E');
}

static int many[8][2];

static void *pattern_there(void *name)
{
	pattern(name, many[1][0], 6);
	return NULL;
}

/* counts: two sockets, two threads and a child, six calls each in turn. */
static void case_counts(void)
{
	pthread_t t;

	make_pair(kind_named("unix"), many[0]);
	make_pair(kind_named("unix"), many[1]);
	pattern("first", many[0][0], 6);
	pattern("second", many[1][0], 6);
	need(-pthread_create(&t, NULL, pattern_there, "thread"));
	pthread_join(t, NULL);
	need(-pthread_create(&t, NULL, pattern_there, "thread"));
	pthread_join(t, NULL);
	pattern("first", many[0][0], 6);
	fflush(stdout);
	if (!need(fork())) {
		pattern("child", many[0][0], 6);
		pattern("child2", many[1][0], 6);
		fflush(stdout);
		_exit(0);
	}
	need(wait(NULL));
	pattern("second", many[1][0], 6);
	close(many[0][0]);
	close(many[0][1]);
	make_pair(kind_named("unix"), many[0]);
	pattern("third", many[0][0], 6);
	putchar('\n');
}

/* chances: what a connection's calls meet, whoever makes them and when. */
enum { CHANCES = 40 };

static char fates[8][CHANCES + 1];

static void *take_chances(void *first)
{
	int threads = atoi(args[0]);

	for (int i = 0; i < CHANCES; i++)
		for (int c = (intptr_t)first; c < 8; c += threads) {
			char data[20];
			ssize_t n = recv(many[c][0], data, 20, MSG_PEEK);
			fates[c][i] = n < 0 ? 'E' : '.';
			if (n < 0)
				continue;
			n = recv(many[c][0], data, 20, 0);
			fates[c][i] = n < 0 ? 'e' : 'a' + n;
		}
	return NULL;
}

static void case_chances(void)
{
	int threads = atoi(args[0]);
	pthread_t t[8];

	for (int c = 0; c < 8; c++) {
		make_pair(kind_named("unix"), many[c]);
		for (int i = 0; i < CHANCES; i++)
			need(send(many[c][1], text, 20, 0));
	}
	for (intptr_t i = 0; i < threads; i++)
		need(-pthread_create(&t[i], NULL, take_chances, (void *)i));
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	for (int c = 0; c < 8; c++)
		puts(fates[c]);
	printf("%d %d %ld %ld\n", rand(), rand(), random(), lrand48());
}

/* ---- main ------------------------------------------------------------------ */

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
#define CASE(name) { #name, case_##name }
	CASE(stale), CASE(tries), CASE(nosock), CASE(epipe),
	CASE(shorts), CASE(little), CASE(parts), CASE(messages), CASE(whole),
	CASE(bad), CASE(out), CASE(in), CASE(two),
	CASE(unread), CASE(blocked),
	CASE(cancel), CASE(accepting), CASE(handler), CASE(jump), CASE(counts),
	CASE(chances),
#undef CASE
};

int main(int argc, char **argv)
{
	int at = 1;

	alarm(60);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc > at && !strcmp(argv[at], "-r")) {
		real = true;
		at++;
	}
	args = argv + at + 1;
	for (size_t i = 0; at < argc && i < COUNT(cases); i++)
		if (!strcmp(cases[i].name, argv[at])) {
			cases[i].run();
			return fflush(stdout);
		}
	fprintf(stderr, "faults: no such case\n");
	return 2;
}
