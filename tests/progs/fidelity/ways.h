/* SPDX-License-Identifier: MIT */
/*
 * Every way to receive and to send, with one signature each: VIA chooses one
 * by its name.  They return what the call returned and leave its
 * errno; the stdio ones return what can be known through stdio.
 */
#include <stdio_ext.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

struct data_way {
	const char *name;
	ssize_t (*call)(int fd, char *data, size_t len);
	bool stdio;
};

static int flags_now;			/* of the calls that take flags */

/* ---- receive ----------------------------------------------------------- */

static ssize_t by_recv(int fd, char *data, size_t len)
{
	return recv(fd, data, len, flags_now);
}

static ssize_t by_recvfrom(int fd, char *data, size_t len)
{
	union addr from;
	socklen_t fromlen = sizeof from;

	return recvfrom(fd, data, len, flags_now, &from.any, &fromlen);
}

static ssize_t by_recvmsg(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return recvmsg(fd, &m, flags_now);
}

static ssize_t by_recvmmsg(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int n = recvmmsg(fd, &m, 1, flags_now, NULL);

	return n == 1 ? (ssize_t)m.msg_len : n;
}

static ssize_t by_read(int fd, char *data, size_t len)
{
	return read(fd, data, len);
}

static ssize_t by_readv(int fd, char *data, size_t len)
{
	struct iovec iov[2] = { { data, 2 }, { data + 2, len - 2 } };

	return readv(fd, iov, 2);
}

static ssize_t by_preadv2(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };

	return preadv2(fd, &iov, 1, -1, 0);
}

/* What -D_FORTIFY_SOURCE makes of recv and read. */
extern ssize_t __recv_chk(int, void *, size_t, size_t, int);
extern ssize_t __read_chk(int, void *, size_t, size_t);
extern ssize_t __recvfrom_chk(int, void *, size_t, size_t, int,
			      struct sockaddr *, socklen_t *);

static ssize_t by_recv_chk(int fd, char *data, size_t len)
{
	return __recv_chk(fd, data, len, len, flags_now);
}

static ssize_t by_read_chk(int fd, char *data, size_t len)
{
	return __read_chk(fd, data, len, len);
}

static ssize_t by_recvfrom_chk(int fd, char *data, size_t len)
{
	return __recvfrom_chk(fd, data, len, len, flags_now, NULL, NULL);
}

static ssize_t by_recv_splice(int fd, char *data, size_t len)
{
	int p[2], error;
	ssize_t n;

	need(pipe(p), "pipe");
	n = splice(fd, NULL, p[1], NULL, len, 0);
	error = errno;
	if (n > 0)
		n = read(p[0], data, n);
	close(p[0]);
	close(p[1]);
	errno = error;
	return n;
}

/* file_of: the FILE for a descriptor; one for each direction, as one must. */
static FILE *file_of(int fd, const char *mode)
{
	static FILE *file[2];
	FILE **f = &file[*mode == 'w'];

	if (!*f && !(*f = fdopen(fd, mode)))
		abort();
	clearerr(*f);
	return *f;
}

static ssize_t stdio_result(FILE *f, ssize_t n)
{
	return n > 0 ? n : ferror(f) ? -1 : 0;
}

static ssize_t by_fread(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "r");

	return stdio_result(f, fread(data, 1, len < PIECE ? len : PIECE, f));
}

static ssize_t by_fgets(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "r");

	return stdio_result(f, fgets(data, len, f) ? (int)strlen(data) : 0);
}

static ssize_t by_getline(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, f);
	int error = errno;

	if (n > 0)
		memcpy(data, line, (size_t)n < len ? (size_t)n : len);
	free(line);
	errno = error;
	return stdio_result(f, n);
}

static ssize_t by_fgetc(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "r");
	int c = fgetc(f);

	(void)len;
	*data = c;
	return stdio_result(f, c != EOF);
}

static const struct data_way recv_ways[] = {
	{ "recv", by_recv, false },
	{ "recvfrom", by_recvfrom, false },
	{ "recvmsg", by_recvmsg, false },
	{ "recvmmsg", by_recvmmsg, false },
	{ "read", by_read, false },
	{ "readv", by_readv, false },
	{ "preadv2", by_preadv2, false },
	{ "__recv_chk", by_recv_chk, false },
	{ "__read_chk", by_read_chk, false },
	{ "__recvfrom_chk", by_recvfrom_chk, false },
	{ "splice", by_recv_splice, false },
	{ "fread", by_fread, true },
	{ "fgets", by_fgets, true },
	{ "getline", by_getline, true },
	{ "fgetc", by_fgetc, true },
	{ 0 }
};

