/* SPDX-License-Identifier: MIT */
/*
 * The path of a connection through the states of TCP (RFC 9293, 3.3.2), as far
 * as the calls of one side imply it.
 */
#ifndef CLI_STATES_H
#define CLI_STATES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum tcp_state {
	ST_NONE, ST_CLOSED, ST_LISTEN, ST_SYN_SENT, ST_SYN_RCVD,
	ST_ESTABLISHED, ST_FIN_WAIT_1, ST_FIN_WAIT_2, ST_CLOSING,
	ST_TIME_WAIT, ST_CLOSE_WAIT, ST_LAST_ACK, TCP_STATES
};

/* What a call says about its connection. */
enum tcp_sign {
	SIGN_LISTEN,			/* listen succeeded */
	SIGN_STARTED,			/* connect goes on by itself */
	SIGN_CONNECTED,			/* the handshake is over */
	SIGN_REFUSED,			/* connect met a peer that would not, */
					/*   or did not, answer */
	SIGN_LOST,			/* an error that ends a connection */
	SIGN_DATA,			/* bytes have been taken or given */
	SIGN_EOF,			/* the peer will send no more */
	SIGN_SHUT,			/* we will send no more */
	SIGN_CLOSE,			/* the last descriptor was closed */
	SIGN_ABORT,			/* dissolved, or closed with a RST */
	TCP_SIGNS
};

#define PATH_STATES 24

struct tcp_path {
	uint8_t states[PATH_STATES];
	uint8_t n;
	uint8_t seen;			/* states that calls imply; the rest */
					/*   follow by the protocol */
	bool cut;			/* there were more */
};

extern const char *const tcp_states[TCP_STATES];

/* Where it is, as far as calls show. */
enum tcp_state path_state(const struct tcp_path *p);
void path_begin(struct tcp_path *p, enum tcp_state first);
void path_sign(struct tcp_path *p, enum tcp_sign sign);
/* The kernel has said what the state is, as tcpi_state of TCP_INFO. */
void path_told(struct tcp_path *p, unsigned tcpi_state);
/* CLOSED > SYN_SENT > ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT) */
void path_print(FILE *to, const struct tcp_path *p);

#endif
