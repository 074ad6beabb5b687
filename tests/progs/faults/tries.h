/* SPDX-License-Identifier: MIT */
/*
 * What is done to a descriptor that is no socket of ours: as it would be for a
 * program without sockets.
 */

/* What has the number of the first socket now, made as spare. */
struct object {
	const char *name;
	void (*make)(void);
};

static int old, other, spare, far;	/* other: the peer of old */
static const struct object *object;

#define TRY(name, expr)							\
static long try_##name(char *data)					\
{									\
	(void)data;							\
	return expr;							\
}

TRY(recv, recv(old, data, 2, 0))
TRY(read, read(old, data, 3))
TRY(read8, read(old, data, 8))
TRY(pread, pread(old, data, 3, 1))
TRY(readv, by_readv(old, data, 2, 0))
TRY(preadv2, by_preadv2(old, data, 2, 0))
TRY(recvmsg, by_recvmsg(old, data, 2, 0))
TRY(recvmmsg, by_recvmmsg(old, data, 2, 0))
TRY(splice, by_splice_in(old, data, 2, 0))
TRY(send, send(old, strcpy(data, "se"), 2, MSG_NOSIGNAL))
TRY(write, write(old, strcpy(data, "wr"), 2))
TRY(write8, write(old, strcpy(data, "\1\0\0\0\0\0\0"), 8))
TRY(writev, by_writev(old, strcpy(data, "ve"), 2, 0))
TRY(pwritev2, by_pwritev2(old, strcpy(data, "p2"), 2, 0))
TRY(pwrite, pwrite(old, strcpy(data, "PW"), 2, 1))
TRY(sendmsg, by_sendmsg(old, strcpy(data, "ms"), 2, MSG_NOSIGNAL))
TRY(sendfile, by_sendfile(old, strcpy(data, "sf"), 2, 0))
TRY(splice_to, by_splice_out(old, strcpy(data, "sp"), 2, 0))
TRY(dprintf, dprintf(old, "dp"))
TRY(shutdown, shutdown(old, SHUT_RD))
TRY(accept, accept(old, NULL, NULL))
TRY(so_type, getsockopt(old, SOL_SOCKET, SO_TYPE, data, &(socklen_t){ 4 }))
TRY(nodelay, setsockopt(old, IPPROTO_TCP, TCP_NODELAY, data, 4))
TRY(fionread, ioctl(old, FIONREAD, data))
TRY(lseek, lseek(old, 2, SEEK_SET))
TRY(poll, poll_bits(old, POLLIN | POLLOUT, 0))
TRY(close, close(old))

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
