/* SPDX-License-Identifier: MIT */
/*
 * Faults in time.  Each case is run twice: with the kernel's own event (-r: a
 * peer that waits, a buffer without room, a handshake that is held up) and
 * under a rule that makes as if.  The lines must be equal.
 *
 * gates list                  every case and its rule, @T@ for the time
 * gates [-r] -t MS CASE       one case, a line for each thing that is seen
 * gates flood BYTES           a careful reader and writer, on edges
 *
 * No line depends on how fast the machine is.  What must not have come before
 * the moment is marked EARLY where it has; how late it comes does not matter.
 * Where the machine was so slow that the moment was over before the program
 * had looked, the status is 75 and a longer time is to be tried.
 */
#include "gates/scene.h"
#include "gates/late.h"
#include "fidelity/ways.h"
#include "fidelity/waits.h"
#include "gates/sockets.h"
#include "gates/wire.h"
#include "gates/kinds.h"
#include "gates/connects.h"
#include "gates/failures.h"
#include "gates/accepts.h"
#include "gates/flags.h"
#include "gates/calls.h"
#include "gates/epolls.h"
#include "gates/threads.h"
#include "gates/others.h"
#include "gates/ends.h"
#include "gates/flood.h"
#include "gates/plan.h"

/* ---- a run -------------------------------------------------------------- */

static void run(const struct job *j)
{
	s.asked = j->asked;
	s.proto = j->proto;
	late = j->late;
	style = j->style ? wait_way(styles[j->style]) : NULL;
	switch (j->what) {
	case KIND:
		meet(&kinds[j->index]);
		break;
	case RATED_IO:
		meet_rate(j->name[0] == 'r');
		break;
	case CALL:
		call_way((j->how ? send_ways : recv_ways)[j->index].name,
			 j->how, j->asked);
		break;
	case TIMEOUT:
		timed_out(&in_calls[j->index]);
		break;
	case SIGNAL:
		interrupted(&in_calls[j->index], j->how & 1, j->how & 2);
		break;
	case HANDLER:
		handled(&in_calls[j->index]);
		break;
	case JUMP:
		jumped(&in_calls[j->index]);
		break;
	case CANCEL:
		cancelled(&in_calls[j->index]);
		break;
	case ALREADY:
		already(&in_calls[j->index]);
		break;
	case THREADS:
		recv_threads(0);
		break;
	case RESET:
		reset_in(j->index);
		break;
	case SINGLE:
		singles[j->index].run(singles[j->index].arg);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: gates list\n       gates [-r] -t MS CASE\n"
		"       gates flood BYTES\n");
	return 2;
}

static const struct job *job_of(const char *name)
{
	for (size_t i = 0; i < n_jobs; i++)
		if (!strcmp(jobs[i].name, name))
			return &jobs[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct job *j;
	int option;

	make_list();
	while ((option = getopt(argc, argv, "rt:")) != -1) {
		if (option == 'r')
			s.real = true;
		else if (option == 't')
			s.span = atoi(optarg) * MS;
		else
			return usage();
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	alarm(30);
	if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < n_jobs; i++)
			printf("%s\t%s\n", jobs[i].name, jobs[i].rule);
		return 0;
	}
	j = argc == optind + 1 ? job_of(argv[optind]) : NULL;
	if (!j)
		return usage();
	said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED)
		return 4;
	run(j);
	fputs(said->text, stdout);
	fflush(stdout);
	leave(0);
}
