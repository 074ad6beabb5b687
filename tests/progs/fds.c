/* SPDX-License-Identifier: MIT */
/*
 * What descriptors are, through everything that makes, copies, moves and
 * closes them.  `fds CASE` does it and prints the lines the log must have
 * between its marks, without process, time and duration; nothing else may be
 * there.  Addresses come from the kernel, asked outside the marks.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EBADF_TEXT "-1 EBADF (Bad file descriptor)"

static bool marking;
static const char *self;		/* this program */
static int near, far, listening;	/* a connection, and where it came from */

/* ---- the frame -------------------------------------------------------- */

static void mark(void)
{
	setsockopt(-9, 0, 0, NULL, 0);
	marking = !marking;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fds: cannot prepare: %s: %m\n", what);
	exit(2);
}

/* The log has this line. */
__attribute__((format(printf, 1, 2))) static void expect(const char *format,
							  ...)
{
	char line[1024];
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(line, sizeof line - 1, format, list);
	va_end(list);
	line[n++] = '\n';
	need(write(1, line, n) == n, "expected lines");
}

static int end_of(char *to, size_t room, const struct sockaddr_storage *s,
		  socklen_t len)
{
	const struct sockaddr_in *in = (const void *)s;
	const struct sockaddr_in6 *in6 = (const void *)s;
	const struct sockaddr_un *un = (const void *)s;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	char ip[64];

	if (s->ss_family == AF_INET) {
		if (!in->sin_port && !in->sin_addr.s_addr)
			return 0;
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
		return snprintf(to, room, "%s:%d", ip, ntohs(in->sin_port));
	}
	if (s->ss_family == AF_INET6) {
		if (!in6->sin6_port)
			return 0;
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
		return snprintf(to, room, "[%s]:%d", ip,
				ntohs(in6->sin6_port));
	}
	if (len <= head)
		return 0;
	if (!*un->sun_path)
		return snprintf(to, room, "@%.*s", (int)(len - head - 1),
				un->sun_path + 1);
	return snprintf(to, room, "%s", un->sun_path);
}

/* 5<tcp:local->peer>, as the kernel has it at this moment. */
static const char *is(int fd)
{
	static char texts[8][400];
	static int next;
	char *text = texts[next++ % 8], local[160] = "", peer[160] = "";
	struct sockaddr_storage s;
	socklen_t len = sizeof s;
	int type, domain, a, b = 0;
	bool was = marking;

	if (was)
		mark();
	need(!getsockname(fd, (struct sockaddr *)&s, &len), "getsockname");
	a = end_of(local, sizeof local, &s, len);
	len = sizeof s;
	if (!getpeername(fd, (struct sockaddr *)&s, &len))
		b = end_of(peer, sizeof peer, &s, len);
	len = sizeof type;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	snprintf(text, sizeof texts[0], "%d<%s%s%s%s%s>", fd,
		 domain == AF_UNIX ? "unix" : type == SOCK_STREAM ? "tcp"
								  : "udp",
		 a || b ? ":" : "", local, b ? "->" : "", peer);
	if (was)
		mark();
	return text;
}

/* It is a socket, and the log says which. */
static void use(int fd)
{
	/* asked only afterwards: asking is looking, and hides what was not */
	need(write(fd, "x", 1) == 1, "write");
	expect("write(%s, \"x\", 1) = 1", is(fd));
}

/* It was a socket, and is nothing. */
static void gone(int fd)
{
	need(write(fd, "x", 1) == -1 && errno == EBADF, "a closed socket");
	expect("write(%d, 1) = " EBADF_TEXT, fd);
}

/* It is a file: none of this is anybody's business. */
static void file(int fd)
{
	char c;

	need(read(fd, &c, 1) == 1 && lseek(fd, 0, SEEK_SET) == 0 &&
	     write(fd, "y", 1) == 1 && pread(fd, &c, 1, 0) == 1 &&
	     fcntl(fd, F_GETFL) >= 0 && lseek(fd, 0, SEEK_SET) == 0, "file");
}

static int open_file(void)
{
	int fd = memfd_create("fds", 0);

	need(fd >= 0 && write(fd, "data", 4) == 4 &&
	     lseek(fd, 0, SEEK_SET) == 0, "memfd");
	return fd;
}

/* ---- connections ------------------------------------------------------ */

