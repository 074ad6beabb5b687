/* SPDX-License-Identifier: MIT */
/*
 * One case per function of rules/calls.def: `rows NAME` calls exactly that
 * function once, on a real socket where it takes one, between two marks in
 * the log, and prints what really happened:
 *	fd=N result=R errno=E left=L [more]
 * fd is - for a call about no descriptor, R is ? for one that returns nothing,
 * E is 0 unless the call failed, L is what errno held afterwards ("kept" when
 * the call did not touch it).  A mark is setsockopt(-9, ...) = -1 EBADF.
 *
 *	rows --list		the names there are
 *	rows syscall NAME	the system call of that number, with arguments -7
 *	rows --numbers		the names there are for that
 *	rows NAME PROGRAM	an exec case that becomes PROGRAM, rows itself
 *	rows --after		what that program does: a mark and a line
 *
 * The cases are ordinary C, so that -D_FORTIFY_SOURCE and
 * -D_FILE_OFFSET_BITS=64 turn them into what such programs call.  EXACT is for
 * symbols headers do not give, or give only through an inline function.
 */
#include <aio.h>
#include <arpa/nameser.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNTOUCHED 4242			/* no errno of Linux's */
#define NONE (-1)

struct row {
	const char *name;
	void (*run)(void);
};

extern const struct row __start_cases[], __stop_cases[];

#define CASE(name)							\
	static void case_##name(void);					\
	static const struct row row_##name				\
	__attribute__((used, section("cases"))) = { #name, case_##name }; \
	static void case_##name(void)

#define EXACT(type, as, symbol, params) extern type as params __asm__(symbol);

static int report = 1;			/* where lines go */
static int left;			/* errno after the case's call */
static const char *program;		/* what exec cases execute */

/* known to the compiler as sizes of nothing, so that fortified calls check */
static volatile size_t five = 5;
static volatile int five_int = 5;
static char hello[] = "hello";

/* ---- what is said ----------------------------------------------------- */

static void mark(void)
{
	setsockopt(-9, 0, 0, NULL, 0);
}

/* Make the call between two marks; its value.  errno afterwards is in left. */
#define RUN(call)							\
	({								\
		mark();							\
		errno = UNTOUCHED;					\
		__typeof__(call) r_ = (call);				\
		left = errno;						\
		mark();							\
		r_;							\
	})
#define RUN_VOID(call) ((void)RUN(((call), 0)))

static void say(int fd, bool failed, const char *more, const char *result)
{
	char line[512], number[16] = "-";
	int n;

	if (fd != NONE)
		snprintf(number, sizeof number, "%d", fd);
	n = snprintf(line, sizeof line, "fd=%s result=%s errno=%s left=%s%s%s\n",
		     number, result, failed ? strerrorname_np(left) : "0",
		     left == UNTOUCHED ? "kept" : left ? strerrorname_np(left)
						      : "0",
		     more ? " " : "", more ? more : "");
	if (write(report, line, n) != n)
		abort();
}

/*
 * The call comes first, what is said about it afterwards: C itself promises
 * no order of arguments.
 */
#define say_int(fd, r, more) do { long r_ = (r); \
	say_int_(fd, r_, more); } while (0)
#define say_errnum(fd, r, more) do { int r_ = (r); \
	say_errnum_(fd, r_, more); } while (0)
#define say_ptr(fd, r, more) do { const void *r_ = (r); \
	say_ptr_(fd, r_, more); } while (0)

#define say_action(r) do { sighandler_t r_ = (r); \
	say_handler(r_, action()); } while (0)

/* fd and the number the call returned; -1 means that it failed. */
static void say_int_(int fd, long r, const char *more)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", r);
	say(fd, r == -1, more, text);
}

/* An errno returned as such. */
static void say_errnum_(int fd, int r, const char *more)
{
	say(fd, false, more, r ? strerrorname_np(r) : "0");
}

static void say_ptr_(int fd, const void *p, const char *more)
{
	char text[32];

	snprintf(text, sizeof text, "0x%lx", (long)p);
	say(fd, !p, more, p ? text : "NULL");
}

static void say_handler(sighandler_t r, const char *more)
{
	char text[32];

	snprintf(text, sizeof text, "0x%lx", (long)r);
	say(NONE, r == SIG_ERR, more, r == SIG_DFL ? "SIG_DFL" :
	    r == SIG_IGN ? "SIG_IGN" : r == SIG_ERR ? "SIG_ERR" : text);
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "rows: cannot prepare: %s: %m\n", what);
	exit(2);
}

/* ---- what cases need -------------------------------------------------- */

static char buf[64];			/* data read, for the report */
static int near, far;			/* a connected pair */

static void pair(void)
{
	int sv[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	near = sv[0];
	far = sv[1];
}

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A TCP listener and its address. */
static int listener(struct sockaddr_in *addr)
{
	socklen_t len = sizeof *addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*addr = loopback();
	need(fd >= 0 && !bind(fd, (struct sockaddr *)addr, len) &&
	     !listen(fd, 4) && !getsockname(fd, (struct sockaddr *)addr, &len),
	     "listener");
	return fd;
}

/* A TCP connection; near is the client's end. */
static void tcp(void)
{
	struct sockaddr_in addr;
	int fd = listener(&addr);

	near = socket(AF_INET, SOCK_STREAM, 0);
	need(near >= 0 && !connect(near, (struct sockaddr *)&addr, sizeof addr),
	     "connect");
	far = accept(fd, NULL, NULL);
	need(far >= 0, "accept");
}

/* A connection with a line waiting to be read from near. */
static void tcp_full(void)
{
	tcp();
	need(send(far, "hello\n", 6, 0) == 6, "send");
}

/* Two connected UDP sockets. */
static void udp(void)
{
	struct sockaddr_in a = loopback(), b = loopback();
	socklen_t len = sizeof a;

	near = socket(AF_INET, SOCK_DGRAM, 0);
	far = socket(AF_INET, SOCK_DGRAM, 0);
	need(!bind(near, (struct sockaddr *)&a, len) &&
	     !bind(far, (struct sockaddr *)&b, len) &&
	     !getsockname(near, (struct sockaddr *)&a, &len) &&
	     !getsockname(far, (struct sockaddr *)&b, &len) &&
	     !connect(near, (struct sockaddr *)&b, len) &&
	     !connect(far, (struct sockaddr *)&a, len), "udp");
}

/* A FILE on a socket, with a line to read; what is written goes out at once. */
static FILE *stream(void)
{
	FILE *f;

	tcp_full();
	f = fdopen(near, "r+");
	need(f && !setvbuf(f, NULL, _IONBF, 0), "fdopen");
	return f;
}

/* The socket is standard input or output (fd). */
static void standard(int fd)
{
	tcp_full();
	need(!fflush(stdout) && dup2(near, fd) == fd, "dup2");
	need(!setvbuf(fd ? stdout : stdin, NULL, _IONBF, 0), "setvbuf");
}

static int temporary(void)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);

	need(fd >= 0 && write(fd, hello, 5) == 5, "memfd");
	return fd;
}

/* What arrived at the other end, or is in buf. */
static char *got(long len)
{
	static char text[100];
	size_t n = len < 0 ? 0 : len;

	snprintf(text, sizeof text, "data=%.*s", (int)n, buf);
	text[strcspn(text, "\n")] = 0;
	return text;
}

