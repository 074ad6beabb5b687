/* SPDX-License-Identifier: MIT */
/*
 * EPIPE: whether SIGPIPE comes, to which thread, and what it says.
 */

enum disposition { DEFAULT, IGNORED, HANDLED, BLOCKED, FLAGGED, DISPOSITIONS };

static const char *const disposition_names[] = {
	"default", "ignored", "handled", "blocked", "MSG_NOSIGNAL",
};

static enum disposition disposition;
static volatile sig_atomic_t pipes, elsewhere, other_infos;
static volatile pid_t writer;
static int rounds;			/* writes in a row */

/* The kernel's own: from the process itself, for the thread that writes. */
static void on_pipe(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (gettid() == writer)
		pipes++;
	else
		elsewhere++;
	if (sig != SIGPIPE || info->si_code != SI_USER ||
	    info->si_pid != getpid() || info->si_uid != getuid())
		other_infos++;
}

static void dispose(void)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO };
	sigset_t set;

	act.sa_sigaction = on_pipe;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (disposition == IGNORED)
		signal(SIGPIPE, SIG_IGN);
	if (disposition == HANDLED)
		sigaction(SIGPIPE, &act, NULL);
	if (disposition == BLOCKED)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool is_pending(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

static void *writes(void *unused)
{
	int flags = disposition == FLAGGED ? MSG_NOSIGNAL : 0;
	char data[] = "abcdefgh";

	writer = gettid();
	for (int i = 0; i < rounds; i++) {
		say_ret(way->name, way->call(FD, data, 8, flags), NULL);
		printf("/%d", pipes);
		if (is_pending(SIGPIPE))
			printf("/pending");
		fflush(stdout);
	}
	return unused;
}

/* The write end of FD is over, and nobody is owed an error for it. */
static void broken(void)
{
	if (kind->type == SOCK_DGRAM) {
		need(kind->domain == AF_UNIX ? shutdown(peer, SHUT_RD)
					     : shutdown(FD, SHUT_WR));
		return;
	}
	peer_resets();
	so_error(FD);
}

static void epipe(void)
{
	pthread_t t;

	connected(kind);
	if (real)
		broken();
	dispose();
	t = begun(writes, NULL);
	pthread_join(t, NULL);
	if (elsewhere || other_infos || is_pending(SIGPIPE))
		printf(" astray %d %d", elsewhere, other_infos);
}

/* epipe KIND ROUNDS: through every call, whatever becomes of the signal. */
static void case_epipe(void)
{
	kind = kind_named(args[0]);
	rounds = atoi(args[1]);
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		for (int d = 0; d < DISPOSITIONS; d++) {
			disposition = d;
			if (d == FLAGGED && !way->flags)
				continue;
			printf("%s", disposition_names[d]);
			apart(epipe);
		}
	}
}
