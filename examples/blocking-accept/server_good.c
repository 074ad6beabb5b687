/* SPDX-License-Identifier: MIT */
/* server.c, which waits for nobody but in poll. */
#include "../good.h"

#define CLIENTS 100

const char program[] = "echo server";

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
		fail("client");
	return n > 0 ? 0 : -1;
}

/* 0 when it is not to be tried again for a while. */
static int add_client(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	/* The repair: a listener that does not wait, a loop that goes on. */
	if (fd < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (fd < 0) {
		fail("accept");
		return 0;
	}
	clients[count++] = (struct client){ .fd = fd };
	return 1;
}

static void remove_client(size_t i)
{
	close_end(clients[i].fd);
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
				fail("poll");
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
	struct sockaddr_in in = here(argc > 1 ? atoi(argv[1]) : 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		fail("cannot listen");
		if (listener >= 0)
			close(listener);
		return 1;
	}
	serve(listener);
}
