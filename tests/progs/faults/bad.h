/* SPDX-License-Identifier: MIT */
/*
 * Arguments that no call takes, and what they leave unharmed.
 */

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
	nonblocking(FD, true);
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
