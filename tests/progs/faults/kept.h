/* SPDX-License-Identifier: MIT */
/*
 * After calls that went well errno is what it was.
 */

/* kept: after calls that went well errno is what it was. */
static void case_kept(void)
{
	char data[16];

	make_text();
	for (size_t i = 0; i < COUNT(in_ways) + COUNT(out_ways); i++) {
		bool in = i < COUNT(in_ways);
		ssize_t n;
		way = in ? &in_ways[i] : &out_ways[i - COUNT(in_ways)];
		if (way->stdio)
			continue;
		connected(kind);
		peer_sends("0123456789");
		memcpy(data, "abc", 3);
		need_pipe();
		errno = 0;
		n = way->call(FD, data, 3, 0);
		errno = 77;
		n = way->call(FD, data, 3, 0);
		printf("%s %s %d\n", way->name, n > 0 ? "ok" : "bad",
		       errno);
	}
	for (size_t i = 0; i < COUNT(slow); i++) {
		if (!i) {
			listening();
			put(slow_socket());
		}
		errno = 77;
		if (slow[i].call() >= 0)
			printf("%s %d\n", slow[i].name, errno);
	}
}
