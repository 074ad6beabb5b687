/* SPDX-License-Identifier: MIT */
/* Headers and prototypes of every function in calls.def. */
#ifndef SHIM_CALLS_H
#define SHIM_CALLS_H

/* no inline versions of the functions declared below */
#ifndef __NO_INLINE__
#define __NO_INLINE__ 1
#endif

#include "../rules/table.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#if __has_include(<sys/pidfd.h>)
#include <sys/pidfd.h>		/* glibc 2.36 */
#endif

/* the headers' macros are not the functions we stand in front of */
#undef putc
#undef getc
#undef fputc
#undef putc_unlocked
#undef getc_unlocked
#undef fputc_unlocked
#undef fgetc_unlocked
#undef putchar_unlocked
#undef getchar_unlocked
#undef res_query
#undef res_search
#undef res_send
#undef res_nquery
#undef res_nsearch
#undef res_nsend

#define EXPORT __attribute__((visibility("default")))

#define CALL(family, result, type, name, params, ...) \
	EXPORT type name params;
#define BYHAND(family, result, type, name, params, ...) \
	EXPORT type name params;
#define ALSO(type, name, params, ...) EXPORT type name params;
#define HANDALSO(type, name, params, ...) EXPORT type name params;
#include "../rules/calls.def"
#undef CALL
#undef BYHAND
#undef ALSO
#undef HANDALSO

#endif