/* ---- send -------------------------------------------------------------- */

static ssize_t by_send(int fd, char *data, size_t len)
{
	return send(fd, data, len, flags_now);
}

/* by_sendto: with an address where that is how one does it. */
static ssize_t by_sendto(int fd, char *data, size_t len)
{
	if (s.proto == UDP || s.proto == DGRAM)
		return sendto(fd, data, len, flags_now, &s.there.any,
			      s.therelen);
	return sendto(fd, data, len, flags_now, NULL, 0);
}

static ssize_t by_sendmsg(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sendmsg(fd, &m, flags_now);
}

/*
 * by_control: with control data that means nothing, but for which the kernel
 * needs memory.
 */
static ssize_t by_control(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };
	union {
		struct cmsghdr head;
		char room[64];
	} control = { .head = { .cmsg_level = 9999, .cmsg_len = 64 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };

	return sendmsg(fd, &m, flags_now);
}

static ssize_t by_sendmmsg(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int n = sendmmsg(fd, &m, 1, flags_now);

	return n == 1 ? (ssize_t)m.msg_len : n;
}

static ssize_t by_write(int fd, char *data, size_t len)
{
	return write(fd, data, len);
}

static ssize_t by_writev(int fd, char *data, size_t len)
{
	struct iovec iov[2] = { { data, 2 }, { data + 2, len - 2 } };

	return writev(fd, iov, 2);
}

static ssize_t by_pwritev2(int fd, char *data, size_t len)
{
	struct iovec iov = { data, len };

	return pwritev2(fd, &iov, 1, -1, 0);
}

static ssize_t by_sendfile(int fd, char *data, size_t len)
{
	int from = need(memfd_create("data", 0), "memfd_create"), error;
	off_t off = 0;
	ssize_t n;

	if (pwrite(from, data, len, 0) != (ssize_t)len)
		abort();
	n = sendfile(fd, from, &off, len);
	error = errno;
	close(from);
	errno = error;
	return n;
}

static ssize_t by_send_splice(int fd, char *data, size_t len)
{
	int p[2], error;
	ssize_t n;

	need(pipe(p), "pipe");
	if (write(p[1], data, len) != (ssize_t)len)
		abort();
	n = splice(p[0], NULL, fd, NULL, len, 0);
	error = errno;
	close(p[0]);
	close(p[1]);
	errno = error;
	return n;
}

static ssize_t by_fwrite(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "w");

	if (fwrite(data, 1, len, f) != len || fflush(f))
		return -1;
	return len;
}

static ssize_t by_fprintf(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "w");

	if (fprintf(f, "%.*s", (int)len, data) != (int)len || fflush(f))
		return -1;
	return len;
}

/* by_unbuffered: without a buffer, each call of stdio is a write. */
static ssize_t by_unbuffered(int fd, char *data, size_t len)
{
	FILE *f = file_of(fd, "w");

	setvbuf(f, NULL, _IONBF, 0);
	return stdio_result(f, fwrite(data, 1, len, f));
}

static ssize_t by_dprintf(int fd, char *data, size_t len)
{
	return dprintf(fd, "%.*s", (int)len, data);
}

static const struct data_way send_ways[] = {
	{ "send", by_send, false },
	{ "sendto", by_sendto, false },
	{ "sendmsg", by_sendmsg, false },
	{ "sendmmsg", by_sendmmsg, false },
	{ "write", by_write, false },
	{ "writev", by_writev, false },
	{ "pwritev2", by_pwritev2, false },
	{ "sendfile", by_sendfile, false },
	{ "splice", by_send_splice, false },
	{ "fwrite", by_fwrite, true },
	{ "fprintf", by_fprintf, true },
	{ "unbuffered", by_unbuffered, true },
	{ "dprintf", by_dprintf, true },
	{ "control", by_control, false },
	{ 0 }
};

static const struct data_way *data_way(const struct data_way *w,
				       const char *name)
{
	while (w->name && strcmp(w->name, name))
		w++;
	return w->name ? w : NULL;
}