static void connection(int family)
{
	struct sockaddr_storage s = { .ss_family = family };
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);

	if (family == AF_INET)
		inet_pton(AF_INET, "127.0.0.1",
			  &((struct sockaddr_in *)&s)->sin_addr);
	else
		((struct sockaddr_in6 *)&s)->sin6_addr = in6addr_loopback;
	listening = socket(family, SOCK_STREAM, 0);
	near = socket(family, SOCK_STREAM, 0);
	need(!bind(listening, (struct sockaddr *)&s, len) &&
	     !listen(listening, 4) &&
	     !getsockname(listening, (struct sockaddr *)&s, &len) &&
	     !connect(near, (struct sockaddr *)&s, len), "connection");
	far = accept(listening, NULL, NULL);
	need(far >= 0, "accept");
}

static struct sockaddr_in loopback(void)
{
	struct sockaddr_in s = { .sin_family = AF_INET };

	s.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return s;
}

/* The address after the arrow or before it, in what is() said. */
static const char *local_of(const char *what)
{
	static char texts[4][160];
	static int next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof texts[0], "%s", strchr(what, ':') + 1);
	if (strstr(text, "->"))
		*strstr(text, "->") = 0;
	text[strcspn(text, ">")] = 0;
	return text;
}

/* Every step of a connection, from the sockets to their ends. */
static void stages(int family, const char *domain, const char *any)
{
	struct sockaddr_storage s = { .ss_family = family };
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
	char c;

	if (family == AF_INET)
		*(struct sockaddr_in *)&s = loopback();
	else
		((struct sockaddr_in6 *)&s)->sin6_addr = in6addr_loopback;
	mark();
	listening = socket(family, SOCK_STREAM, 0);
	if (listening < 0 && errno == EAFNOSUPPORT) {
		expect("socket(%s, SOCK_STREAM, 0) = -1 EAFNOSUPPORT (Address "
		       "family not supported by protocol)", domain);
		mark();
		return;
	}
	expect("socket(%s, SOCK_STREAM, 0) = %d<tcp>", domain, listening);
	if (bind(listening, (struct sockaddr *)&s, len)) {
		need(errno == EADDRNOTAVAIL, "bind");
		expect("bind(%d<tcp>, %s) = -1 EADDRNOTAVAIL (Cannot assign "
		       "requested address)", listening, any);
		mark();
		return;
	}
	expect("bind(%s, %s) = 0", is(listening), any);
	listen(listening, 4);
	expect("listen(%s, 4) = 0", is(listening));
	near = socket(family, SOCK_STREAM, 0);
	expect("socket(%s, SOCK_STREAM, 0) = %d<tcp>", domain, near);
	mark();
	getsockname(listening, (struct sockaddr *)&s, &len);
	mark();
	need(!connect(near, (struct sockaddr *)&s, len), "connect");
	expect("connect(%s, %s) = 0", is(near), local_of(is(listening)));
	far = accept(listening, NULL, NULL);
	expect("accept(%s) = %s", is(listening), is(far));
	use(near);
	need(read(far, &c, 1) == 1, "read");
	expect("read(%s, \"x\", 1) = 1", is(far));
	expect("close(%s) = 0", is(listening));
	close(listening);
	expect("close(%s) = 0", is(near));
	close(near);
	mark();
}

static void tcp(void)
{
	stages(AF_INET, "AF_INET", "127.0.0.1:0");
}

static void tcp6(void)
{
	stages(AF_INET6, "AF_INET6", "[::1]:0");
}

/* A connect that is refused has an address it was for. */
static void refused(void)
{
	struct sockaddr_in s = loopback();
	socklen_t len = sizeof s;
	const char *what;
	char to[64];

	listening = socket(AF_INET, SOCK_STREAM, 0);
	need(!bind(listening, (struct sockaddr *)&s, len) &&
	     !getsockname(listening, (struct sockaddr *)&s, &len), "bind");
	snprintf(to, sizeof to, "127.0.0.1:%d", ntohs(s.sin_port));
	near = socket(AF_INET, SOCK_STREAM, 0);
	mark();
	need(connect(near, (struct sockaddr *)&s, len) == -1 &&
	     errno == ECONNREFUSED, "a refusal");
	what = is(near);
	if (!strchr(what, ':'))
		expect("connect(%d<tcp:->%s>, %s) = -1 ECONNREFUSED "
		       "(Connection refused)", near, to, to);
	else
		expect("connect(%d<tcp:%s->%s>, %s) = -1 ECONNREFUSED "
		       "(Connection refused)", near, local_of(what), to, to);
	mark();
}

