/* SPDX-License-Identifier: MIT */
/*
 * The trace: slots of the mapped file (layout: trace/file.h).  It needs no
 * descriptor once it is mapped, so chroot, dropped privileges and loops that
 * close everything cannot end it.
 */
#include "shim.h"

#include "../trace/file.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define RUN_MOST 64			/* units a busy thread takes at once */
#define TRACE_PAID (64 << 20)		/* bytes allocated where they must be */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct trace_head *head;		/* set in trace_open, then read-only */
static uint64_t trace_size;		/* mapped bytes, likewise */
static dev_t trace_dev;			/* which file it is, likewise */
static ino_t trace_ino;
static bool trace_paid;			/* space was allocated beforehand */
static _Atomic bool trace_full;		/* set once by whoever finds out */
static _Atomic uint32_t proc;		/* number of this process */
static uint32_t proc_parent;		/* of the one it came from */
static bool proc_forked;		/* by fork; else by exec */
static _Atomic uint32_t introduced;	/* proc, once it has its REC_PROC */
static _Atomic bool image_traced;
_Atomic bool trace_sigpipe;		/* set as the process is introduced */

/* ---- opening ---------------------------------------------------------- */

/*
 * Kernels before 5.14 cannot be asked for disk space through a mapping: there
 * the trace is as much as is allocated here, at once.
 */
static bool allocate(int fd)
{
	if (!madvise(head, TRACE_HEAD, MADV_POPULATE_WRITE) ||
	    errno != EINVAL)
		return true;
	trace_paid = true;
	return !posix_fallocate(fd, 0, TRACE_PAID);
}

static bool map_file(int fd)
{
	struct stat st;
	void *p = MAP_FAILED;

	if (fstat(fd, &st) || st.st_size <= TRACE_HEAD)
		return false;
	trace_dev = st.st_dev;
	trace_ino = st.st_ino;
	/* a small address space (RLIMIT_AS) gets a smaller window */
	for (trace_size = st.st_size; trace_size > TRACE_HEAD;
	     trace_size = trace_size / 2 / TRACE_UNIT * TRACE_UNIT) {
		p = mmap(NULL, trace_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE, fd, 0);
		if (p != MAP_FAILED)
			break;
	}
	if (p == MAP_FAILED)
		return false;
	madvise(p, trace_size, MADV_DONTDUMP);
	head = p;
	if (!memcmp(head->magic, TRACE_MAGIC, sizeof head->magic) &&
	    head->table == trace_table() && allocate(fd))
		return true;
	munmap(p, trace_size);
	head = NULL;
	return false;
}

bool trace_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return false;
	/* the last process to end may have cut it: make it long again */
	trace_lengthen(fd);
	ok = map_file(fd);
	real.close(fd);
	return ok;
}

struct trace_head *trace_head(void)
{
	return head;
}

/* ---- processes attached to the file ----------------------------------- */

/* Put pid where was stands; false: it stands nowhere. */
static bool swap_pid(int32_t was, int32_t pid)
{
	for (int i = 0; i < TRACE_PIDS; i++) {
		int32_t old = was;
		if (atomic_compare_exchange_strong(&head->pids[i], &old, pid))
			return true;
	}
	return false;
}

static bool attached(int32_t pid)
{
	for (int i = 0; i < TRACE_PIDS; i++)
		if (atomic_load(&head->pids[i]) == pid)
			return true;
	return false;
}

void trace_attach(int pid)
{
	if (config.trace && !attached(pid) && !swap_pid(0, pid))
		atomic_store(&head->crowded, 1);
}

/* Several threads may fork at once: one mark for each child. */
void trace_expect(void)
{
	int self = atomic_load(&here->pid);

	if (config.trace && !swap_pid(0, -self))
		atomic_store(&head->crowded, 1);
}

void trace_arrive(int parent, int pid)
{
	if (config.trace && !swap_pid(-parent, pid))
		trace_attach(pid);
}