static char *arrived(void)
{
	return got(recv(far, buf, sizeof buf, MSG_DONTWAIT));
}

static char *is_open(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? "closed" : "open";
}

/* A socket option that is a number, to see what a call has made of it. */
static char *option(int fd, int name)
{
	static char text[32];
	int value = -1;
	socklen_t len = sizeof value;

	getsockopt(fd, SOL_SOCKET, name, &value, &len);
	snprintf(text, sizeof text, "option=%d", value);
	return text;
}

static char *is_bound(int fd)
{
	struct sockaddr_in s = { 0 };
	socklen_t len = sizeof s;

	getsockname(fd, (struct sockaddr *)&s, &len);
	return s.sin_port ? "bound" : "unbound";
}

/* The action of SIGUSR1 as the kernel has it. */
static char *action(void)
{
	struct sigaction now = { 0 };

	sigaction(SIGUSR1, NULL, &now);
	return now.sa_handler == SIG_IGN ? "ignored" :
	       now.sa_handler == SIG_DFL ? "default" :
	       now.sa_flags & (int)SA_RESETHAND ? "once" : "handled";
}

static int wait_for(pid_t pid)
{
	int status = -1;

	need(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

/* ---- a socket and its names ------------------------------------------- */

CASE(socket)
{
	int r = RUN(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	say_int(NONE, r, option(r, SO_TYPE));
}

CASE(socketpair)
{
	int sv[2] = { -1, -1 }, r;

	r = RUN(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	say_int(NONE, r, sv[1] > sv[0] ? "two" : "none");
}

CASE(bind)
{
	struct sockaddr_in addr = loopback();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	say_int(fd, RUN(bind(fd, (struct sockaddr *)&addr, sizeof addr)),
		is_bound(fd));
}

CASE(bindresvport)
{
	struct sockaddr_in addr = loopback();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	say_int(fd, RUN(bindresvport(fd, &addr)), is_bound(fd));
}

CASE(listen)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	say_int(fd, RUN(listen(fd, 5)), option(fd, SO_ACCEPTCONN));
}

CASE(connect)
{
	struct sockaddr_in addr;
	int r;

	listener(&addr);
	near = socket(AF_INET, SOCK_STREAM, 0);
	r = RUN(connect(near, (struct sockaddr *)&addr, sizeof addr));
	say_int(near, r, NULL);
}

EXACT(int, under_connect, "__connect", (int, const struct sockaddr *, socklen_t))

CASE(__connect)
{
	struct sockaddr_in addr;
	int r, fd = listener(&addr);

	close(fd);
	near = socket(AF_INET, SOCK_STREAM, 0);
	r = RUN(under_connect(near, (struct sockaddr *)&addr, sizeof addr));
	say_int(near, r, NULL);
}

/* A listener with a client in its queue. */
static int waiting(void)
{
	struct sockaddr_in addr;
	int fd = listener(&addr);

	far = socket(AF_INET, SOCK_STREAM, 0);
	need(!connect(far, (struct sockaddr *)&addr, sizeof addr), "connect");
	return fd;
}

CASE(accept)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	int fd = waiting();

	say_int(fd, RUN(accept(fd, (struct sockaddr *)&addr, &len)),
		addr.ss_family == AF_INET ? "address" : "none");
}

CASE(accept4)
{
	int fd = waiting();

	say_int(fd, RUN(accept4(fd, NULL, NULL, SOCK_NONBLOCK)), NULL);
}

CASE(shutdown)
{
	tcp();
	say_int(near, RUN(shutdown(near, SHUT_WR)),
		recv(far, buf, 1, 0) ? "open" : "ended");
}

CASE(getsockname)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	tcp();
	say_int(near, RUN(getsockname(near, (struct sockaddr *)&addr, &len)),
		NULL);
}

CASE(getpeername)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	tcp();
	shutdown(near, SHUT_RDWR);
	close(far);
	near = socket(AF_INET, SOCK_STREAM, 0);
	say_int(near, RUN(getpeername(near, (struct sockaddr *)&addr, &len)),
		NULL);
}

CASE(getsockopt)
{
	int type = 0;
	socklen_t len = sizeof type;

	tcp();
	say_int(near, RUN(getsockopt(near, SOL_SOCKET, SO_TYPE, &type, &len)),
		type == SOCK_STREAM ? "stream" : "other");
}

CASE(setsockopt)
{
	int on = 1;

	tcp();
	say_int(near, RUN(setsockopt(near, SOL_SOCKET, SO_KEEPALIVE, &on,
				     sizeof on)), option(near, SO_KEEPALIVE));
}

CASE(sockatmark)
{
	tcp();
	say_int(near, RUN(sockatmark(near)), NULL);
}

EXACT(int, isfdtype_, "isfdtype", (int, int))

CASE(isfdtype)
{
	tcp();
	say_int(near, RUN(isfdtype_(near, S_IFSOCK)), NULL);
}

/* ---- data out --------------------------------------------------------- */

CASE(send)
{
	tcp();
	say_int(near, RUN(send(near, hello, five, MSG_NOSIGNAL)), arrived());
}

EXACT(ssize_t, under_send, "__send", (int, const void *, size_t, int))

CASE(__send)
{
	tcp();
	say_int(near, RUN(under_send(near, hello, five, MSG_NOSIGNAL)),
		arrived());
}

CASE(sendto)
{
	struct sockaddr_in addr = loopback();
	socklen_t len = sizeof addr;

	far = socket(AF_INET, SOCK_DGRAM, 0);
	near = socket(AF_INET, SOCK_DGRAM, 0);
	need(!bind(far, (struct sockaddr *)&addr, len) &&
	     !getsockname(far, (struct sockaddr *)&addr, &len), "bind");
	say_int(near, RUN(sendto(near, hello, five, 0,
				 (struct sockaddr *)&addr, len)), arrived());
}

static struct iovec parts[2] = { { hello, 2 }, { hello + 2, 3 } };

CASE(sendmsg)
{
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	udp();
	say_int(near, RUN(sendmsg(near, &msg, 0)), arrived());
}

CASE(sendmmsg)
{
	struct mmsghdr msgs[2] = {
		{ .msg_hdr = { .msg_iov = parts, .msg_iovlen = 2 } },
		{ .msg_hdr = { .msg_iov = parts, .msg_iovlen = 1 } },
	};

	udp();
	say_int(near, RUN(sendmmsg(near, msgs, 2, 0)), arrived());
}

CASE(write)
{
	tcp();
	say_int(near, RUN(write(near, hello, five)), arrived());
}

EXACT(ssize_t, under_write, "__write", (int, const void *, size_t))

CASE(__write)
{
	tcp();
	say_int(near, RUN(under_write(near, hello, five)), arrived());
}

CASE(writev)
{
	tcp();
	say_int(near, RUN(writev(near, parts, 2)), arrived());
}

CASE(pwritev2)
{
	tcp();
	say_int(near, RUN(pwritev2(near, parts, 2, -1, 0)), arrived());
}

CASE(pwritev64v2)
{
	tcp();
	say_int(near, RUN(pwritev64v2(near, parts, 2, -1, RWF_NOWAIT)),
		arrived());
}

CASE(pwrite)
{
	tcp();
	say_int(near, RUN(pwrite(near, hello, five, 0)), arrived());
}

