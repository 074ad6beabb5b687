/* SPDX-License-Identifier: MIT */
/* The first send, and SIGPIPE, which main leaves at its default here. */

static void caught(int sig)
{
	(void)sig;
}

static void sends(int flags)
{
	both();
	check(send(client, "x", 1, flags) == 1, "send");
	check(write(client, "x", 1) == 1, "write");
	over();
}

static void case_sigpipe(void)
{
	sends(0);
}

static void case_sigpipe_write(void)
{
	both();
	check(write(client, "x", 1) == 1, "write");
	over();
}

static void case_sigpipe_ignored(void)
{
	both();
	signal(SIGPIPE, SIG_IGN);
	put(client, 1);
	over();
}

static void case_sigpipe_caught(void)
{
	struct sigaction act = { .sa_handler = caught };

	sigaction(SIGPIPE, &act, NULL);
	sends(0);
}

static void case_sigpipe_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	both();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	put(client, 1);
	over();
}

static void case_sigpipe_never(void)
{
	both();
	check(send(client, "x", 1, MSG_NOSIGNAL) == 1, "send");
	over();
}

/* A datagram raises none, and a file is no socket. */
static void case_sigpipe_other(void)
{
	int sv[2];

	check(!socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), "socketpair");
	check(write(sv[0], "x", 1) == 1, "write");
	check(write(1, "", 0) == 0, "write");
}

/* A child asks for the default again. */
static void case_sigpipe_child(void)
{
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	both();
	put(client, 1);
	pid = forked();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		put(client, 1);
		_exit(0);
	}
	waited(pid);
	over();
}