/* Whether the file's name still leads to it: chroot, rename, another trace. */
static bool path_is_ours(struct stat *st)
{
	return own_may(OWN_STAT) && own_may(OWN_TRUNCATE) &&
	       !stat(head->path, st) && st->st_dev == trace_dev &&
	       st->st_ino == trace_ino;
}

/* Whether nobody else uses the file; this process no longer does. */
static bool leave_alone(void)
{
	int self = atomic_load(&here->pid);
	bool alone = !atomic_load(&head->crowded);

	for (int i = 0; i < TRACE_PIDS; i++) {
		int32_t pid = atomic_load(&head->pids[i]);
		if (pid == self)
			atomic_store(&head->pids[i], 0);
		else if (pid < 0 || (pid && (!own_may(OWN_KILL) ||
					     !kill(pid, 0) || errno != ESRCH)))
			alone = false;
	}
	return alone;
}

/*
 * The last process cuts the file to what was used.  It may not be the last:
 * one that nobody told of may be taking a run.  So next is sealed first, which
 * fails if a run was taken meanwhile; and who takes one while it is sealed
 * waits (take_units).  A run that has been populated is never cut off.
 */
void trace_detach(void)
{
	struct stat st;
	uint64_t next;

	if (!head || !leave_alone())
		return;
	next = atomic_load(&head->next);
	if (next & TRACE_SEALED || next * TRACE_UNIT >= trace_size ||
	    !path_is_ours(&st) ||
	    !atomic_compare_exchange_strong(&head->next, &next,
					    next | TRACE_SEALED))
		return;
	if (truncate(head->path, next * TRACE_UNIT))
		st.st_size = 0;		/* as long as it was, then */
	atomic_fetch_and(&head->next, ~TRACE_SEALED);
}

uint32_t trace_proc(void)
{
	return atomic_load(&proc);
}

uint32_t trace_parent(void)
{
	return proc_parent;
}

void trace_begin(uint32_t parent, bool forked)
{
	proc_parent = parent;
	proc_forked = forked;
	atomic_store(&proc, 0);
}

/* ---- slots ------------------------------------------------------------ */

/* A process we knew nothing of was the last to end, and cut the file. */
static bool lengthen_again(uint64_t needed)
{
	struct rlimit most;
	struct stat st;

	return path_is_ours(&st) && (uint64_t)st.st_size < needed &&
	       own_may(OWN_GETRLIMIT) && !getrlimit(RLIMIT_FSIZE, &most) &&
	       most.rlim_cur >= trace_size &&
	       !truncate(head->path, trace_size);
}

/* Disk space for a run, asked for through the mapping.  False: none. */
static bool populate(char *at, size_t size)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)at & ~(page - 1);
	uintptr_t to = ((uintptr_t)at + size + page - 1) & ~(page - 1);
	uint64_t end = (uint64_t)(at - (char *)head) + size;

	if (trace_paid)
		return end <= TRACE_PAID;
	if (!own_may(OWN_MADVISE))
		return false;
	while (madvise((void *)from, to - from, MADV_POPULATE_WRITE))
		if (errno != EINTR && errno != EAGAIN &&
		    !(errno == EFAULT && lengthen_again(end)))
			return false;
	return true;
}

/*
 * The first of that many units.  While the file is being cut, which takes
 * microseconds, wait: without a system call (a sandbox may forbid it), and not
 * for ever (the one who cuts may have been killed).
 */
static uint64_t take_units(uint32_t units)
{
	for (int i = 0; i < 10000000; i++) {
		uint64_t first = atomic_load(&head->next);
		while (!(first & TRACE_SEALED))
			if (atomic_compare_exchange_weak(&head->next, &first,
							 first + units))
				return first;
	}
	return UINT64_MAX;
}

