/* SPDX-License-Identifier: MIT */
/*
 * What a program and its peer see of an event, in one line: of the real one
 * (real), of the injected one, under sockwrench (injected), and of one that
 * cannot be had on a test machine, as the kernel's source has it (source: the
 * call is not made, and the rest is the kernel's).  The lines must be equal.
 *
 * fidelity list                               every run, with its rule
 * fidelity missing                            rows without a run
 * fidelity MODE SITUATION VIA WAIT ORDER [MS] one run, one line
 *
 * SITUATION is FAMILY:WHAT:PROTOCOL[:CAUSE], from rules/errors.def.  VIA is
 * the function.  WAIT: block or nonblock, and what else is so (a signal's
 * disposition, another thread that waits already).  ORDER: probes.h.  MS is
 * how long the gates of the rule are closed (gates.h).
 */
#include "fidelity/scene.h"
#include "fidelity/ways.h"
#include "fidelity/waits.h"
#include "fidelity/sockets.h"
#include "fidelity/net.h"
#include "fidelity/ends.h"
#include "fidelity/connects.h"
#include "fidelity/system.h"
#include "fidelity/setups.h"
#include "fidelity/probes.h"
#include "fidelity/others.h"
#include "fidelity/gates.h"
#include "fidelity/events.h"
#include "fidelity/plan.h"

static const struct {
	enum proto proto;
	const char *name;
} protos[] = {
	{ TCP, "tcp" }, { UDP, "udp" }, { STREAM, "stream" },
	{ DGRAM, "dgram" }, { SEQ, "seqpacket" },
};

#define N_PROTOS (sizeof protos / sizeof *protos)

/* in_list: the word is in the list, or the list is empty. */
static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	if (!*list)
		return true;
	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* is_of: an event without a family ends a connection, whoever notices. */
static bool is_of(const struct event *e, const struct row *r)
{
	if (e->family)
		return !strcmp(e->family, r->family);
	return in_list("RECV SEND SHUTDOWN", r->family);
}

static bool meets(const struct row *r, const char *via)
{
	for (size_t i = 0; i < sizeof only_through / sizeof *only_through; i++)
		if (!strcmp(only_through[i].family, r->family) &&
		    !strcmp(only_through[i].what, r->error))
			return in_list(only_through[i].vias, via);
	return true;
}

/* event_of: NULL when there is none for the row, or none through via. */
static const struct event *event_of(const struct row *r, enum proto proto,
				    const char *cause, const char *via)
{
	for (size_t i = 0; i < N_EVENTS && meets(r, via); i++) {
		const struct event *e = &events[i];

		if (is_of(e, r) && !strcmp(e->what, r->error) &&
		    e->protos & proto && !strcmp(e->name, cause))
			return e;
	}
	return NULL;
}

/* faulted_at: where in the order the faulted call is: marked, or its first. */
static const char *faulted_at(const char *order, const char *family)
{
	const char *p = strchr(order, '*');

	if (p)
		return p + 1;
	p = strchr(order, '!');
	while (p && *++p)
		if (!strcmp(letter_family(*p), family))
			return p;
	return order + strlen(order);	/* at=: a byte, not a call */
}

/* ---- the list ----------------------------------------------------------- */

static void print_low(const char *text)
{
	for (; *text; text++)
		putchar(*text | 0x20);
}

/* print_rule: the rule that makes the event, in words of the rule language. */
static void print_rule(const struct row *r, const struct event *e,
		       const char *const run[3])
{
	const char *via = run[0], *order = run[2];
	const char *end = faulted_at(order, r->family);
	bool poll = !strcmp(r->family, "POLL");
	/* a thread that waits in recv has called it first */
	int when = strstr(run[1], "in-recv") && !strcmp(r->family, "RECV");

	for (const char *p = order; p <= end; p++)
		when += *p == *end;
	print_low(r->family);
	if (poll)
		printf(" via=%s", via);
	else if (strcmp(r->family, "SOCKET") && strcmp(r->family, "RESOLVE"))
		printf(" fd=%d", FD);
	if (!strncmp(r->error, "stall", 5) || !strncmp(r->error, "inpro", 5))
		printf(" limit=1");
	else if (!strstr(r->error, "at=") && strcmp(r->mechanism, "GATE"))
		printf(" when=%d", when);
	if (e && e->strike == signal_comes)
		printf(" signal=SIGUSR1");
	if (r->number)
		printf(" error=%s", r->error);
	else				/* at=10+reset */
		printf(" %.*s%s%s", (int)strcspn(r->error, "+"), r->error,
		       strchr(r->error, '+') ? " " : "",
		       strchr(r->error, '+') ? strchr(r->error, '+') + 1 : "");
}

