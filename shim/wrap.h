/* SPDX-License-Identifier: MIT */
/*
 * What an argument of each kind means to a wrapper, as macros: SUBJECT_ finds
 * the descriptor, STORE_ puts a value into the record, KEEPS_ says whether
 * there is payload (1 always, 2 data, shown when asked for), KEEP_ takes it.
 * The wrappers of calls.def apply them to every argument (wrap.c); the ones
 * written by hand name those they need.
 */
#ifndef SHIM_WRAP_H
#define SHIM_WRAP_H

#include "shim.h"

#define UNPAREN(...) __VA_ARGS__
#define CALLER __builtin_return_address(0)

/* What a fortified function does with a buffer that is too small; musl has
 * neither such functions nor this one. */
extern void __chk_fail(void) __attribute__((weak));

static inline _Noreturn void overflow(void)
{
	if (__chk_fail)
		__chk_fail();
	__builtin_trap();
}

/* ZIP(M, (k...), (a...)): M(i, k, a) for each pair, i from 0 */
#define ZIP(M, K, A) ZIP_PICK(UNPAREN K, 8, 7, 6, 5, 4, 3, 2, 1, )	\
	(M, UNPAREN K, UNPAREN A)
#define ZIP_PICK(...) ZIP_PICK_(__VA_ARGS__)
#define ZIP_PICK_(_1, _2, _3, _4, _5, _6, _7, _8, n, ...) ZIP_##n
#define ZIP_1(...) ZIP1(__VA_ARGS__)
#define ZIP_2(...) ZIP2(__VA_ARGS__)
#define ZIP_3(...) ZIP3(__VA_ARGS__)
#define ZIP_4(...) ZIP4(__VA_ARGS__)
#define ZIP_5(...) ZIP5(__VA_ARGS__)
#define ZIP_6(...) ZIP6(__VA_ARGS__)
#define ZIP_7(...) ZIP7(__VA_ARGS__)
#define ZIP_8(...) ZIP8(__VA_ARGS__)
#define ZIP1(M, k0, a0) M(0, k0, a0)
#define ZIP2(M, k0, k1, a0, a1) M(0, k0, a0) M(1, k1, a1)
#define ZIP3(M, k0, k1, k2, a0, a1, a2) \
	M(0, k0, a0) M(1, k1, a1) M(2, k2, a2)
#define ZIP4(M, k0, k1, k2, k3, a0, a1, a2, a3) \
	ZIP3(M, k0, k1, k2, a0, a1, a2) M(3, k3, a3)
#define ZIP5(M, k0, k1, k2, k3, k4, a0, a1, a2, a3, a4) \
	ZIP4(M, k0, k1, k2, k3, a0, a1, a2, a3) M(4, k4, a4)
#define ZIP6(M, k0, k1, k2, k3, k4, k5, a0, a1, a2, a3, a4, a5) \
	ZIP5(M, k0, k1, k2, k3, k4, a0, a1, a2, a3, a4) M(5, k5, a5)
#define ZIP7(M, k0, k1, k2, k3, k4, k5, k6, a0, a1, a2, a3, a4, a5, a6) \
	ZIP6(M, k0, k1, k2, k3, k4, k5, a0, a1, a2, a3, a4, a5) \
	M(6, k6, a6)
#define ZIP8(M, k0, k1, k2, k3, k4, k5, k6, k7, \
	     a0, a1, a2, a3, a4, a5, a6, a7) \
	ZIP7(M, k0, k1, k2, k3, k4, k5, k6, a0, a1, a2, a3, a4, a5, a6) \
	M(7, k7, a7)

/* ---- the descriptor a call is about (subject, any, skip in scope) ---------- */

#define UNUSED(i, kind, a) (void)(a);
#define SUBJECT(i, kind, a) SUBJECT_##kind(a)
#define SUBJECT_SOCK(a) subject = (a);
#define SUBJECT_FD(a) subject = (a); any = true;
#define SUBJECT_STREAM(a) subject = fileno_unlocked(a); any = true;
#define SUBJECT_AIO(a) subject = (a)->aio_fildes; any = true;
#define SUBJECT_SIGNUM(a) \
	skip = config.active && (a) != SIGPIPE && !config.signals;
