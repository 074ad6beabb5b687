/* SPDX-License-Identifier: MIT */
/* What a descriptor is: protocol, role and addresses, and their text form. */
#ifndef TRACE_CONN_H
#define TRACE_CONN_H

#include "out.h"

#include <sys/socket.h>

enum proto {
	PROTO_UNKNOWN, PROTO_TCP, PROTO_UDP, PROTO_UNIX, PROTO_UNIX_DGRAM,
	PROTO_UNIX_SEQPACKET, PROTO_NETLINK, PROTO_RAW, PROTO_OTHER, PROTOS
};

enum role {
	ROLE_NONE, ROLE_CLIENT, ROLE_SERVER, ROLE_LISTENER, ROLE_PAIR, ROLES
};

extern const char *const proto_names[PROTOS];
extern const char *const role_names[ROLES];

/* A socket as described at one moment; the addresses are borrowed. */
struct conn_view {
	uint32_t ordinal;		/* n-th socket of its process, from 1 */
	uint8_t proto, role;
	uint8_t local_len, peer_len;	/* 0: not known, or there is none */
	const void *local, *peer;	/* struct sockaddr, as the kernel's */
};

/* The protocol of socket(domain, type, protocol), type without flags. */
enum proto proto_of(int domain, int type, int protocol);

/* 127.0.0.1:80  [::1]:80  unix:/path  unix:@abstract */
void out_addr(struct out *o, const void *addr, size_t len);
/* 3<tcp:127.0.0.1:4242->127.0.0.1:80>, or 3 when view is NULL */
void out_fd(struct out *o, int fd, const struct conn_view *view);

#endif
