/* SPDX-License-Identifier: MIT */
/* server.c, which waits for nobody but in poll. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 100

static struct client {
	int fd;
	size_t len, sent;		/* of data, not yet gone back */
	char data[512];
} clients[CLIENTS];
static size_t count;

/* -1 when it is over. */
static int echo(struct client *c)
{
	ssize_t n;

	if (!c->len) {
		n = recv(c->fd, c->data, sizeof c->data, 0);
		if (n > 0)
			c->len = n;
	} else {
		n = send(c->fd, c->data + c->sent, c->len - c->sent,
			 MSG_NOSIGNAL);
		if (n > 0 && (c->sent += n) == c->len)
			c->len = c->sent = 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		perror("echo server: client");
	return n > 0 ? 0 : -1;
}

/* 0 when it is not to be tried again for a while. */
static int add_client(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	/* the repair: a listener that does not wait, and a loop that goes on */
	if (fd < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (fd < 0) {
		perror("echo server: accept");
		return 0;
	}
	clients[count++] = (struct client){ .fd = fd };
	return 1;
}

static void remove_client(size_t i)
{
	if (close(clients[i].fd) && errno != EINTR)
		perror("echo server: close");
	clients[i] = clients[--count];
}

static void serve(int listener)
{
	struct pollfd p[1 + CLIENTS];
	int open = 1;

	for (;;) {
		p[0].fd = open && count < CLIENTS ? listener : -1;
		p[0].events = POLLIN;
		for (size_t i = 0; i < count; i++) {
			p[i + 1].fd = clients[i].fd;
			p[i + 1].events = clients[i].len ? POLLOUT : POLLIN;
		}
		if (poll(p, 1 + count, open ? -1 : 100) < 0) {
			if (errno != EINTR) {
				perror("echo server: poll");
				usleep(100000);
			}
			continue;
		}
		for (size_t i = count; i-- > 0;)
			if (p[i + 1].revents && echo(&clients[i]))
				remove_client(i);
		/* EMFILE and its like last, and the client still waits */
		open = p[0].fd < 0 || !p[0].revents || add_client(listener);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("echo server: cannot listen");
		if (listener >= 0)
			close(listener);
		return 1;
	}
	serve(listener);
}
