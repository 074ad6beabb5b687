/* SPDX-License-Identifier: MIT */
/* The addresses of peer= and local=. */
#include "parse.h"

#include <arpa/inet.h>
#include <string.h>

/* inet_pton(3) of a piece of the text */
static bool address(int family, const char *at, const char *end, void *to)
{
	char text[INET6_ADDRSTRLEN];

	if ((size_t)(end - at) >= sizeof text)
		return false;
	memcpy(text, at, end - at);
	text[end - at] = 0;
	return inet_pton(family, text, to) == 1;
}

/* ["/" BITS]; where it ends. */
static const char *prefix(struct parse *p, const char *at, const char *end,
			  int most, int *bits, const char *what)
{
	const char *start = at + 1;
	uint64_t n;

	*bits = most;
	if (!parse_skip(&at, end, "/"))
		return at;
	if (!parse_number(&at, end, &n) || n > (uint64_t)most)
		parse_fail(p, start, what);
	else
		*bits = (int)n;
	return at;
}

/* ":" ("*" | NUMBER) */
static void port(struct parse *p, const char *at, struct addr_match *m)
{
	const char *start = at;

	m->port = -1;
	if (!parse_skip(&at, p->end, ":"))
		parse_fail(p, start, "expected :PORT, or :* for any,");
	else if (!parse_is(at, p->end, "*"))
		m->port = parse_whole(p, at, 0, 65535, "expected a port from "
				      "0 to 65535, or *,");
}

/* "[" IPv6 "]" ["/" BITS] */
static const char *ip6(struct parse *p, const char *at, struct addr_match *m)
{
	const char *close = memchr(at, ']', p->end - at);

	m->kind = ADDR_IP6;
	if (!close || !address(AF_INET6, at + 1, close, m->ip)) {
		parse_fail(p, at, "expected an IPv6 address in brackets");
		return p->end;
	}
	return prefix(p, close + 1, p->end, 128, &m->bits,
		      "expected a prefix from 0 to 128");
}

/* IPv4 ["/" BITS] | "*" */
static const char *ip4(struct parse *p, const char *at, struct addr_match *m)
{
	const char *stop = at;

	while (stop < p->end && *stop != ':' && *stop != '/')
		stop++;
	if (parse_is(at, stop, "*")) {
		m->kind = ADDR_ANY;
		return stop;
	}
	m->kind = ADDR_IP4;
	if (!address(AF_INET, at, stop, m->ip)) {
		parse_fail(p, at, "expected an address in numbers, such as "
			   "10.0.0.1:80, 10.0.0.0/8:*, [::1]:80, *:80 or "
			   "unix:PATH,");
		return p->end;
	}
	return prefix(p, stop, p->end, 32, &m->bits,
		      "expected a prefix from 0 to 32");
}

/* ADDR = "unix:" ["@"] GLOB | ("[" IPv6 "]" | IPv4 | "*") [PREFIX] PORT */
void parse_address(struct parse *p, const char *at, struct addr_match *m)
{
	if (parse_skip(&at, p->end, "unix:")) {
		m->kind = parse_skip(&at, p->end, "@") ? ADDR_ABSTRACT
						       : ADDR_PATH;
		m->glob = (struct span){ at, p->end - at };
		if (at == p->end)
			parse_fail(p, at, "expected a path, or * for any,");
		return;
	}
	at = at < p->end && *at == '[' ? ip6(p, at, m) : ip4(p, at, m);
	port(p, at, m);
}
