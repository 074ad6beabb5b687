/* SPDX-License-Identifier: MIT */
/*
 * What every case of gates.c shares: the moment at which a gate opens, what is
 * printed, and threads that wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FD 100				/* the socket that rules speak of */
#define PIECE 5
#define BIG 65536
#define MS 1000000LL

enum { TOO_LATE = 75, NOT_HERE = 77 };	/* exit statuses, besides errors */

enum proto { TCP = 1, UDP = 2, STREAM = 4, DGRAM = 8, SEQ = 16 };

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

static struct scene {
	bool real;			/* the kernel's event, not the rule's */
	int64_t span;			/* how long the gate is closed, ns */
	int64_t moment;			/* it does not open before */
	enum proto proto;
	bool asked;			/* a call has met the gate already */
	int peer, lis;
	int level, edge;		/* epoll sets, see fidelity/waits.h */
	union addr there;
	socklen_t therelen;
	size_t filled;			/* what a real peer has to drain */
	int sent;			/* pieces, by the peer */
} s = { .proto = TCP, .peer = -1, .lis = -1, .level = -1, .edge = -1 };

/* ---- the end ------------------------------------------------------------ */

static void (*cleaners[4])(void);
static int n_cleaners;

static void clean_at_end(void (*cleaner)(void))
{
	cleaners[n_cleaners++] = cleaner;
}

__attribute__((noreturn)) static void leave(int status)
{
	while (n_cleaners > 0)
		cleaners[--n_cleaners]();
	_exit(status);
}

__attribute__((noreturn)) static void not_here(const char *why)
{
	fprintf(stderr, "not here: %s: %s\n", why, strerror(errno));
	leave(NOT_HERE);
}

/* need: something the scene cannot be set up without. */
static int need(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "gates: %s: %s\n", what, strerror(errno));
	leave(4);
}

/* ---- time --------------------------------------------------------------- */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec t = { when / (1000 * MS), when % (1000 * MS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

/* mark: whatever is gated from here on opens no earlier than the moment. */
static void mark(void)
{
	s.moment = now() + s.span;
}

/* pause_a_bit: between two looks at the kernel's state. */
static void pause_a_bit(void)
{
	sleep_until(now() + MS / 5);
}

#define until(condition) \
	do { \
		if (condition) \
			break; \
		pause_a_bit(); \
	} while (1)

/* asleep: the thread waits in the kernel. */
static bool asleep(pid_t tid)
{
	char path[64], stat[512] = "", *p;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (!fgets(stat, sizeof stat, f))
		stat[0] = '\0';
	fclose(f);
	p = strrchr(stat, ')');
	return p && p[1] && p[2] == 'S';
}

/* ---- what is printed ---------------------------------------------------- */

static struct said {			/* shared with children */
	size_t len;
	char text[16000];
} *said;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	said->len += vsnprintf(said->text + said->len,
			       sizeof said->text - said->len, format, list);
	va_end(list);
	if (said->len >= sizeof said->text)
		said->len = sizeof said->text - 1;
}

/*
 * BEFORE: the gate was closed when the call returned.  Where this machine was
 * so slow that it need not have been, the run says nothing and is repeated
 * with a longer time.  AFTER: it has opened; LATER: no matter when.
 */
enum phase { BEFORE, AFTER, LATER };

static void tell_at(enum phase phase, int64_t at, const char *what,
		    const char *got)
{
	static const char *const words[] = { "before", "after", "later" };

	if (phase == BEFORE && at >= s.moment)
		leave(TOO_LATE);
	say("%s: %s = %s%s\n", words[phase], what, got,
	    phase == AFTER && at < s.moment ? " EARLY" : "");
}

static void tell(enum phase phase, const char *what, const char *got)
{
	tell_at(phase, now(), what, got);
}

static const char *num(long ret)
{
	static _Thread_local char text[40];

	if (ret == -1)
		snprintf(text, sizeof text, "-1 %s", strerrorname_np(errno));
	else
		snprintf(text, sizeof text, "%ld", ret);
	return text;
}

static const struct {
	int bit;
	const char *name;
} bit_names[] = {
	{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" },
	{ POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLRDHUP, "RDHUP" },
	{ POLLNVAL, "NVAL" }, { POLLRDNORM, "RDNORM" },
	{ POLLRDBAND, "RDBAND" }, { POLLWRNORM, "WRNORM" },
	{ POLLWRBAND, "WRBAND" },
	{ 0x10000, "readable" }, { 0x20000, "writable" },
	{ 0x40000, "exceptional" },
};

/* bits: poll's, or select's sets (fidelity/waits.h). */
static const char *bits(int ready)
{
	static _Thread_local char text[100];
	size_t len = 0;

	if (ready <= 0)
		return num(ready);
	for (size_t i = 0; i < sizeof bit_names / sizeof *bit_names; i++)
		if (ready & bit_names[i].bit)
			len += snprintf(text + len, sizeof text - len, "%s%s",
					len ? " " : "", bit_names[i].name);
	return text;
}

/* piece: what a call took, with a stroke for the end of the line. */
static const char *piece(const char *data, ssize_t n)
{
	static _Thread_local char text[60];
	size_t len;

	if (n <= 0)
		return num(n);
	len = snprintf(text, sizeof text, "%zd \"", n);
	for (ssize_t i = 0; i < n && len < sizeof text - 3; i++)
		text[len++] = data[i] == '\n' ? '/' : data[i];
	strcpy(text + len, "\"");
	return text;
}

/* on_alarm: the lines so far. */
static void on_alarm(int sig)
{
	(void)sig;
	if (write(1, said->text, said->len) < 0 ||
	    write(1, "HANGS\n", 6) < 0)
		_exit(4);
	_exit(3);
}