#define SUBJECT_SKIP(a)
#define SUBJECT_NEWNAME(a)
#define SUBJECT_HERR(a)
#define SUBJECT_HOST(a)
#define SUBJECT_INT(a)
#define SUBJECT_LEN(a)
#define SUBJECT_OFFSET(a)
#define SUBJECT_DOMAIN(a)
#define SUBJECT_SOCKTYPE(a)
#define SUBJECT_SOCKFLAGS(a)
#define SUBJECT_HOW(a)
#define SUBJECT_SOLEVEL(a)
#define SUBJECT_SONAME(a)
#define SUBJECT_FILETYPE(a)
#define SUBJECT_MSGFLAGS(a)
#define SUBJECT_RWFLAGS(a)
#define SUBJECT_SPLICEFLAGS(a)
#define SUBJECT_DISPOSITION(a)
#define SUBJECT_ADDR(a)
#define SUBJECT_ADDROUT(a)
#define SUBJECT_DATA(a)
#define SUBJECT_ITEMDATA(a)
#define SUBJECT_IOV(a)
#define SUBJECT_MSG(a)
#define SUBJECT_MSGIN(a)
#define SUBJECT_MMSG(a)
#define SUBJECT_MMSGIN(a)
#define SUBJECT_OPTIN(a)
#define SUBJECT_OPTOUT(a)
#define SUBJECT_STRING(a)
#define SUBJECT_NAMEOUT(a)
#define SUBJECT_LINE(a)
#define SUBJECT_LINEPTR(a)
#define SUBJECT_ADDRINFO(a)
#define SUBJECT_SIGACT(a)

/* ---- values into the record (c and at in scope) ------------------------ */

static inline uint8_t *store4(uint8_t *at, int32_t v)
{
	memcpy(at, &v, sizeof v);
	return at + sizeof v;
}

static inline uint8_t *store8(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, sizeof v);
	return at + sizeof v;
}

#define STORE(i, kind, a) STORE_##kind(a)
#define STORE_4(a) at = store4(at, (int32_t)(a));
#define STORE_8(a) at = store8(at, (uint64_t)(a));
#define STORE_ADDR(a) c.addr = (a); c.alen = alen;
#define STORE_MSG(a) c.addr = (a);
#define STORE_MSGIN(a)							\
	c.addr = (a);							\
	c.room = readable_near(a, sizeof *(a)) ? (a)->msg_namelen : 0;
#define STORE_MMSG(a) c.addr = (a);
#define STORE_MMSGIN(a) c.addr = (a);
#define STORE_SOCK(a)
#define STORE_FD(a)
#define STORE_STREAM(a)
#define STORE_SKIP(a)
#define STORE_NEWNAME(a)
#define STORE_HERR(a)
#define STORE_HOST(a)
#define STORE_AIO(a)
#define STORE_INT(a) STORE_4(a)
#define STORE_UINT(a) STORE_4(a)
#define STORE_LEN(a) STORE_8(a)
#define STORE_OFFSET(a) STORE_8(a)
#define STORE_DOMAIN(a) STORE_4(a)
#define STORE_SOCKTYPE(a) STORE_4(a)
#define STORE_SOCKFLAGS(a) STORE_4(a)
#define STORE_HOW(a) STORE_4(a)
#define STORE_SOLEVEL(a) STORE_4(a)
#define STORE_SONAME(a) STORE_4(a)
#define STORE_FILETYPE(a) STORE_4(a)
#define STORE_MSGFLAGS(a) STORE_4(a)
#define STORE_RWFLAGS(a) STORE_4(a)
#define STORE_SPLICEFLAGS(a) STORE_4(a)
#define STORE_OPENFLAGS(a) STORE_4(a)
#define STORE_FCNTL(a) STORE_4(a)
#define STORE_FCNTLARG(a) STORE_8(a)
#define STORE_IOCTL(a) STORE_8(a)
#define STORE_EPOLLFLAGS(a) STORE_4(a)
#define STORE_EPOLLOP(a) STORE_4(a)
#define STORE_CLONEFLAGS(a) STORE_4(a)
#define STORE_SYSCALL(a) STORE_8(a)
#define STORE_SIGNUM(a) STORE_4(a)
#define STORE_DISPOSITION(a) STORE_8((uintptr_t)(a))
#define STORE_ADDROUT(a)						\
	c.room = (a) && readable_near(alen, sizeof *alen) ? *alen : 0;