CASE(pwrite64)
{
	tcp();
	say_int(near, RUN(pwrite64(near, hello, five, 7)), arrived());
}

CASE(pwritev)
{
	tcp();
	say_int(near, RUN(pwritev(near, parts, 2, 0)), arrived());
}

CASE(pwritev64)
{
	tcp();
	say_int(near, RUN(pwritev64(near, parts, 2, 0)), arrived());
}

CASE(sendfile)
{
	off_t at = 1;
	int file = temporary();

	tcp();
	say_int(near, RUN(sendfile(near, file, &at, five)), arrived());
}

CASE(sendfile64)
{
	off64_t at = 2;
	int file = temporary();

	tcp();
	say_int(near, RUN(sendfile64(near, file, &at, five)), arrived());
}

CASE(splice)
{
	int fds[2];

	tcp();
	need(!pipe(fds) && write(fds[1], hello, 5) == 5, "pipe");
	say_int(near, RUN(splice(fds[0], NULL, near, NULL, five,
				 SPLICE_F_MOVE)), arrived());
}

CASE(vmsplice)
{
	tcp();
	say_int(near, RUN(vmsplice(near, parts, 2, 0)), arrived());
}

CASE(tee)
{
	int fds[2];

	tcp();
	need(!pipe(fds) && write(fds[1], hello, 5) == 5, "pipe");
	say_int(near, RUN(tee(fds[0], near, five, 0)), arrived());
}

/* ---- data in ---------------------------------------------------------- */

CASE(recv)
{
	ssize_t r;

	tcp_full();
	r = RUN(recv(near, buf, five, 0));
	say_int(near, r, got(r));
}

EXACT(ssize_t, under_recv, "__recv", (int, void *, size_t, int))

CASE(__recv)
{
	ssize_t r;

	tcp_full();
	r = RUN(under_recv(near, buf, five, MSG_PEEK));
	say_int(near, r, got(r));
}

EXACT(ssize_t, recv_chk, "__recv_chk", (int, void *, size_t, size_t, int))

CASE(__recv_chk)
{
	ssize_t r;

	tcp_full();
	r = RUN(recv_chk(near, buf, five, sizeof buf, 0));
	say_int(near, r, got(r));
}

CASE(recvfrom)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	ssize_t r;

	udp();
	need(send(far, hello, 5, 0) == 5, "send");
	r = RUN(recvfrom(near, buf, five, 0, (struct sockaddr *)&addr, &len));
	say_int(near, r, got(r));
}

EXACT(ssize_t, recvfrom_chk, "__recvfrom_chk",
      (int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *))

CASE(__recvfrom_chk)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	ssize_t r;

	udp();
	r = RUN(recvfrom_chk(near, buf, five, sizeof buf, MSG_DONTWAIT,
			     (struct sockaddr *)&addr, &len));
	say_int(near, r, got(r));
}

CASE(recvmsg)
{
	struct iovec iov[2] = { { buf, 2 }, { buf + 2, 62 } };
	struct sockaddr_storage addr;
	struct msghdr msg = {
		.msg_name = &addr, .msg_namelen = sizeof addr,
		.msg_iov = iov, .msg_iovlen = 2,
	};
	ssize_t r;

	udp();
	need(send(far, hello, 5, 0) == 5, "send");
	r = RUN(recvmsg(near, &msg, 0));
	say_int(near, r, got(r));
}

CASE(recvmmsg)
{
	struct iovec iov[2] = { { buf, 32 }, { buf + 32, 32 } };
	struct mmsghdr msgs[2] = {
		{ .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = iov + 1, .msg_iovlen = 1 } },
	};
	int r;

	udp();
	need(send(far, hello, 5, 0) == 5 && send(far, hello, 4, 0) == 4,
	     "send");
	r = RUN(recvmmsg(near, msgs, 2, MSG_WAITFORONE, NULL));
	say_int(near, r, got(5));
}

CASE(read)
{
	ssize_t r;

	tcp_full();
	r = RUN(read(near, buf, five));
	say_int(near, r, got(r));
}

EXACT(ssize_t, under_read, "__read", (int, void *, size_t))

CASE(__read)
{
	ssize_t r;

	tcp_full();
	r = RUN(under_read(near, buf, five));
	say_int(near, r, got(r));
}

EXACT(ssize_t, read_chk, "__read_chk", (int, void *, size_t, size_t))

CASE(__read_chk)
{
	ssize_t r;

	tcp_full();
	r = RUN(read_chk(near, buf, five, sizeof buf));
	say_int(near, r, got(r));
}

CASE(readv)
{
	struct iovec iov[2] = { { buf, 2 }, { buf + 2, 62 } };
	ssize_t r;

	tcp_full();
	r = RUN(readv(near, iov, 2));
	say_int(near, r, got(r));
}

CASE(preadv2)
{
	struct iovec iov[2] = { { buf, 2 }, { buf + 2, 62 } };
	ssize_t r;

	tcp_full();
	r = RUN(preadv2(near, iov, 2, -1, 0));
	say_int(near, r, got(r));
}

CASE(preadv64v2)
{
	struct iovec iov[1] = { { buf, 64 } };
	ssize_t r;

	tcp();
	r = RUN(preadv64v2(near, iov, 1, -1, RWF_NOWAIT));
	say_int(near, r, got(r));
}

CASE(pread)
{
	tcp_full();
	say_int(near, RUN(pread(near, buf, five, 0)), NULL);
}

CASE(pread64)
{
	tcp_full();
	say_int(near, RUN(pread64(near, buf, five, 3)), NULL);
}

EXACT(ssize_t, pread_chk, "__pread_chk", (int, void *, size_t, off_t, size_t))

CASE(__pread_chk)
{
	tcp_full();
	say_int(near, RUN(pread_chk(near, buf, five, 0, sizeof buf)), NULL);
}

EXACT(ssize_t, pread64_chk, "__pread64_chk",
      (int, void *, size_t, off64_t, size_t))

CASE(__pread64_chk)
{
	tcp_full();
	say_int(near, RUN(pread64_chk(near, buf, five, 0, sizeof buf)), NULL);
}

CASE(preadv)
{
	struct iovec iov[1] = { { buf, 64 } };

	tcp_full();
	say_int(near, RUN(preadv(near, iov, 1, 0)), NULL);
}

CASE(preadv64)
{
	struct iovec iov[1] = { { buf, 64 } };

	tcp_full();
	say_int(near, RUN(preadv64(near, iov, 1, 0)), NULL);
}

CASE(lseek)
{
	tcp();
	say_int(near, RUN(lseek(near, 0, SEEK_CUR)), NULL);
}

CASE(lseek64)
{
	tcp();
	say_int(near, RUN(lseek64(near, 0, SEEK_END)), NULL);
}

/* What became of an asynchronous operation. */
static char *finished(const struct aiocb *cb)
{
	const struct aiocb *list[] = { cb };
	static char text[40];

	while (aio_error(cb) == EINPROGRESS)
		aio_suspend(list, 1, NULL);
	snprintf(text, sizeof text, "done=%zd", aio_return((struct aiocb *)cb));
	return text;
}

CASE(aio_read)
{
	struct aiocb cb = { .aio_buf = buf, .aio_nbytes = five };
	int r;

	tcp_full();
	cb.aio_fildes = near;
	r = RUN(aio_read(&cb));
	say_int(near, r, finished(&cb));
}

