/* SPDX-License-Identifier: MIT */
/*
 * Threads that wait at a gate, in a call.  ppoll is interrupted by any signal,
 * as a call on a socket is that has a time-out; read() of a timer is
 * interrupted and restarted as one that has none (signal(7)).
 */
#include "gate.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

/* ---- timers ------------------------------------------------------------------- */

static struct waiter {
	_Atomic int32_t tid;		/* 0: free */
	int fd;				/* the timer; 0: none yet */
	struct conn *_Atomic conn;	/* what it waits for */
} waiters[64];

static bool dead(int32_t tid)
{
	return real.syscall(SYS_tgkill, (long)me.pid, (long)tid, 0L) &&
	       errno == ESRCH;
}

static struct waiter *waiter_take(void)
{
	for (int gone = 0; gone < 2; gone++)
		for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++) {
			int32_t tid = atomic_load(&waiters[i].tid);
			if (tid && !(gone && dead(tid)))
				continue;
			if (atomic_compare_exchange_strong(&waiters[i].tid,
							   &tid, me.tid))
				return &waiters[i];
		}
	return NULL;
}

/* A timer of ours, out of the program's reach; -1: there is none. */
int timer_new(int flags)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | flags);

	if (fd < 0)
		return -1;
	fd = fd_hide(fd);
	real.fcntl(fd, F_SETFD, FD_CLOEXEC);
	fd_set_slot(fd, SLOT_OURS);
	return fd;
}

/* False: it is no timer any more. */
bool timer_set(int fd, int64_t until)
{
	struct itimerspec t = { .it_value = { until / SECOND,
					      until % SECOND } };

	if (until == FOREVER)
		t.it_value = (struct timespec){ 0 };
	return !timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void gate_yield(int fd, int moved)
{
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
		if (waiters[i].fd == fd)
			waiters[i].fd = moved < 0 ? 0 : moved;
	set_yield(fd, moved);
}

void pause_child(void)
{
	/* the timers are the parent's, too */
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++) {
		if (waiters[i].fd) {
			fd_set_slot(waiters[i].fd, SLOT_OTHER);
			real.close(waiters[i].fd);
		}
		waiters[i].fd = 0;
		atomic_store(&waiters[i].conn, NULL);
		atomic_store(&waiters[i].tid, 0);
	}
}

void pause_wake(const struct conn *conn)
{
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
		if (atomic_load(&waiters[i].conn) == conn && waiters[i].fd)
			timer_set(waiters[i].fd, 1);
}

/* ---- signals ------------------------------------------------------------------ */

/*
 * Between two waits of one call no handler may run: the program would miss
 * that it was interrupted.
 */
void signals_hold(sigset_t *was)
{
	uint64_t all = ~UINT64_C(0);

	sigemptyset(was);
	real.syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &all, was, 8L);
}

void signals_free(const sigset_t *was)
{
	real.syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, was, NULL, 8L);
}

/* What the handlers that can run ask for: some or none of SA_RESTART. */
enum handlers { RESTART, INTERRUPT, DIFFER };

static enum handlers handlers(const sigset_t *was)
{
	struct sigaction act;
	bool some[2] = { false, false };

	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(was, sig) == 0 &&
		    !real.sigaction(sig, NULL, &act) &&
		    act.sa_handler != SIG_DFL && act.sa_handler != SIG_IGN)
			some[!(act.sa_flags & SA_RESTART)] = true;
	return !some[1] ? RESTART : some[0] ? DIFFER : INTERRUPT;
}

/* ---- waiting ----------------------------------------------------------------- */

/* 0, or EINTR whatever the handler's flags are; no signal is missed. */
static int nap(int64_t until, const sigset_t *was)
{
	int64_t left = until - gate_now();
	struct timespec t = { left / SECOND, left % SECOND };

	if (left <= 0)
		return 0;
	return real.ppoll(NULL, 0, &t, was) < 0 && errno == EINTR ? EINTR : 0;
}

