/* SPDX-License-Identifier: MIT */
/*
 * The parts of the preloaded object and what they share.
 *
 *	wrapper -> call_begin -> (fault) -> libc -> call_end -> call_done
 *	           fd.c: what   fault.c: a rule's    fd.c: what became of it
 *	           is it        answer, less, or     keep.c: payload
 *	                        the end (sever.c)    trace.c, log.c
 *
 * All of this runs in somebody else's process, in any thread, in signal
 * handlers, before constructors and after fork: no allocation, no lock, no
 * stdio, and errno is the program's.
 */
#ifndef SHIM_SHIM_H
#define SHIM_SHIM_H

#include "real.h"

#include "../rules/rule.h"
#include "../trace/conn.h"
#include "../trace/record.h"
#include "../trace/text.h"
#include "../trace/tick.h"

#include <stdatomic.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* ---- start.c: the process and the thread ------------------------------ */

enum only { ONLY_ANY, ONLY_OK, ONLY_FAILED };

/* What the environment asked for; written at start, read-only after. */
struct config {
	bool active;			/* anything to do; not before start, */
					/*   nor in strict seccomp */
	bool log, trace;		/* the two sinks */
	bool seen;			/* they want calls without a fault */
	bool signals;			/* record all signals, not SIGPIPE only */
	bool log_injected;		/* log only what a rule has touched */
	bool rules;			/* there are some */
	bool ends;			/* one of them can end a connection */
	bool gates;			/* one of them takes time */
	bool latent;			/* and keeps back readiness */
	bool offsets, timed, from;	/* one of them has at=, after=, from= */
	bool counter;			/* ticks are the processor's counter */
	int log_data, trace_data;	/* bytes of data kept per call */
	int stack;			/* return addresses, likewise */
	enum only only;
	struct call_set wanted;		/* calls the sinks shall see */
	struct call_set needed;		/* and those that change what we know */
	struct call_set learned;	/* only these last */
	struct call_set quick;		/* all others: libc's at once.  A jump */
					/*   there costs less than a call: none */
					/*   before start */
	struct call_set ruled;		/* calls that a rule may touch */
	struct call_set waiting;	/* an end may find them in libc's hands */
	struct times times;
	uint64_t t0, epoch;		/* the trace's beginning: ticks, and */
					/*   ns since 1970 */
	uint64_t mult;			/* ns per tick, times 2^32 */
};
extern struct config config;

/*
 * One page that fork empties (MADV_WIPEONFORK): a child notices by itself
 * that it is one, whichever way it was made.
 */
struct here {
	_Atomic uint32_t pid;		/* 0: a new child */
};
extern struct here *here;

/* One page that a process shares with all that were forked from it. */
struct common {
	_Atomic bool image_logged;	/* the log has the program's execve */
};
extern struct common *common;

/* A thread's own state; zero in a new one. */
struct thread {
	uint32_t pid;			/* here->pid when it last looked */
	int32_t tid;
	char *next, *end;		/* free slots of its run in the trace */
	uint32_t units;			/* units of that run */
	bool starting;			/* it is inside start() */
	const void *caller;		/* whom the next call really came from */
	int held;			/* rule that has kept back readiness */
	int blind;			/* last number closed that was none, */
					/*   plus 1 */
	struct rec *doubt;		/* the close before, in the trace */
	_Atomic uint32_t counts[PER_MOST][2]; /* of rules with per=thread */
};
extern __thread struct thread me
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Start the process, notice a fork, know the thread.  False: do nothing. */
bool enter(void);

static inline bool entered(void)
{
	uint32_t pid = atomic_load_explicit(&here->pid, memory_order_relaxed);

	return likely(pid && pid == me.pid) || enter();
}

/* The program as it was executed, in the form of a call. */
struct image {
	struct rec rec;
	uint8_t items[448];
	int len;
	int pid;			/* of the process that executed it */
};
/* The image when *told was false; it is true afterwards. */
const struct image *image_once(_Atomic bool *told);
/* The process ends in good order. */
void process_end(void);