CASE(aio_read64)
{
	struct aiocb64 cb = { .aio_buf = buf, .aio_nbytes = five };
	int r;

	tcp_full();
	cb.aio_fildes = near;
	r = RUN(aio_read64(&cb));
	say_int(near, r, finished((struct aiocb *)&cb));
}

CASE(aio_write)
{
	struct aiocb cb = { .aio_buf = hello, .aio_nbytes = five };
	int r;

	tcp();
	cb.aio_fildes = near;
	r = RUN(aio_write(&cb));
	say_int(near, r, finished(&cb));
}

CASE(aio_write64)
{
	struct aiocb64 cb = { .aio_buf = hello, .aio_nbytes = five };
	int r;

	tcp();
	cb.aio_fildes = near;
	r = RUN(aio_write64(&cb));
	say_int(near, r, finished((struct aiocb *)&cb));
}

CASE(lio_listio)
{
	struct aiocb cb = {
		.aio_buf = hello, .aio_nbytes = five,
		.aio_lio_opcode = LIO_WRITE,
	}, *list[] = { NULL, &cb };

	tcp();
	cb.aio_fildes = near;
	say_int(NONE, RUN(lio_listio(LIO_WAIT, list, 2, NULL)),
		finished(&cb));
}

CASE(lio_listio64)
{
	struct aiocb64 cb = {
		.aio_buf = hello, .aio_nbytes = five,
		.aio_lio_opcode = LIO_WRITE,
	}, *list[] = { &cb };

	tcp();
	cb.aio_fildes = near;
	say_int(NONE, RUN(lio_listio64(LIO_WAIT, list, 1, NULL)),
		finished((struct aiocb *)&cb));
}

/* ---- stdio on a socket ------------------------------------------------ */

CASE(fdopen)
{
	tcp();
	say_ptr(near, RUN(fdopen(near, "r+")), NULL);
}

CASE(freopen)
{
	FILE *f = stream();

	say_ptr(near, RUN(freopen("/dev/null", "r", f)), is_open(near));
}

CASE(freopen64)
{
	FILE *f = stream();

	say_ptr(near, RUN(freopen64("/nonexistent/file", "r", f)),
		is_open(near));
}

CASE(fclose)
{
	FILE *f = stream();

	say_int(near, RUN(fclose(f)), is_open(near));
}

CASE(fcloseall)
{
	stream();
	say_int(NONE, RUN(fcloseall()), NULL);
}

CASE(fflush)
{
	FILE *f;

	tcp();
	f = fdopen(near, "w");
	fputs(hello, f);
	say_int(near, RUN(fflush(f)), arrived());
}

CASE(fwrite)
{
	FILE *f = stream();

	say_int(near, RUN(fwrite(hello, 1, five, f)), arrived());
}

EXACT(size_t, fwrite_unlocked_, "fwrite_unlocked",
      (const void *, size_t, size_t, FILE *))

CASE(fwrite_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(fwrite_unlocked_(hello, 2, 2, f)), arrived());
}

CASE(fputs)
{
	FILE *f = stream();

	say_int(near, RUN(fputs(hello, f)), arrived());
}

CASE(fputs_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(fputs_unlocked(hello, f)), arrived());
}

CASE(fputc)
{
	FILE *f = stream();

	say_int(near, RUN(fputc('x', f)), arrived());
}

EXACT(int, putc_, "putc", (int, FILE *))

CASE(putc)
{
	FILE *f = stream();

	say_int(near, RUN(putc_('x', f)), arrived());
}

EXACT(int, io_putc, "_IO_putc", (int, FILE *))

CASE(_IO_putc)
{
	FILE *f = stream();

	say_int(near, RUN(io_putc('x', f)), arrived());
}

EXACT(int, fputc_unlocked_, "fputc_unlocked", (int, FILE *))

CASE(fputc_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(fputc_unlocked_('x', f)), arrived());
}

EXACT(int, putc_unlocked_, "putc_unlocked", (int, FILE *))

CASE(putc_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(putc_unlocked_('x', f)), arrived());
}

/* a format the compiler does not turn into puts or fputs */
static const char *const format = "%s-%d\n";

static int list_to(int (*print)(va_list), ...)
{
	va_list list;
	int r;

	va_start(list, print);
	r = print(list);
	va_end(list);
	return r;
}

static FILE *to;

static int print_vfprintf(va_list list)
{
	return RUN(vfprintf(to, format, list));
}

CASE(vfprintf)
{
	to = stream();
	say_int(near, list_to(print_vfprintf, "hello", 42), arrived());
}

CASE(fprintf)
{
	FILE *f = stream();

	say_int(near, RUN(fprintf(f, "%s-%d\n", hello, five_int)), arrived());
}

EXACT(int, fprintf_chk, "__fprintf_chk", (FILE *, int, const char *, ...))

CASE(__fprintf_chk)
{
	FILE *f = stream();

	say_int(near, RUN(fprintf_chk(f, 1, "%s-%d\n", hello, five_int)),
		arrived());
}

EXACT(int, vfprintf_chk, "__vfprintf_chk",
      (FILE *, int, const char *, va_list))

static int print_vfprintf_chk(va_list list)
{
	return RUN(vfprintf_chk(to, 1, format, list));
}

CASE(__vfprintf_chk)
{
	to = stream();
	say_int(near, list_to(print_vfprintf_chk, "hello", 42), arrived());
}

static int print_vdprintf(va_list list)
{
	return RUN(vdprintf(near, format, list));
}

CASE(vdprintf)
{
	tcp();
	say_int(near, list_to(print_vdprintf, "hello", 42), arrived());
}

CASE(dprintf)
{
	tcp();
	say_int(near, RUN(dprintf(near, "%s-%d\n", hello, five_int)),
		arrived());
}

EXACT(int, dprintf_chk, "__dprintf_chk", (int, int, const char *, ...))

CASE(__dprintf_chk)
{
	tcp();
	say_int(near, RUN(dprintf_chk(near, 1, "%s-%d\n", hello, five_int)),
		arrived());
}

EXACT(int, vdprintf_chk, "__vdprintf_chk", (int, int, const char *, va_list))

static int print_vdprintf_chk(va_list list)
{
	return RUN(vdprintf_chk(near, 1, format, list));
}

CASE(__vdprintf_chk)
{
	tcp();
	say_int(near, list_to(print_vdprintf_chk, "hello", 42), arrived());
}

CASE(printf)
{
	standard(1);
	say_int(1, RUN(printf("%s-%d\n", hello, five_int)), arrived());
}

EXACT(int, printf_chk, "__printf_chk", (int, const char *, ...))

CASE(__printf_chk)
{
	standard(1);
	say_int(1, RUN(printf_chk(1, "%s-%d\n", hello, five_int)), arrived());
}

EXACT(int, vprintf_, "vprintf", (const char *, va_list))

static int print_vprintf(va_list list)
{
	return RUN(vprintf_(format, list));
}

CASE(vprintf)
{
	standard(1);
	say_int(1, list_to(print_vprintf, "hello", 42), arrived());
}

EXACT(int, vprintf_chk, "__vprintf_chk", (int, const char *, va_list))

static int print_vprintf_chk(va_list list)
{
	return RUN(vprintf_chk(1, format, list));
}

