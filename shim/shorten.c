/* SPDX-License-Identifier: MIT */
/*
 * What a data call was asked to move, whichever way it says so, and less of
 * it: the program's own arguments are never written to, the call gets
 * others.  Shortening comes before the call, so nothing is lost or invented.
 */
#include "shim.h"

#include <sys/mman.h>
#include <sys/syscall.h>

static size_t iov_total(const struct iovec *iov, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += iov[i].iov_len;
	return total;
}

/* Whether the kernel would take it (import_iovec). */
static bool iov_good(const struct iovec *iov, size_t n)
{
	size_t total = 0;

	if (n > IOV_MAX || (n && !readable(iov, n * sizeof *iov)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (iov[i].iov_len > SSIZE_MAX ||
		    (total += iov[i].iov_len) > SSIZE_MAX)
			return false;
	return true;
}

static bool msg_good(const struct msghdr *m)
{
	return readable(m, sizeof *m) && iov_good(m->msg_iov, m->msg_iovlen);
}

bool io_size(const struct io *io, size_t *size)
{
	switch (io->shape) {
	case SHAPE_LEN:
	case SHAPE_BUF:
		*size = *io->len;
		return true;
	case SHAPE_IOV:
		if (*io->iovcnt < 0 || !iov_good(*io->iov, *io->iovcnt))
			return false;
		*size = iov_total(*io->iov, *io->iovcnt);
		return true;
	case SHAPE_MSG:
		if (!msg_good(*io->msg))
			return false;
		*size = iov_total((*io->msg)->msg_iov, (*io->msg)->msg_iovlen);
		return true;
	case SHAPE_MMSG:
		*size = 0;
		for (unsigned i = 0; i < *io->n; i++) {
			const struct msghdr *m = &(*io->mmsg)[i].msg_hdr;
			if (!readable(&(*io->mmsg)[i], sizeof **io->mmsg) ||
			    !msg_good(m))
				return false;
			*size += iov_total(m->msg_iov, m->msg_iovlen);
		}
		return true;
	default:
		return false;
	}
}

/*
 * The beginning of an iovec, limit bytes long, in memory of ours; *n: of how
 * many parts.  NULL: there is none.
 */
static struct iovec *cut_iov(struct io *io, const struct iovec *iov,
			     size_t *n, size_t limit)
{
	struct iovec *to = io->few;
	size_t i = 0;

	while (i < *n && limit > iov[i].iov_len)
		limit -= iov[i++].iov_len;
	if (i == *n)
		return NULL;
	if (i >= sizeof io->few / sizeof *io->few) {
		if (!own_may(OWN_MMAP) || !own_may(OWN_MUNMAP))
			return NULL;
		io->many_size = (i + 1) * sizeof *to;
		to = mmap(NULL, io->many_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (to == MAP_FAILED)
			return NULL;
		io->many = to;
	}
	memcpy(to, iov, (i + 1) * sizeof *to);
	to[i].iov_len = limit;
	*n = i + 1;
	return to;
}

static void cut_msg(struct io *io, const struct msghdr *m, size_t limit)
{
	size_t n = m->msg_iovlen;
	struct iovec *iov = cut_iov(io, m->msg_iov, &n, limit);

	if (!iov)
		return;
	io->mm.msg_hdr = *m;
	io->mm.msg_hdr.msg_iov = iov;
	io->mm.msg_hdr.msg_iovlen = n;
	io->cut = true;
}

/* Whole messages as far as they go; else the first one, cut. */
static void cut_mmsg(struct io *io, size_t limit)
{
	size_t total = 0;
	unsigned i = 0;

	for (; i < *io->n; i++) {
		const struct msghdr *m = &(*io->mmsg)[i].msg_hdr;
		total += iov_total(m->msg_iov, m->msg_iovlen);
		if (total > limit)
			break;
	}
	io->their_n = *io->n;
	if (i) {
		*io->n = i;
		return;
	}
	cut_msg(io, &(*io->mmsg)[0].msg_hdr, limit);
	if (!io->cut)
		return;
	io->theirs = *io->mmsg;
	*io->mmsg = &io->mm;
	*io->n = 1;
}

void io_shorten(struct io *io, size_t limit)
{
	size_t n;

	switch (io->shape) {
	case SHAPE_LEN:
	case SHAPE_BUF:
		if (*io->len > limit)
			*io->len = limit;
		break;
	case SHAPE_IOV:
		n = *io->iovcnt;
		io->theirs = cut_iov(io, *io->iov, &n, limit);
		if (!io->theirs)
			break;
		io->cut = true;
		io->their_n = *io->iovcnt;
		io->their_iov = *io->iov;
		*io->iov = io->theirs;
		*io->iovcnt = n;
		break;
	case SHAPE_MSG:
		cut_msg(io, *io->msg, limit);
		if (!io->cut)
			break;
		io->theirs = *io->msg;
		*io->msg = &io->mm.msg_hdr;
		break;
	case SHAPE_MMSG:
		cut_mmsg(io, limit);
		break;
	default:
		break;
	}
}

/* What the kernel has written into our message belongs into theirs. */
static void msg_back(struct msghdr *to, const struct msghdr *from)
{
	to->msg_namelen = from->msg_namelen;
	to->msg_controllen = from->msg_controllen;
	to->msg_flags = from->msg_flags;
}

void io_restore(struct io *io, bool in, long ret)
{
	struct mmsghdr *mm = io->theirs;

	switch (io->shape) {
	case SHAPE_IOV:
		if (io->cut) {
			*io->iov = io->their_iov;
			*io->iovcnt = io->their_n;
		}
		break;
	case SHAPE_MSG:
		if (!io->cut)
			break;
		*io->msg = io->theirs;
		if (in && ret >= 0)
			msg_back(*io->msg, &io->mm.msg_hdr);
		break;
	case SHAPE_MMSG:
		if (io->their_n)
			*io->n = io->their_n;
		if (!io->cut)
			break;
		*io->mmsg = mm;
		if (ret > 0)
			mm->msg_len = io->mm.msg_len;
		if (in && ret > 0)
			msg_back(&mm->msg_hdr, &io->mm.msg_hdr);
		break;
	default:
		break;
	}
	if (io->many)
		munmap(io->many, io->many_size);
	io->many = NULL;
}

size_t io_moved(const struct io *io, long ret)
{
	size_t moved = 0;

	if (ret <= 0)
		return 0;
	if (io->shape != SHAPE_MMSG)
		return ret;
	for (long i = 0; i < ret; i++)
		moved += (*io->mmsg)[i].msg_len;
	return moved;
}

/* ---- the program's buffers ------------------------------------------------- */

/* The kernel copies, so that a bad pointer is EFAULT and no crash. */
static ssize_t copy_out(const struct iovec *to, size_t n, const void *from,
			size_t len)
{
	struct iovec piece = { (void *)from, len };

	return real.syscall(SYS_process_vm_readv, (long)me.pid, to, n, &piece,
			    1L, 0L);
}

static bool put(void *to, const void *value, size_t len)
{
	struct iovec one = { to, len };

	return copy_out(&one, 1, value, len) == (ssize_t)len;
}

size_t io_rest(const struct io *io, size_t moved, size_t asked, void *to,
	       size_t max)
{
	struct iovec one = { io->buf, asked };
	const struct iovec *iov = &one;
	size_t n = 1, got = 0;

	if (io->shape == SHAPE_IOV) {
		iov = *io->iov;
		n = *io->iovcnt;
	} else if (io->shape == SHAPE_MSG) {
		iov = (*io->msg)->msg_iov;
		n = (*io->msg)->msg_iovlen;
	} else if (io->shape != SHAPE_BUF) {
		return 0;
	}
	for (size_t i = 0; i < n && got < max; i++) {
		size_t skip = moved < iov[i].iov_len ? moved : iov[i].iov_len;
		size_t part = iov[i].iov_len - skip;
		if (part > max - got)
			part = max - got;
		if (part && !put((char *)to + got,
				 (char *)iov[i].iov_base + skip, part))
			break;
		got += part;
		moved -= skip;
	}
	return got;
}

/* What recvmsg says of a message without address and control data. */
static bool fill_head(struct msghdr *m)
{
	const struct msghdr none = { 0 };

	return put(&m->msg_namelen, &none.msg_namelen, sizeof none.msg_namelen)
	       && put(&m->msg_controllen, &none.msg_controllen,
		      sizeof none.msg_controllen) &&
	       put(&m->msg_flags, &none.msg_flags, sizeof none.msg_flags);
}

static ssize_t fill_msg(struct msghdr *m, const void *from, size_t len)
{
	if (!msg_good(m) || !fill_head(m)) {
		errno = EFAULT;
		return -1;
	}
	return copy_out(m->msg_iov, m->msg_iovlen, from, len);
}

static ssize_t fill_mmsg(struct mmsghdr *m, const void *from, size_t len)
{
	ssize_t n = fill_msg(&m->msg_hdr, from, len);
	unsigned got = n;

	return n < 0 || !put(&m->msg_len, &got, sizeof got) ? -1 : n;
}

ssize_t io_fill(struct io *io, const void *from, size_t len)
{
	const socklen_t none = 0;
	struct iovec one;

	switch (io->shape) {
	case SHAPE_BUF:
		if (io->name_len && io->name_out)
			put(io->name_len, &none, sizeof none);
		if (io->flags & MSG_TRUNC)
			return *io->len < len ? *io->len : len;
		one = (struct iovec){ io->buf, *io->len };
		return copy_out(&one, 1, from, len);
	case SHAPE_IOV:
		return copy_out(*io->iov, *io->iovcnt, from, len);
	case SHAPE_MSG:
		return fill_msg(*io->msg, from, len);
	case SHAPE_MMSG:
		return fill_mmsg(*io->mmsg, from, len);
	case SHAPE_LEN:
		return real.write(io->pipe, from,
				  *io->len < len ? *io->len : len);
	default:
		errno = EFAULT;
		return -1;
	}
}
