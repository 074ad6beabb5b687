/* SPDX-License-Identifier: MIT */
/*
 * One trial: the program runs once, under rules or none, with the companions
 * it needs, and nothing of it is left when the trial is over.
 */
#ifndef AUDIT_TRIAL_H
#define AUDIT_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)	/* in ns */

enum { TRIAL_CLIENTS = 8, TRIAL_LATER = 4 };

/* What is asked for; strings are borrowed, times are ns. */
struct trial {
	char *const *argv;		/* the target */
	const char *server;		/* a shell command it is a client of, */
	const char *client;		/*   one that is a client of it; NULL */
	int clients;			/* so many of them, one by one */
	const char *input;		/* the target's; NULL: /dev/null */
	const char *const *rules;	/* texts for -e, NULL behind the last */
	const char *dir;		/* exists, is empty: for all files */
	uint64_t seed;
	int64_t timeout;		/* of the target, and of each client */
	bool netns;			/* in a network of its own */
	const char *self;		/* the sockwrench to run it with */
};

/* What came of the target, or of a companion. */
struct trial_part {
	int status;			/* of wait(2), of its first process */
	bool ended;			/* by itself, before we ended it */
	bool asleep;			/* it sleeps, and so would go on */
	bool flooded;			/* ended for writing too much */
	int64_t took;			/* ns, until it ended or had to */
	int64_t cpu;			/* ns of all its processes till then; */
	int64_t busy;			/*   of the last second, or of less */
	uint64_t written;		/* bytes of stdout and stderr */
};

struct trial_result {
	struct trial_part target, server, client[TRIAL_CLIENTS];
	int clients;			/* that have been run */
	bool listened;			/* the target, where clients wait */
	int port;			/* of the target on TCP, or 0 */
	char error[200];		/* why there was no trial, or "" */
};

/*
 * Run it.  0; or -1, and what went wrong that is not the target's doing.
 *
 * In dir there are then out, err and trace of the target; server.out, .err and
 * .trace; client.1.out and so on; tmp, which was everybody's TMPDIR.  PORT was
 * the server's port for the target, and the target's for the clients, where
 * they listen on TCP.  The target has ended when its first process has; where
 * there are clients, when nobody of it is left.  Clients are run one after the
 * other while it lives.
 *
 * The calling process becomes a subreaper, ends (by the trial's end) when its
 * parent does, enters the new network where one is asked for, and should have
 * no other children: they are ended as the target's are.  SIGTERM, SIGINT and
 * SIGHUP end the trial, and then the process.
 */
int trial_run(const struct trial *t, struct trial_result *r);

/* Whether networks of one's own can be had here. */
bool trial_netns_works(void);

#endif
