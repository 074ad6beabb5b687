/* SPDX-License-Identifier: MIT */
/*
 * Iovecs and messages are the program's own: nothing is written to them, and
 * they may be of any shape.
 */

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
		if (!fits(n, TEXT - at, true))
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
		if (!fits(n, TEXT - at, false))
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