/* ---- env.c: the environment ------------------------------------------- */

/* Our variables' values; set by env_read, read-only after. */
extern const char *env_values[ENVS];

void env_read(void);
/* What they ask for, into config.  Ends the program if that makes no sense. */
void env_settings(bool first);
uint64_t env_seed(void);
_Noreturn void env_refuse_errno(int id, int err);
/* The log's descriptor as the last process had it, or -1. */
void env_state_log(int *fd, uint64_t *dev, uint64_t *ino);
/* Keep what the next process must know in the program's own environ. */
void env_put_state(void);
/* The same in a forked child, whose environ may be the program's own. */
void env_renew_state(void);
/*
 * The environment for a program to be executed: env, and what makes it one of
 * ours; child: in a new process.  Freed by env_free; env itself where there is
 * nothing to add.
 */
char **env_ours(char *const *env, bool child);
void env_free(char **ours, char *const *env);
/* Around libc functions that start a child with environ as it is. */
char **environ_child(void);
void environ_back(char **theirs);
/* 1 for the first process, 1.2 for its second child, and so on. */
const char *tree_path(void);
uint64_t tree_hash(void);
/* Before a fork: the child's place in the tree is one further. */
void child_count(void);
uint32_t children_made(void);
/* This is that child. */
void tree_descend(void);

/* ---- fd.c: what each descriptor is ------------------------------------ */

/* Memory that costs nothing until it is used, or NULL. */
void *zeros(size_t size);

/* One direction of a socket, as far as a rule has closed it for a time. */
struct gate {
	_Atomic int64_t until;		/* ns of CLOCK_MONOTONIC; 0: open */
	_Atomic int64_t free;		/* bytes that have waited already */
	int64_t paid;			/* ns: until then for what has moved */
	_Atomic uint8_t served;		/* the next call has waited already */
	_Atomic uint16_t rule;		/* that closed it */
};

/* A socket.  Lives in a pool; refs counts the descriptors. */
struct conn {
	_Atomic uint32_t refs;
	uint32_t ordinal;		/* n-th socket of the process, from 1 */
	uint32_t listener;		/* ordinal it was accepted from */
	_Atomic uint32_t free;		/* next in the list of free ones */
	uint8_t proto, role;
	uint8_t local_len, peer_len;
	uint8_t addr[2][28];		/* longer ones: see conn_addr */
	/* what rules have made of it, and know of it */
	_Atomic uint8_t fate;		/* enum fate */
	_Atomic uint8_t owed;		/* its error is not collected yet */
	_Atomic bool ending;		/* some thread is resetting it */
	_Atomic int32_t firing;		/* that thread, until its call is over */
	int soft;			/* SO_ERROR gives it once more */
	struct gate gate[2];		/* in and out */
	_Atomic uint8_t gated;		/* 1 IN | 2 OUT, and more (gate.h) */
	_Atomic bool deaf, mute;		/* the program has shut it down */
	_Atomic bool missed;		/* it was told EAGAIN: an edge is due */
	_Atomic int64_t queued;		/* ns: a listener has no room so long */
	uint32_t regs;			/* first of its registrations, 0: none */
	uint32_t closed_at;		/* place in gate.c's list */
	uint16_t due;			/* a rule that ends it when it is read */
	_Atomic uint16_t asked, quiet;	/* ON_ bits: no rule can mean it */
	int label;			/* the errno that error goes by */
	uint64_t cookie;		/* the kernel's, to know it again */
	size_t left;			/* bytes that came before its end */
	int unacked, unsent;		/* of what was sent, at a reset */
	struct stash *stash;		/* the same, taken out before a reset */
	_Atomic uint64_t bytes[2];	/* of the stream, in and out */
	_Atomic uint64_t shown;		/* so far MSG_PEEK has looked in it */
	_Atomic uint32_t nth[FAMILIES];	/* calls of each family */
};

