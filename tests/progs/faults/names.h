/* SPDX-License-Identifier: MIT */
/*
 * Names that cannot be looked up.
 */

/* A name server of one answer: RCODE and no address, or none at all. */
static int server_code;

static void *serves(void *socket)
{
	unsigned char query[512];
	intptr_t fd = (intptr_t)socket;
	union addr from;
	socklen_t len = sizeof from;
	ssize_t n;

	while ((n = recvfrom(fd, query, sizeof query, 0, &from.any,
			     &len)) >= 12) {
		query[2] |= 0x80;
		query[3] = 0x80 | server_code;
		need(sendto(fd, query, n, 0, &from.any, len));
		len = sizeof from;
	}
	return socket;
}

static void own_server(void)
{
	union addr a;
	socklen_t len;
	intptr_t fd = bound(kind_named("udp"), &a, &len);

	need(res_init());
	_res.retrans = 1;
	_res.retry = 1;
	_res.nscount = 1;
	_res.nsaddr_list[0] = a.in;
	if (server_code < 0)
		close(fd);
	else
		begun(serves, (void *)fd);
}

static void say_info(const char *name, int family)
{
	struct addrinfo hints = { .ai_family = family,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = (void *)16;
	int r;

	errno = 0;
	r = getaddrinfo(name, "80", &hints, &all);
	printf(" getaddrinfo=%d", r);
	if (!r)
		freeaddrinfo(all);
}

static void say_host(const char *name)
{
	struct hostent *h;

	h_errno = -7;
	errno = 0;
	h = gethostbyname(name);
	printf(" gethostbyname=%s:%d", h ? "some" : "NULL", h_errno);
	h_errno = -7;
	h = gethostbyname2(name, AF_INET6);
	printf(" gethostbyname2=%s:%d", h ? "some" : "NULL", h_errno);
}

static void say_host_r(const char *name)
{
	struct hostent room, *h = (void *)16;
	char buf[1024];
	int err = -7, r;

	h_errno = -7;
	r = gethostbyname_r(name, &room, buf, sizeof buf, &h, &err);
	printf(" gethostbyname_r=%s:%s:%d", r ? strerrorname_np(r) : "0",
	       h == &room ? "some" : h ? "wild" : "NULL", err);
	h = (void *)16;
	err = -7;
	r = gethostbyname2_r(name, AF_INET, &room, buf, sizeof buf, &h, &err);
	printf(" gethostbyname2_r=%s:%s:%d", r ? strerrorname_np(r) : "0",
	       h == &room ? "some" : h ? "wild" : "NULL", err);
}

static void say_query(const char *name)
{
	unsigned char answer[512];
	int r;

	h_errno = -7;
	r = res_query(name, 1, 1, answer, sizeof answer);
	printf(" res_query=%d:%d", r < 0 ? r : 1, h_errno);
	h_errno = -7;
	r = res_search(name, 1, 1, answer, sizeof answer);
	printf(" res_search=%d:%d", r < 0 ? r : 1, h_errno);
}

/* names RCODE: with -r from a server that says so; -1: there is none. */
/* Numbers, and nothing at all: no name server is asked. */
static void case_literals(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char host[64];

	say_info("127.0.0.1", AF_UNSPEC);
	say_info("::1", AF_INET6);
	say_info(NULL, AF_UNSPEC);
	say_host("127.0.0.1");
	say_host_r("127.0.0.1");
	printf(" getnameinfo=%d", getnameinfo((void *)&a, sizeof a, host,
					      sizeof host, NULL, 0,
					      NI_NUMERICHOST));
	putchar('\n');
}

static void case_names(void)
{
	const char *name = "there.is.no.such.name.invalid";

	server_code = atoi(args[0]);
	if (real)
		own_server();
	say_info(name, AF_UNSPEC);
	say_info(name, AF_INET);
	say_host(name);
	say_host_r(name);
	say_query(name);
	putchar('\n');
}