/* ---- copies ----------------------------------------------------------- */

/* A number that was a file's, and is nobody's. */
static void was_file(int number)
{
	int fd = open_file();

	need(dup2(fd, number) == number && !close(fd), "dup2");
	file(number);
	close(number);
}

static void copies(void)
{
	const char *what;
	int d[5];

	connection(AF_INET);
	was_file(40);
	was_file(41);
	was_file(50);
	was_file(60);
	mark();
	what = strdup(strchr(is(near), '<'));
	d[0] = dup(near);
	expect("dup(%d%s) = %d%s", near, what, d[0], what);
	d[1] = dup2(near, 40);
	expect("dup2(%d%s, 40) = 40%s", near, what, what);
	d[2] = dup3(near, 41, O_CLOEXEC);
	expect("dup3(%d%s, 41, O_CLOEXEC) = 41%s", near, what, what);
	d[3] = fcntl(near, F_DUPFD, 50);
	expect("fcntl(%d%s, F_DUPFD, 50) = 50", near, what);
	d[4] = fcntl(near, F_DUPFD_CLOEXEC, 60);
	expect("fcntl(%d%s, F_DUPFD_CLOEXEC, 60) = 60", near, what);
	close(near);
	expect("close(%d%s) = 0", near, what);
	for (int i = 0; i < 5; i++)
		use(d[i]);
	/* onto itself: nothing happens */
	need(dup2(40, 40) == 40, "dup2");
	expect("dup2(40%s, 40) = 40%s", what, what);
	for (int i = 0; i < 5; i++) {
		close(d[i]);
		expect("close(%d%s) = 0", d[i], what);
		if (i < 4)
			use(d[i + 1]);
		gone(d[i]);
	}
	mark();
}

/* A socket's number becomes another socket's, which then has two. */
static void moved(void)
{
	int other;

	connection(AF_INET);
	other = near;
	connection(AF_INET);
	mark();
	need(dup2(other, near) == near, "dup2");
	expect("dup2(%s, %d) = %s", is(other), near, is(near));
	use(near);
	use(other);
	expect("close(%s) = 0", is(other));
	close(other);
	use(near);
	mark();
}

static void file_over_socket(void)
{
	int fd = open_file();

	connection(AF_INET);
	mark();
	need(dup2(fd, near) == near, "dup2");
	expect("dup2(%d, %d) = %d", fd, near, near);
	file(near);
	file(fd);
	close(near);
	mark();
}

static void socket_over_file(void)
{
	int fd = open_file();

	connection(AF_INET);
	file(fd);
	mark();
	need(dup2(near, fd) == fd, "dup2");
	expect("dup2(%s, %d) = %s", is(near), fd, is(fd));
	use(fd);
	mark();
}

/* Calls on files alone leave no line at all. */
static void files(void)
{
	int fd = open_file(), other;

	mark();
	file(fd);
	other = dup(fd);
	file(other);
	need(dup2(fd, 45) == 45 && dup3(fd, 46, 0) == 46 &&
	     fcntl(fd, F_DUPFD, 47) == 47, "dup");
	file(45);
	file(47);
	close(45);
	close(46);
	close(47);
	close(other);
	close(fd);
	mark();
}

/* ---- ends ------------------------------------------------------------- */

static void twice(void)
{
	connection(AF_INET);
	mark();
	expect("close(%s) = 0", is(near));
	close(near);
	for (int i = 0; i < 3; i++) {
		need(close(near) == -1 && errno == EBADF, "a second close");
		expect("close(%d) = " EBADF_TEXT, near);
	}
	gone(near);
	mark();
}

static void reused(void)
{
	int fd, number;

	connection(AF_INET);
	number = near;
	close(near);
	mark();
	fd = open_file();
	need(fd == number, "the same number");
	file(fd);
	close(fd);
	near = socket(AF_INET, SOCK_DGRAM, 0);
	need(near == number, "the same number");
	expect("socket(AF_INET, SOCK_DGRAM, 0) = %d<udp>", near);
	close(near);
	expect("close(%d<udp>) = 0", near);
	gone(near);
	fd = open_file();
	need(fd == number, "the same number");
	file(fd);
	mark();
}