enum fate { FATE_NONE, FATE_RESET, FATE_EOF, FATE_REFUSED };

enum slot {
	SLOT_UNMET,			/* nobody has looked */
	SLOT_OTHER,			/* no socket */
	SLOT_WAS,			/* a socket, until it was closed */
	SLOT_OURS,			/* belongs to the shim */
	SLOT_SET,			/* and up: epoll set (watch.c) */
	SLOT_NAMELESS = SLOT_SET + 1024, /* a socket the pool had no room for */
	SLOT_CONN,			/* and up: socket in the pool */
};

extern struct conn *fd_pool;		/* set at start, read-only after */
extern _Atomic uint32_t *fd_slots;	/* set at start, read-only after */
extern uint32_t fd_slots_n;
uint32_t fd_pool_n(void);		/* sockets there is room for */
extern _Atomic uint32_t fd_top;		/* one more than the highest socket */

static inline uint32_t fd_slot(int fd)
{
	return (uint32_t)fd < fd_slots_n ? atomic_load_explicit(&fd_slots[fd],
					memory_order_relaxed) : SLOT_UNMET;
}

/* A plain file: nothing to do, as fast as can be. */
static inline bool fd_plain(int fd)
{
	return fd_slot(fd) == SLOT_OTHER;
}

void fd_table(void);			/* map the table, once */
/* What fd is; asks the kernel about one nobody has met. */
uint32_t fd_look(int fd);
/* The same, not believing that it is no socket. */
uint32_t fd_look_again(int fd);
static inline bool fd_is_socket(uint32_t slot)
{
	return slot >= SLOT_NAMELESS;
}
/* The socket of a slot; NULL when it has none. */
static inline struct conn *slot_conn(uint32_t slot)
{
	return slot >= SLOT_CONN ? &fd_pool[slot - SLOT_CONN] : NULL;
}
/* A new socket on fd; NULL when there is no room to describe it. */
struct conn *fd_born(int fd, enum proto proto, enum role role);
void fd_set_slot(int fd, uint32_t slot);
/* to becomes another descriptor of what from is. */
void fd_share(int from, int to);
/* Before close: the entry goes, the conn stays until conn_put. */
uint32_t fd_leave(int fd);
void conn_put(uint32_t slot);
/* Forget sockets from first to last; their number. */
int fd_leave_range(unsigned first, unsigned last);
/* fd arrived from another process: look when it is used. */
void fd_unmet(int fd);
/* Keep the local (0) or peer (1) address. */
void conn_addr(struct conn *c, int which, const void *addr, socklen_t len);
/* Ask the kernel for both. */
void conn_ask(struct conn *c, int fd);
struct conn_view conn_view(const struct conn *c);
/* Move one of our descriptors out of the program's reach; the new number. */
int fd_hide(int fd);
/* The program wants that number: give it up if it is ours. */
void fd_yield(int fd);

/* ---- call.c: the path of every call ----------------------------------- */

/* How a call says what is to be moved. */
enum shape { SHAPE_NONE, SHAPE_BUF, SHAPE_LEN, SHAPE_IOV, SHAPE_MSG,
	     SHAPE_MMSG };

/*
 * The arguments a fault needs, as pointers to the wrapper's own: what it
 * changes there, libc gets.  Set only for calls that a rule may touch.
 */
struct io {
	/* zero at the beginning */
	uint8_t shape;
	bool cut;			/* ours are in place of theirs */
	bool named;			/* name has been given, or is NULL */
	int flags;			/* MSG_ */
	FILE *stream;
	void *opt, *name_out;
	socklen_t opt_len;		/* of opt, up to an int's */
	const char *name;		/* to be resolved */
	struct hostent **host;
	int *herr;
	void *theirs, *many;
	size_t their_n;
	socklen_t *name_len, room;
	int pipe;			/* of splice: where it goes */
	/* meaningful in some shapes only */
	size_t many_size;
	void *buf;
	size_t *len;
	const struct iovec **iov, *their_iov;
	int *iovcnt;
	struct msghdr **msg;
	struct mmsghdr **mmsg;
	unsigned *n;
	union {
		struct {
			struct mmsghdr mm;
			struct iovec few[8];
		};
		char kept[sizeof(struct sockaddr_storage)];
	};
};

