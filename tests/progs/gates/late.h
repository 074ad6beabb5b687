/* SPDX-License-Identifier: MIT */
/*
 * What comes late, who waits for it, and what comes instead.
 */

/* ---- what comes late ---------------------------------------------------- */

static pthread_t helper;
static bool helping;

static void *help(void *event)
{
	sleep_until(s.moment);
	(*(void (**)(void))event)();
	return NULL;
}

static void join_helper(void)
{
	if (helping)
		pthread_join(helper, NULL);
	helping = false;
}

/* really: at the moment, by somebody else; nothing under a rule. */
static void really(void (*event)(void))
{
	static void (*next)(void);

	if (!s.real)
		return;
	join_helper();
	next = event;
	if (pthread_create(&helper, NULL, help, &next))
		abort();
	helping = true;
}

/* later: the peer waits, or the rule holds back what it does at once. */
static void later(void (*event)(void))
{
	if (s.real)
		really(event);
	else
		event();
}

/* ---- threads that wait -------------------------------------------------- */

struct waiter {
	long (*call)(void);		/* what it waits in */
	pthread_t thread;
	_Atomic pid_t tid;
	long ret;
	int error;
	_Atomic int64_t at;		/* when it was over */
};

static void *wait_in_call(void *arg)
{
	struct waiter *w = arg;

	w->tid = gettid();
	w->ret = w->call();
	w->error = errno;
	w->at = now();
	return NULL;
}

static void start_waiter(struct waiter *w, long (*call)(void))
{
	*w = (struct waiter){ .call = call };
	if (pthread_create(&w->thread, NULL, wait_in_call, w))
		abort();
	until(w->tid && asleep(w->tid));
}

static long end_waiter(struct waiter *w)
{
	pthread_join(w->thread, NULL);
	errno = w->error;
	return w->ret;
}

/* Signals: SIGUSR1 to the main thread, as soon as it waits. */
static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void *kick(void *main_thread)
{
	until(asleep(getpid()));
	pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
	return NULL;
}

/* kick_when_asleep: the handler may be another one by then. */
static void kick_when_asleep(bool restart)
{
	static pthread_t self;
	struct sigaction hear = { .sa_handler = on_signal,
				  .sa_flags = restart ? SA_RESTART : 0 };
	pthread_t t;

	self = pthread_self();
	sigaction(SIGUSR1, &hear, NULL);
	if (pthread_create(&t, NULL, kick, &self))
		abort();
	pthread_detach(t);
}

/* reap: the child has told its lines; its status is ours. */
static void reap(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		leave(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}
