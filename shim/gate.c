/* SPDX-License-Identifier: MIT */
/*
 * Gates: how they close and open.  What arrived before a gate opened may be
 * read freely from then on (free); latency= then waits for what arrives later.
 */
#include "gate.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

/* ---- time --------------------------------------------------------------- */

int64_t gate_in(int64_t ns)
{
	int64_t now = gate_now();

	return ns > FOREVER - now ? FOREVER : now + ns;
}

/* ---- the lock ------------------------------------------------------------- */

static _Atomic int32_t holder;		/* a thread */

uint64_t gate_lock(void)
{
	uint64_t all = ~UINT64_C(0), old = 0;
	int32_t nobody = 0;

	real.syscall(SYS_rt_sigprocmask, (long)SIG_BLOCK, &all, &old, 8L);
	while (!atomic_compare_exchange_weak(&holder, &nobody, me.tid)) {
		nobody = 0;
		real.syscall(SYS_sched_yield);
	}
	return old;
}

void gate_unlock(uint64_t mask)
{
	atomic_store(&holder, 0);
	real.syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &mask, NULL, 8L);
}

/* ---- closing and opening ----------------------------------------------------- */

_Atomic uint32_t gate_closed_n;
static uint32_t *list;			/* of sockets with a closed gate */

struct conn *gate_closed(uint32_t n)
{
	return &fd_pool[list[n]];
}

static void list_add(struct conn *conn)
{
	conn->closed_at = gate_closed_n;
	list[gate_closed_n++] = conn - fd_pool;
}

static void list_remove(struct conn *conn)
{
	uint32_t last = list[--gate_closed_n];

	list[conn->closed_at] = last;
	fd_pool[last].closed_at = conn->closed_at;
}

void gate_start(void)
{
	list = zeros(fd_pool_n() * sizeof *list);
	config.gates = list != NULL;
}

void gate_child(void)
{
	pause_child();
	atomic_store(&holder, 0);
}

void gate_shuts(struct conn *conn, uint8_t ways, int64_t until)
{
	if (!conn->gated)
		list_add(conn);
	for (int i = IN; i <= OUT; i++)
		if (ways & WAY_BIT(i))
			atomic_store(&conn->gate[i].until, until);
	atomic_fetch_or(&conn->gated, ways);
	watch_mask(conn);
}

void gate_close(struct conn *conn, uint8_t ways, int64_t until)
{
	uint64_t mask = gate_lock();

	gate_shuts(conn, ways, until);
	gate_unlock(mask);
}

/* What can be read without waiting again. */
static int64_t free_now(const struct conn *conn, int fd)
{
	int n = 0;

	if (fd < 0 || conn->role == ROLE_LISTENER)
		return 0;
	/* its end is there: nothing will arrive after that */
	if (ready_now(fd, POLLRDHUP))
		return FOREVER;
	return !real.ioctl(fd, FIONREAD, &n) && n > 0 ? n : 0;
}

static void open_way(struct conn *conn, int fd, enum way way)
{
	atomic_store(&conn->gate[way].until, 0);
	if (way == IN && !(conn->gated & CONNECTING))
		atomic_store(&conn->gate[IN].free, free_now(conn, fd));
	atomic_fetch_and(&conn->gated, ~WAY_BIT(way));
}

/* Those whose time is before now. */
static void open_until(struct conn *conn, int fd, int ways, int64_t now)
{
	uint8_t was = conn->gated;

	for (int i = IN; i <= OUT; i++)
		if (was & ways & WAY_BIT(i) &&
		    atomic_load(&conn->gate[i].until) <= now)
			open_way(conn, fd, i);
	if (conn->gated == was)
		return;
	if (atomic_exchange(&conn->missed, false))
		watch_missed(conn);
	if (!(conn->gated & BOTH)) {
		atomic_store(&conn->gated, 0);
		list_remove(conn);
	}
	watch_mask(conn);
	pause_wake(conn);
}

void gate_open(struct conn *conn, int fd, int ways)
{
	if (conn->gated)
		open_until(conn, fd, ways, FOREVER);
}

void gate_expire(void)
{
	int64_t now = gate_now();

	for (uint32_t i = gate_closed_n; i--;) {
		struct conn *conn = gate_closed(i);
		open_until(conn, watch_fd(conn), BOTH, now);
	}
}

bool gate_shut(struct conn *conn, int fd, enum way way)
{
	int64_t until = atomic_load(&conn->gate[way].until);
	uint64_t mask;

	if (!until)
		return false;
	if (until > gate_now())
		return true;
	mask = gate_lock();
	if (conn->gated)
		open_until(conn, fd, BOTH, gate_now());
	gate_unlock(mask);
	return false;
}

void gate_hide(struct conn *conn)
{
	if (!conn->gated)
		return;
	atomic_fetch_or(&conn->gated, HIDDEN);
	watch_mask(conn);
}

void gate_end(struct conn *conn, int fd, int ways)
{
	uint64_t mask;

	if (!conn->gated)
		return;
	mask = gate_lock();
	gate_open(conn, fd, ways);
	gate_unlock(mask);
}

/* The socket is a new one, or gone. */
void gate_forget(struct conn *conn)
{
	uint64_t mask;

	if (conn->gated || conn->regs) {
		mask = gate_lock();
		watch_drop(conn);
		gate_open(conn, NO_FD, BOTH);
		gate_unlock(mask);
	}
	memset(conn->gate, 0, sizeof conn->gate);
	conn->queued = 0;
	conn->deaf = conn->mute = conn->missed = false;
}

/*
 * What would have come after the program's own SHUT_RD can be read once it is
 * there (tcp_recvmsg), and till then there is nothing.  SHUT_WR makes TCP
 * writable, in order to say EPIPE (tcp_poll), but not AF_UNIX.
 */
void gate_shutdown(struct conn *conn, int how)
{
	uint64_t mask = gate_lock();

	conn->deaf |= how != SHUT_WR;
	conn->mute |= how != SHUT_RD;
	if (conn->mute && conn->proto == PROTO_TCP)
		gate_open(conn, NO_FD, WAY_BIT(OUT));
	if (conn->gated) {
		watch_mask(conn);
		pause_wake(conn);
	}
	gate_unlock(mask);
}