#define IO_ZERO offsetof(struct io, many_size)

struct call {
	struct rec *rec;		/* in the trace, or own */
	uint32_t slot;			/* of the descriptor, at the beginning */
	uint32_t made;			/* slot of a descriptor it returned */
	bool changed;			/* tell the trace what the socket is now */
	bool wanted;			/* the sinks shall see it */
	uint8_t family;			/* of its row; splice can be another */
	bool touch;			/* rules, or what they did, concern it */
	bool answered;			/* libc is not asked */
	bool forced;			/* wanted for its rule alone */
	bool end_made;			/* reset the connection it accepted */
	const void *addr;		/* the program's: an address, a msghdr */
	socklen_t alen;
	socklen_t room;			/* for an address handed out */
	int answer_err, close_err;
	int raise;			/* a signal, once the call is recorded */
	long answer;
	size_t shortened;		/* to that many bytes; 0: not */
	size_t asked;			/* and it was to be so many */
	bool cut;			/* at a place some rule waits for */
	uint64_t rate;			/* bytes a second; 0: any */
	int64_t nap;			/* ns to sleep once it has returned */
	int64_t end;			/* when its own time-out ends; 0: ask */
	uint64_t nth;			/* of its family on its socket */
	struct rec own;
	struct io io;			/* valid when touch */
};

/*
 * Begin a call about fd (or NO_FD).  False: not recorded, nothing to end.
 * any: the function works on files too, and is recorded for sockets only.
 */
bool call_begin(struct call *c, int id, int fd, bool any, const void *caller);
/* Add the calls that change what a descriptor is: see learn(). */
void call_need(struct call_set *set);
/* Whether rules are to be asked about a call on conn, which may be NULL. */
bool fault_may(struct conn *conn, int family);
/* The same, from what is known already where it is. */
static inline bool fault_may_be(struct conn *conn, int family)
{
	uint16_t bit = 1 << family;

	if (atomic_load_explicit(&conn->asked, memory_order_relaxed) & bit)
		return !(atomic_load_explicit(&conn->quiet,
					      memory_order_relaxed) & bit);
	return fault_may(conn, family);
}
static inline bool fault_asks(int id, struct conn *conn)
{
	if (likely(!call_set_has(&config.ruled, id)))
		return false;
	return conn ? fault_may_be(conn, calls[id].family)
		    : fault_may(conn, calls[id].family);
}
bool fault_before(struct call *c);
/*
 * Whether the call is answered without libc, with errno: fault.c.  The answer
 * is in c->answer.
 */
static inline bool call_fault(struct call *c)
{
	return unlikely(c->touch) && fault_before(c);
}
/* It returned ret; bad: it failed with errno err. */
void call_end(struct call *c, long ret, bool bad, int err);
/* It is of another family than its row says. */
void call_family(struct call *c, int family);
struct keep;
/* Hand the record to the sinks; keep may be NULL. */
void call_done(struct call *c, struct keep *keep);
/* Whether the record's payload will be seen by anybody. */
static inline bool call_keeps(const struct call *c, int keeps)
{
	return c->wanted && (config.log || keeps & 1 || config.stack ||
			     (keeps & 2 && config.trace_data &&
			      c->rec->ret > 0));
}
/* Whether the kernel has read the program's arguments, so that we may. */
bool call_read(const struct call *c);
/* A descriptor was made: what it is goes into the record. */
void call_made(struct call *c, int fd, enum proto proto, enum role role);

