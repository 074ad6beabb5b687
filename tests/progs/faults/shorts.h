/* SPDX-License-Identifier: MIT */
/*
 * Less than was asked for: every byte arrives, once and in order.
 */

enum { TEXT = 5000, PARTS_MOST = 1024 };

static char text[TEXT + 1], got[TEXT + 1];
static ssize_t most;			/* what a rule lets through at once */

static void make_text(void)
{
	for (int i = 0; i < TEXT; i++)
		text[i] = 'a' + chance(26);
}

/*
 * fits: what a call on a stream may have returned.  AF_UNIX sends what fits
 * into half of the smallest buffer in one piece (unix_stream_sendmsg).
 */
static bool fits(ssize_t n, size_t asked, bool out)
{
	ssize_t limit = out && !is_tcp(kind) && most < 2240 ? 2240 : most;

	return n >= 1 && (size_t)n <= asked && n <= limit;
}

/* drain: what is left in the peer, to got from at on. */
static size_t drain(size_t at)
{
	ssize_t n;

	arrived(peer, 1);
	while (at < TEXT && (n = recv(peer, got + at, TEXT - at,
				      MSG_DONTWAIT)) > 0)
		at += n;
	return at;
}

static bool all_out(void)
{
	size_t seen = 0;

	for (size_t at = 0; at < TEXT;) {
		size_t n = 1 + chance(chance(3) ? 400 : TEXT);
		size_t left = TEXT - at;
		ssize_t went = way->call(FD, text + at, n < left ? n : left, 0);
		if (!fits(went, n, true))
			return false;
		at += went;
		if (chance(4) == 0)
			seen = drain(seen);
	}
	while (seen < TEXT)
		seen = drain(seen);
	return !memcmp(got, text, TEXT);
}

static void feed(void)
{
	for (size_t at = 0; at < TEXT;)
		at += need(send(peer, text + at, TEXT - at, 0));
}

static bool all_in(void)
{
	memset(got, 0, TEXT);
	feed();
	for (size_t at = 0; at < TEXT;) {
		size_t n = 1 + chance(400), left = TEXT - at;
		ssize_t came = way->call(FD, got + at, n < left ? n : left, 0);
		if (!fits(came, n, false))
			return false;
		at += came;
	}
	return !memcmp(got, text, TEXT);
}

/*
 * shorts KIND MOST: everything arrives, once and in order, through calls that
 * move no more than MOST bytes.
 */
static void case_shorts(void)
{
	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		connected(kind);
		printf("in %s %s\n", way->name, all_in() ? "ok" : "bad");
	}
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		connected(kind);
		if (!way->stdio)
			printf("out %s %s\n", way->name,
			       all_out() ? "ok" : "bad");
	}
}

/* The same in a thread with the smallest stack there is. */
static void *on_little(void *unused)
{
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		if (!all_in())
			return (void *)way->name;
	}
	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		if (!way->stdio && !all_out())
			return (void *)way->name;
	}
	return unused;
}

static void case_little(void)
{
	pthread_attr_t attr;
	pthread_t t;
	void *bad;

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	connected(kind);
	pthread_attr_init(&attr);
	need(-pthread_attr_setstacksize(&attr, 16384));
	need(-pthread_create(&t, &attr, on_little, NULL));
	pthread_join(t, &bad);
	printf("%s\n", bad ? (char *)bad : "ok");
}
