/* SPDX-License-Identifier: MIT */
/*
 * What faults must do, and must never do, as one line for each thing that can
 * be seen:
 *
 *	faults [-r] CASE [ARGS]
 *
 * With -r the kernel makes the event happen; without it a rule does, or
 * nothing does.  The lines must be equal: where there is no event, with and
 * without the object.  Nothing that depends on time or chance is printed.
 *
 * The socket under test is descriptor FD, so that a rule can name it, or the
 * lowest free number where numbers matter.  A hang ends by SIGALRM.
 */
#include "faults/saying.h"
#include "faults/sockets.h"
#include "faults/ways.h"
#include "faults/tries.h"
#include "faults/stale.h"
#include "faults/epipe.h"
#include "faults/shorts.h"
#include "faults/parts.h"
#include "faults/messages.h"
#include "faults/bad.h"
#include "faults/at.h"
#include "faults/unread.h"
#include "faults/blocked.h"
#include "faults/left.h"
#include "faults/counts.h"
#include "faults/delay.h"
#include "faults/listeners.h"
#include "faults/connects.h"
#include "faults/names.h"
#include "faults/kept.h"
#include "faults/sandbox.h"
#include "faults/threads.h"

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
#define CASE(name) { #name, case_##name }
	CASE(stale), CASE(tries), CASE(nosock), CASE(epipe), CASE(shorts),
	CASE(little), CASE(parts), CASE(messages), CASE(whole), CASE(bad),
	CASE(out), CASE(in), CASE(two), CASE(unread), CASE(blocked),
	CASE(cancel), CASE(handler), CASE(jump), CASE(counts), CASE(chances),
	CASE(delay), CASE(signal), CASE(numbers), CASE(listens), CASE(accepts),
	CASE(accepted), CASE(closes), CASE(connects), CASE(goes_on),
	CASE(refused), CASE(too_long), CASE(pairs), CASE(in_use), CASE(names), CASE(literals),
	CASE(kept), CASE(sandbox), CASE(threads),
#undef CASE
};

int main(int argc, char **argv)
{
	int at = 1;

	signal(SIGALRM, SIG_DFL);	/* whatever parallel(1) makes of it */
	alarm(20);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc > at && !strcmp(argv[at], "-r")) {
		real = true;
		at++;
	}
	args = argv + at + 1;
	for (size_t i = 0; at < argc && i < COUNT(cases); i++)
		if (!strcmp(cases[i].name, argv[at])) {
			cases[i].run();
			return fflush(stdout);
		}
	fprintf(stderr, "faults: no such case\n");
	return 2;
}
