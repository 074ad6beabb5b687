/* SPDX-License-Identifier: MIT */
/* What fits nowhere else. */
#include "wrap.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

void freeaddrinfo(struct addrinfo *res)
{
	struct call c;
	bool on = call_begin(&c, CALL_freeaddrinfo, NO_FD, false, CALLER);

	real.freeaddrinfo(res);
	if (on)
		RETURNED(0, false, 0, );
}

/* ---- seccomp ---------------------------------------------------------- */

int prctl(int option, ...)
{
	unsigned long a[4];
	uint32_t before = 0;
	bool on, sandbox;
	struct call c;
	va_list list;
	uint8_t *at;
	int r;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	on = call_begin(&c, CALL_prctl, NO_FD, false, CALLER);
	if (on) {
		at = c.rec->args;
		STORE_INT(option)
		(void)at;
	}
	sandbox = entered() && config.active && option == PR_SET_SECCOMP;
	if (sandbox)
		before = sandbox_enter(a[0] == SECCOMP_MODE_STRICT ? NULL :
				       (const struct sock_fprog *)a[1]);
	r = real.prctl(option, a[0], a[1], a[2], a[3]);
	if (sandbox && r < 0)
		sandbox_refused(before);
	if (on && config.active)
		RETURNED(r, BAD_VALUE, 0, );
	return r;
}

/* There is no function for seccomp(2); libseccomp comes here. */
static long by_seccomp(long op, long flags, long prog)
{
	bool sandbox = (op == SECCOMP_SET_MODE_STRICT ||
			op == SECCOMP_SET_MODE_FILTER) &&
		       entered() && config.active;
	uint32_t before = 0;
	long r;

	if (sandbox)
		before = sandbox_enter(op == SECCOMP_SET_MODE_STRICT ? NULL :
				       (const struct sock_fprog *)prog);
	r = real.syscall(SYS_seccomp, op, flags, prog);
	if (sandbox && r < 0)
		sandbox_refused(before);
	return r;
}

/* ---- system calls by number ------------------------------------------- */

/*
 * System calls by number.  Those that have a function of their own go there,
 * and are recorded as that; the rest go on as they came.  Not variadic, so
 * that all is a jump: the arguments are in registers either way.
 */
EXPORT long by_number(long number, long a, long b, long c, long d, long e,
		      long f) __asm__("syscall");

long by_number(long number, long a, long b, long c, long d, long e, long f)
{
	long (*libc)(long, ...);

	if (!entered())
		return real.syscall(number, a, b, c, d, e, f);
	libc = real.syscall;
	me.caller = CALLER;
	switch (number) {
	case SYS_read:
		return read(a, (void *)b, c);
	case SYS_write:
		return write(a, (void *)b, c);
	case SYS_readv:
		return readv(a, (void *)b, c);
	case SYS_writev:
		return writev(a, (void *)b, c);
	case SYS_close:
		return close(a);
	case SYS_socket:
		return socket(a, b, c);
	case SYS_socketpair:
		return socketpair(a, b, c, (int *)d);
	case SYS_bind:
		return bind(a, (void *)b, c);
	case SYS_listen:
		return listen(a, b);
	case SYS_connect:
		return connect(a, (struct sockaddr *)b, c);
	case SYS_accept:
		return accept(a, (struct sockaddr *)b, (socklen_t *)c);
	case SYS_accept4:
		return accept4(a, (struct sockaddr *)b, (socklen_t *)c, d);
	case SYS_shutdown:
		return shutdown(a, b);
	case SYS_getsockname:
		return getsockname(a, (struct sockaddr *)b, (socklen_t *)c);
	case SYS_getpeername:
		return getpeername(a, (struct sockaddr *)b, (socklen_t *)c);
	case SYS_getsockopt:
		return getsockopt(a, b, c, (void *)d, (socklen_t *)e);
	case SYS_setsockopt:
		return setsockopt(a, b, c, (void *)d, e);
	case SYS_sendto:
		return sendto(a, (void *)b, c, d, (struct sockaddr *)e, f);
	case SYS_recvfrom:
		return recvfrom(a, (void *)b, c, d, (struct sockaddr *)e,
				(socklen_t *)f);
	case SYS_sendmsg:
		return sendmsg(a, (void *)b, c);
	case SYS_recvmsg:
		return recvmsg(a, (void *)b, c);
	case SYS_sendmmsg:
		return sendmmsg(a, (void *)b, c, d);
	case SYS_recvmmsg:
		return recvmmsg(a, (void *)b, c, d, (void *)e);
	case SYS_pread64:
		return pread(a, (void *)b, c, d);
	case SYS_pwrite64:
		return pwrite(a, (void *)b, c, d);
	/* an offset is one register here: e is its unused upper half */
	case SYS_preadv:
		return preadv(a, (void *)b, c, d);
	case SYS_pwritev:
		return pwritev(a, (void *)b, c, d);
	case SYS_preadv2:
		return preadv2(a, (void *)b, c, d, f);
	case SYS_pwritev2:
		return pwritev2(a, (void *)b, c, d, f);
	case SYS_lseek:
		return lseek(a, b, c);
	case SYS_sendfile:
		return sendfile(a, b, (off_t *)c, d);
	case SYS_splice:
		return splice(a, (off64_t *)b, c, (off64_t *)d, e, f);
	case SYS_tee:
		return tee(a, b, c, d);
	case SYS_vmsplice:
		return vmsplice(a, (void *)b, c, d);
	case SYS_dup:
		return dup(a);
	case SYS_dup3:
		return dup3(a, b, c);
	case SYS_fcntl:
		return fcntl(a, b, c);
	case SYS_ioctl:
		return ioctl(a, b, c);
	case SYS_close_range:
		return close_range(a, b, c);
	case SYS_epoll_create1:
		return epoll_create1(a);
	case SYS_epoll_ctl:
		return epoll_ctl(a, b, c, (void *)d);
	case SYS_pidfd_getfd:
		return pidfd_getfd(a, b, c);
#ifdef SYS_poll
	case SYS_poll:
		return poll((void *)a, b, c);
	case SYS_dup2:
		return dup2(a, b);
	case SYS_epoll_wait:
		return epoll_wait(a, (void *)b, c, d);
#endif
	case SYS_prctl:
		return prctl(a, b, c, d, e);
	case SYS_seccomp:
		return by_seccomp(a, b, c);
	case SYS_execve:
		return execve((char *)a, (char **)b, (char **)c);
	case SYS_execveat:
		return execveat(a, (char *)b, (char **)c, (char **)d, e);
	case SYS_exit_group:
		_exit(a);
	default:
		me.caller = NULL;
		return libc(number, a, b, c, d, e, f);
	}
}