static void print_run(const struct row *r, const char *proto,
		      const struct plan *p, const struct event *e,
		      const char *run[3])
{
	print_low(r->family);
	printf(":%s:%s%s%s\t%s\t%s\t%s\t", r->error, proto,
	       *p->cause ? ":" : "", p->cause, run[0], run[1], run[2]);
	print_rule(r, e, run);
	printf("\t%s\t%s\n",
	       !e ? "source" : *p->cause && in_list(seen_only, p->cause) ?
	       "seen" : "real", e ? e->how : r->source);
}

/* words: split at blanks, for each f(word). */
#define EACH_WORD(word, list) \
	for (char word[48], *word##_at = (char *)(list); \
	     sscanf(word##_at, "%47s", word) == 1; \
	     word##_at += strspn(word##_at, " ") + strlen(word))

static void list_plan(const struct row *r, int proto, const struct plan *p)
{
	EACH_WORD(via, p->vias)
		EACH_WORD(wait, p->waits)
			EACH_WORD(order, p->orders)
				print_run(r, protos[proto].name, p,
					  event_of(r, protos[proto].proto,
						   p->cause, via),
					  (const char *[]){ via, wait, order });
}

static bool in_plan(const struct row *r, enum proto proto,
		    const struct plan *p)
{
	if (!(r->protos & proto & p->protos) || strcmp(r->family, p->family))
		return false;
	return in_list(p->what, r->error);
}

static int list(void)
{
	for (size_t i = 0; i < N_ROWS; i++)
		for (size_t j = 0; j < N_PROTOS; j++)
			for (size_t k = 0; k < N_PLANS; k++)
				if (in_plan(&rows[i], protos[j].proto,
					    &plans[k]))
					list_plan(&rows[i], j, &plans[k]);
	return 0;
}

static bool planned(const struct row *r, enum proto proto)
{
	for (size_t i = 0; i < N_PLANS; i++)
		if (in_plan(r, proto, &plans[i]))
			return true;
	return false;
}

/*
 * missing: rows without a run.  Datagram sockets do not accept, and a name has
 * no protocol: TCP stands for all.
 */
static int missing(void)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		unsigned all = in_list("ACCEPT", rows[i].family) ? LINKS :
			       in_list("RESOLVE", rows[i].family) ? TCP : ANY;

		for (size_t j = 0; j < N_PROTOS; j++)
			if (rows[i].protos & protos[j].proto & all &&
			    !planned(&rows[i], protos[j].proto))
				printf("%s %s %s\n", rows[i].family,
				       rows[i].error, protos[j].name);
	}
	return 0;
}

/* ---- a run -------------------------------------------------------------- */

static void gone(void)
{
	struct pollfd p = { FD, 0, 0 };

	if (s.mode != REAL)
		return;
	if (s.proto == TCP)
		until_closed();
	else
		until(poll(&p, 1, 0) == 1);
}

static void lost_on_the_way(void)
{
	if (s.mode != REAL)
		probe_peer_send();
	else
		say(" w=ok");
}

static const struct {
	char letter;
	void (*probe)(bool faulted);
} program_letters[] = {
	{ 'R', probe_recv }, { 'W', probe_send }, { 'P', probe_poll },
	{ 'S', probe_shutdown }, { 'C', probe_connect }, { 'A', probe_accept },
	{ 'O', probe_socket }, { 'B', probe_bind }, { 'I', probe_listen },
	{ 'X', probe_close }, { 'T', probe_option }, { 'D', probe_lookup },
}, *last_program_letter = program_letters + sizeof program_letters /
			  sizeof *program_letters;

static const struct {
	char letter;
	void (*probe)(void);
} other_letters[] = {
	{ 'K', probe_peek }, { 'E', probe_error }, { 'F', probe_unread },
	{ 'N', probe_peername }, { 'M', probe_sockname },
	{ 'Q', probe_ready }, { 'G', probe_edge },
	{ 'p', probe_peer_poll }, { 'r', probe_peer_recv },
	{ 'w', probe_peer_send }, { 'x', lost_on_the_way },
	{ 'a', server_accepts }, { 'c', client_comes },
	{ 'Z', probe_state }, { 'V', probe_volume },
	{ '~', gone },
};

static void probe(const char *at, const char *faulted)
{
	for (__typeof__(&program_letters[0]) p = program_letters;
	     p < last_program_letter; p++)
		if (p->letter == *at) {
			in_call = at == faulted;
			p->probe(at == faulted);
			in_call = false;
		}
	for (size_t i = 0; i < sizeof other_letters / sizeof *other_letters;
	     i++)
		if (other_letters[i].letter == *at)
			other_letters[i].probe();
}

