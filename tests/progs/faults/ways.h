/* SPDX-License-Identifier: MIT */
/*
 * The ways to move bytes: each makes one call and returns what it returned.
 */

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
