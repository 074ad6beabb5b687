/* SPDX-License-Identifier: MIT */
/*
 * One trial from the command line, for tests/trial.bats:
 *   trial SOCKWRENCH [-S SERVER] [-C CLIENT] [-i INPUT] [-e RULE]... [-s SEED]
 *         [-t MS] [-n] DIR PROG [ARG]...
 * Prints what came of it, a part a line.  trial -N: whether networks of one's
 * own can be had.
 */
#include "../../audit/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RULES_AT_MOST = 10 };

static void print_part(const char *name, const struct trial_part *p)
{
	printf("%s status=%d ended=%d flooded=%d took=%" PRId64
	       " cpu=%" PRId64 " busy=%" PRId64 " written=%" PRIu64 "\n",
	       name, p->status, p->ended, p->flooded, p->took / 1000,
	       p->cpu / 1000, p->busy / 1000, p->written);
}

static int print(const struct trial_result *r, int result)
{
	char name[24];

	print_part("target", &r->target);
	print_part("server", &r->server);
	for (int i = 0; i < r->clients; i++) {
		snprintf(name, sizeof name, "client.%d", i + 1);
		print_part(name, &r->client[i]);
	}
	printf("clients=%d listened=%d port=%d\n", r->clients, r->listened,
	       r->port);
	if (result)
		printf("error=%s\n", r->error);
	return result ? 1 : 0;
}

static void parse(struct trial *t, const char **rules, int argc, char **argv)
{
	int c, n = 0;

	while ((c = getopt(argc, argv, "+S:C:i:e:s:t:n")) >= 0) {
		if (c == 'S')
			t->server = optarg;
		else if (c == 'C')
			t->client = optarg;
		else if (c == 'i')
			t->input = optarg;
		else if (c == 'e' && n < RULES_AT_MOST)
			rules[n++] = optarg;
		else if (c == 's')
			t->seed = strtoull(optarg, NULL, 10);
		else if (c == 't')
			t->timeout = atoll(optarg) * 1000000;
		else if (c == 'n')
			t->netns = true;
		else
			exit(2);
	}
	t->dir = argv[optind];
	t->argv = argv + optind + 1;
}

int main(int argc, char **argv)
{
	const char *rules[RULES_AT_MOST + 1] = { NULL };
	struct trial t = { .rules = rules, .clients = 3,
			   .timeout = 20000000000 };
	struct trial_result r;

	if (argc == 2 && !strcmp(argv[1], "-N"))
		return trial_netns_works() ? 0 : 1;
	if (argc < 4)
		return 2;
	t.self = argv[1];
	parse(&t, rules, argc - 1, argv + 1);
	return print(&r, trial_run(&t, &r));
}
