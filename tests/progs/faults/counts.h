/* SPDX-License-Identifier: MIT */
/*
 * What when=, per=, limit= and prob= go by.
 */

/* The pattern of results: . went, E failed. */
static void pattern(const char *name, int fd, int calls)
{
	printf(" %s:", name);
	for (int i = 0; i < calls; i++)
		putchar(send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? '.' : 'E');
}

static int many[8][2];

static void *pattern_there(void *name)
{
	pattern(name, many[1][0], 6);
	return NULL;
}

/* counts: two sockets, two threads and a child, six calls each in turn. */
static void case_counts(void)
{
	pthread_t t;

	make_pair(kind_named("unix"), many[0]);
	make_pair(kind_named("unix"), many[1]);
	pattern("first", many[0][0], 6);
	pattern("second", many[1][0], 6);
	t = begun(pattern_there, "thread");
	pthread_join(t, NULL);
	t = begun(pattern_there, "thread");
	pthread_join(t, NULL);
	pattern("first", many[0][0], 6);
	fflush(stdout);
	if (!need(fork())) {
		pattern("child", many[0][0], 6);
		pattern("child2", many[1][0], 6);
		fflush(stdout);
		_exit(0);
	}
	need(wait(NULL));
	pattern("second", many[1][0], 6);
	close(many[0][0]);
	close(many[0][1]);
	make_pair(kind_named("unix"), many[0]);
	pattern("third", many[0][0], 6);
	putchar('\n');
}

/* chances: what a connection's calls meet, whoever makes them and when. */
enum { CHANCES = 40 };

static char fates[8][CHANCES + 1];

static void *take_chances(void *first)
{
	int threads = atoi(args[0]);

	for (int i = 0; i < CHANCES; i++)
		for (int c = (intptr_t)first; c < 8; c += threads) {
			char data[20];
			ssize_t n = recv(many[c][0], data, 1, MSG_PEEK);
			fates[c][i] = n < 0 ? 'E' : '.';
			if (n < 0)
				continue;
			n = recv(many[c][0], data, 20, 0);
			fates[c][i] = n < 0 ? 'e' : 'a' + n;
		}
	return NULL;
}

static void case_chances(void)
{
	int threads = atoi(args[0]);
	pthread_t t[8];

	for (int c = 0; c < 8; c++) {
		make_pair(kind_named("unix"), many[c]);
		for (int i = 0; i < CHANCES; i++)
			need(send(many[c][1], text, 20, 0));
	}
	for (intptr_t i = 0; i < threads; i++)
		t[i] = begun(take_chances, (void *)i);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	for (int c = 0; c < 8; c++)
		puts(fates[c]);
	printf("%d %d %ld %ld\n", rand(), rand(), random(), lrand48());
}
