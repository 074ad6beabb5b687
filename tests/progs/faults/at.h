/* SPDX-License-Identifier: MIT */
/*
 * at=: the stream ends at that byte, however it is sent or received.
 */

enum { MUCH = 400000 };			/* bytes, more than any at= */

static char *stream_text, *stream_got;
static ssize_t reader_end;
static size_t cut_at, reader_total;
static bool waits;			/* FD is blocking */

/* reads_all: the peer, to whatever end. */
static void *reads_all(void *unused)
{
	ssize_t n;

	reader_total = 0;
	while (reader_total < MUCH &&
	       (n = recv(peer, stream_got + reader_total, MUCH - reader_total,
			 0)) > 0)
		reader_total += n;
	reader_end = n < 0 ? -errno : n;
	return unused;
}

static size_t next_size(size_t left)
{
	static const size_t below[] = { 3, 100, 5000, 60000 };
	size_t n = 1 + chance(below[chance(COUNT(below))]);

	return n < left ? n : left;
}

/* push: total bytes, or until something else happens; how many went. */
static size_t push(size_t total, const char **end)
{
	size_t at = 0;

	*end = "0";
	while (at < total) {
		ssize_t n = way->call(FD, stream_text + at,
				      next_size(total - at), 0);
		if (n > 0) {
			at += n;
		} else if (n < 0 && errno == EAGAIN && !waits) {
			poll_bits(FD, POLLOUT, -1);
		} else {
			*end = told(n);
			break;
		}
	}
	return at;
}

static size_t pull(size_t total, const char **end)
{
	size_t at = 0;

	*end = "-";
	while (at < total) {
		ssize_t n;
		if (!waits)
			poll_bits(FD, POLLIN, -1);
		n = way->call(FD, stream_got + at, next_size(total - at), 0);
		if (n <= 0) {
			*end = told(n);
			break;
		}
		at += n;
	}
	return at;
}

static bool same_text(size_t n)
{
	return !memcmp(stream_text, stream_got, n);
}

static void say_reader(void)
{
	printf(" peer %zu %s %s", reader_total, reader_end < 0 ?
	       strerrorname_np(-reader_end) : "0",
	       same_text(reader_total) ? "same" : "other");
}

static void at_out(void)
{
	size_t went, limit = cut_at + 2000;
	const char *end;
	pthread_t t;

	connected(kind);
	nonblocking(FD, !waits);
	t = begun(reads_all, NULL);
	went = push(limit, &end);
	printf("%zu %s", went, end);
	say_ret("next", way->call(FD, text, 10, 0), NULL);
	say_ret("recv", recv(FD, text, 10, MSG_DONTWAIT), NULL);
	need(close(FD));
	pthread_join(t, NULL);
	say_reader();
}

static void at_in(void)
{
	size_t came, much = real ? cut_at : cut_at + 2000;
	const char *end, *first = "-";
	char data[200];

	connected(kind);
	nonblocking(FD, !waits);
	if (much)
		need(send(peer, stream_text, much, 0));
	arrived(FD, much);
	if (cut_at > 1)
		first = told(recv(FD, data, sizeof data, MSG_PEEK));
	came = pull(real ? cut_at : cut_at + 2000, &end);
	if (real) {
		args[2] ? peer_ends() : peer_resets();
		came += pull(2000, &end);
	}
	printf("%zu %s peek %s %s", came, end, first,
	       same_text(came) ? "same" : "other");
	say_ret("next", way->call(FD, data, 10, 0), NULL);
	say_poll(FD);
	say_ret("send", send(FD, data, 10, MSG_NOSIGNAL), NULL);
}

static void at_all(const struct way *ways, size_t n, void (*one)(void))
{
	stream_text = need_map(MUCH);
	stream_got = need_map(MUCH);
	for (int i = 0; i < MUCH; i++)
		stream_text[i] = 'a' + chance(26);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 2 * n; i++) {
		waits = i & 1;
		way = &ways[i / 2];
		if (way->stdio)
			continue;
		printf("%s %s ", way->name, waits ? "blocking" : "nonblocking");
		one();
		putchar('\n');
	}
}

/* out KIND AT, in KIND AT [eof] */
static void case_out(void)
{
	kind = kind_named(args[0]);
	cut_at = atoi(args[1]);
	at_all(out_ways, COUNT(out_ways), at_out);
}

static void case_in(void)
{
	kind = kind_named(args[0]);
	cut_at = atoi(args[1]);
	at_all(in_ways, COUNT(in_ways), at_in);
}

/*
 * two AT: two connections, taking turns; then the first socket once more, and
 * a copy of it, which is no other stream.
 */
static void case_two(void)
{
	int end[2][2], copy;
	size_t went[2] = { 0 };
	union addr a;
	socklen_t len;

	signal(SIGPIPE, SIG_IGN);
	make_pair(kind, end[0]);
	make_pair(kind, end[1]);
	copy = need(dup(end[0][0]));
	for (int i = 0; i < 40; i++) {
		int fd = i & 1 ? end[1][0] : i & 2 ? copy : end[0][0];
		ssize_t n = send(fd, text, 1 + i % 3, 0);
		if (n > 0)
			went[i & 1] += n;
	}
	printf("%zu %zu", went[0], went[1]);
	need(connect(copy, &(struct sockaddr){ AF_UNSPEC, "" }, sizeof a.any));
	close(end[1][1]);
	end[1][1] = bound(kind, &a, &len);
	need(listen(end[1][1], 1));
	say_ret("again", connect(end[0][0], &a.any, len), NULL);
	went[0] = 0;
	for (ssize_t n; went[0] < 60 && (n = send(copy, text, 4, 0)) > 0;)
		went[0] += n;
	printf(" %zu\n", went[0]);
}
