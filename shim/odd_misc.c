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
		ENDED(0, false, 0, );
}

/* ---- seccomp ---------------------------------------------------------- */

int prctl(int option, ...)
{
	unsigned long a[4];
	uint64_t before = 0;
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
	uint64_t before = 0;
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

/* Those that have a function of their own go there; the rest as they came. */
#define BY(number, call) case number: return call;
static long dispatch(long number, long a, long b, long c, long d, long e,
		     long f)
{
	switch (number) {
	BY(SYS_read, read(a, (void *)b, c))
	BY(SYS_write, write(a, (void *)b, c))
	BY(SYS_readv, readv(a, (void *)b, c))
	BY(SYS_writev, writev(a, (void *)b, c))
	BY(SYS_close, close(a))
	BY(SYS_socket, socket(a, b, c))
	BY(SYS_socketpair, socketpair(a, b, c, (int *)d))
	BY(SYS_bind, bind(a, (void *)b, c))
	BY(SYS_listen, listen(a, b))
	BY(SYS_connect, connect(a, (struct sockaddr *)b, c))
	BY(SYS_accept, accept(a, (struct sockaddr *)b, (socklen_t *)c))
	BY(SYS_accept4, accept4(a, (struct sockaddr *)b, (socklen_t *)c, d))
	BY(SYS_shutdown, shutdown(a, b))
	BY(SYS_getsockname, getsockname(a, (struct sockaddr *)b,
	   (socklen_t *)c))
	BY(SYS_getpeername, getpeername(a, (struct sockaddr *)b,
	   (socklen_t *)c))
	BY(SYS_getsockopt, getsockopt(a, b, c, (void *)d, (socklen_t *)e))
	BY(SYS_setsockopt, setsockopt(a, b, c, (void *)d, e))
	BY(SYS_sendto, sendto(a, (void *)b, c, d, (struct sockaddr *)e, f))
	BY(SYS_recvfrom, recvfrom(a, (void *)b, c, d,
	   (struct sockaddr *)e, (socklen_t *)f))
	BY(SYS_sendmsg, sendmsg(a, (void *)b, c))
	BY(SYS_recvmsg, recvmsg(a, (void *)b, c))
	BY(SYS_sendmmsg, sendmmsg(a, (void *)b, c, d))
	BY(SYS_recvmmsg, recvmmsg(a, (void *)b, c, d, (void *)e))
	BY(SYS_pread64, pread(a, (void *)b, c, d))
	BY(SYS_pwrite64, pwrite(a, (void *)b, c, d))
	/* an offset is one register here: e is its unused upper half */
	BY(SYS_preadv, preadv(a, (void *)b, c, d))
	BY(SYS_pwritev, pwritev(a, (void *)b, c, d))
	BY(SYS_preadv2, preadv2(a, (void *)b, c, d, f))
	BY(SYS_pwritev2, pwritev2(a, (void *)b, c, d, f))
	BY(SYS_lseek, lseek(a, b, c))
	BY(SYS_sendfile, sendfile(a, b, (off_t *)c, d))
	BY(SYS_splice, splice(a, (off64_t *)b, c, (off64_t *)d, e, f))
	BY(SYS_tee, tee(a, b, c, d))
	BY(SYS_vmsplice, vmsplice(a, (void *)b, c, d))
	BY(SYS_dup, dup(a))
	BY(SYS_dup3, dup3(a, b, c))
	BY(SYS_fcntl, fcntl(a, b, c))
	BY(SYS_ioctl, ioctl(a, b, c))
	BY(SYS_close_range, close_range(a, b, c))
	BY(SYS_epoll_create1, epoll_create1(a))
	BY(SYS_epoll_ctl, epoll_ctl(a, b, c, (void *)d))
	BY(SYS_pidfd_getfd, pidfd_getfd(a, b, c))
#ifdef SYS_poll
	BY(SYS_poll, poll((void *)a, b, c))
	BY(SYS_dup2, dup2(a, b))
	BY(SYS_epoll_wait, epoll_wait(a, (void *)b, c, d))
#endif
	BY(SYS_prctl, prctl(a, b, c, d, e))
	BY(SYS_seccomp, by_seccomp(a, b, c))
	BY(SYS_execve, execve((char *)a, (char **)b, (char **)c))
	BY(SYS_execveat, execveat(a, (char *)b, (char **)c, (char **)d, e))
	case SYS_exit_group:
		_exit(a);
	default:
		return real.syscall(number, a, b, c, d, e, f);
	}
}
#undef BY

/*
 * System calls by number are recorded as the calls they are.  Not variadic:
 * the arguments are in registers either way.
 */
EXPORT long by_number(long number, long a, long b, long c, long d, long e,
		      long f) __asm__("syscall");

long by_number(long number, long a, long b, long c, long d, long e, long f)
{
	long r;

	if (!entered())
		return real.syscall(number, a, b, c, d, e, f);
	me.caller = CALLER;
	r = dispatch(number, a, b, c, d, e, f);
	me.caller = NULL;
	return r;
}