/* Whether the kernel could read len bytes there; asks it. */
bool readable(const void *p, size_t len);
/* The same, and from our own frame to the end of its page without asking. */
static inline bool readable_near(const void *p, size_t len)
{
	uintptr_t at = (uintptr_t)p;
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = (frame | 4095) + 1;

	return (at >= frame && at < end && len <= end - at) ||
	       readable(p, len);
}

/* ---- keep.c: payload, taken from the program's memory after the call ---- */

struct keep {
	struct call *call;
	uint8_t *start, *at, *end;
	int data;			/* bytes of data to keep per call */
	uint8_t small[448];
};

void keep_begin(struct keep *k, struct call *c);
void keep_end(struct keep *k);
static inline int keep_len(const struct keep *k)
{
	return k->at - k->start;
}
void keep_bytes(struct keep *k, int param, const void *data, size_t len,
		size_t max);
void keep_null(struct keep *k, int param);
void keep_string(struct keep *k, int param, const char *s);
void keep_argv(struct keep *k, int param, char *const *argv);
void keep_iov(struct keep *k, int param, const struct iovec *iov, size_t n,
	      size_t len);
/* room: bytes the program has for the address */
void keep_msg(struct keep *k, int param, const struct msghdr *m, size_t len,
	      size_t room);
void keep_mmsg(struct keep *k, int param, const struct mmsghdr *m, int n);
void keep_addrout(struct keep *k, int param, const void *addr,
		  const socklen_t *alen, size_t room);
void keep_opt(struct keep *k, int param, const void *val, socklen_t len);
void keep_pollfds(struct keep *k, int param, const struct pollfd *p, nfds_t n);
void keep_fdset(struct keep *k, int param, const fd_set *set, int n);
void keep_events(struct keep *k, int param, const struct epoll_event *ev,
		 int n);
void keep_ns(struct keep *k, int param, int64_t sec, int64_t ns);
void keep_addrinfo(struct keep *k, int param, const struct addrinfo *ai);
void keep_sigact(struct keep *k, int param, const struct sigaction *act);

/* ---- origin.c: where in the program a call was made ---------------------- */

#define ORIGINS 8			/* return addresses at most */

void origin_start(void);		/* somebody will ask */
void origin_load(void);			/* ... and nobody holds a lock */
/* MODULE+0xOFFSET<MODULE+0xOFFSET..., the innermost first. */
void origin_text(struct out *o, const struct rec *r);
/* Whether it is where a rule says. */
bool origin_is(const struct rec *r, const struct rule *rule);

/* ---- fault.c: rules and what they do to a call -------------------------- */

/* It has returned, or was answered; both may be changed. */
void fault_after(struct call *c, long *ret, int *err);
/* A call that no rule concerned has returned; its connection may have ended. */
void fault_late(struct call *c, long *ret, int *err);
/* The same for one that nothing was known of; its result. */
long fault_missed(int id, int fd, long ret);
static inline bool call_late(const struct call *c)
{
	return config.ends && c->slot >= SLOT_CONN &&
	       slot_conn(c->slot)->fate;
}
/* A wait was kept waiting by a rule: the record names it. */
void fault_held(struct call *c);
/* The connection that was accepted is reset. */
void fault_made(struct call *c);
/* A signal for this thread, as the kernel's own. */
void fault_raise(int sig);

/* ---- load.c: the rules of this process ----------------------------------- */

extern struct rules rules;		/* set at start, read-only after */
extern struct span rules_exe[2];	/* the program: its file, its argv[0] */
extern uint64_t rules_seed;
/* Ends the program where a rule does not parse. */
void rules_load(void);
_Atomic uint32_t *rules_count(struct query *q, int rule, bool fired);
void rules_conn_new(const struct conn *c);
void rules_child(void);
/* Rule id has fired: the trace gets its name. */
void rules_tell(int id);

/* ---- shorten.c: less than was asked for ------------------------------------ */