#define STORE_DATA(a)
#define STORE_ITEMDATA(a)
#define STORE_IOV(a)
#define STORE_OPTIN(a)
#define STORE_OPTOUT(a)
#define STORE_STRING(a)
#define STORE_NAMEOUT(a)
#define STORE_LINE(a)
#define STORE_LINEPTR(a)
#define STORE_ADDRINFO(a)
#define STORE_SIGACT(a)

/* ---- what a fault needs (c in scope, c.touch) -------------------------- */

#define GIVE(i, kind, a) GIVE_##kind(a)
#define GIVE_DATA(a) c.io.shape = SHAPE_BUF; c.io.buf = (void *)(a);
#define GIVE_LEN(a)							\
	c.io.shape = c.io.shape ? c.io.shape : SHAPE_LEN;		\
	c.io.len = &(a);
#define GIVE_IOV(a)							\
	c.io.shape = SHAPE_IOV;						\
	c.io.iov = (const struct iovec **)&(a);				\
	c.io.iovcnt = (int *)&iovcnt;
#define GIVE_MSG(a) c.io.shape = SHAPE_MSG; c.io.msg = (struct msghdr **)&(a);
#define GIVE_MSGIN(a) GIVE_MSG(a)
#define GIVE_MMSG(a)							\
	c.io.shape = SHAPE_MMSG; c.io.mmsg = &(a); c.io.n = &n;
#define GIVE_MMSGIN(a) GIVE_MMSG(a)
#define GIVE_MSGFLAGS(a) c.io.flags = (a);
#define GIVE_RWFLAGS(a) c.io.flags = (a) & RWF_NOWAIT ? MSG_DONTWAIT : 0;
#define GIVE_SPLICEFLAGS(a)						\
	c.io.flags = (a) & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
#define GIVE_STREAM(a) c.io.stream = (a);
#define GIVE_STRING(a)		/* the first one is what is looked up */	\
	if (!c.io.named)						\
		c.io.name = (a);					\
	c.io.named = true;
#define GIVE_OPTOUT(a)							\
	c.io.opt = readable(vlen, sizeof *vlen) ? (a) : NULL;		\
	c.io.opt_len = c.io.opt && *vlen < sizeof(int) ? *vlen		\
						       : sizeof(int);	\
	c.io.name_len = vlen;
#define GIVE_ADDROUT(a)							\
	c.io.name_out = (void *)(a);					\
	c.io.name_len = alen;
#define GIVE_HOST(a) c.io.host = (a);
#define GIVE_HERR(a) c.io.herr = (a);
#define GIVE_SOCK(a)
#define GIVE_FD(a)
#define GIVE_SKIP(a)
#define GIVE_NEWNAME(a) GIVE_ADDROUT(a)
#define GIVE_AIO(a)
#define GIVE_INT(a)
#define GIVE_OFFSET(a)
#define GIVE_DOMAIN(a)
#define GIVE_SOCKTYPE(a)
#define GIVE_SOCKFLAGS(a)
#define GIVE_HOW(a)
#define GIVE_SOLEVEL(a)
#define GIVE_SONAME(a)
#define GIVE_FILETYPE(a)
#define GIVE_SIGNUM(a)
#define GIVE_DISPOSITION(a)
#define GIVE_ADDR(a)
#define GIVE_ITEMDATA(a)
#define GIVE_OPTIN(a)
#define GIVE_NAMEOUT(a)
#define GIVE_LINE(a)
#define GIVE_LINEPTR(a)
#define GIVE_ADDRINFO(a)
#define GIVE_SIGACT(a)