static void stdio(void)
{
	FILE *f;
	int fd;

	connection(AF_INET);
	f = fdopen(near, "r+");
	mark();
	expect("fclose(%s) = 0", is(near));
	fclose(f);
	gone(near);
	fd = open_file();
	need(fd == near, "the same number");
	file(fd);
	mark();
}

static void stdio_again(void)
{
	char path[] = "/tmp/fds.XXXXXX", line[8];
	int fd = mkstemp(path);
	FILE *f;

	need(fd >= 0 && write(fd, "data\n", 5) == 5 && !close(fd), path);
	connection(AF_INET);
	f = fdopen(near, "r+");
	mark();
	expect("freopen(\"%s\", \"r+\", %s) = %p", path, is(near),
	       (void *)f);
	need(freopen(path, "r+", f) == f && fileno(f) == near, "freopen");
	need(fgets(line, sizeof line, f) && !strcmp(line, "data\n"), "fgets");
	need(lseek(near, 0, SEEK_SET) == 0, "lseek");
	file(near);
	fclose(f);
	mark();
	unlink(path);
}

static void range(void)
{
	int kept, fd;

	connection(AF_INET);
	kept = dup2(near, 100);
	need(dup2(near, 110) == 110 && dup2(far, 111) == 111 &&
	     dup2(open_file(), 112) == 112, "dup2");
	mark();
	/* only marked: they are open */
	need(!close_range(110, 112, CLOSE_RANGE_CLOEXEC), "close_range");
	expect("close_range(110, 112, %d) = 0", CLOSE_RANGE_CLOEXEC);
	use(110);
	need(!close_range(110, 112, 0), "close_range");
	expect("close_range(110, 112, 0) = 0");
	gone(110);
	gone(111);
	use(kept);
	fd = fcntl(open_file(), F_DUPFD, 110);
	need(fd == 110, "the same number");
	file(110);
	/* nothing but a file there: nobody's business */
	need(!close_range(110, 112, 0), "close_range");
	/* our own descriptors survive the largest range */
	need(!close_range(100, ~0u, 0), "close_range");
	expect("close_range(100, 4294967295, 0) = 0");
	gone(100);
	use(near);
	mark();
}

static void from(void)
{
	connection(AF_INET);
	need(dup2(near, 100) == 100 && dup2(far, 101) == 101, "dup2");
	mark();
	closefrom(100);
	expect("closefrom(100) = ?");
	gone(100);
	gone(101);
	use(near);
	mark();
}

/* ---- other processes -------------------------------------------------- */

static void wait_for(pid_t pid)
{
	int status;

	need(waitpid(pid, &status, 0) == pid && status == 0, "the child");
}

static void forked(void)
{
	pid_t pid;

	connection(AF_INET);
	mark();
	pid = fork();
	if (!pid) {
		use(near);
		expect("close(%s) = 0", is(near));
		close(near);
		gone(near);
		_exit(0);
	}
	wait_for(pid);
	use(near);
	mark();
}

/* The sockets are the child's standard input and descriptor 5. */
static void executed(void)
{
	pid_t pid;

	connection(AF_INET);
	need(write(far, "ping", 4) == 4, "write");
	pid = fork();
	if (!pid) {
		dup2(near, 0);
		dup2(far, 90);
		dup2(open_file(), 6);
		lseek(6, 0, SEEK_SET);
		dup2(90, 5);
		closefrom(7);
		execl(self, self, "--child", NULL);
		_exit(127);
	}
	wait_for(pid);
	mark();
	use(near);
	mark();
}

static void child(void)
{
	char buf[8];

	mark();
	need(read(0, buf, sizeof buf) == 4, "read");
	expect("read(%s, \"ping\", 8) = 4", is(0));
	use(5);
	file(6);
	expect("close(%s) = 0", is(5));
	close(5);
	gone(5);
	mark();
}

/* A listener from elsewhere, as socket activation hands it over. */
static void activated(void)
{
	pid_t pid;

	connection(AF_INET);
	pid = fork();
	if (!pid) {
		dup2(listening, 3);
		execl(self, self, "--server", NULL);
		_exit(127);
	}
	wait_for(pid);
}

