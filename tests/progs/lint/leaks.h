/* SPDX-License-Identifier: MIT */
/* Sockets that are open for nothing. */

static void exchange(int a, int b)
{
	put(a, 1);
	get(b, 1);
	put(b, 1);
	get(a, 1);
}

static void case_leak(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		close(server);
	}
}

static void case_leak_server(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		shutdown(client, SHUT_WR);
		close(client);
	}
}

static void case_leak_failed(void)
{
	nobody_listens();
	for (int i = 0; i < MANY; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		check(connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0,
		      "connect");
	}
}

/* All at once, and when all have failed the program ends. */
static void case_failed_exit(void)
{
	int fds[MANY];

	nobody_listens();
	for (int i = 0; i < MANY; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	for (int i = 0; i < MANY; i++)
		check(connect(fds[i], (struct sockaddr *)&addr,
			      sizeof addr) < 0, "connect");
}

static void serve_forked(bool parent_closes)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		pid_t pid;
		client = connected();
		server = accepted();
		pid = forked();
		if (!pid) {
			close(listener);
			close(client);
			put(server, 3);
			close(server);
			_exit(0);
		}
		if (parent_closes)
			close(server);
		get(client, 3);
		if (parent_closes)
			get(client, 0);
		close(client);
		waited(pid);
	}
}

static void case_leak_fork(void)
{
	serve_forked(false);
}

static void case_fork_server(void)
{
	serve_forked(true);
}

/* Each child is at work until the end. */
static void case_fork_working(void)
{
	pid_t pid[MANY];

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		pid[i] = forked();
		if (!pid[i]) {
			put(server, 3);
			pause();
		}
		get(client, 3);
		close(client);
	}
	for (int i = 0; i < MANY; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}

/* Parent and children report over the same connections. */
static void case_fork_shared(void)
{
	int far[MANY], near[MANY];
	pid_t pid;

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		near[i] = connected();
		far[i] = accepted();
		pid = forked();
		if (!pid) {
			for (int k = 0; k <= i; k++) {
				put(near[k], 1);
				close(near[k]);
			}
			_exit(0);
		}
		waited(pid);
		for (int k = 0; k <= i; k++) {
			put(near[k], 1);
			get(far[k], 2);
		}
	}
	others(1);
}

/* A child takes what comes to its parent's listeners, and ends. */
static void case_fork_listeners(void)
{
	pid_t pid;

	for (int i = 0; i < MANY; i++) {
		listen_somewhere();
		client = connected();
		pid = forked();
		if (!pid) {
			close(client);
			server = accepted();
			close(server);
			close(listener);
			_exit(0);
		}
		get(client, 0);
		close(client);
		waited(pid);
	}
}