/* libc's function, or what a rule has in its place. */
#define REAL(type, expr)						\
	(call_fault(&c) ? (type)(intptr_t)c.answer : (expr))

#define REAL_STREAM(type, f, expr)					\
	(c.touch ? (void)(c.io.stream = (f)) : (void)0, REAL(type, expr))

/* What a call that was not begun returns: its connection may have ended. */
static inline long missed(int id, int fd, long ret)
{
	return unlikely(config.ends) && ret == -1 ? fault_missed(id, fd, ret)
						  : ret;
}

/* ---- payload (c, k, ret in scope; the call has returned) -------------- */

#define KEEPS(i, kind, a) | KEEPS_##kind
#define KEEPS_SOCK 0
#define KEEPS_FD 0
#define KEEPS_STREAM 0
#define KEEPS_SKIP 0
#define KEEPS_NEWNAME 0
#define KEEPS_HERR 0
#define KEEPS_HOST 0
#define KEEPS_INT 0
#define KEEPS_LEN 0
#define KEEPS_OFFSET 0
#define KEEPS_DOMAIN 0
#define KEEPS_SOCKTYPE 0
#define KEEPS_SOCKFLAGS 0
#define KEEPS_HOW 0
#define KEEPS_SOLEVEL 0
#define KEEPS_SONAME 0
#define KEEPS_FILETYPE 0
#define KEEPS_MSGFLAGS 0
#define KEEPS_RWFLAGS 0
#define KEEPS_SPLICEFLAGS 0
#define KEEPS_SIGNUM 0
#define KEEPS_DISPOSITION 0
#define KEEPS_AIO 1
#define KEEPS_ADDR 1
#define KEEPS_ADDROUT 1
#define KEEPS_DATA 2
#define KEEPS_ITEMDATA 2
#define KEEPS_IOV 2
#define KEEPS_MSG 1
#define KEEPS_MSGIN 1
#define KEEPS_MMSG 1
#define KEEPS_MMSGIN 1
#define KEEPS_OPTIN 1
#define KEEPS_OPTOUT 1
#define KEEPS_STRING 1
#define KEEPS_NAMEOUT 1
#define KEEPS_LINE 2
#define KEEPS_LINEPTR 2
#define KEEPS_ADDRINFO 1
#define KEEPS_SIGACT 1

#define KEEP(i, kind, a) KEEP_##kind(i, a)
#define KEEP_SOCK(i, a)
#define KEEP_FD(i, a)
#define KEEP_STREAM(i, a)
#define KEEP_SKIP(i, a)
#define KEEP_NEWNAME(i, a)
#define KEEP_HERR(i, a)
#define KEEP_HOST(i, a)
#define KEEP_INT(i, a)
#define KEEP_LEN(i, a)
#define KEEP_OFFSET(i, a)
#define KEEP_DOMAIN(i, a)
#define KEEP_SOCKTYPE(i, a)
#define KEEP_SOCKFLAGS(i, a)
#define KEEP_HOW(i, a)
#define KEEP_SOLEVEL(i, a)
#define KEEP_SONAME(i, a)
#define KEEP_FILETYPE(i, a)
#define KEEP_MSGFLAGS(i, a)
#define KEEP_RWFLAGS(i, a)
#define KEEP_SPLICEFLAGS(i, a)
#define KEEP_SIGNUM(i, a)
#define KEEP_DISPOSITION(i, a)
#define KEEP_AIO(i, a)							\
	keep_bytes(&k, i, &(a)->aio_nbytes, sizeof (a)->aio_nbytes, 8);
#define KEEP_ADDR(i, a)							\
	if (!(a))							\
		keep_null(&k, i);					\
	else if (call_read(&c))						\
		keep_bytes(&k, i, a, alen, sizeof(struct sockaddr_storage));
#define KEEP_ADDROUT(i, a)						\
	if (ret >= 0)							\
		keep_addrout(&k, i, a, alen, c.room);