static void step(const char *at, const char *faulted)
{
	if (*at == '!' && is_gate())
		gate_begin();
	else if (*at == '!')
		begin_event(*faulted);
	else if (*at == '.' && is_gate())
		gate_end();
	else if (*at == '.')
		end_event();
	else
		probe(at, faulted);
	if (*at != '.')
		gate_waited();
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void set_signals(void)
{
	struct sigaction hear = { .sa_handler = on_signal };
	struct sigaction stay = { .sa_handler = hold, .sa_flags = SA_RESTART };
	pthread_t t;
	sigset_t set;

	sem_init(&held, 0, 0);
	sigaction(SIGUSR1, &hear, NULL);
	sigaction(SIGUSR2, &stay, NULL);
	signal(SIGPIPE, wants("ignore") ? SIG_IGN :
	       wants("default") ? SIG_DFL : on_pipe);
	if (wants("pending")) {		/* and another thread that could */
		pthread_create(&t, NULL, idle, NULL);
		sigemptyset(&set);
		sigaddset(&set, SIGPIPE);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	}
}

/* run: the scene, and then letter by letter. */
static void run(void)
{
	const char *faulted = faulted_at(s.order, s.row->family);

	s.tid = gettid();
	s.thread = pthread_self();
	signal(SIGALRM, on_alarm);
	alarm(20);
	any_option();
	if (s.mode == REAL && s.event->setup)
		s.event->setup();	/* no threads yet: it may unshare */
	set_signals();
	gate.looked = now_ms();
	make_scene();
	if (is_family("RESOLVE"))
		use_dns();
	if (wants("timeo"))
		short_timeouts();
	for (const char *p = s.order; *p; p++)
		step(p, faulted);
	end_gate_waiter();
	if (signals)
		say(" signals=%d", (int)signals);
}

/* run_apart: in a child, since a signal may end it. */
static void run_apart(void)
{
	pid_t pid = need(fork(), "fork");
	int status;

	if (!pid) {
		run();
		leave(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		leave(WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		say(" killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
}

/* ---- words of the command line ------------------------------------------- */

static bool same_low(const char *high, const char *low, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((high[i] | 0x20) != low[i])
			return false;
	return !high[n];
}

static const struct row *row_of(const char *family, size_t n,
				const char *what, size_t m)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (same_low(rows[i].family, family, n) &&
		    strlen(rows[i].error) == m &&
		    !memcmp(rows[i].error, what, m) &&
		    (rows[i].protos & s.proto))
			return &rows[i];
	return NULL;
}

/* situation: FAMILY:WHAT:PROTOCOL[:CAUSE]. */
static void situation(const char *text)
{
	size_t n = strcspn(text, ":"), m;
	const char *what = text + n + (text[n] == ':'), *proto, *cause;

	m = strcspn(what, ":");
	proto = what + m + (what[m] == ':');
	cause = strchr(proto, ':');
	for (size_t i = 0; i < N_PROTOS; i++)
		if (strcspn(proto, ":") == strlen(protos[i].name) &&
		    !strncmp(proto, protos[i].name, strlen(protos[i].name)))
			s.proto = protos[i].proto;
	s.row = row_of(text, n, what, m);
	if (!s.row) {
		fprintf(stderr, "fidelity: no such situation: %s\n", text);
		exit(2);
	}
	s.event = event_of(s.row, s.proto, cause ? cause + 1 : "", s.via);
}

static bool set_mode(const char *word)
{
	static const char *const modes[] = { "real", "source", "injected" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(word, modes[i])) {
			s.mode = i;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc == 2 && !strcmp(argv[1], "missing"))
		return missing();
	if (argc < 6 || argc > 7 || !set_mode(argv[1])) {
		fprintf(stderr, "usage: fidelity list|missing\n       fidelity real|"
			"source|injected SITUATION VIA WAIT ORDER [MS]\n");
		return 2;
	}
	s.via = argv[3];
	s.wait = argv[4];
	s.order = argv[5];
	s.block = wants("block");
	situation(argv[2]);
	s.len = s.row->number == EMSGSIZE ? 9000 :
		strstr(s.row->error, "short=") ? 40000 : PIECE;
	if (argc == 7)
		gate.ms = atoi(argv[6]);
	if (!s.event && (s.mode == REAL || is_gate())) {
		errno = ENOENT;
		not_here("an event");
	}
	if (s.mode == SOURCE && is_gate()) {
		errno = ENOTSUP;
		not_here("its source");
	}
	said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED)
		return 4;
	if (s.proto & UNIX)
		make_dir();
	if (wants("default"))
		run_apart();
	else
		run();
	printf("%s\n", said->text + (said->text[0] == ' '));
	fflush(stdout);
	leave(0);
}
