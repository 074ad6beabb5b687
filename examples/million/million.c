/* SPDX-License-Identifier: MIT */
/*
 * How many connections can there be?  Not 65,535: a connection is known by
 * five things (protocol, two addresses, two ports), so the same ports serve
 * again from another address.
 *
 *   million [SOCKETS [SECONDS]]     a million, for 40 seconds at most
 *
 * opens connections to itself, from PORTS ports of each address from 127.1.0.1
 * on, until there are enough or something is used up, and says what.  Where a
 * process may have fewer descriptors, several share them, one after another.
 * Then it exchanges bytes over some, and prints what a call costs with few
 * sockets open and with many.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORTS 1000			/* of an address */
#define FIRST_PORT 10000
#define FEW 10				/* connections */
#define ROUNDS 20000			/* of a measurement */
#define SPARE 200			/* descriptors for other things */
#define SOCKET_BYTES 5000		/* of the kernel's memory, about */

struct pair {
	int client, server;
};

/* A process that has a share of the pairs. */
struct worker {
	pid_t pid;
	int go;				/* to it: where it begins */
	int done;			/* from it: a struct report */
};

struct report {
	long n;				/* addresses and ports used up */
	long opened;			/* pairs */
	int more;			/* there may be more yet */
};

static struct pair *pairs;		/* of this process */
static long opened;
static double end;			/* of the time for opening */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- what limits it ----------------------------------------------------- */

/* A number in a file, behind a word where there is one; -1: there is none. */
static double number_in(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	char line[256];
	double n = -1;

	while (f && n < 0 && fgets(line, sizeof line, f))
		if (!strncmp(line, word, strlen(word)))
			sscanf(line + strlen(word), "%lf", &n);
	if (f)
		fclose(f);
	return n;
}

static void limit(long *sockets, double most, const char *what)
{
	if (most < 0 || most >= *sockets)
		return;
	printf("no more than %.0f sockets: %s\n", most, what);
	*sockets = most;
}

/*
 * How many of them a process may have.  Root may allow itself more, but in
 * some containers.
 */
static long sockets_each(long sockets)
{
	struct rlimit want, have;

	getrlimit(RLIMIT_NOFILE, &have);
	want = have;
	want.rlim_cur = sockets + SPARE;
	if (want.rlim_max < want.rlim_cur)
		want.rlim_max = want.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &want)) {
		have.rlim_cur = have.rlim_max;
		setrlimit(RLIMIT_NOFILE, &have);
	}
	getrlimit(RLIMIT_NOFILE, &have);
	if ((long)have.rlim_cur >= sockets + SPARE)
		return sockets;
	printf("no more than %ld descriptors in a process: RLIMIT_NOFILE "
	       "(fs.nr_open is %.0f)\n", (long)have.rlim_cur,
	       number_in("/proc/sys/fs/nr_open", ""));
	return (have.rlim_cur - SPARE) & ~1L;
}

/* Three quarters of what is free, of the machine and of our group. */
static void limit_memory(long *sockets)
{
	double free = number_in("/proc/meminfo", "MemAvailable:") * 1024;
	double most = number_in("/sys/fs/cgroup/memory.max", "");
	double used = number_in("/sys/fs/cgroup/memory.current", "");

	if (most >= 0 && used >= 0 && most - used < free)
		free = most - used;
	if (free >= 0)
		limit(sockets, free * 0.75 / SOCKET_BYTES, "memory");
	limit(sockets, number_in("/proc/sys/fs/file-max", ""), "fs.file-max");
}

/* ---- connections --------------------------------------------------------- */

static int listening(struct sockaddr_in *in)
{
	struct linger none = { .l_onoff = 1 };
	socklen_t len = sizeof *in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* accepted sockets inherit it: half a million need no TIME_WAIT */
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) ||
	    bind(fd, (struct sockaddr *)in, len) || listen(fd, 5) ||
	    getsockname(fd, (struct sockaddr *)in, &len))
		err(1, "cannot listen");
	return fd;
}

/* A socket with the n-th address and port; busy: somebody else has it. */
static int bound(long n, int *busy)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	in.sin_addr.s_addr = htonl(0x7f010001 + n / PORTS);
	in.sin_port = htons(FIRST_PORT + n % PORTS);
	*busy = 0;
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&in, sizeof in)) {
		*busy = errno == EADDRINUSE;
		close(fd);
		return -1;
	}
	return fd;
}

/* The next pair, from the n-th address and port or one behind; or -1. */
static int open_pair(int listener, const struct sockaddr_in *in, long *n)
{
	struct pair *p = &pairs[opened];
	int busy;

	do
		p->client = bound((*n)++, &busy);
	while (p->client < 0 && busy);
	if (p->client < 0)
		return -1;
	if (connect(p->client, (struct sockaddr *)in, sizeof *in)) {
		close(p->client);
		return -1;
	}
	p->server = accept(listener, NULL, NULL);
	if (p->server < 0) {
		close(p->client);
		return -1;
	}
	opened++;
	return 0;
}

/* Until there are so many; 0 when it cannot go on. */
static int open_pairs(int listener, const struct sockaddr_in *in, long most,
		      long *n)
{
	while (opened < most) {
		if (now() > end) {
			printf("no more: the time is over\n");
			return 0;
		}
		if (open_pair(listener, in, n)) {
			printf("no more: %s\n", strerror(errno));
			return 0;
		}
	}
	return 1;
}