static void server(void)
{
	struct sockaddr_in s;
	socklen_t len = sizeof s;
	int fd, client = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(3, (struct sockaddr *)&s, &len);
	need(!connect(client, (struct sockaddr *)&s, len), "connect");
	mark();
	fd = accept(3, NULL, NULL);
	need(fd >= 0, "accept");
	expect("accept(%s) = %s", is(3), is(fd));
	use(fd);
	mark();
}

/* A pair of sockets to send descriptors over, out of the way: 200, 201. */
static void channel(void)
{
	int sv[2];

	need(!socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) &&
	     dup2(sv[0], 200) == 200 && dup2(sv[1], 201) == 201 &&
	     !close(sv[0]) && !close(sv[1]), "socketpair");
}

/* Send a descriptor to ourselves; it arrives as number, the lowest free. */
static void pass(int fd, int number)
{
	char space[CMSG_SPACE(sizeof fd)] = "", c = 'x';
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof space,
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	int got;

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	need(sendmsg(200, &msg, 0) == 1, "sendmsg");
	mark();
	need(recvmsg(201, &msg, 0) == 1, "recvmsg");
	mark();
	expect("recvmsg(201<unix-dgram>, {\"x\"}, 0) = 1");
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof got);
	need(got == number, "the expected number");
}

static void received(void)
{
	int fd;

	connection(AF_INET);
	channel();
	/* the number is known as a file's, then it is nobody's */
	fd = open_file();
	file(fd);
	close(fd);
	pass(near, fd);
	mark();
	use(fd);
	expect("close(%s) = 0", is(fd));
	close(fd);
	mark();
	/* the number was a socket's, and becomes a file's */
	fd = open_file();
	need(dup2(fd, 150) == 150 && dup2(far, fd) == fd && !close(fd),
	     "dup2");
	pass(150, fd);
	mark();
	file(fd);
	mark();
}