#define KEEP_DATA(i, a)							\
	if (ret >= 0 && k.data)						\
		keep_bytes(&k, i, a, ret, k.data);
#define KEEP_ITEMDATA(i, a)						\
	if (ret > 0 && k.data)						\
		keep_bytes(&k, i, a, ret * size, k.data);
#define KEEP_IOV(i, a)							\
	if (ret >= 0 && k.data)						\
		keep_iov(&k, i, a, iovcnt, ret);
#define KEEP_MSG(i, a)							\
	if (ret >= 0)							\
		keep_msg(&k, i, a, ret, ~0u);
#define KEEP_MSGIN(i, a)						\
	if (ret >= 0)							\
		keep_msg(&k, i, a, ret, c.room);
#define KEEP_MMSG(i, a)							\
	if (ret >= 0)							\
		keep_mmsg(&k, i, a, ret);
#define KEEP_MMSGIN(i, a) KEEP_MMSG(i, a)
#define KEEP_OPTIN(i, a)						\
	if (call_read(&c))						\
		keep_opt(&k, i, a, vlen);
#define KEEP_OPTOUT(i, a)						\
	if (ret >= 0)							\
		keep_opt(&k, i, a, *vlen);
#define KEEP_STRING(i, a)						\
	keep_string(&k, i, a);
#define KEEP_NAMEOUT(i, a)						\
	if (!ret && a##len)						\
		keep_string(&k, i, a);
#define KEEP_LINE(i, a)							\
	if (ret && k.data)						\
		keep_bytes(&k, i, a, strlen(a), k.data);
#define KEEP_LINEPTR(i, a)						\
	if (ret > 0 && k.data)						\
		keep_bytes(&k, i, *(a), ret, k.data);
#define KEEP_ADDRINFO(i, a)						\
	if (!ret)							\
		keep_addrinfo(&k, i, *(a));
#define KEEP_SIGACT(i, a)						\
	if (c.rec->err != EFAULT)					\
		keep_sigact(&k, i, a);

/* ---- the result ------------------------------------------------------- */

#define BAD_COUNT (ret < 0)
#define BAD_VALUE (ret < 0)
#define BAD_READY (ret < 0)
#define BAD_NEWFD (ret < 0)
#define BAD_PID (ret < 0)
#define BAD_ZERO (ret < 0)
#define BAD_ITEMS (!ret && ferror_unlocked(stream))
#define BAD_CHAR (ret == EOF && ferror_unlocked(stream))
#define BAD_LINE (!ret && ferror_unlocked(stream))
#define BAD_POINTER (!ret)
#define BAD_HANDLER (ret == -1)
#define BAD_ERRNUM (ret != 0)
#define BAD_EAI (ret != 0)

/*
 * The rest of a wrapper after libc's function has returned r, a variable: the
 * record is finished, errno is as it was.  The last argument takes the payload.
 */
#define RETURNED(r, bad, keeps, ...)					\
	do {								\
		int err_ = errno;					\
		long ret = (long)(intptr_t)(r);				\
		if (unlikely(c.touch)) {				\
			fault_after(&c, &ret, &err_);			\
			r = (__typeof__(r))(intptr_t)ret;		\
		} else if (unlikely(call_late(&c))) {			\
			fault_late(&c, &ret, &err_);			\
			r = (__typeof__(r))(intptr_t)ret;		\
		}							\
		call_end(&c, ret, bad, err_);				\
		if (call_keeps(&c, keeps)) {				\
			struct keep k;					\
			keep_begin(&k, &c);				\
			__VA_ARGS__					\
			call_done(&c, &k);				\
			keep_end(&k);					\
		} else {						\
			call_done(&c, NULL);				\
		}							\
		if (unlikely(c.touch && c.raise))			\
			fault_raise(c.raise);				\
		errno = err_;						\
	} while (0)

/* The same where there is no variable, nor a rule that could change it. */
#define ENDED(value, ...)						\
	do {								\
		long r_ = (value);					\
		RETURNED(r_, __VA_ARGS__);				\
	} while (0)

#endif