/* A byte over the pair, and back. */
static void exchange(const struct pair *p)
{
	char c = 'x';

	if (send(p->client, &c, 1, 0) != 1 ||
	    recv(p->server, &c, 1, 0) != 1 ||
	    send(p->server, &c, 1, 0) != 1 || recv(p->client, &c, 1, 0) != 1)
		err(1, "a connection does not work");
}

static void exchange_some(void)
{
	for (long i = 0; i < opened; i += opened / 100 + 1)
		exchange(&pairs[i]);
}

/* The accepted ends first, whose close is a reset: no TIME_WAIT is left. */
static void close_pairs(void)
{
	for (long i = 0; i < opened; i++)
		close(pairs[i].server);
	for (long i = 0; i < opened; i++)
		close(pairs[i].client);
}

/* ---- processes ------------------------------------------------------------ */

/* The life of one: when it is its turn it opens, at the end it closes. */
static void work(int go, int done, int listener, const struct sockaddr_in *in,
		 long most)
{
	struct report r = { 0 };
	char none;

	if (read(go, &r.n, sizeof r.n) != sizeof r.n)
		_exit(0);
	r.more = open_pairs(listener, in, most, &r.n);
	r.opened = opened;
	if (write(done, &r, sizeof r) != sizeof r || read(go, &none, 1))
		_exit(1);
	exchange_some();
	close_pairs();
	_exit(0);
}

static void start(struct worker *w, int i, int listener,
		  const struct sockaddr_in *in, long most)
{
	int go[2], done[2];

	fflush(stdout);
	if (pipe(go) || pipe(done) || (w[i].pid = fork()) < 0)
		err(1, "no process");
	if (!w[i].pid) {
		/* the others' ends are kept by the parent alone */
		while (i--) {
			close(w[i].go);
			close(w[i].done);
		}
		close(go[1]);
		close(done[0]);
		work(go[0], done[1], listener, in, most);
	}
	close(go[0]);
	close(done[1]);
	w[i].go = go[1];
	w[i].done = done[0];
}

/* One after another, so that each accepts what it has connected itself. */
static long let_open(struct worker *w, int count, long *n)
{
	struct report r = { .more = 1 };
	long all = 0;

	for (int i = 0; i < count && r.more; i++) {
		if (write(w[i].go, n, sizeof *n) != sizeof *n ||
		    read(w[i].done, &r, sizeof r) != sizeof r)
			errx(1, "a process has gone");
		*n = r.n;
		all += r.opened;
	}
	return all;
}

/* Whether each has found its connections well. */
static int let_close(struct worker *w, int count)
{
	int status, bad = 0;

	for (int i = 0; i < count; i++) {
		close(w[i].go);
		bad |= waitpid(w[i].pid, &status, 0) < 0 || status;
		close(w[i].done);
	}
	return bad;
}

/* ---- what a call costs ---------------------------------------------------- */

/* recv finds nothing: the call alone.  Ten sockets spread over all. */
static double cost_of_nothing(void)
{
	double begin = now();
	char c;
	long i;

	for (i = 0; i < ROUNDS; i++)
		if (recv(pairs[i % FEW * (opened / FEW)].client, &c, 1,
			 MSG_DONTWAIT) >= 0)
			errx(1, "there was something");
	return (now() - begin) / ROUNDS * 1e9;
}

static double cost_of_bytes(void)
{
	double begin = now();
	long i;

	for (i = 0; i < ROUNDS / 4; i++)
		exchange(&pairs[i % FEW * (opened / FEW)]);
	return (now() - begin) / ROUNDS * 1e9;
}

static void compare(const char *what, double few, double many)
{
	printf("%-16s %6.0f ns with %d sockets, %6.0f ns with %ld: "
	       "%.2f times\n", what, few, 2 * FEW, many, 2 * opened,
	       many / few);
}

int main(int argc, char **argv)
{
	long sockets = argc > 1 ? atol(argv[1]) : 1000000, each, all, n = 0;
	double nothing, bytes;
	struct sockaddr_in in;
	struct worker *others;
	int listener, count, i, bad, more;

	setvbuf(stdout, NULL, _IOLBF, 0);
	end = now() + (argc > 2 ? atof(argv[2]) : 40);
	limit_memory(&sockets);
	each = sockets_each(sockets);
	if (each < 2 * FEW)
		errx(1, "too few to be compared");
	count = (sockets - 1) / each;	/* beside this one */
	pairs = calloc(each / 2, sizeof *pairs);
	others = calloc(count + 1, sizeof *others);
	if (!pairs || !others)
		err(1, "memory");
	listener = listening(&in);
	for (i = 0; i < count; i++)
		start(others, i, listener, &in,
		      (i < count - 1 ? each : sockets - count * each) / 2);
	if (!open_pairs(listener, &in, FEW, &n))
		return 1;
	cost_of_bytes();		/* the first calls are dear */
	nothing = cost_of_nothing();
	bytes = cost_of_bytes();
	more = open_pairs(listener, &in, each / 2, &n);
	all = opened + (more ? let_open(others, count, &n) : 0);
	printf("%ld sockets, %ld connections to one port (addresses: %ld, "
	       "ports of each: %d, processes: %d)\n", 2 * all, all,
	       (n + PORTS - 1) / PORTS, PORTS, count + 1);
	exchange_some();
	compare("recv of nothing", nothing, cost_of_nothing());
	compare("send or recv", bytes, cost_of_bytes());
	bad = let_close(others, count);
	close_pairs();
	return bad;
}
