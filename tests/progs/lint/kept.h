/* SPDX-License-Identifier: MIT */
/* Sockets that are open for something, or not for long. */

static void case_leak_one(void)
{
	both();
	exchange(client, server);
	others(5);
}

/* Made beforehand, used in turn, left to the kernel. */
static void case_pool(void)
{
	int pool[MANY], far[MANY];

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		pool[i] = connected();
		far[i] = accepted();
		exchange(pool[i], far[i]);
	}
	exchange(pool[2], far[2]);
}

/* Clients that say nothing are waited for. */
static void case_idle_poll(void)
{
	struct pollfd p[2 * MANY + 1];
	int n = 0;

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		p[n++] = (struct pollfd){ client, POLLIN, 0 };
		p[n++] = (struct pollfd){ server, POLLIN, 0 };
		check(!poll(p, n, 0), "poll");
	}
}

static void case_idle_select(void)
{
	struct timeval now = { 0 };
	fd_set all, set;

	FD_ZERO(&all);
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		FD_SET(client, &all);
		FD_SET(server, &all);
		set = all;
		check(!select(server + 1, &set, NULL, NULL, &now), "select");
	}
}

/* To be connected is all that is wanted, or one of each server. */
static void case_idle_silent(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
	}
}

static void case_idle_servers(void)
{
	for (int i = 0; i < MANY; i++) {
		both();
		exchange(client, server);
		close(listener);
	}
}

/* A thread each waits in recv. */
static _Atomic int asleep_tid;

static void *sleeps(void *fd)
{
	asleep_tid = gettid();
	recv((int)(intptr_t)fd, buf, 1, 0);
	return NULL;
}

/* asleep: until the kernel says that the thread waits. */
static void asleep(void)
{
	char name[64], text[256];

	while (!asleep_tid)
		sched_yield();
	snprintf(name, sizeof name, "/proc/self/task/%d/stat", asleep_tid);
	for (char state = 0; state != 'S';) {
		FILE *f = fopen(name, "r");
		check(f && fgets(text, sizeof text, f), "stat");
		fclose(f);
		state = strrchr(text, ')')[2];
		sched_yield();
	}
	asleep_tid = 0;
}

static void case_idle_threads(void)
{
	pthread_t thread;

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		pthread_create(&thread, NULL, sleeps, (void *)(intptr_t)client);
		asleep();
		pthread_create(&thread, NULL, sleeps, (void *)(intptr_t)server);
		asleep();
	}
}

static void watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	check(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
}

static void case_idle_epoll(void)
{
	int ep = epoll_create1(0);
	struct epoll_event ev;

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		exchange(client, server);
		watch(ep, client);
		watch(ep, server);
		check(!epoll_wait(ep, &ev, 1, 0), "epoll_wait");
	}
}

/* A thread each: what one of them made it may use as long as it lives. */
static void *worker(void *unused)
{
	int fd = connected();

	put(fd, 1);
	get(fd, 1);
	return unused;
}

static void case_worker_threads(void)
{
	pthread_t thread;
	int ep = epoll_create1(0);

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		pthread_create(&thread, NULL, worker, NULL);
		server = accepted();
		watch(ep, server);
		get(server, 1);
		put(server, 1);
		pthread_join(thread, NULL);
	}
}

/* Of several addresses the first to answer is taken, the others are closed. */
static void case_eyeballs(void)
{
	struct sockaddr_in dead;
	int fds[2], error;
	socklen_t len = sizeof error;

	nobody_listens();
	dead = addr;
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		for (int k = 0; k < 2; k++) {
			fds[k] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK,
					0);
			connect(fds[k], (struct sockaddr *)(k ? &addr : &dead),
				sizeof addr);
			writable(fds[k]);
			getsockopt(fds[k], SOL_SOCKET, SO_ERROR, &error, &len);
			check(error == (k ? 0 : ECONNREFUSED), "SO_ERROR");
		}
		close(fds[0]);
		server = accepted();
		put(fds[1], 1);
		get(server, 1);
		close(fds[1]);
		get(server, 0);
		close(server);
	}
}

static void speak(void)
{
	dup2(server, 1);
	execlp("echo", "echo", "-n", "hi", (char *)NULL);
	_exit(1);
}

/* The socket goes on in another program, by fork and by vfork. */
static void serve_by_echo(bool forks)
{
	pid_t pid;

	both();
	pid = forks ? fork() : vfork();
	if (!pid)
		speak();
	close(server);
	get(client, 2);
	get(client, 0);
	close(client);
	close(listener);
	waited(pid);
}

static void case_exec(void)
{
	for (int i = 0; i < MANY; i++)
		serve_by_echo(i % 2);
}
