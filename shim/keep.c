/* SPDX-License-Identifier: MIT */
/*
 * Payload of a record: what the program's pointers pointed at.  All of it is
 * read after the call, and only where the kernel has read or written the same
 * memory, so that a bad pointer stays the kernel's EFAULT.
 */
#include "shim.h"

#include <sys/mman.h>

#define LIST 16				/* entries of a list that are kept */
#define TEXT 128			/* bytes of a name or an argument */
#define STACK_MOST 1000			/* of its return addresses, as text */

#define REST 64				/* bytes of what a cut send has left */

static void keep_stack(struct keep *k);
static void keep_rest(struct keep *k);

void keep_begin(struct keep *k, struct call *c)
{
	int data = config.log_data > config.trace_data || !config.trace
		   ? config.log_data : config.trace_data;
	size_t size = sizeof k->small;
	size_t more = (data > 128 ? 2 * data : 0) +
		      (config.stack ? STACK_MOST : 0);

	k->call = c;
	k->data = data;
	k->start = k->small;
	if (more && own_may(OWN_MMAP) && own_may(OWN_MUNMAP)) {
		void *big = mmap(NULL, size + more, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (big != MAP_FAILED) {
			k->start = big;
			size += more;
		}
	}
	k->at = k->start;
	k->end = k->start + size;
	if (config.stack)
		keep_stack(k);
	if (k->data && c->touch && c->shortened && c->family == FAMILY_SEND &&
	    c->rec->ret > 0)
		keep_rest(k);
}

void keep_end(struct keep *k)
{
	if (k->start != k->small)
		munmap(k->start, k->end - k->start);
}

/* Room for an item of up to len bytes; NULL when there is none. */
static uint8_t *item(struct keep *k, int param, size_t len, int bits)
{
	struct item head = { .param = param, .bits = bits, .len = len };
	uint8_t *at = k->at + sizeof head;

	if ((size_t)(k->end - k->at) < sizeof head + len)
		return NULL;
	memcpy(k->at, &head, sizeof head);
	k->at = at + len;
	return at;
}

/* The item that starts at data is smaller than it was made. */
static void item_shrink(struct keep *k, uint8_t *data, size_t len, int bits)
{
	struct item head;

	memcpy(&head, data - sizeof head, sizeof head);
	head.len = len;
	head.bits = bits;
	memcpy(data - sizeof head, &head, sizeof head);
	k->at = data + len;
}

static void keep_stack(struct keep *k)
{
	char buf[STACK_MOST];
	struct out o = OUT(buf);

	origin_text(&o, k->call->rec);
	keep_bytes(k, ITEM_STACK, buf, out_len(&o), sizeof buf);
}

static void keep_rest(struct keep *k)
{
	uint8_t rest[REST];
	size_t n = io_rest(&k->call->io, k->call->rec->ret, k->call->asked,
			   rest, sizeof rest);

	if (n)
		keep_bytes(k, ITEM_REST, rest, n, n);
}

void keep_null(struct keep *k, int param)
{
	item(k, param, 0, ITEM_NULL);
}

void keep_bytes(struct keep *k, int param, const void *data, size_t len,
		size_t max)
{
	size_t n = len < max ? len : max;
	uint8_t *to;

	if (!data) {
		keep_null(k, param);
		return;
	}
	to = item(k, param, n, n < len ? ITEM_CUT : 0);
	if (to)
		memcpy(to, data, n);
}

void keep_string(struct keep *k, int param, const char *s)
{
	keep_bytes(k, param, s, s ? strnlen(s, TEXT + 1) : 0, TEXT);
}

void keep_argv(struct keep *k, int param, char *const *argv)
{
	size_t room = 256, at = 0;
	uint8_t *to = argv ? item(k, param, room, 0) : NULL;
	int i = 0;

	if (!to) {
		keep_null(k, param);
		return;
	}
	for (; argv[i]; i++) {
		size_t len = strnlen(argv[i], TEXT);
		if (at + len + 1 > room)
			break;
		memcpy(to + at, argv[i], len);
		to[at + len] = 0;
		at += len + 1;
	}
	item_shrink(k, to, at, argv[i] ? ITEM_CUT : 0);
}

/* The first max bytes of len that went through an iovec. */
static size_t gather(uint8_t *to, size_t max, const struct iovec *iov,
		     size_t n, size_t len)
{
	size_t at = 0;

	if (max > len)
		max = len;
	for (size_t i = 0; i < n && at < max; i++) {
		size_t part = iov[i].iov_len < max - at ? iov[i].iov_len
							: max - at;
		memcpy(to + at, iov[i].iov_base, part);
		at += part;
	}
	return at;
}

void keep_iov(struct keep *k, int param, const struct iovec *iov, size_t n,
	      size_t len)
{
	uint8_t *to = item(k, param, k->data, 0);
	size_t at;

	if (!to)
		return;
	at = gather(to, k->data, iov, n, len);
	item_shrink(k, to, at, at < len ? ITEM_CUT : 0);
}

void keep_msg(struct keep *k, int param, const struct msghdr *m, size_t len,
	      size_t room)
{
	size_t alen = m->msg_name ? m->msg_namelen : 0, at;
	uint8_t *to;

	if (room > sizeof(struct sockaddr_storage))
		room = sizeof(struct sockaddr_storage);
	if (alen > room)
		alen = room;
	to = item(k, param, 1 + alen + k->data, 0);
	if (!to)
		return;
	to[0] = alen;
	if (alen)
		memcpy(to + 1, m->msg_name, alen);
	at = gather(to + 1 + alen, k->data, m->msg_iov, m->msg_iovlen, len);
	item_shrink(k, to, 1 + alen + at, at < len ? ITEM_CUT : 0);
}

void keep_mmsg(struct keep *k, int param, const struct mmsghdr *m, int n)
{
	int kept = n < LIST ? n : LIST;
	uint8_t *to = item(k, param, 4 * kept, n > LIST ? ITEM_CUT : 0);

	for (int i = 0; to && i < kept; i++)
		memcpy(to + 4 * i, &m[i].msg_len, 4);
}

/* The kernel says how long an address is, and writes what there is room for. */
void keep_addrout(struct keep *k, int param, const void *addr,
		  const socklen_t *alen, size_t room)
{
	if (room > sizeof(struct sockaddr_storage))
		room = sizeof(struct sockaddr_storage);
	if (addr && alen && room >= sizeof(sa_family_t))
		keep_bytes(k, param, addr, *alen, room);
}

void keep_opt(struct keep *k, int param, const void *val, socklen_t len)
{
	keep_bytes(k, param, val, len, 32);
}

void keep_pollfds(struct keep *k, int param, const struct pollfd *p, nfds_t n)
{
	nfds_t kept = n < LIST ? n : LIST;

	keep_bytes(k, param, p, n * sizeof *p, kept * sizeof *p);
}

void keep_fdset(struct keep *k, int param, const fd_set *set, int n)
{
	uint8_t *to = set ? item(k, param, 4 * LIST, 0) : NULL;
	int kept = 0;

	if (!to) {
		keep_null(k, param);
		return;
	}
	/* a set may be larger than FD_SETSIZE: the kernel goes by n alone */
	for (int fd = 0; fd < n; fd++) {
		if (!(((const unsigned long *)set)[fd / (8 * sizeof(long))] >>
		      fd % (8 * sizeof(long)) & 1))
			continue;
		if (kept == LIST) {
			item_shrink(k, to, 4 * kept, ITEM_CUT);
			return;
		}
		memcpy(to + 4 * kept++, &fd, 4);
	}
	item_shrink(k, to, 4 * kept, 0);
}

void keep_events(struct keep *k, int param, const struct epoll_event *ev,
		 int n)
{
	int kept = n < LIST ? n : LIST;
	uint8_t *to;

	if (!ev) {
		keep_null(k, param);
		return;
	}
	to = item(k, param, 12 * kept, n > LIST ? ITEM_CUT : 0);
	for (int i = 0; to && i < kept; i++) {
		uint32_t events = ev[i].events;
		uint64_t data = ev[i].data.u64;
		memcpy(to + 12 * i, &events, 4);
		memcpy(to + 12 * i + 4, &data, 8);
	}
}

void keep_ns(struct keep *k, int param, int64_t sec, int64_t ns)
{
	int64_t all = (int64_t)((uint64_t)sec * 1000000000 + (uint64_t)ns);

	keep_bytes(k, param, &all, sizeof all, sizeof all);
}

void keep_addrinfo(struct keep *k, int param, const struct addrinfo *ai)
{
	uint8_t *to = item(k, param, 160, 0);
	size_t at = 0;

	if (!to)
		return;
	for (; ai; ai = ai->ai_next) {
		if (ai->ai_next && ai->ai_addrlen == ai->ai_next->ai_addrlen &&
		    !memcmp(ai->ai_addr, ai->ai_next->ai_addr, ai->ai_addrlen))
			continue;	/* once per socket type: say it once */
		if (at + 1 + ai->ai_addrlen > 160)
			break;
		to[at] = ai->ai_addrlen;
		memcpy(to + at + 1, ai->ai_addr, ai->ai_addrlen);
		at += 1 + ai->ai_addrlen;
	}
	item_shrink(k, to, at, ai ? ITEM_CUT : 0);
}

void keep_sigact(struct keep *k, int param, const struct sigaction *act)
{
	uint8_t *to = act ? item(k, param, 12, 0) : NULL;
	uint64_t handler;
	uint32_t flags;

	if (!to) {
		keep_null(k, param);
		return;
	}
	handler = (uintptr_t)act->sa_handler;
	flags = act->sa_flags;
	memcpy(to, &handler, 8);
	memcpy(to + 8, &flags, 4);
}