CASE(__vprintf_chk)
{
	standard(1);
	say_int(1, list_to(print_vprintf_chk, "hello", 42), arrived());
}

CASE(puts)
{
	standard(1);
	say_int(1, RUN(puts(hello)), arrived());
}

EXACT(int, putchar_, "putchar", (int))

CASE(putchar)
{
	standard(1);
	say_int(1, RUN(putchar_('x')), arrived());
}

EXACT(int, putchar_unlocked_, "putchar_unlocked", (int))

CASE(putchar_unlocked)
{
	standard(1);
	say_int(1, RUN(putchar_unlocked_('x')), arrived());
}

CASE(fread)
{
	FILE *f = stream();
	size_t r = RUN(fread(buf, 1, five, f));

	say_int(near, r, got(r));
}

EXACT(size_t, fread_unlocked_, "fread_unlocked",
      (void *, size_t, size_t, FILE *))

CASE(fread_unlocked)
{
	FILE *f = stream();
	size_t r = RUN(fread_unlocked_(buf, 2, 2, f));

	say_int(near, r, got(2 * r));
}

EXACT(size_t, fread_chk, "__fread_chk",
      (void *, size_t, size_t, size_t, FILE *))

CASE(__fread_chk)
{
	FILE *f = stream();
	size_t r = RUN(fread_chk(buf, sizeof buf, 1, five, f));

	say_int(near, r, got(r));
}

EXACT(size_t, fread_unlocked_chk, "__fread_unlocked_chk",
      (void *, size_t, size_t, size_t, FILE *))

CASE(__fread_unlocked_chk)
{
	FILE *f = stream();
	size_t r = RUN(fread_unlocked_chk(buf, sizeof buf, 1, five, f));

	say_int(near, r, got(r));
}

CASE(fgets)
{
	FILE *f = stream();
	char *r = RUN(fgets(buf, five_int + 5, f));

	say_ptr(near, r, got(r ? 6 : 0));
}

CASE(fgets_unlocked)
{
	FILE *f = stream();
	char *r = RUN(fgets_unlocked(buf, five_int, f));

	say_ptr(near, r, got(r ? 4 : 0));
}

EXACT(char *, fgets_chk, "__fgets_chk", (char *, size_t, int, FILE *))

CASE(__fgets_chk)
{
	FILE *f = stream();
	char *r = RUN(fgets_chk(buf, sizeof buf, five_int, f));

	say_ptr(near, r, got(r ? 4 : 0));
}

EXACT(char *, fgets_unlocked_chk, "__fgets_unlocked_chk",
      (char *, size_t, int, FILE *))

CASE(__fgets_unlocked_chk)
{
	FILE *f = stream();
	char *r = RUN(fgets_unlocked_chk(buf, sizeof buf, five_int, f));

	say_ptr(near, r, got(r ? 4 : 0));
}

CASE(fgetc)
{
	FILE *f = stream();

	say_int(near, RUN(fgetc(f)), NULL);
}

EXACT(int, getc_, "getc", (FILE *))

CASE(getc)
{
	FILE *f = stream();

	say_int(near, RUN(getc_(f)), NULL);
}

EXACT(int, io_getc, "_IO_getc", (FILE *))

CASE(_IO_getc)
{
	FILE *f = stream();

	say_int(near, RUN(io_getc(f)), NULL);
}

EXACT(int, getchar_, "getchar", (void))

CASE(getchar)
{
	standard(0);
	say_int(0, RUN(getchar_()), NULL);
}

EXACT(int, fgetc_unlocked_, "fgetc_unlocked", (FILE *))

CASE(fgetc_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(fgetc_unlocked_(f)), NULL);
}

EXACT(int, getc_unlocked_, "getc_unlocked", (FILE *))

CASE(getc_unlocked)
{
	FILE *f = stream();

	say_int(near, RUN(getc_unlocked_(f)), NULL);
}

EXACT(int, getchar_unlocked_, "getchar_unlocked", (void))

CASE(getchar_unlocked)
{
	standard(0);
	say_int(0, RUN(getchar_unlocked_()), NULL);
}

static char *line;
static size_t room;

CASE(getdelim)
{
	FILE *f = stream();

	say_int(near, RUN(getdelim(&line, &room, 'l', f)), line);
}

EXACT(ssize_t, under_getdelim, "__getdelim", (char **, size_t *, int, FILE *))

CASE(__getdelim)
{
	FILE *f = stream();

	say_int(near, RUN(under_getdelim(&line, &room, 'l', f)), line);
}

EXACT(ssize_t, getline_, "getline", (char **, size_t *, FILE *))

CASE(getline)
{
	FILE *f = stream();
	ssize_t r = RUN(getline_(&line, &room, f));

	line[strcspn(line, "\n")] = 0;
	say_int(near, r, line);
}

/* ---- descriptors ------------------------------------------------------ */

CASE(close)
{
	tcp();
	say_int(near, RUN(close(near)), is_open(near));
}

EXACT(int, under_close, "__close", (int))

CASE(__close)
{
	tcp();
	say_int(near, RUN(under_close(near)), is_open(near));
}

EXACT(int, close_nocancel, "__close_nocancel", (int))

CASE(__close_nocancel)
{
	tcp();
	say_int(near, RUN(close_nocancel(near)), is_open(near));
}

CASE(close_range)
{
	pair();
	say_int(NONE, RUN(close_range(near, far, 0)), is_open(far));
}

CASE(closefrom)
{
	pair();
	RUN_VOID(closefrom(near));
	say(NONE, false, is_open(far), "?");
}

CASE(dup)
{
	tcp();
	say_int(near, RUN(dup(near)), NULL);
}

CASE(dup2)
{
	tcp();
	say_int(near, RUN(dup2(near, 40)), is_open(40));
}

EXACT(int, under_dup2, "__dup2", (int, int))

CASE(__dup2)
{
	tcp();
	say_int(near, RUN(under_dup2(near, 40)), is_open(40));
}

CASE(dup3)
{
	tcp();
	say_int(near, RUN(dup3(near, 40, O_CLOEXEC)), is_open(40));
}

CASE(fcntl)
{
	tcp();
	say_int(near, RUN(fcntl(near, F_GETFL)), NULL);
}

CASE(fcntl64)
{
	tcp();
	say_int(near, RUN(fcntl64(near, F_SETFL, O_NONBLOCK)), NULL);
}

EXACT(int, under_fcntl, "__fcntl", (int, int, ...))

CASE(__fcntl)
{
	tcp();
	say_int(near, RUN(under_fcntl(near, F_DUPFD_CLOEXEC, 40)), NULL);
}

CASE(ioctl)
{
	int n = 0, r;

	pair();
	need(send(far, hello, 5, 0) == 5, "send");
	r = RUN(ioctl(near, FIONREAD, &n));
	say_int(near, r, n == 5 ? "five" : "other");
}

CASE(pidfd_getfd)
{
	int self = syscall(SYS_pidfd_open, getpid(), 0);

	tcp();
	say_int(NONE, RUN(pidfd_getfd(self, near, 0)), NULL);
}

/* ---- readiness -------------------------------------------------------- */

static struct pollfd polled(void)
{
	tcp_full();
	return (struct pollfd){ near, POLLIN, 0 };
}

static char *revents(const struct pollfd *p)
{
	static char text[32];

	snprintf(text, sizeof text, "revents=%x", p->revents);
	return text;
}