/* A new run for this thread; false when the file is full. */
static bool take_run(uint32_t units)
{
	uint64_t first, ns;
	struct trace_run *run;
	char *at;

	if (atomic_load_explicit(&trace_full, memory_order_relaxed))
		return false;
	first = take_units(units);
	at = (char *)head + first % (trace_size / TRACE_UNIT) * TRACE_UNIT;
	if (first + units > trace_size / TRACE_UNIT || first + units < first ||
	    !populate(at, units * TRACE_UNIT)) {
		atomic_store(&trace_full, true);
		return false;
	}
	if (!atomic_load(&proc)) {
		uint32_t none = 0;
		uint32_t n = atomic_fetch_add(&head->procs, 1) + 1;
		atomic_compare_exchange_strong(&proc, &none, n);
	}
	run = (struct trace_run *)at;
	ns = clock_ns(CLOCK_MONOTONIC);
	*run = (struct trace_run){
		.units = units, .pid = me.pid, .tid = me.tid,
		.proc = atomic_load(&proc), .tick = ticks(), .ns = ns,
	};
	run->check = run->proc ^ run->units ^ run->tick;
	atomic_signal_fence(memory_order_release);
	run->magic = RUN_MAGIC;
	me.units = units;
	me.next = at + SLOT;
	me.end = at + units * TRACE_UNIT;
	return true;
}

/*
 * The next free slots of the run.  A signal handler may come between any two
 * instructions and take some itself, so the taking is one instruction.
 */
static inline char *take(size_t bytes)
{
#ifdef __x86_64__
	char *at = (char *)bytes;

	__asm__ volatile("xaddq %0, %1" : "+r"(at), "+m"(me.next) : :
			 "memory", "cc");
	return at;
#else
	return __atomic_fetch_add(&me.next, bytes, __ATOMIC_RELAXED);
#endif
}

/* The process introduces itself before its first record. */
static void introduce(void);

void *trace_slot(int slots)
{
	size_t bytes = slots * SLOT;
	int err = errno;

	for (;;) {
		char *end = me.end, *at = take(bytes);
		uint32_t more = me.units ? me.units * 2 : 1;
		/* end may be of an older run than at: then both are beyond */
		if (likely(at && at < me.end && at + bytes <= me.end &&
			   end == me.end))
			return at;
		me.next = me.end = NULL;
		while (more * TRACE_UNIT < bytes + SLOT)
			more *= 2;
		if (!take_run(more < RUN_MOST ? more : RUN_MOST)) {
			me.next = me.end = NULL;
			errno = err;
			return NULL;
		}
		errno = err;
		introduce();
	}
}

void trace_lost(void)
{
	atomic_fetch_add(&head->dropped, 1);
}

/* SIGPIPE_SAFE or SIGPIPE_BARE in this thread; 0: nobody may ask. */
static uint32_t sigpipe_now(void)
{
	struct sigaction act;
	sigset_t mask;

	if (!own_may(OWN_SIGACTION) || !own_may(OWN_SIGMASK) ||
	    real.sigaction(SIGPIPE, NULL, &act) ||
	    pthread_sigmask(SIG_BLOCK, NULL, &mask))
		return 0;
	return act.sa_handler != SIG_DFL || sigismember(&mask, SIGPIPE) == 1
	       ? SIGPIPE_SAFE : SIGPIPE_BARE;
}

static bool tell_proc(uint64_t start, uint32_t sigpipe)
{
	int len = strlen(tree_path()) + 1;
	struct rec_proc *r = trace_slot(slots_for(PROC_HEAD, len));

	if (!r)
		return false;
	r->slots = slots_for(PROC_HEAD, len);
	r->len = len;
	r->parent = proc_parent;
	r->forked = proc_forked;
	r->start = start;
	r->sigpipe = sigpipe;
	memcpy(r->text, tree_path(), len);
	atomic_signal_fence(memory_order_release);
	r->state = REC_PROC;
	return true;
}

static void introduce(void)
{
	uint32_t self = atomic_load(&proc);
	const struct image *image;
	struct rec *exec;

	if (atomic_exchange(&introduced, self) == self ||
	    !tell_proc(ticks(), sigpipe_now() & SIGPIPE_SAFE))
		return;
	atomic_store(&trace_sigpipe, true);
	image = image_once(&image_traced);
	exec = image ? trace_slot(1) : NULL;
	if (!exec)
		return;
	*exec = image->rec;
	trace_more(exec, image->items, image->len);
	atomic_signal_fence(memory_order_release);
	exec->state = REC_DONE;
}

