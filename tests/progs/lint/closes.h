/* SPDX-License-Identifier: MIT */
/* Descriptors closed twice, and sockets closed with something to read. */

/* ---- double-close ------------------------------------------------------- */

static void case_twice(void)
{
	both();
	over();
	close(client);
}

/* A mistake, before everything is closed. */
static void close_from(int first, int last, int step);

static void case_twice_all(void)
{
	both();
	over();
	close(client);
	close_from(3, 256, 1);
}

/* A list that is given up in two places. */
static void case_twice_list(void)
{
	both();
	for (int i = 0; i < 2; i++) {
		const int list[] = { client, server, listener };
		for (int k = 0; k < 3; k++)
			close(list[k]);
	}
}

/* fclose has closed it. */
static void case_twice_stdio(void)
{
	FILE *f;

	both();
	f = fdopen(client, "r+");
	fclose(f);
	close(client);
	close(server);
}

static void *closes(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

static void case_twice_thread(void)
{
	pthread_t thread;

	both();
	over();
	pthread_create(&thread, NULL, closes, &client);
	pthread_join(thread, NULL);
}

/* Numbers that are no descriptors, or no more: a daemon makes sure. */
static void close_from(int first, int last, int step)
{
	for (int fd = first; fd != last; fd += step)
		close(fd);
}

static void case_all_up(void)
{
	both();
	close(server);
	close(client);
	close_from(3, 256, 1);
}

static void case_all_down(void)
{
	both();
	over();
	close_from(255, 2, -1);
}

/* More sockets have been there than a mistake could explain. */
static void case_all_many(void)
{
	int fds[40];

	for (int i = 0; i < 40; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	close_from(3, 64, 1);
}

/* Most numbers are in use, by files and by sockets. */
static void case_all_used(void)
{
	both();
	for (int i = 0; i < 20; i++)
		check(open("/dev/null", O_RDONLY) >= 0, "open");
	close(server);
	for (int i = 0; i < 5; i++)
		socket(AF_INET, SOCK_DGRAM, 0);
	close(client);
	close_from(3, 40, 1);
}

static void case_close_anew(void)
{
	both();
	for (int i = 0; i < 3; i++) {
		close(client);
		client = open("/dev/null", O_RDONLY);
		close(client);
		client = connected();
	}
	over();
}

static void case_close_copies(void)
{
	int again;

	both();
	again = dup(client);
	close(client);
	put(again, 1);
	get(server, 1);
	close(again);
	dup2(server, listener);
	close(server);
	close(listener);
}

/* Parent and child each close their own. */
static void case_close_fork(void)
{
	pid_t pid;

	both();
	pid = forked();
	if (!pid) {
		over();
		_exit(0);
	}
	waited(pid);
	over();
}

/* Everything is closed at once, and then by who had it. */
static void case_close_wide(void)
{
	int again;

	both();
	again = dup(client);
	close(again);
	close_range(listener, ~0u, 0);
	close(client);
	close(server);
}

/* The child does that, while its parent closes as usual. */
static void case_close_wide_fork(void)
{
	int go[2];
	pid_t pid;

	both();
	check(!pipe(go), "pipe");
	pid = forked();
	if (!pid) {
		put(client, 1);
		close_range(listener, server, 0);
		check(read(go[0], buf, 1) == 1, "pipe");
		close(client);
		_exit(0);
	}
	close(client);
	check(write(go[1], "x", 1) == 1, "pipe");
	waited(pid);
	get(server, 1);
	get(server, 0);
	close(server);
}

/* close(-1) is how some say "if it is open". */
static void case_close_none(void)
{
	both();
	over();
	close(-1);
	close(-1);
}

/* ---- close-unread ------------------------------------------------------- */

static void case_unread(void)
{
	both();
	put(client, 100);
	readable(server);
	check(recv(server, buf, 10, 0) == 10, "recv");
	put(server, 3);
	close(server);
	close(client);
}

static void case_unread_none(void)
{
	both();
	put(client, 100);
	get(server, 100);
	put(server, 3);
	close(server);
	get(client, 3);
	get(client, 0);
	close(client);
}

static void case_unread_drained(void)
{
	both();
	put(client, 100);
	readable(server);
	put(server, 3);
	shutdown(server, SHUT_WR);
	get(client, 3);
	get(client, 0);
	close(client);
	while (recv(server, buf, sizeof buf, 0) > 0)
		;
	close(server);
}

/* The parent greets and leaves the rest to its child. */
static void case_unread_fork(void)
{
	pid_t pid;

	both();
	put(server, 3);
	put(client, 100);
	readable(server);
	pid = forked();
	if (!pid) {
		close(client);
		get(server, 100);
		close(server);
		_exit(0);
	}
	close(server);
	get(client, 3);
	get(client, 0);
	close(client);
	waited(pid);
}

static void case_unread_copy(void)
{
	int again;

	both();
	again = dup(server);
	put(server, 3);
	put(client, 100);
	readable(server);
	close(server);
	get(again, 100);
	close(again);
	get(client, 3);
	close(client);
}

/* A reset is what it wants. */
static void case_unread_abort(void)
{
	both();
	put(client, 100);
	readable(server);
	put(server, 3);
	reset(server);
	close(client);
}

/* The listener has asked for it, for all that it accepts. */
static void case_unread_heir(void)
{
	listen_somewhere();
	linger_not(listener);
	client = connected();
	server = accepted();
	put(client, 100);
	readable(server);
	put(server, 3);
	close(server);
	close(client);
}

/* Who has seen enough of a download says no more. */
static void case_unread_download(void)
{
	both();
	put(client, 3);
	get(server, 3);
	put(server, 1000);
	check(recv(client, buf, 10, 0) == 10, "recv");
	close(client);
	close(server);
}

static void pass(int over_fd, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { buf, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room,
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	check(sendmsg(over_fd, &m, 0) == 1, "sendmsg");
}

static int passed(int over_fd)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof room,
	};
	int fd;

	check(recvmsg(over_fd, &m, 0) == 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* Greeted here, served by whoever gets the descriptor. */
static void case_unread_rights(void)
{
	int sv[2], mine;

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	both();
	put(server, 3);
	put(client, 100);
	readable(server);
	pass(sv[0], server);
	close(server);
	mine = passed(sv[1]);
	get(mine, 100);
	close(mine);
	get(client, 3);
	close(client);
}

/* The peer was the first to reset it. */
static void case_unread_gone(void)
{
	both();
	put(client, 100);
	readable(server);
	put(server, 3);
	reset(client);
	close(server);
}
