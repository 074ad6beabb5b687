/* SPDX-License-Identifier: MIT */
/*
 * What goes along with the bytes, and what is never cut.
 */

static int descriptors_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += raw(SYS_fcntl, fd, F_GETFD, 0) >= 0;
	return n;
}

/* send_rights: the text, and a descriptor with its first part. */
static void send_rights(int over, bool many)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
				SCM_RIGHTS } };
	struct iovec iov[2] = { { text, 30 }, { text + 30, 70 } };
	struct mmsghdr m = { .msg_hdr = {
		.msg_iov = iov, .msg_iovlen = 2, .msg_control = &control,
		.msg_controllen = sizeof control.room } };
	int file = need(memfd_create("file", 0));
	size_t at;

	need(pwrite(file, "rights", 6, 0));
	memcpy(CMSG_DATA(&control.head), &file, sizeof file);
	if (many)
		at = need(sendmmsg(over, &m, 1, 0)) ? m.msg_len : 0;
	else
		at = need(sendmsg(over, &m.msg_hdr, 0));
	while (at < 100)
		at += need(send(over, text + at, 100 - at, 0));
	close(file);
}

struct met {
	size_t bytes;
	int rights, flags, name;
	char text[100];
};

/* take_rights: a hundred bytes, and all that comes along. */
static void take_rights(int over, size_t room, int flags, struct met *met)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	union addr from;

	while (met->bytes < 100) {
		struct iovec iov = { met->text + met->bytes,
				     100 - met->bytes };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_name = &from,
				    .msg_namelen = sizeof from,
				    .msg_control = &control,
				    .msg_controllen = room };
		struct cmsghdr *h;
		char word[6] = "";
		int fd;

		met->bytes += need(recvmsg(over, &m, flags));
		met->flags |= m.msg_flags;
		met->name |= m.msg_namelen;
		h = CMSG_FIRSTHDR(&m);
		if (!h || h->cmsg_len < CMSG_LEN(sizeof fd))
			continue;
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
		met->rights += pread(fd, word, 6, 0) == 6 &&
			       !memcmp(word, "rights", 6);
		printf(" flags %d", fcntl(fd, F_GETFD));
		close(fd);
	}
}

/* messages: descriptors go along once, whichever part of the data is cut. */
static void case_messages(void)
{
	static const size_t rooms[] = { CMSG_SPACE(4 * sizeof(int)),
					CMSG_LEN(sizeof(int)),
					sizeof(struct cmsghdr), 0 };

	kind = kind_named("unix");
	make_text();
	connected(kind);
	for (size_t i = 0; i < 4 * COUNT(rooms); i++) {
		bool out = i & 1;
		int open = descriptors_open();
		struct met met = { 0 };
		send_rights(out ? FD : peer, i & 2);
		take_rights(out ? peer : FD, rooms[i / 4],
			    i & 2 ? MSG_CMSG_CLOEXEC : 0, &met);
		printf(" %s: %zu bytes, %d rights, %s%s, name %d, %d left %s\n",
		       out ? "out" : "in", met.bytes, met.rights,
		       met.flags & MSG_CTRUNC ? "CTRUNC" : "",
		       met.flags & MSG_TRUNC ? "TRUNC" : "", met.name,
		       descriptors_open() - open,
		       memcmp(met.text, text, 100) ? "bad" : "");
	}
}

/* ---- what is never cut -------------------------------------------------- */

static void whole_stream(void)
{
	char data[200];

	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		if (!way->flags)
			continue;
		need(send(peer, text, 200, 0));
		arrived(FD, 200);
		printf("%s", way->name);
		say_ret("PEEK", way->call(FD, data, 150, MSG_PEEK), data);
		say_ret("WAITALL", way->call(FD, data, 150, MSG_WAITALL), data);
		say_ret("PEEK+WAITALL", way->call(FD, data, 50, MSG_WAITALL |
						  MSG_PEEK), data);
		say_ret("WAITALL", way->call(FD, data, 50, MSG_WAITALL), data);
		putchar('\n');
	}
}

static void whole_message(void)
{
	char data[200];

	for (size_t i = 0; i < COUNT(out_ways); i++) {
		way = &out_ways[i];
		if (way->stdio)
			continue;
		printf("%s", way->name);
		say_ret("100", way->call(FD, text, 100, 0), NULL);
		say_ret("got", recv(peer, data, 200, MSG_DONTWAIT), data);
		putchar('\n');
	}
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		need(send(peer, text, 100, 0));
		printf("%s", way->name);
		if (way->call == by_splice_in)
			nonblocking(FD, true);
		say_ret("100", way->call(FD, data, 200, 0), data);
		nonblocking(FD, false);
		say_ret("left", recv(FD, data, 200, MSG_DONTWAIT), data);
		putchar('\n');
	}
}

/* whole KIND */
static void case_whole(void)
{
	kind = kind_named(args[0]);
	make_text();
	connected(kind);
	if (kind->type == SOCK_STREAM)
		whole_stream();
	else
		whole_message();
}