static const struct timespec second = { 1, 0 };

CASE(poll)
{
	struct pollfd p = polled();
	int r = RUN(poll(&p, five / 5, 1000));

	say_int(near, r, revents(&p));
}

EXACT(int, under_poll, "__poll", (struct pollfd *, nfds_t, int))

CASE(__poll)
{
	struct pollfd p = polled();
	int r = RUN(under_poll(&p, 1, 1000));

	say_int(near, r, revents(&p));
}

EXACT(int, poll_chk, "__poll_chk", (struct pollfd *, nfds_t, int, size_t))

CASE(__poll_chk)
{
	struct pollfd p = polled();
	int r = RUN(poll_chk(&p, 1, 1000, sizeof p));

	say_int(near, r, revents(&p));
}

CASE(ppoll)
{
	struct pollfd p = polled();
	int r = RUN(ppoll(&p, five / 5, &second, NULL));

	say_int(near, r, revents(&p));
}

EXACT(int, ppoll_chk, "__ppoll_chk",
      (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *,
       size_t))

CASE(__ppoll_chk)
{
	struct pollfd p = polled();
	int r = RUN(ppoll_chk(&p, 1, &second, NULL, sizeof p));

	say_int(near, r, revents(&p));
}

static fd_set set;

static void watch(void)
{
	tcp_full();
	FD_ZERO(&set);
	FD_SET(near, &set);
}

CASE(select)
{
	struct timeval t = { 1, 0 };
	int r;

	watch();
	r = RUN(select(near + 1, &set, NULL, NULL, &t));
	say_int(near, r, FD_ISSET(near, &set) ? "set" : "clear");
}

EXACT(int, under_select, "__select",
      (int, fd_set *, fd_set *, fd_set *, struct timeval *))

CASE(__select)
{
	struct timeval t = { 1, 0 };
	int r;

	watch();
	r = RUN(under_select(near + 1, &set, NULL, NULL, &t));
	say_int(near, r, FD_ISSET(near, &set) ? "set" : "clear");
}

CASE(pselect)
{
	int r;

	watch();
	r = RUN(pselect(near + 1, &set, NULL, NULL, &second, NULL));
	say_int(near, r, FD_ISSET(near, &set) ? "set" : "clear");
}

EXACT(long, fdelt_chk, "__fdelt_chk", (long))

/* It aborts, so a child makes the call. */
CASE(__fdelt_chk)
{
	struct rlimit none = { 0, 0 };
	char more[40];
	int status;
	pid_t pid;

	mark();
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		fdelt_chk(FD_SETSIZE);
		_exit(1);
	}
	status = wait_for(pid);
	mark();
	left = UNTOUCHED;
	snprintf(more, sizeof more, "signal=%d", WTERMSIG(status));
	say(NONE, false, more, "?");
}

CASE(epoll_create)
{
	say_int(NONE, RUN(epoll_create(1)), NULL);
}

CASE(epoll_create1)
{
	say_int(NONE, RUN(epoll_create1(EPOLL_CLOEXEC)), NULL);
}

static struct epoll_event event = { EPOLLIN, { .u32 = 7 } };

CASE(epoll_ctl)
{
	int ep = epoll_create1(0);

	tcp();
	say_int(near, RUN(epoll_ctl(ep, EPOLL_CTL_ADD, near, &event)),
		epoll_ctl(ep, EPOLL_CTL_ADD, near, &event) ? "added" : "not");
}

static int watching(void)
{
	int ep = epoll_create1(0);

	tcp_full();
	need(!epoll_ctl(ep, EPOLL_CTL_ADD, near, &event), "epoll_ctl");
	event.data.u32 = 0;
	return ep;
}

CASE(epoll_wait)
{
	int ep = watching();
	int r = RUN(epoll_wait(ep, &event, 1, 1000));

	say_int(ep, r, event.data.u32 == 7 ? "seven" : "other");
}

CASE(epoll_pwait)
{
	int ep = watching();
	int r = RUN(epoll_pwait(ep, &event, 1, 1000, NULL));

	say_int(ep, r, event.data.u32 == 7 ? "seven" : "other");
}

CASE(epoll_pwait2)
{
	int ep = watching();
	int r = RUN(epoll_pwait2(ep, &event, 1, &second, NULL));

	say_int(ep, r, event.data.u32 == 7 ? "seven" : "other");
}

/* ---- names ------------------------------------------------------------ */

