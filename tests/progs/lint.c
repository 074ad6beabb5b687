/* SPDX-License-Identifier: MIT */
/*
 * What the lint is to find, and what it is not: lint CASE.  Which is which is
 * in tests/lint.bats.  SIGPIPE is ignored, but for the cases about it.
 */
#include "lint/both.h"
#include "lint/closes.h"
#include "lint/waits.h"
#include "lint/leaks.h"
#include "lint/kept.h"
#include "lint/errors.h"
#include "lint/sigpipe.h"

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
#define CASE(name) { #name, case_##name }
	CASE(twice), CASE(twice_all), CASE(twice_list), CASE(twice_stdio),
	CASE(twice_thread), CASE(all_up), CASE(all_down), CASE(all_many),
	CASE(all_used), CASE(close_anew), CASE(close_copies), CASE(close_fork),
	CASE(close_wide), CASE(close_wide_fork), CASE(close_none),
	CASE(unread), CASE(unread_none), CASE(unread_drained),
	CASE(unread_fork), CASE(unread_copy), CASE(unread_abort),
	CASE(unread_download), CASE(unread_rights), CASE(unread_gone), CASE(unread_heir),
	CASE(wait), CASE(wait_select), CASE(wait_closed), CASE(wait_exit),
	CASE(wait_half), CASE(wait_deaf), CASE(wait_room), CASE(wait_ways),
	CASE(wait_shut),
	CASE(leak), CASE(leak_server), CASE(leak_failed), CASE(failed_exit),
	CASE(leak_fork), CASE(fork_server), CASE(fork_working),
	CASE(fork_shared), CASE(fork_listeners),
	CASE(leak_one), CASE(pool), CASE(idle_poll), CASE(idle_select),
	CASE(idle_silent), CASE(idle_servers), CASE(idle_threads),
	CASE(idle_epoll), CASE(worker_threads), CASE(eyeballs), CASE(exec),
	CASE(unchecked), CASE(unchecked_reader), CASE(checked),
	CASE(checked_loop), CASE(checked_reset), CASE(length),
	CASE(length_whole), CASE(minus_socket), CASE(minus_accept),
	CASE(minus_other), CASE(bind), CASE(listen), CASE(connect), CASE(told),
	CASE(broken), CASE(broken_closed), CASE(epipe), CASE(two_threads),
	CASE(tried_again), CASE(events),
	CASE(sigpipe), CASE(sigpipe_write), CASE(sigpipe_ignored),
	CASE(sigpipe_caught), CASE(sigpipe_blocked), CASE(sigpipe_never),
	CASE(sigpipe_other), CASE(sigpipe_child),
#undef CASE
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	alarm(20);
	if (strncmp(name, "sigpipe", 7))
		signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (strcmp(cases[i].name, name))
			continue;
		cases[i].run();
		return 0;
	}
	errx(2, "no such case: %s", name);
}
