/* SPDX-License-Identifier: MIT */
/*
 * The trace's records, in memory and in the file alike: 64-byte slots, in the
 * byte order of the machine that wrote them.  A reader must believe nothing:
 * the program may have been killed in the middle of a slot.
 *
 * The first byte says what a slot is.  It is written last, so that a slot
 * whose first byte is set is whole.
 */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include <stdint.h>

#define SLOT 64
#define REC_ARGS 16

enum rec_state {
	REC_EMPTY,
	REC_OPEN,			/* a call that has begun */
	REC_DONE,			/* a call that has returned */
	REC_MORE,			/* payload of a call */
	REC_CONN,			/* what a socket has become */
	REC_PROC,			/* a process, before its first call */
	REC_RULE,			/* the name of a rule */
};

struct rec {
	uint8_t state;			/* REC_OPEN or REC_DONE */
	uint8_t slots;			/* 1 */
	uint16_t call;			/* enum call_id */
	uint16_t err;			/* errno of a failed call, or 0 */
	uint16_t rule;			/* rule that touched it, or 0 */
	uint64_t start, took;		/* clock ticks */
	int64_t ret;
	uint64_t caller;		/* return address */
	int32_t fd;			/* or NO_FD */
	uint32_t conn;			/* ordinal of the socket, or 0 */
	uint8_t args[REC_ARGS];		/* values in the order of the kinds */
};

/* a call that is not about a descriptor */
#define NO_FD INT32_MIN

/* A call that returns a new socket keeps its ordinal behind its arguments. */
#define REC_NEWCONN 12

/* What a close keeps where others have arguments. */
struct rec_close {
	uint32_t unread;		/* bytes of TCP it threw away */
	uint32_t children;		/* processes made by then, plus 1; */
					/*   0: not known */
	uint32_t beside;		/* the thread's close before or after it */
};					/*   was of a number near, and of none */

/*
 * Payload: items { param, bits, length } and bytes.  param counts the call's
 * kinds from 0.
 */
struct item {
	uint8_t param, bits;
	uint16_t len;
};

#define ITEM_STACK 255			/* the param of its return addresses */
#define ITEM_REST 254			/* ... of what a cut send has left */
#define ITEM_CUT 1			/* there was more than is kept */
#define ITEM_NULL 2			/* the program passed NULL */

struct rec_more {
	uint8_t state, slots;
	uint16_t len;			/* bytes of items */
	uint32_t pad;
	uint64_t of;			/* slot number of the call in the file */
	uint8_t items[48];		/* and on through the other slots */
};

#define MORE_HEAD 16
#define MORE_MAX (255 * SLOT - MORE_HEAD)

struct rec_conn {
	uint8_t state, slots;
	uint8_t proto, role;		/* enum proto, enum role */
	uint32_t conn;			/* ordinal in the process */
	uint64_t start;			/* start of the call that made it so */
	uint32_t listener;		/* ordinal it was accepted from, or 0 */
	uint8_t local_len, peer_len;	/* struct sockaddr bytes */
	uint8_t addrs[42];		/* local, then peer, and on */
};

#define CONN_HEAD 22

struct rec_proc {
	uint8_t state, slots;
	uint16_t len;			/* bytes of text */
	uint32_t parent;		/* number of the process it came from */
	uint64_t start;
	uint32_t forked;		/* 1: by fork, 0: by exec */
	uint32_t sigpipe;		/* SIGPIPE_ bits; 0: not known */
	char text[40];			/* place in the tree, executable, */
};					/* arguments, each with its 0 */

#define PROC_HEAD 24

/* It was ignored, caught or blocked when the process began ... */
#define SIGPIPE_SAFE 1
/*
 * ... it was none of these at the first send that it could have ended: the
 * process introduces itself again then, with the start of that call.
 */
#define SIGPIPE_BARE 2

struct rec_rule {
	uint8_t state, slots;
	uint16_t len;			/* bytes of name */
	uint16_t rule;			/* its number, from 1 */
	char name[58];			/* FILE:LINE, and on */
};

#define RULE_HEAD 6
#define RULE_TEXT 600			/* a longer name is cut */

_Static_assert(sizeof(struct rec) == SLOT, "rec");
_Static_assert(sizeof(struct rec_close) <= REC_ARGS, "close");
_Static_assert(sizeof(struct rec_more) == SLOT, "more");
_Static_assert(sizeof(struct rec_conn) == SLOT, "conn");
_Static_assert(sizeof(struct rec_proc) == SLOT, "proc");
_Static_assert(sizeof(struct rec_rule) == SLOT, "rule");

static inline int slots_for(int head, int len)
{
	return (head + len + SLOT - 1) / SLOT;
}

/*
 * Payload item of a parameter, or NULL; *item is its header.  Nothing beyond
 * len is touched.
 */
const uint8_t *payload_find(const void *payload, int len, int param,
			    struct item *item);

#endif