/* The bytes asked for; false: there is no way to know. */
bool io_size(const struct io *io, size_t *size);
/* Other arguments in place of the program's, for no more than limit bytes. */
void io_shorten(struct io *io, size_t limit);
/* The program's own again; in: what the kernel wrote goes with them. */
void io_restore(struct io *io, bool in, long ret);
/* Bytes that a call which returned ret has moved. */
size_t io_moved(const struct io *io, long ret);
/* Up to max bytes of those asked for that were not moved; how many. */
size_t io_rest(const struct io *io, size_t moved, size_t asked, void *to,
	       size_t max);
/* Into the program's buffers, as recv does; bytes, or -1 and errno. */
ssize_t io_fill(struct io *io, const void *from, size_t len);

/* ---- sever.c: the end of a connection ----------------------------------------- */

/* How: what had arrived is still read; else what was sent is let out first; */
/* the call may wait for that; it is the one to get the error. */
enum { SEVER_KEEP = 1, SEVER_WAITS = 2, SEVER_MINE = 4 };
/* Reset it on both sides.  label: the error this side gets. */
void sever_reset(struct conn *conn, int fd, int label, int how);
/* The peer's direction ends, after what had arrived where keep. */
void sever_eof(struct conn *conn, int fd, bool keep);
/* A connect to a port that refuses, whatever it is called. */
bool sever_refuse(struct call *c, struct conn *conn, int label);
/* The same, started without waiting: EINPROGRESS, unless it is over. */
bool refuse_start(struct call *c, struct conn *conn, int label);
void connect_start(struct call *c);
/* A call on a connection that has ended: true if it is answered ... */
bool sever_before(struct call *c, struct conn *conn);
/* Whose rule it was meets the error, unless there is something to read. */
bool sever_meet(struct call *c, struct conn *conn);
/* ... and what the kernel said is put right. */
void sever_after(struct call *c, struct conn *conn, long *ret, int *err);
/* Whether its error has not been collected by anybody. */
bool sever_owes(const struct conn *conn);
void sever_owe(struct conn *conn, bool owed);
/* The socket is a new one. */
void sever_forget(struct conn *conn);

/* ---- ready.c: readiness --------------------------------------------------- */

/* Which of these bits poll would say now, and of HUP and ERR. */
short ready_now(int fd, short bits);
/* Bits of a connection that was reset which the kernel does not know. */
uint32_t ready_ended(const struct conn *conn, uint32_t bits, uint32_t asked);
/* Tell those who wait for an edge again what is ready. */
void ready_rearm(const struct conn *conn, int fd, bool in);

/* ---- gate.c, sets.c, watch.c: faults in time (gate.h) -------------------- */

void gate_start(void);			/* there are rules that take time */
void gate_child(void);			/* this is a new process */
void gate_forget(struct conn *conn);	/* the socket is a new one, or gone */
/* It ends now, or directions of it (1 in, 2 out): nothing is held back. */
void gate_end(struct conn *conn, int fd, int ways);
/* The program has shut down a direction itself. */
void gate_shutdown(struct conn *conn, int how);
void gate_yield(int fd, int moved);	/* our timer has another number */

bool watch_start(void);
/* Epoll sets: a new one, another descriptor of it, one less. */
void set_new(int ep);
void set_share(uint32_t slot);
void set_put(uint32_t slot);
void set_yield(int fd, int moved);
bool set_is(int ep);
bool set_has_sockets(int ep);
/* epoll_ctl, remembered. */
int watch_ctl(int ep, int op, int fd, struct epoll_event *ev);
/* Every set that is told edges of it is told again. */
void watch_rearm(const struct conn *conn);
/* fd is about to be closed, the socket may live on. */
void watch_leave(int fd, struct conn *conn);
/* Under the lock: nobody watches it any more. */
void watch_drop(struct conn *conn);

/* ---- sandbox.c: what seccomp leaves us -------------------------------- */

