/* SPDX-License-Identifier: MIT */
/*
 * TCP's states as a table: where a sign leads from a state, and what follows
 * then without any call showing it.  What calls cannot show (a simultaneous
 * open or close, the moment a FIN is acknowledged) is not guessed.
 */
#include "states.h"

#include <netinet/tcp.h>

#define LATER 2				/* states a row foretells at most */

const char *const tcp_states[TCP_STATES] = {
	[ST_NONE] = "?", [ST_CLOSED] = "CLOSED", [ST_LISTEN] = "LISTEN",
	[ST_SYN_SENT] = "SYN_SENT", [ST_SYN_RCVD] = "SYN_RCVD",
	[ST_ESTABLISHED] = "ESTABLISHED", [ST_FIN_WAIT_1] = "FIN_WAIT_1",
	[ST_FIN_WAIT_2] = "FIN_WAIT_2", [ST_CLOSING] = "CLOSING",
	[ST_TIME_WAIT] = "TIME_WAIT", [ST_CLOSE_WAIT] = "CLOSE_WAIT",
	[ST_LAST_ACK] = "LAST_ACK",
};

/* The first row that fits; from ST_NONE: any state but CLOSED. */
static const struct move {
	uint8_t from, sign;
	uint8_t to[2], later[LATER];
} moves[] = {
	{ ST_CLOSED, SIGN_LISTEN, { ST_LISTEN }, { 0 } },
	{ ST_CLOSED, SIGN_STARTED, { ST_SYN_SENT }, { 0 } },
	{ ST_CLOSED, SIGN_CONNECTED, { ST_SYN_SENT, ST_ESTABLISHED }, { 0 } },
	{ ST_CLOSED, SIGN_REFUSED, { ST_SYN_SENT, ST_CLOSED }, { 0 } },
	/* TCP Fast Open: the SYN carries the data */
	{ ST_CLOSED, SIGN_DATA, { ST_SYN_SENT }, { 0 } },
	{ ST_SYN_RCVD, SIGN_CONNECTED, { ST_ESTABLISHED }, { 0 } },
	{ ST_SYN_SENT, SIGN_CONNECTED, { ST_ESTABLISHED }, { 0 } },
	{ ST_SYN_SENT, SIGN_DATA, { ST_ESTABLISHED }, { 0 } },
	{ ST_SYN_SENT, SIGN_EOF, { ST_ESTABLISHED, ST_CLOSE_WAIT }, { 0 } },
	{ ST_SYN_SENT, SIGN_SHUT, { ST_CLOSED }, { 0 } },
	{ ST_SYN_SENT, SIGN_CLOSE, { ST_CLOSED }, { 0 } },
	{ ST_LISTEN, SIGN_SHUT, { ST_CLOSED }, { 0 } },
	{ ST_LISTEN, SIGN_CLOSE, { ST_CLOSED }, { 0 } },
	{ ST_LISTEN, SIGN_ABORT, { ST_CLOSED }, { 0 } },
	{ ST_ESTABLISHED, SIGN_EOF, { ST_CLOSE_WAIT }, { 0 } },
	{ ST_ESTABLISHED, SIGN_SHUT, { ST_FIN_WAIT_1 }, { 0 } },
	{ ST_ESTABLISHED, SIGN_CLOSE, { ST_FIN_WAIT_1 },
	  { ST_FIN_WAIT_2, ST_TIME_WAIT } },
	{ ST_CLOSE_WAIT, SIGN_SHUT, { ST_LAST_ACK }, { 0 } },
	{ ST_CLOSE_WAIT, SIGN_CLOSE, { ST_LAST_ACK }, { ST_CLOSED } },
	{ ST_LAST_ACK, SIGN_CLOSE, { 0 }, { ST_CLOSED } },
	{ ST_FIN_WAIT_1, SIGN_EOF, { ST_FIN_WAIT_2, ST_TIME_WAIT }, { 0 } },
	{ ST_FIN_WAIT_1, SIGN_CLOSE, { 0 }, { ST_FIN_WAIT_2, ST_TIME_WAIT } },
	{ ST_FIN_WAIT_2, SIGN_EOF, { ST_TIME_WAIT }, { 0 } },
	{ ST_FIN_WAIT_2, SIGN_CLOSE, { 0 }, { ST_TIME_WAIT } },
	{ ST_CLOSING, SIGN_CLOSE, { 0 }, { ST_TIME_WAIT } },
	/* the peer has had all it was owed: nothing can be lost any more */
	{ ST_TIME_WAIT, SIGN_REFUSED, { 0 }, { 0 } },
	{ ST_TIME_WAIT, SIGN_LOST, { 0 }, { 0 } },
	{ ST_TIME_WAIT, SIGN_ABORT, { 0 }, { 0 } },
	/* what a listener reports is a client's misfortune */
	{ ST_LISTEN, SIGN_REFUSED, { 0 }, { 0 } },
	{ ST_LISTEN, SIGN_LOST, { 0 }, { 0 } },
	{ ST_NONE, SIGN_REFUSED, { ST_CLOSED }, { 0 } },
	{ ST_NONE, SIGN_LOST, { ST_CLOSED }, { 0 } },
	{ ST_NONE, SIGN_ABORT, { ST_CLOSED }, { 0 } },
};

