/* SPDX-License-Identifier: MIT */
/* What the parts of the lint share; see lint.h. */
#ifndef AUDIT_LINT_PARTS_H
#define AUDIT_LINT_PARTS_H

#include "lint.h"

#include "../trace/map.h"

#define SUSPECTS 8			/* closes in a row that may be a loop */
#define BIRTHS 3			/* later sockets that prove a leak */

/* A call, remembered. */
struct mark {
	uint64_t caller;
	int64_t start, end;		/* ns */
	uint32_t nth, proc;
	int32_t tid, fd;
	uint16_t call, err;
	bool known;
	bool in;			/* it takes data out of a socket */
};

/* What the program must know of its socket. */
enum stage {
	STAGE_NONE,			/* nothing to be judged by */
	STAGE_UNBOUND,			/* bind has failed */
	STAGE_DEAF,			/* listen has failed */
	STAGE_GOING,			/* connect goes on, nobody has asked */
	STAGE_TRIED,			/* used then, and that has failed */
	STAGE_FAILED,			/* connect has failed */
	STAGE_TOLD,			/* and SO_ERROR has said so */
	STAGE_UP,
	STAGE_BROKEN,			/* recv has failed for good */
};

/* A socket of the trace. */
struct sock {
	struct mark born;		/* by socket or accept, where seen */
	struct mark closed;		/* the last close of a descriptor */
	struct mark eof;		/* recv said 0 */
	struct mark why;		/* the call that led to the stage */
	struct mark tried;		/* the use that has failed */
	uint8_t stage;			/* enum stage */
	uint8_t tries;			/* failed uses since */
	bool stream, tcp, bound, listens;
	bool shut_rd, shut_wr;		/* by the program */
	bool dead;			/* a call has said that it is over */
	bool sent_last;			/* the last data went out */
	bool moved;			/* there has been data */
	bool linger;			/* close is to be a reset */
	bool busy;			/* a call on it never returned */
	bool watched, watched_out;	/* by an epoll set; for room, too */
	bool lent, lent_over;		/* another process has used it, and */
					/*   was done with it */
	int64_t lent_at;
	int64_t used;			/* its maker's last call has returned */
	uint32_t group;			/* of sockets made alike, plus 1 */
};

/* A process. */
struct task {
	int64_t made;			/* it began to make its last socket */
	int64_t births[BIRTHS];		/* of its last sockets that came to */
					/*   an end, the latest first */
	int64_t rights;			/* it may have passed descriptors on */
	bool selects;			/* what it waits for is not known */
	bool bare;			/* sigpipe-unprotected has been told */
};

/* A thread that had a call fail, or that closed. */
struct worker {
	struct mark refused;		/* its last socket or accept failed */
	struct mark closed;		/* its last call, if that was a close */
	struct mark suspects[SUSPECTS]; /* double closes in the row before it */
	int n;
	bool loop;			/* which is a loop over all numbers */
};

/* Sockets that one thread made at one place, to one peer. */
struct group {
	uint32_t latest;		/* index of the youngest */
	bool reused;			/* an older one was used after it */
};

struct lint {
	struct trace *t;
	const struct trace_conn *conns;
	const struct trace_proc *procs;
	struct sock *socks;		/* one a socket of the trace */
	struct task *tasks;		/* one a process */
	struct worker *workers;
	struct group *groups;
	uint32_t n_socks, n_procs, n_workers, n_groups;
	struct map fds;			/* (process, fd): a socket, descs.c */
	struct map threads;		/* (process, thread): of workers */
	struct map alike;		/* hash: of groups */
	struct map tally;		/* hash: useless sockets, leaks.c */
	uint32_t nth;			/* of the call that is looked at */
	bool whole;			/* no call is missing */
	bool failed;			/* there was no memory */
	void (*found)(const struct finding *f, void *ctx);
	void *ctx;
};

struct mark mark_of(const struct lint *l, const struct trace_call *c);
/* The name of its error. */
const char *mark_error(const struct mark *p);
void lint_tell(struct lint *l, enum finding_id id, const struct mark *at,
	       int64_t conn, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* An array with room for one more than n, which doubles; NULL: no memory. */
void *lint_grow(struct lint *l, void *array, uint32_t n, size_t size);
/* The state of a call's thread; NULL: it has none (make: nor memory). */
struct worker *worker_of(struct lint *l, const struct trace_call *c,
			 bool make);
/* The argument of that kind, or otherwise where there is none. */
uint64_t arg_of(const struct rec *r, enum kind kind, uint64_t otherwise);
/* socket or accept: what it returns is a socket nobody had. */
bool call_makes(int call);

/* ---- wrong.c: calls that are wrong by themselves ------------------------ */

void wrong_see(struct lint *l, const struct trace_call *c);
/* -1 for a descriptor. */
void minus_one_see(struct lint *l, const struct trace_call *c);

/* ---- descs.c: who holds which descriptor -------------------------------- */

void descs_see(struct lint *l, const struct trace_call *c);
/* The socket that fd is in that process, or was until it closed it; or -1. */
int64_t descs_find(const struct lint *l, uint32_t proc, int fd);
int64_t descs_gone(const struct lint *l, uint32_t proc, int fd);
/* Each descriptor that is held, whose it is and of what. */
void descs_each(struct lint *l,
		void (*each)(struct lint *l, uint32_t proc, uint32_t sock));

/* ---- closes.c: double closes, and those that lose data ------------------ */

/* Before descs_see. */
void closes_see(struct lint *l, const struct trace_call *c);
/* No more closes of that thread will follow in a row. */
void closes_judge(struct lint *l, struct worker *w);

/* ---- stages.c: errors of a socket that nobody minded -------------------- */

void stages_see(struct lint *l, const struct trace_call *c, struct sock *s);

/* ---- leaks.c: what is left at the end ----------------------------------- */

void leaks_see(struct lint *l, const struct trace_call *c);
void leaks_find(struct lint *l);

#endif