/* System calls that the program itself would not have made. */
enum own {
	OWN_WRITE, OWN_POLL, OWN_SIGMASK, OWN_SIGPENDING, OWN_SIGWAIT,
	OWN_GETSOCKOPT, OWN_GETSOCKNAME, OWN_GETPEERNAME, OWN_MADVISE,
	OWN_MMAP, OWN_MUNMAP, OWN_STAT, OWN_TRUNCATE, OWN_GETRLIMIT, OWN_KILL,
	OWN_GETTID, OWN_FUTEX, OWN_SIGACTION,
	/* for faults alone */
	OWN_GETUID, OWN_FCNTL, OWN_IOCTL, OWN_SOCKET, OWN_BIND, OWN_CONNECT, OWN_SHUTDOWN,
	OWN_SETSOCKOPT, OWN_RECVFROM, OWN_READV_OF, OWN_SLEEP, OWN_SIGNAL,
	OWN_TIMERFD, OWN_TIMERSET, OWN_EPOLL_CTL, OWNS
};

extern _Atomic uint64_t own_forbidden;	/* set as filters are installed */

static inline bool own_may(enum own call)
{
	return likely(!(atomic_load_explicit(&own_forbidden,
				memory_order_relaxed) >> call & 1));
}

/* All of these are allowed: bits 1 << OWN_... */
static inline bool own_may_all(uint64_t some)
{
	return likely(!(atomic_load_explicit(&own_forbidden,
				memory_order_relaxed) & some));
}

struct sock_fprog;
/*
 * A filter is about to be installed, strict mode's where prog is NULL.  What
 * was forbidden before, for the case that the kernel refuses it.
 */
uint64_t sandbox_enter(const struct sock_fprog *prog);
void sandbox_refused(uint64_t before);

/* ---- trace.c and log.c: the sinks -------------------------------------- */

static inline uint64_t ticks(void)
{
	return config.counter ? counter() : clock_ns(CLOCK_MONOTONIC);
}

/* A duration in ns. */
static inline int64_t ticks_ns(uint64_t n)
{
	return (int64_t)((unsigned __int128)n * config.mult >> 32);
}

/* Slots of the thread's run, or NULL when the trace is full. */
void *trace_slot(int slots);
/* A call that should be in the trace is not. */
void trace_lost(void);
void trace_conn(const struct conn *c, uint64_t start);
/* The socket has begun to listen: who waits for that is woken. */
void trace_listens(const struct conn *c);
/* The process has not said yet whether SIGPIPE could end it. */
extern _Atomic bool trace_sigpipe;
/* A call that sends: say so if it could have raised one. */
void trace_send(const struct call *c);
/* The name of rule id. */
void trace_rule(int id, const char *name);
void trace_more(const struct rec *r, const uint8_t *items, int len);
void log_call(struct call *c, const struct keep *k);
/* The program's execve goes to the sink, if it has not yet. */
void trace_introduce(void);
/* Take a large run now: soon no space may be asked for. */
void trace_ahead(void);
void log_announce(void);

/* What start.c sets up. */
struct trace_head;
bool trace_open(const char *path);	/* a file made by trace_create */
struct trace_head *trace_head(void);
void trace_attach(int pid);
/* Before fork: a child will arrive, do not take the trace for finished. */
void trace_expect(void);
/* It has arrived, or (pid 0) it will not. */
void trace_arrive(int parent, int pid);
void trace_detach(void);
uint32_t trace_proc(void);		/* number of this process, 0: none yet */
uint32_t trace_parent(void);		/* of the process it came from */
/* A new process, by fork or by exec, its number not yet known. */
void trace_begin(uint32_t parent, bool forked);
bool log_open(const char *path, bool anew); /* NULL: standard error */
bool log_inherit(int fd, uint64_t dev, uint64_t ino);
bool log_stderr(uint64_t dev, uint64_t ino); /* if it still is that file */
bool log_each(const char *name);	/* %p in it: one for each process */
void log_handover(int *fd, uint64_t *dev, uint64_t *ino);
void log_close(void);

#endif
