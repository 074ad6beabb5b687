/* SPDX-License-Identifier: MIT */
/* What fits nowhere else. */
#include "wrap.h"

#include <sys/syscall.h>

void freeaddrinfo(struct addrinfo *res)
{
	struct call c;
	bool on = call_begin(&c, CALL_freeaddrinfo, NO_FD, false, CALLER);

	real.freeaddrinfo(res);
	if (on)
		RETURNED(0, false, 0, );
}

/*
 * System calls by number.  Those that have a function of their own go there,
 * and are recorded as that; the rest go on as they came.  Not variadic, so
 * that all is a jump: the arguments are in registers either way.
 */
EXPORT long by_number(long number, long a, long b, long c, long d, long e,
		      long f) __asm__("syscall");

long by_number(long number, long a, long b, long c, long d, long e, long f)
{
	long (*libc)(long, ...) = real.syscall;

	if (me.starting)
		return libc(number, a, b, c, d, e, f);
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
	case SYS_execve:
		return execve((char *)a, (char **)b, (char **)c);
	default:
		return libc(number, a, b, c, d, e, f);
	}
}