/* Whether the call would have raised SIGPIPE on a connection that is gone. */
static bool may_raise(const struct rec *r)
{
	switch (r->call) {
	case CALL_write:
	case CALL_writev:
	case CALL_pwritev2:
	case CALL_sendfile:
		return true;
	case CALL_send:
	case CALL_sendto:
	case CALL_sendmmsg:
		return !(rec_arg(r, 3) & MSG_NOSIGNAL);
	case CALL_sendmsg:
		return !(rec_arg(r, 2) & MSG_NOSIGNAL);
	}
	return false;
}

void trace_send(const struct call *c)
{
	const struct conn *conn = slot_conn(c->slot);

	if (!conn || (conn->proto != PROTO_TCP && conn->proto != PROTO_UNIX) ||
	    !may_raise(c->rec) || !atomic_exchange(&trace_sigpipe, false))
		return;
	if (sigpipe_now() == SIGPIPE_BARE)
		tell_proc(c->rec->start, SIGPIPE_BARE);
}

void trace_conn(const struct conn *c, uint64_t start)
{
	struct conn_view v;
	struct rec_conn *r;
	int slots;

	if (!config.trace || !c)
		return;
	v = conn_view(c);
	slots = slots_for(CONN_HEAD, v.local_len + v.peer_len);
	r = trace_slot(slots);
	if (!r)
		return;
	r->slots = slots;
	r->proto = v.proto;
	r->role = v.role;
	r->conn = v.ordinal;
	r->start = start ? start : ticks();
	r->listener = c->listener;
	r->local_len = v.local_len;
	r->peer_len = v.peer_len;
	memcpy(r->addrs, v.local, v.local_len);
	memcpy(r->addrs + v.local_len, v.peer, v.peer_len);
	atomic_signal_fence(memory_order_release);
	r->state = REC_CONN;
}

/* Whoever runs the program may wait for it to listen (audit/). */
void trace_listens(const struct conn *c)
{
	struct sockaddr_in in;
	uint32_t none = 0;

	/* the port stands at one place in IPv4's addresses and in IPv6's */
	if (c && c->proto == PROTO_TCP && c->local_len >= sizeof in) {
		memcpy(&in, c->addr[0], sizeof in);
		atomic_compare_exchange_strong(&head->port, &none,
					       ntohs(in.sin_port));
	}
	atomic_fetch_add(&head->listens, 1);
	atomic_fetch_add(&head->bell, 1);
	if (own_may(OWN_FUTEX))
		real.syscall(SYS_futex, &head->bell, FUTEX_WAKE, INT_MAX,
			     NULL, NULL, 0);
}

void trace_rule(int id, const char *name)
{
	int len = strlen(name);
	int slots = slots_for(RULE_HEAD, len);
	struct rec_rule *r = trace_slot(slots);

	if (!r)
		return;
	r->slots = slots;
	r->len = len;
	r->rule = id;
	memcpy(r->name, name, len);
	atomic_signal_fence(memory_order_release);
	r->state = REC_RULE;
}

void trace_more(const struct rec *rec, const uint8_t *items, int len)
{
	struct rec_more *r;
	int slots;

	if (len > MORE_MAX)
		len = MORE_MAX;
	slots = slots_for(MORE_HEAD, len);
	r = trace_slot(slots);
	if (!r)
		return;
	r->slots = slots;
	r->len = len;
	r->of = ((const char *)rec - (const char *)head) / SLOT;
	memcpy(r->items, items, len);
	atomic_signal_fence(memory_order_release);
	r->state = REC_MORE;
}

void trace_introduce(void)
{
	int err = errno;

	if (config.trace && !me.next && take_run(1))
		introduce();
	errno = err;
}

void trace_ahead(void)
{
	int err = errno;

	if (config.trace && take_run(RUN_MOST))
		introduce();
	errno = err;
}