static void fetched(void)
{
	int pid, pidfd, fd;

	connection(AF_INET);
	fd = open_file();
	file(fd);
	pid = fork();
	if (!pid) {
		pause();
		_exit(1);
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	need(pidfd >= 0, "pidfd_open");
	close(fd);
	mark();
	need(pidfd_getfd(pidfd, near, 0) == fd, "pidfd_getfd");
	expect("pidfd_getfd(%d, %d, 0) = %d%s", pidfd, near, fd,
	       strchr(is(near), '<'));
	use(fd);
	expect("close(%s) = 0", is(fd));
	close(fd);
	mark();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- other families --------------------------------------------------- */

static void named(struct sockaddr_un *s, socklen_t len, const char *name)
{
	mark();
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	expect("socket(AF_UNIX, SOCK_STREAM, 0) = %d<unix>", listening);
	need(!bind(listening, (struct sockaddr *)s, len), "bind");
	expect("bind(%d<unix:%s>, unix:%s) = 0", listening, name, name);
	need(!listen(listening, 4), "listen");
	expect("listen(%d<unix:%s>, 4) = 0", listening, name);
	near = socket(AF_UNIX, SOCK_STREAM, 0);
	expect("socket(AF_UNIX, SOCK_STREAM, 0) = %d<unix>", near);
	need(!connect(near, (struct sockaddr *)s, len), "connect");
	expect("connect(%d<unix:->%s>, unix:%s) = 0", near, name, name);
	far = accept(listening, NULL, NULL);
	expect("accept(%d<unix:%s>) = %d<unix:%s>", listening, name, far,
	       name);
	use(near);
	use(far);
	mark();
}

static void unix_path(void)
{
	struct sockaddr_un s = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/fds.XXXXXX";

	need(mkdtemp(dir), dir);
	snprintf(s.sun_path, sizeof s.sun_path, "%s/"
		 "a-name-longer-than-the-room-of-other-addresses", dir);
	named(&s, sizeof s, s.sun_path);
	unlink(s.sun_path);
	rmdir(dir);
}

static void unix_abstract(void)
{
	struct sockaddr_un s = { .sun_family = AF_UNIX };
	char name[64];
	int n = snprintf(name, sizeof name, "@fds-test-%d", getpid());

	memcpy(s.sun_path + 1, name + 1, n - 1);
	named(&s, offsetof(struct sockaddr_un, sun_path) + n, name);
}

/*
 * Room for six bytes of an address, at the end of a page: the kernel says how
 * long it would have been, and the log shows what the program got.
 */
static void truncated(void)
{
	struct sockaddr_un s = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/fds.XXXXXX", c, *end;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	socklen_t len = 6;

	end = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(end != MAP_FAILED && !munmap(end + 4096, 4096), "mmap");
	end += 4096;
	need(mkdtemp(dir), dir);
	snprintf(s.sun_path, sizeof s.sun_path, "%s/sender", dir);
	near = socket(AF_UNIX, SOCK_DGRAM, 0);
	need(!bind(near, (struct sockaddr *)&s, sizeof s), "bind");
	far = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof to.sun_path, "%s/receiver", dir);
	need(!bind(far, (struct sockaddr *)&to, sizeof to) &&
	     !connect(near, (struct sockaddr *)&to, sizeof to), "connect");
	need(write(near, "x", 1) == 1 && write(near, "x", 1) == 1, "write");
	mark();
	need(!getsockname(near, (void *)(end - len), &len), "getsockname");
	expect("getsockname(%d<unix-dgram:%s->%s>, unix:/tmp) = 0", near,
	       s.sun_path, to.sun_path);
	len = 6;
	need(recvfrom(far, &c, 1, 0, (void *)(end - len), &len) == 1,
	     "recvfrom");
	expect("recvfrom(%d<unix-dgram:%s>, \"x\", 1, 0, unix:/tmp) = 1",
	       far, to.sun_path);
	len = 6;
	msg.msg_name = end - len;
	msg.msg_namelen = len;
	need(recvmsg(far, &msg, 0) == 1, "recvmsg");
	expect("recvmsg(%d<unix-dgram:%s>, {unix:/tmp, \"x\"}, 0) = 1", far,
	       to.sun_path);
	mark();
	unlink(s.sun_path);
	unlink(to.sun_path);
	rmdir(dir);
}

/* A set within a set is about sockets too; one without them is not. */
static void sets(void)
{
	struct epoll_event in = { .events = EPOLLIN };
	int inner = epoll_create1(0), outer = epoll_create1(0);
	int plain = epoll_create1(0), fds[2];

	connection(AF_INET);
	need(write(far, "x", 1) == 1 && !pipe(fds) &&
	     write(fds[1], "x", 1) == 1, "write");
	mark();
	need(!epoll_ctl(plain, EPOLL_CTL_ADD, fds[0], &in) &&
	     epoll_wait(plain, &in, 1, 1000) == 1, "a pipe");
	in = (struct epoll_event){ .events = EPOLLIN };
	need(!epoll_ctl(inner, EPOLL_CTL_ADD, near, &in), "epoll_ctl");
	expect("epoll_ctl(%d, EPOLL_CTL_ADD, %s, [EPOLLIN data=0]) = 0", inner,
	       is(near));
	need(!epoll_ctl(outer, EPOLL_CTL_ADD, inner, &in) &&
	     epoll_wait(outer, &in, 1, 1000) == 1, "epoll_wait");
	expect("epoll_wait(%d, [EPOLLIN data=0], 1, 1000) = 1", outer);
	mark();
}

static void unix_pair(void)
{
	int sv[2];
	pid_t pid;

	mark();
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	expect("socketpair(AF_UNIX, SOCK_STREAM, 0, [%d, %d]) = 0", sv[0],
	       sv[1]);
	use(sv[0]);
	use(sv[1]);
	mark();
	/* the same socket, met by a program that has not made it */
	pid = fork();
	if (!pid) {
		need(dup2(sv[0], 5) == 5 && dup2(sv[1], 0) == 0 &&
		     dup2(open_file(), 6) == 6, "dup2");
		need(write(5, "ping", 4) == 4, "write");
		execl(self, self, "--pair", NULL);
		_exit(127);
	}
	wait_for(pid);
}

static void paired(void)
{
	mark();
	need(write(5, "x", 1) == 1, "write");
	expect("write(5<unix>, \"x\", 1) = 1");
	mark();
}

static void udp(void)
{
	struct sockaddr_in s = loopback(), none = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof s;
	const char *to, *what;
	char c;

	far = socket(AF_INET, SOCK_DGRAM, 0);
	need(!bind(far, (struct sockaddr *)&s, len) &&
	     !getsockname(far, (struct sockaddr *)&s, &len), "bind");
	to = local_of(is(far));
	mark();
	near = socket(AF_INET, SOCK_DGRAM, 0);
	expect("socket(AF_INET, SOCK_DGRAM, 0) = %d<udp>", near);
	/* the first datagram gives it an address */
	need(sendto(near, "x", 1, 0, (struct sockaddr *)&s, len) == 1,
	     "sendto");
	what = is(near);
	need(strchr(what, ':') != NULL, "a local address");
	expect("sendto(%s, \"x\", 1, 0, %s) = 1", what, to);
	need(read(far, &c, 1) == 1, "read");
	expect("read(%s, \"x\", 1) = 1", is(far));
	need(!connect(near, (struct sockaddr *)&s, len), "connect");
	expect("connect(%s, %s) = 0", is(near), to);
	use(near);
	/* and is unconnected again, which takes the address with it */
	need(!connect(near, (struct sockaddr *)&none, sizeof none),
	     "connect");
	expect("connect(%s, AF_UNSPEC) = 0", is(near));
	need(!connect(near, (struct sockaddr *)&s, len), "connect");
	expect("connect(%s, %s) = 0", is(near), to);
	use(near);
	mark();
	/* sendmmsg gives an address too */
	near = socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec iov = { "x", 1 };
	struct mmsghdr m = { .msg_hdr = {
		.msg_name = &s, .msg_namelen = len, .msg_iov = &iov,
		.msg_iovlen = 1,
	} };
	mark();
	need(sendmmsg(near, &m, 1, 0) == 1, "sendmmsg");
	expect("sendmmsg(%s, [1], 1, 0) = 1", is(near));
	mark();
	/* one without an address, met after exec */
	near = socket(AF_INET, SOCK_DGRAM, 0);
	pid_t pid = fork();
	if (!pid) {
		need(dup2(near, 5) == 5, "dup2");
		execl(self, self, "--unbound", NULL);
		_exit(127);
	}
	wait_for(pid);
}

static void unbound(void)
{
	mark();
	need(fcntl(5, F_SETFD, 0) == 0, "fcntl");
	expect("fcntl(5<udp>, F_SETFD, 0) = 0");
	mark();
}

/* ---- what the trace says of them: role, ordinal, listener -------------- */

/* socket 1 listens, 2 connects, 3 is accepted, 4 and 5 are a pair, 6 none */
static void roles(void)
{
	int sv[2];

	connection(AF_INET);
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	socket(AF_INET, SOCK_DGRAM, 0);
	need(dup2(near, 40) == 40 && dup3(near, 41, 0) == 41 &&
	     fcntl(near, F_DUPFD, 42) == 42 &&
	     fcntl(near, F_DUPFD_CLOEXEC, 43) == 43 && dup2(dup(near), 44) == 44,
	     "dup");
	close(near);
	for (int fd = 40; fd < 45; fd++)
		need(write(fd, "x", 1) == 1, "write");
	/* a number that is used again is another socket */
	need(socket(AF_INET, SOCK_STREAM, 0) == near, "the same number");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "tcp", tcp }, { "tcp6", tcp6 }, { "refused", refused },
	{ "copies", copies }, { "moved", moved },
	{ "file_over_socket", file_over_socket },
	{ "socket_over_file", socket_over_file }, { "files", files },
	{ "twice", twice }, { "reused", reused }, { "stdio", stdio },
	{ "stdio_again", stdio_again }, { "range", range }, { "from", from },
	{ "forked", forked }, { "executed", executed },
	{ "activated", activated }, { "received", received },
	{ "fetched", fetched }, { "unix_path", unix_path },
	{ "unix_abstract", unix_abstract }, { "unix_pair", unix_pair },
	{ "truncated", truncated }, { "sets", sets },
	{ "udp", udp }, { "roles", roles },
	{ "--child", child }, { "--server", server }, { "--pair", paired },
	{ "--unbound", unbound },
};

int main(int argc, char **argv)
{
	self = argv[0];
	alarm(30);
	for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++) {
		if (strcmp(cases[i].name, argv[1]))
			continue;
		cases[i].run();
		return 0;
	}
	fprintf(stderr, "usage: fds CASE\n");
	return 2;
}