/* A name server of our own: every name has the address 127.0.0.7. */
static void *serve(void *arg)
{
	static const unsigned char answer[] = {
		0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 7,
	};
	int fd = *(int *)arg;
	unsigned char msg[512 + sizeof answer];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	ssize_t n;

	while ((n = recvfrom(fd, msg, 512, 0, (struct sockaddr *)&from,
			     &len)) >= NS_HFIXEDSZ) {
		size_t at = NS_HFIXEDSZ;
		while (at < (size_t)n && msg[at])
			at += 1 + msg[at];
		at += 1 + NS_QFIXEDSZ;
		msg[2] |= 0x80;			/* a response */
		msg[3] = 0x80;			/* recursion is available */
		msg[7] = 1;			/* one answer */
		msg[11] = 0;			/* nothing additional */
		memcpy(msg + at, answer, sizeof answer);
		sendto(fd, msg, at + sizeof answer, 0,
		       (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void ask_us(res_state state, const struct sockaddr_in *addr)
{
	state->options &= ~(RES_USE_EDNS0 | RES_DNSRCH | RES_DEFNAMES);
	state->nscount = 1;
	state->nsaddr_list[0] = *addr;
	state->_u._ext.nscount = 0;
	state->retrans = 5;
	state->retry = 1;
}

static struct __res_state own;		/* for the calls that take a state */

static void resolver(void)
{
	static struct sockaddr_in addr;
	static int fd;
	socklen_t len = sizeof addr;
	pthread_t thread;

	addr = loopback();
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	need(!bind(fd, (struct sockaddr *)&addr, len) &&
	     !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	     !pthread_create(&thread, NULL, serve, &fd), "name server");
	need(!res_init() && !res_ninit(&own), "resolver");
	ask_us(&_res, &addr);
	ask_us(&own, &addr);
}

static const struct addrinfo numeric = {
	.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
};

CASE(getaddrinfo)
{
	struct addrinfo *res = NULL;
	int r = RUN(getaddrinfo("127.0.0.9", "80", &numeric, &res));

	say(NONE, false, res ? "found" : "none", r ? gai_strerror(r) : "0");
}

CASE(freeaddrinfo)
{
	struct addrinfo *res = NULL;

	need(!getaddrinfo("127.0.0.9", "80", &numeric, &res), "getaddrinfo");
	RUN_VOID(freeaddrinfo(res));
	say(NONE, false, NULL, "?");
}

CASE(getnameinfo)
{
	struct sockaddr_in addr = loopback();
	char serv[64] = "";
	int r;

	/* room for no host: the pointer is nobody's to follow */
	addr.sin_port = htons(8080);
	r = RUN(getnameinfo((struct sockaddr *)&addr, sizeof addr,
			    (char *)8, 0, serv, sizeof serv,
			    NI_NUMERICHOST | NI_NUMERICSERV));
	say(NONE, false, serv, r ? gai_strerror(r) : "0");
}

CASE(gethostbyname)
{
	say_ptr(NONE, RUN(gethostbyname("127.0.0.9")), NULL);
}

CASE(gethostbyname2)
{
	say_ptr(NONE, RUN(gethostbyname2("127.0.0.9", AF_INET)), NULL);
}

static struct hostent entry, *found;
static char entry_buf[4096];
static int herr;

CASE(gethostbyaddr)
{
	struct in_addr ip = { htonl(INADDR_LOOPBACK) };

	resolver();
	say_ptr(NONE, RUN(gethostbyaddr(&ip, sizeof ip, AF_INET)), NULL);
}

CASE(gethostbyname_r)
{
	int r = RUN(gethostbyname_r("127.0.0.9", &entry, entry_buf,
				    sizeof entry_buf, &found, &herr));

	say_errnum(NONE, r, found ? "found" : "none");
}

/* too small a buffer: it returns the errno */
CASE(gethostbyname2_r)
{
	int r = RUN(gethostbyname2_r("127.0.0.9", AF_INET, &entry, entry_buf,
				     4, &found, &herr));

	say_errnum(NONE, r, found ? "found" : "none");
}

CASE(gethostbyaddr_r)
{
	struct in_addr ip = { htonl(INADDR_LOOPBACK) };
	int r;

	resolver();
	r = RUN(gethostbyaddr_r(&ip, sizeof ip, AF_INET, &entry, entry_buf,
				sizeof entry_buf, &found, &herr));
	say_errnum(NONE, r, found ? "found" : "none");
}

CASE(getaddrinfo_a)
{
	struct gaicb one = { .ar_name = "127.0.0.9", .ar_request = &numeric };
	struct gaicb *list[] = { &one };
	int r = RUN(getaddrinfo_a(GAI_WAIT, list, 1, NULL));

	say(NONE, false, one.ar_result ? "found" : "none",
	    r ? gai_strerror(r) : "0");
}

static unsigned char answer[512];

CASE(res_query)
{
	resolver();
	say_int(NONE, RUN(res_query("a.test.", ns_c_in, ns_t_a, answer,
				    sizeof answer)), NULL);
}

CASE(res_search)
{
	resolver();
	say_int(NONE, RUN(res_search("a.test.", ns_c_in, ns_t_a, answer,
				     sizeof answer)), NULL);
}

static int question(unsigned char *to_, int len)
{
	return res_mkquery(ns_o_query, "a.test.", ns_c_in, ns_t_a, NULL, 0,
			   NULL, to_, len);
}

CASE(res_send)
{
	unsigned char query[512];
	int n;

	resolver();
	n = question(query, sizeof query);
	say_int(NONE, RUN(res_send(query, n, answer, sizeof answer)), NULL);
}

CASE(res_nquery)
{
	resolver();
	say_int(NONE, RUN(res_nquery(&own, "a.test.", ns_c_in, ns_t_a, answer,
				     sizeof answer)), NULL);
}

CASE(res_nsearch)
{
	resolver();
	say_int(NONE, RUN(res_nsearch(&own, "a.test.", ns_c_in, ns_t_a,
				      answer, sizeof answer)), NULL);
}

CASE(res_nsend)
{
	unsigned char query[512];
	int n;

	resolver();
	n = question(query, sizeof query);
	say_int(NONE, RUN(res_nsend(&own, query, n, answer, sizeof answer)),
		NULL);
}

/*
 * Before glibc 2.34 programs were linked with these names; no program can be
 * linked with them any more but by naming the version.
 */
#ifdef __x86_64__
#define OLD(name, base) __asm__(".symver old_" #base "," #name "@GLIBC_2.2.5");
#else
#define OLD(name, base) __asm__(".symver old_" #base "," #name "@GLIBC_2.17");
#endif
OLD(__res_query, res_query)
OLD(__res_search, res_search)
OLD(__res_send, res_send)
OLD(__res_nquery, res_nquery)
OLD(__res_nsearch, res_nsearch)
OLD(__res_nsend, res_nsend)
EXACT(int, old_query, "old_res_query",
      (const char *, int, int, unsigned char *, int))
EXACT(int, old_search, "old_res_search",
      (const char *, int, int, unsigned char *, int))
EXACT(int, old_send, "old_res_send",
      (const unsigned char *, int, unsigned char *, int))
EXACT(int, old_nquery, "old_res_nquery",
      (res_state, const char *, int, int, unsigned char *, int))
EXACT(int, old_nsearch, "old_res_nsearch",
      (res_state, const char *, int, int, unsigned char *, int))
EXACT(int, old_nsend, "old_res_nsend",
      (res_state, const unsigned char *, int, unsigned char *, int))

CASE(__res_query)
{
	resolver();
	say_int(NONE, RUN(old_query("a.test.", ns_c_in, ns_t_a, answer,
				    sizeof answer)), NULL);
}

CASE(__res_search)
{
	resolver();
	say_int(NONE, RUN(old_search("a.test.", ns_c_in, ns_t_a, answer,
				     sizeof answer)), NULL);
}

CASE(__res_send)
{
	unsigned char query[512];
	int n;

	resolver();
	n = question(query, sizeof query);
	say_int(NONE, RUN(old_send(query, n, answer, sizeof answer)), NULL);
}

CASE(__res_nquery)
{
	resolver();
	say_int(NONE, RUN(old_nquery(&own, "a.test.", ns_c_in, ns_t_a, answer,
				     sizeof answer)), NULL);
}

CASE(__res_nsearch)
{
	resolver();
	say_int(NONE, RUN(old_nsearch(&own, "a.test.", ns_c_in, ns_t_a,
				      answer, sizeof answer)), NULL);
}

CASE(__res_nsend)
{
	unsigned char query[512];
	int n;

	resolver();
	n = question(query, sizeof query);
	say_int(NONE, RUN(old_nsend(&own, query, n, answer, sizeof answer)),
		NULL);
}

/* ---- processes -------------------------------------------------------- */

/* The child ends at once; the parent goes on with its number. */
static pid_t child(pid_t pid)
{
	if (!pid)
		_exit(3);
	return pid;
}

static void say_child(pid_t pid)
{
	char more[40];

	snprintf(more, sizeof more, "status=%d", WEXITSTATUS(wait_for(pid)));
	say_int(NONE, pid, more);
}

CASE(fork)
{
	say_child(RUN(child(fork())));
}

EXACT(pid_t, under_fork, "__fork", (void))

CASE(__fork)
{
	say_child(RUN(child(under_fork())));
}

CASE(_Fork)
{
	say_child(RUN(child(_Fork())));
}

CASE(vfork)
{
	say_child(RUN(child(vfork())));
}

extern pid_t under_vfork(void) __asm__("__vfork")
	__attribute__((returns_twice));

CASE(__vfork)
{
	say_child(RUN(child(under_vfork())));
}

static int cloned(void *arg)
{
	return *(int *)arg;
}

CASE(clone)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status = 3;

	say_child(RUN(clone(cloned, stack + sizeof stack, SIGCHLD, &status)));
}

extern char **environ;

CASE(posix_spawn)
{
	char *argv[] = { "sh", "-c", "exit 3", NULL };
	pid_t pid = 0;
	int r = RUN(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));

	say_errnum(NONE, r, WEXITSTATUS(wait_for(pid)) == 3 ? "three" : "?");
}

CASE(posix_spawnp)
{
	char *argv[] = { "none", NULL };
	pid_t pid = 0;
	int r = RUN(posix_spawnp(&pid, "/nonexistent/none", NULL, NULL, argv,
				 environ));

	say_errnum(NONE, r, pid ? "child" : "no child");
}

#define ARGV { (char *)program, "--after", NULL }
static char *empty[] = { NULL };

CASE(execve)
{
	char *argv[] = ARGV;

	say_int(NONE, RUN(execve(program, argv, empty)), NULL);
}

CASE(execveat)
{
	char *argv[] = ARGV;

	say_int(NONE, RUN(execveat(AT_FDCWD, program, argv, empty, 0)), NULL);
}

CASE(fexecve)
{
	char *argv[] = ARGV;
	int fd = open(program, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	say_int(NONE, RUN(fexecve(fd, argv, empty)), NULL);
}

CASE(execv)
{
	char *argv[] = ARGV;

	say_int(NONE, RUN(execv(program, argv)), NULL);
}

CASE(execvp)
{
	char *argv[] = ARGV;

	say_int(NONE, RUN(execvp(program, argv)), NULL);
}

CASE(execvpe)
{
	char *argv[] = ARGV;

	say_int(NONE, RUN(execvpe(program, argv, empty)), NULL);
}

CASE(execl)
{
	say_int(NONE, RUN(execl(program, program, "--after", NULL)), NULL);
}

CASE(execlp)
{
	say_int(NONE, RUN(execlp(program, program, "--after", NULL)), NULL);
}

CASE(execle)
{
	say_int(NONE, RUN(execle(program, program, "--after", NULL, empty)),
		NULL);
}

/* A child ends by the call; the second mark is its parent's. */
static void ends(void (*leave)(int))
{
	char more[40];
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		mark();
		leave(7);
	}
	status = wait_for(pid);
	mark();
	left = UNTOUCHED;
	snprintf(more, sizeof more, "status=%d", WEXITSTATUS(status));
	say(NONE, false, more, "?");
}

CASE(_exit)
{
	ends(_exit);
}

CASE(_Exit)
{
	ends(_Exit);
}

/* The caller of daemon() ends; its child tells through the pipe. */
CASE(daemon)
{
	int fds[2];
	char end;
	pid_t pid;

	need(!pipe(fds), "pipe");
	pid = fork();
	if (!pid) {
		close(fds[0]);
		say_int(NONE, RUN(daemon(1, 1)), NULL);
		_exit(0);
	}
	close(fds[1]);
	wait_for(pid);
	need(!read(fds[0], &end, 1), "end of the daemon");
}

CASE(system)
{
	say_int(NONE, RUN(system("exit 3")), NULL);
}

CASE(popen)
{
	FILE *f = RUN(popen("exit 3", "r"));

	say_ptr(NONE, f, NULL);
	pclose(f);
}

static void *nothing(void *arg)
{
	return arg;
}

CASE(pthread_create)
{
	pthread_t thread;
	int r = RUN(pthread_create(&thread, NULL, nothing, hello));
	void *back = NULL;

	pthread_join(thread, &back);
	say_errnum(NONE, r, back);
}

/* ---- signals and the rest --------------------------------------------- */

CASE(signal)
{
	say_action(RUN(signal(SIGUSR1, SIG_IGN)));
}

EXACT(sighandler_t, bsd_signal_, "bsd_signal", (int, sighandler_t))

CASE(bsd_signal)
{
	signal(SIGUSR1, SIG_IGN);
	say_action(RUN(bsd_signal_(SIGUSR1, SIG_DFL)));
}

CASE(ssignal)
{
	say_action(RUN(ssignal(SIGKILL, SIG_IGN)));
}

CASE(sysv_signal)
{
	say_action(RUN(sysv_signal(SIGUSR1, (sighandler_t)mark)));
}

CASE(__sysv_signal)
{
	sysv_signal(SIGUSR1, (sighandler_t)mark);
	say_action(RUN(__sysv_signal(SIGUSR1, SIG_IGN)));
}

CASE(sigaction)
{
	struct sigaction act = { .sa_handler = SIG_IGN };

	say_int(NONE, RUN(sigaction(SIGUSR1, &act, NULL)), action());
}

EXACT(int, under_sigaction, "__sigaction",
      (int, const struct sigaction *, struct sigaction *))

CASE(__sigaction)
{
	struct sigaction act = { .sa_handler = SIG_IGN };

	say_int(NONE, RUN(under_sigaction(SIGKILL, &act, NULL)), NULL);
}

CASE(prctl)
{
	say_int(NONE, RUN(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)), NULL);
}

/* System calls, and whether the first argument is a descriptor. */
#define NUMBERS(FD, NO)							\
	FD(read) FD(write) FD(readv) FD(writev) FD(pread64) FD(pwrite64) \
	FD(preadv) FD(pwritev) FD(preadv2) FD(pwritev2) FD(lseek)	\
	FD(close) FD(bind) FD(listen) FD(connect) FD(accept) FD(accept4) \
	FD(shutdown) FD(getsockname) FD(getpeername) FD(getsockopt)	\
	FD(setsockopt) FD(sendto) FD(recvfrom) FD(sendmsg) FD(recvmsg)	\
	FD(sendmmsg) FD(recvmmsg) FD(sendfile) FD(splice) FD(tee)	\
	FD(vmsplice) FD(dup) FD(dup3) FD(fcntl) FD(ioctl)		\
	NO(socket) NO(socketpair) NO(pidfd_getfd) NO(epoll_create1)	\
	NO(prctl)

static const struct {
	const char *name;
	long number;
	int fd;
} numbers[] = {
#define ABOUT_FD(name) { #name, SYS_##name, -7 },
#define ABOUT_NONE(name) { #name, SYS_##name, NONE },
	NUMBERS(ABOUT_FD, ABOUT_NONE)
};
static const int n_numbers = sizeof numbers / sizeof *numbers;

/* Every argument is wrong: nobody but the kernel may find out. */
static void by_number(const char *name)
{
	long bad = -7;
	int i = 0;

	while (i < n_numbers && strcmp(numbers[i].name, name))
		i++;
	need(i < n_numbers, "a system call we know");
	say_int(numbers[i].fd, RUN(syscall(numbers[i].number, bad, bad, bad,
					   bad, bad, bad)), NULL);
}

/* logged as the call it makes, so that is what the test looks for */
CASE(syscall)
{
	tcp();
	if (*program != '/') {
		by_number(program);
		return;
	}
	say_int(near, RUN(syscall(SYS_sendto, near, hello, five, 0, NULL, 0)),
		arrived());
}

/* ---- */

int main(int argc, char **argv)
{
	const struct row *row;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (row = __start_cases; row < __stop_cases; row++)
			puts(row->name);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--numbers")) {
		for (int i = 0; i < n_numbers; i++)
			puts(numbers[i].name);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--after")) {
		mark();
		puts("after");
		return 0;
	}
	alarm(30);
	program = argc == 3 ? argv[2] : "/nonexistent/rows";
	report = fcntl(1, F_DUPFD_CLOEXEC, 3);
	for (row = __start_cases; argc > 1 && row < __stop_cases; row++) {
		if (strcmp(row->name, argv[1]))
			continue;
		row->run();
		return 0;
	}
	fprintf(stderr, "usage: rows NAME [PROGRAM] | --list | --after\n");
	return 2;
}