enum tcp_state path_state(const struct tcp_path *p)
{
	return p->seen ? p->states[p->seen - 1] : ST_CLOSED;
}

/* A state seen.  When there are too many the newest replaces the last. */
static void add(struct tcp_path *p, enum tcp_state state)
{
	if (p->seen == PATH_STATES - LATER) {
		p->cut = true;
		p->seen--;
	}
	p->states[p->seen++] = state;
	p->n = p->seen;
}

void path_begin(struct tcp_path *p, enum tcp_state first)
{
	*p = (struct tcp_path){ .states = { first }, .n = 1, .seen = 1 };
}

static const struct move *find(enum tcp_state from, enum tcp_sign sign)
{
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].sign == sign &&
		    (moves[i].from == from ||
		     (moves[i].from == ST_NONE && from != ST_CLOSED)))
			return &moves[i];
	return NULL;
}

void path_sign(struct tcp_path *p, enum tcp_sign sign)
{
	const struct move *m = find(path_state(p), sign);

	if (!m)
		return;
	p->n = p->seen;
	for (int i = 0; i < 2 && m->to[i]; i++)
		add(p, m->to[i]);
	for (int i = 0; i < LATER && m->later[i]; i++)
		p->states[p->n++] = m->later[i];
}

void path_told(struct tcp_path *p, unsigned tcpi_state)
{
	static const uint8_t ours[] = {
		[TCP_ESTABLISHED] = ST_ESTABLISHED,
		[TCP_SYN_SENT] = ST_SYN_SENT, [TCP_SYN_RECV] = ST_SYN_RCVD,
		[TCP_FIN_WAIT1] = ST_FIN_WAIT_1,
		[TCP_FIN_WAIT2] = ST_FIN_WAIT_2,
		[TCP_TIME_WAIT] = ST_TIME_WAIT, [TCP_CLOSE] = ST_CLOSED,
		[TCP_CLOSE_WAIT] = ST_CLOSE_WAIT,
		[TCP_LAST_ACK] = ST_LAST_ACK, [TCP_LISTEN] = ST_LISTEN,
		[TCP_CLOSING] = ST_CLOSING,
	};

	if (tcpi_state < sizeof ours && ours[tcpi_state] &&
	    ours[tcpi_state] != path_state(p))
		add(p, ours[tcpi_state]);
}

void path_print(FILE *to, const struct tcp_path *p)
{
	for (int i = 0; i < p->n; i++) {
		if (i)
			fprintf(to, " %s> ", i == p->seen ? "(" : "");
		if (p->cut && i == p->seen - 1)
			fputs("... > ", to);
		fputs(tcp_states[p->states[i]], to);
	}
	if (p->seen < p->n)
		fputc(')', to);
}
