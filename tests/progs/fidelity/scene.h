/* SPDX-License-Identifier: MIT */
/*
 * What one run of fidelity.c works on, the line it prints, and how it waits.
 *
 * The socket under test is always descriptor FD, so that a rule can name it.
 * Nothing here calls a function on FD that a rule of the run could mean: the
 * calls that are under test are the letters of probes.h and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD 100
#define NOT_HERE 77			/* the event cannot be had: exit status */
#define TOO_LATE 75			/* see gates.h: exit status */
#define PIECE 5				/* bytes of a write, unless big */
#define BIG (4 << 20)

/* Names as in errors.def; a situation is of one protocol. */
enum proto { TCP = 1, UDP = 2, STREAM = 4, DGRAM = 8, SEQ = 16, ANY = 31 };
#define INET (TCP | UDP)
#define UNIX (STREAM | DGRAM | SEQ)
#define LINKS (TCP | STREAM | SEQ)

enum mode { REAL, SOURCE, INJECTED };

struct row {
	const char *family, *error;	/* or an action, in small letters */
	int number;			/* the errno, 0 of an action */
	unsigned protos;
	const char *condition, *mechanism, *after;
	const char *situation, *source;
};

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

struct event {
	const char *family, *what;	/* the row, or the action */
	unsigned protos;
	const char *name;		/* of the cause; the usual one has none */
	const char *how;		/* in words */
	void (*setup)(void);		/* before there are sockets */
	void (*begin)(void);		/* at ! */
	void (*strike)(void);		/* when the thread waits in its call;
					   of a gate: under a rule, at ! */
	void (*end)(void);		/* at . */
};

static struct scene {
	enum mode mode;
	const struct row *row;
	const struct event *event;	/* NULL: not to be had */
	enum proto proto;
	const char *via, *wait, *order;
	bool block;
	int peer, lis, conn;		/* conn: what accept gave */
	union addr there, here, name;	/* peer's, local, as it was at first */
	union addr kept;		/* there, while an event hides it */
	socklen_t therelen, herelen, namelen;
	int domain, protocol;		/* of the next socket() */
	int level_no, option;		/* of the next setsockopt() */
	const void *value;
	socklen_t valuelen;
	size_t len;			/* of the faulted write */
	size_t out, seen;		/* bytes written; bytes the peer read */
	size_t in, got;			/* the other way */
	size_t late;			/* bytes the peer sends at . only */
	int level, edge;		/* epoll sets, -1: not wanted */
	bool done;			/* the faulted call has been made */
	pid_t tid;
	pthread_t thread;
	pid_t owner;			/* of the directory */
	char dir[64];
} s;

/* What is printed; a child's too (see main). */
static struct said {
	size_t len;
	char text[4000];
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

/* What a run must not leave behind, whatever its end. */
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

/* on_alarm: the line so far. */
static void on_alarm(int sig)
{
	(void)sig;
	if (write(1, said->text, said->len) < 0 ||
	    write(1, " HANGS\n", 7) < 0)
		leave(4);
	leave(3);
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
	fprintf(stderr, "fidelity: %s: %s\n", what, strerror(errno));
	leave(4);
}

static const char *name_of(int error)
{
	if (s.mode == SOURCE && error == ECONNRESET && s.row->number > 0)
		error = s.row->number;
	return strerrorname_np(error);
}

/* wants: the word is one of those of WAIT ("block+pending"). */
static bool wants(const char *word)
{
	size_t n = strlen(word);

	for (const char *p = s.wait; *p; p += *p == '+') {
		size_t m = strcspn(p, "+");

		if (m == n && !memcmp(p, word, n))
			return true;
		p += m;
	}
	return false;
}

static bool is_family(const char *family)
{
	return !strcmp(s.row->family, family);
}

static bool dead(void)
{
	return !strcmp(s.row->after, "DEAD");
}

/* is_gate: a fault in time (gates.h). */
static bool is_gate(void)
{
	return !strcmp(s.row->mechanism, "GATE");
}

/* ---- waiting for what has no call to wait with -------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* pause_a_bit: between two looks at the kernel's state. */
static void pause_a_bit(void)
{
	struct timespec t = { 0, 200000 };

	nanosleep(&t, NULL);
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

static int tcp_state(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -1;
	return info.tcpi_state;
}

static int unacked(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) ? 0 : n;
}

/* ---- the stream's bytes: a lost or doubled one shows -------------------- */

/* stream_bytes: lines of five, so that fgets and getline work too. */
static const char *stream_bytes(size_t from, size_t len)
{
	static _Thread_local char *room;

	if (!room && !(room = malloc(BIG)))
		abort();
	for (size_t i = 0; i < len; i++) {
		size_t at = from + i;

		room[i] = at % 5 == 4 ? '\n' : 'a' + (at - at / 5) % 26;
	}
	return room;
}

/* say_data: the bytes in quotes; many: only whether they are the right ones. */
static void say_data(char letter, const char *data, size_t len, size_t from)
{
	bool right = !memcmp(data, stream_bytes(from, len), len);

	if (len > 4 * PIECE) {
		say(" %c=%s", letter, right ? "all" : "WRONG BYTES");
		return;
	}
	say(" %c=\"", letter);
	for (size_t i = 0; i < len; i++)
		say("%c", data[i] == '\n' ? '/' : data[i]);
	say("\"");
}
