/* SPDX-License-Identifier: MIT */
/* The table of libc's own functions; see real.h. */
#include "real.h"

#include <dlfcn.h>
#include <sys/syscall.h>

/* A function asked for before we know it, or that this libc has not. */
static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

/* Calls a malloc or a constructor may make while dlsym is still at work. */
#define EARLY(name, number)						\
	static long early_##name(long a, long b, long c, long d, long e, \
				 long f)				\
	{								\
		return syscall(number, a, b, c, d, e, f);		\
	}
#define EARLY_ROWS							\
	EARLY(read, SYS_read)						\
	EARLY(write, SYS_write)						\
	EARLY(readv, SYS_readv)						\
	EARLY(writev, SYS_writev)					\
	EARLY(close, SYS_close)						\
	EARLY(socket, SYS_socket)					\
	EARLY(connect, SYS_connect)					\
	EARLY(sendto, SYS_sendto)					\
	EARLY(recvfrom, SYS_recvfrom)					\
	EARLY(sendmsg, SYS_sendmsg)					\
	EARLY(recvmsg, SYS_recvmsg)					\
	EARLY(getsockopt, SYS_getsockopt)				\
	EARLY(setsockopt, SYS_setsockopt)				\
	EARLY(lseek, SYS_lseek)						\
	EARLY(dup, SYS_dup)						\
	EARLY(dup3, SYS_dup3)						\
	EARLY(fcntl, SYS_fcntl)						\
	EARLY(ioctl, SYS_ioctl)
#define syscall early_syscall
/* the kernel's own entry: libc's syscall() is one of the functions we wrap */
static long early_syscall(long n, long a, long b, long c, long d, long e,
			  long f)
{
	long ret;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			   "r"(x5) : "memory");
	ret = x0;
#else
#error "system calls of this machine are not known"
#endif
	if (ret < 0 && ret >= -4095) {
		errno = -ret;
		return -1;
	}
	return ret;
}
EARLY_ROWS
#undef syscall
#undef EARLY

struct real real = {
#define CALL(family, result, type, name, ...) \
	.name = (__typeof__(name) *)(void *)missing,
#define BYHAND(family, result, type, name, ...) \
	.name = (__typeof__(name) *)(void *)missing,
#define HANDALSO(type, name, ...) \
	.name = (__typeof__(name) *)(void *)missing,
#define ALSO NO_ROW
#include "../rules/calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
};

/* Before anything: nothing of ours has run, not even relocated pointers of
 * another library's constructor; two stores per row. */
static void real_early(void)
{
#define EARLY(name, number) \
	real.name = (__typeof__(name) *)(void *)early_##name;
	EARLY_ROWS
#undef EARLY
	real.syscall = (__typeof__(syscall) *)(void *)early_syscall;
}

void real_find(void)
{
	void *p;

	real_early();
#define FIND(name)							\
	p = dlsym(RTLD_NEXT, #name);					\
	if (p)								\
		real.name = (__typeof__(name) *)p;
#define CALL(family, result, type, name, ...) FIND(name)
#define BYHAND CALL
#define HANDALSO(type, name, ...) FIND(name)
#define ALSO NO_ROW
#include "../rules/calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO
#undef FIND
}
