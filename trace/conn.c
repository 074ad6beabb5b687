/* SPDX-License-Identifier: MIT */
/* Text of addresses and descriptors.  Addresses may come from a damaged
 * trace: every read is within len. */
#include "conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

const char *const proto_names[PROTOS] = {
	[PROTO_UNKNOWN] = "socket", [PROTO_TCP] = "tcp", [PROTO_UDP] = "udp",
	[PROTO_UNIX] = "unix", [PROTO_UNIX_DGRAM] = "unix-dgram",
	[PROTO_UNIX_SEQPACKET] = "unix-seqpacket",
	[PROTO_NETLINK] = "netlink", [PROTO_RAW] = "raw",
	[PROTO_OTHER] = "socket",
};

const char *const role_names[ROLES] = {
	[ROLE_NONE] = "none", [ROLE_CLIENT] = "client",
	[ROLE_SERVER] = "server", [ROLE_LISTENER] = "listener",
	[ROLE_PAIR] = "pair",
};

enum proto proto_of(int domain, int type, int protocol)
{
	switch (domain) {
	case AF_UNIX:
		return type == SOCK_STREAM ? PROTO_UNIX :
		       type == SOCK_SEQPACKET ? PROTO_UNIX_SEQPACKET :
		       PROTO_UNIX_DGRAM;
	case AF_INET:
	case AF_INET6:
		if (type == SOCK_STREAM)
			return !protocol || protocol == IPPROTO_TCP ? PROTO_TCP
								: PROTO_OTHER;
		if (type == SOCK_DGRAM)
			return !protocol || protocol == IPPROTO_UDP ? PROTO_UDP
								: PROTO_OTHER;
		return type == SOCK_RAW ? PROTO_RAW : PROTO_OTHER;
	case AF_NETLINK:
		return PROTO_NETLINK;
	case AF_PACKET:
		return PROTO_RAW;
	}
	return PROTO_OTHER;
}

static void out_ip4(struct out *o, const uint8_t *ip)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			out_char(o, '.');
		out_uint(o, ip[i], 1);
	}
}

/* Where the longest run of zero groups starts (RFC 5952), or -1. */
static int zeros(const uint8_t *ip, int *len)
{
	int best = -1;

	*len = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && !ip[2 * (i + n)] && !ip[2 * (i + n) + 1])
			n++;
		if (n > *len) {
			*len = n;
			best = i;
		}
	}
	return best;
}

static void out_group(struct out *o, unsigned group)
{
	for (int shift = 12, started = 0; shift >= 0; shift -= 4) {
		int digit = group >> shift & 15;
		started |= digit || !shift;
		if (started)
			out_char(o, "0123456789abcdef"[digit]);
	}
}

static void out_ip6(struct out *o, const uint8_t *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int len, gap = zeros(ip, &len);

	if (!memcmp(ip, mapped, sizeof mapped)) {
		out_str(o, "::ffff:");
		out_ip4(o, ip + 12);
		return;
	}
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			out_str(o, "::");
			i += len - 1;
			continue;
		}
		if (i && i != gap + len)
			out_char(o, ':');
		out_group(o, ip[2 * i] << 8 | ip[2 * i + 1]);
	}
}

static void out_unix(struct out *o, const char *path, size_t len)
{
	out_str(o, "unix:");
	if (!len)
		return;
	if (!*path) {
		out_char(o, '@');
		path++, len--;
	} else {
		len = strnlen(path, len);
	}
	for (size_t i = 0; i < len; i++)
		out_char(o, path[i] > ' ' && path[i] < 127 ? path[i] : '?');
}

void out_addr(struct out *o, const void *addr, size_t len)
{
	struct sockaddr_storage s = { 0 };

	if (len > sizeof s)
		len = sizeof s;
	memcpy(&s, addr, len);
	if (s.ss_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in *in = (void *)&s;
		out_ip4(o, (void *)&in->sin_addr);
		out_char(o, ':');
		out_uint(o, ntohs(in->sin_port), 1);
	} else if (s.ss_family == AF_INET6 &&
		   len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		struct sockaddr_in6 *in6 = (void *)&s;
		out_char(o, '[');
		out_ip6(o, (void *)&in6->sin6_addr);
		out_str(o, "]:");
		out_uint(o, ntohs(in6->sin6_port), 1);
	} else if (s.ss_family == AF_UNIX && len >= sizeof s.ss_family) {
		out_unix(o, (char *)&s + sizeof s.ss_family,
			 len - sizeof s.ss_family);
	} else if (s.ss_family == AF_UNSPEC) {
		out_str(o, "AF_UNSPEC");
	} else {
		out_str(o, "family ");
		out_uint(o, s.ss_family, 1);
	}
}

/* An address inside <>: unix: is not said twice. */
static void out_end(struct out *o, const void *addr, size_t len)
{
	uint16_t family = 0;

	if (len >= sizeof family)
		memcpy(&family, addr, sizeof family);
	if (family == AF_UNIX) {
		struct out before = *o;
		out_addr(o, addr, len);
		size_t skip = o->at - before.at < 5 ? o->at - before.at : 5;
		memmove(before.at, before.at + skip, o->at - before.at - skip);
		o->at -= skip;
	} else if (family) {
		out_addr(o, addr, len);
	}
}

void out_fd(struct out *o, int fd, const struct conn_view *v)
{
	out_int(o, fd);
	if (!v)
		return;
	out_char(o, '<');
	out_str(o, proto_names[v->proto < PROTOS ? v->proto : PROTO_UNKNOWN]);
	if (v->local_len || v->peer_len) {
		out_char(o, ':');
		out_end(o, v->local, v->local_len);
	}
	if (v->peer_len) {
		out_str(o, "->");
		out_end(o, v->peer, v->peer_len);
	}
	out_char(o, '>');
}