/* 0, or EINTR when a handler without SA_RESTART has run. */
static int doze(struct conn *conn, int64_t until, const sigset_t *was)
{
	struct waiter *w = waiter_take();
	sigset_t same;
	uint64_t ticks;
	int err = 0;

	if (w && (!w->fd || !timer_set(w->fd, until))) {
		w->fd = timer_new(0);
		if (w->fd < 0 || !timer_set(w->fd, until)) {
			w->fd = 0;
			atomic_store(&w->tid, 0);
			w = NULL;
		}
	}
	if (!w)
		return nap(until, was);
	atomic_store(&w->conn, conn);
	signals_free(was);
	if (real.read(w->fd, &ticks, sizeof ticks) < 0 && errno == EINTR)
		err = EINTR;
	signals_hold(&same);
	atomic_store(&w->conn, NULL);
	atomic_store(&w->tid, 0);
	return err;
}

/* The kernel has its end: nothing arrives later than that. */
bool gate_over(const struct conn *conn, int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;
	short bits;
	int n = 0;

	if (conn->role == ROLE_NONE || conn->role == ROLE_LISTENER)
		return false;
	bits = ready_now(fd, 0);
	if (!bits || bits & POLLERR || conn->proto != PROTO_TCP)
		return bits & POLLERR;
	/*
	 * HUP may be said while there is more to read; and where the program's
	 * own end went first, the peer's makes it TCP_CLOSE in good order.
	 */
	return !real.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_CLOSE && !conn->mute &&
	       !real.ioctl(fd, FIONREAD, &n) && !n;
}

/*
 * Some of the time, so that a reset can be looked for now and then.  Where a
 * signal may interrupt the call or restart it, only read() knows which, and as
 * it may miss one when it has waited long enough, it waits for all of it.
 */
static int slice(struct conn *conn, int64_t until, int64_t end,
		 const sigset_t *was)
{
	enum handlers ask = end == FOREVER ? handlers(was) : INTERRUPT;
	int err;

	if (ask == DIFFER)
		return doze(conn, until, was);
	err = nap(earlier(earlier(until, end), gate_in(SLICE)), was);
	if (err && ask == RESTART)
		err = 0;
	return err ? err : end <= gate_now() ? EAGAIN : 0;
}

int64_t pause_end(struct call *c, enum way way, int waits)
{
	struct timeval t = { 0 };
	socklen_t len = sizeof t;

	if (waits != WAITS_BOUNDED)
		return FOREVER;
	if (!c->end) {
		real.getsockopt(c->rec->fd, SOL_SOCKET, way == IN
				? SO_RCVTIMEO : SO_SNDTIMEO, &t, &len);
		c->end = gate_in(t.tv_sec * SECOND + t.tv_usec * 1000);
	}
	return c->end;
}

/* What is left of it passes, unless the kernel has something sooner. */
static int rest(int fd, enum way way, int64_t end)
{
	struct pollfd p = { fd, way == IN ? POLLIN : POLLOUT, 0 };
	int64_t left = end - gate_now();
	struct timespec t = { left / SECOND, left % SECOND };
	int n = left > 0 ? real.ppoll(&p, 1, &t, NULL) : 0;

	return n < 0 ? EINTR : n ? 0 : EAGAIN;
}

int pause_wait(struct call *c, struct conn *conn, enum way way, int waits)
{
	int fd = c->rec->fd, err = 0;
	bool bounded = waits == WAITS_BOUNDED;
	int64_t end = pause_end(c, way, waits);
	uint32_t ordinal = conn->ordinal;
	sigset_t was;

	signals_hold(&was);
	while (!err && conn->ordinal == ordinal && gate_shut(conn, fd, way) &&
	       !(way == IN ? conn->deaf : conn->mute)) {
		int64_t until = atomic_load(&conn->gate[way].until);
		if (!until)
			break;
		err = slice(conn, until, end, &was);
		if (!(conn->gated & CONNECTING) && gate_over(conn, fd))
			gate_end(conn, fd, BOTH);
	}
	signals_free(&was);
	return !err && bounded && c->family != FAMILY_CONNECT
	       ? rest(fd, way, end) : err;
}

int pause_queue(struct call *c, struct conn *conn, int waits)
{
	int64_t end = pause_end(c, OUT, waits);
	sigset_t was;
	int err = 0;

	signals_hold(&was);
	while (!err && atomic_load(&conn->queued) > gate_now())
		err = waits ? slice(conn, atomic_load(&conn->queued), end,
				    &was) : EAGAIN;
	signals_free(&was);
	return err;
}
