/* SPDX-License-Identifier: MIT */
/*
 * Connections with a known fate, both ends in this process, one fate per
 * name: show_conns FATE.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int listener, client, server;
static struct sockaddr_in addr;

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void listen_somewhere(void)
{
	socklen_t len = sizeof addr;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(!bind(listener, (struct sockaddr *)&addr, sizeof addr), "bind");
	check(!listen(listener, 5), "listen");
	getsockname(listener, (struct sockaddr *)&addr, &len);
}

static void connect_both(void)
{
	listen_somewhere();
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(client, (struct sockaddr *)&addr, sizeof addr),
	      "connect");
	server = accept(listener, NULL, NULL);
	check(server >= 0, "accept");
}

static ssize_t take(int fd)
{
	char buf[64];

	return recv(fd, buf, sizeof buf, 0);
}

static void client_first(void)
{
	connect_both();
	check(send(client, "hello", 5, 0) == 5, "send");
	check(take(server) == 5, "recv");
	close(client);
	check(take(server) == 0, "end");
	close(server);
	close(listener);
}

static void peer_first(void)
{
	connect_both();
	close(server);
	check(take(client) == 0, "end");
	close(client);
}

static void shut_first(void)
{
	connect_both();
	shutdown(client, SHUT_WR);
	check(send(client, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE,
	      "EPIPE");
	check(take(server) == 0, "end");
	close(server);
	check(take(client) == 0, "end");
	close(client);
}

static void reset(void)
{
	struct linger now = { 1, 0 };

	connect_both();
	setsockopt(server, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(server);
	check(take(client) < 0 && errno == ECONNRESET, "reset");
	close(client);
}

/* The same by an option of the listener. */
static void inherited(void)
{
	struct linger now = { 1, 0 };

	listen_somewhere();
	setsockopt(listener, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(client, (struct sockaddr *)&addr, sizeof addr),
	      "connect");
	server = accept(listener, NULL, NULL);
	close(server);
	check(take(client) < 0 && errno == ECONNRESET, "reset");
	close(client);
}

static void unread(void)
{
	char c;

	connect_both();
	check(send(client, "hello", 5, 0) == 5, "send");
	check(recv(server, &c, 1, 0) == 1, "recv");
	close(server);
	check(take(client) < 0 && errno == ECONNRESET, "reset");
	close(client);
}

/* Sends once the process's first thread stands still. */
static void *when_asleep(void *arg)
{
	char state;
	FILE *f;

	(void)arg;
	do {
		f = fopen("/proc/self/stat", "r");
		check(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1, "stat");
		fclose(f);
	} while (state != 'S');
	check(send(client, "hello", 5, 0) == 5, "send");
	return NULL;
}

/* For `close conn=3 delay=': the data comes while that takes its time. */
static void unread_late(void)
{
	pthread_t sender;

	connect_both();
	check(!pthread_create(&sender, NULL, when_asleep, NULL), "thread");
	close(server);
	pthread_join(sender, NULL);
	check(take(client) < 0 && errno == ECONNRESET, "reset");
	close(client);
}

static void refused(void)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error;

	listen_somewhere();
	close(listener);
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check(connect(p.fd, (struct sockaddr *)&addr, sizeof addr) < 0 &&
	      errno == EINPROGRESS, "connect");
	poll(&p, 1, -1);
	getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	check(error == ECONNREFUSED, "SO_ERROR");
	close(p.fd);
}

static void later(void)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error;

	listen_somewhere();
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check(connect(p.fd, (struct sockaddr *)&addr, sizeof addr) < 0 &&
	      errno == EINPROGRESS, "connect");
	poll(&p, 1, -1);
	getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	check(take(p.fd) < 0 && errno == EAGAIN, "EAGAIN");
	check(take(p.fd) < 0 && errno == EAGAIN, "EAGAIN");
}

static void udp(void)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0);
	int b = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof addr;

	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(!bind(a, (struct sockaddr *)&addr, sizeof addr), "bind");
	getsockname(a, (struct sockaddr *)&addr, &len);
	sendto(b, "", 0, 0, (struct sockaddr *)&addr, sizeof addr);
	sendto(b, "abc", 3, 0, (struct sockaddr *)&addr, sizeof addr);
	check(take(a) == 0, "empty");
	check(take(a) == 3, "datagram");
	close(a);
}

static void pair(void)
{
	int sv[2];

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	check(write(sv[0], "ab", 2) == 2, "write");
	check(take(sv[1]) == 2, "recv");
	close(sv[0]);
	check(take(sv[1]) == 0, "end");
	signal(SIGPIPE, SIG_IGN);
	check(write(sv[1], "x", 1) < 0 && errno == EPIPE, "EPIPE");
}

/* A close of one descriptor of two is not the end. */
static void copies(void)
{
	int again;

	connect_both();
	again = dup(client);
	close(client);
	close(server);
	check(take(again) == 0, "end");
	dup2(listener, again);
	close(listener);
}

/* The parent closes first; the connection goes on in the child. */
static void forked(void)
{
	char go;
	int p[2];

	connect_both();
	check(!pipe(p), "pipe");
	if (!fork()) {
		close(listener);
		check(read(p[0], &go, 1) == 1, "pipe");
		check(send(server, "hi", 2, 0) == 2, "send");
		close(server);
		_exit(0);
	}
	close(server);
	check(write(p[1], "x", 1) == 1, "pipe");
	check(take(client) == 2, "recv");
	check(take(client) == 0, "end");
	wait(NULL);
	close(client);
}

/* The same, but the child ends without a close. */
static void left(void)
{
	char go;
	int p[2];

	connect_both();
	check(!pipe(p), "pipe");
	if (!fork()) {
		check(read(p[0], &go, 1) == 1, "pipe");
		check(send(server, "hi", 2, 0) == 2, "send");
		_exit(0);
	}
	close(server);
	check(write(p[1], "x", 1) == 1, "pipe");
	wait(NULL);
}

static void *block(void *arg)
{
	(void)arg;
	take(client);
	return NULL;
}

static void doze(void)
{
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
}

/* The end that a thread sees is of our own making. */
static void thread(void)
{
	pthread_t t;

	connect_both();
	pthread_create(&t, NULL, block, NULL);
	doze();
	shutdown(client, SHUT_RDWR);
	pthread_join(t, NULL);
	close(client);
}

static void killed(void)
{
	pthread_t t;

	connect_both();
	pthread_create(&t, NULL, block, NULL);
	doze();
	kill(getpid(), SIGKILL);
}

static void many(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 5000; i++)
		getsockname(fd, (struct sockaddr *)&addr,
			    &(socklen_t){ sizeof addr });
}

static const struct {
	const char *name;
	void (*run)(void);
} fates[] = {
	{ "client_first", client_first }, { "peer_first", peer_first },
	{ "shut_first", shut_first }, { "reset", reset },
	{ "unread", unread }, { "unread_late", unread_late },
	{ "inherited", inherited }, { "refused", refused },
	{ "later", later }, { "udp", udp },
	{ "pair", pair }, { "copies", copies }, { "forked", forked },
	{ "left", left }, { "thread", thread }, { "killed", killed },
	{ "many", many },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
		if (argc < 2 || strcmp(argv[1], fates[i].name))
			continue;
		fates[i].run();
		return 0;
	}
	errx(2, "usage: show_conns FATE");
}
