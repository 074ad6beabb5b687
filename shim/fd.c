/* SPDX-License-Identifier: MIT */
/*
 * What each descriptor is.  An array of slots indexed by descriptor and a
 * pool of sockets, both mapped once without reserving memory, so that the
 * cost is the same at 10 and at 1,000,000 sockets.  Entries change by single
 * atomic operations; no thread ever waits for another.
 *
 * A number that a file reuses after its socket was closed behind our back is
 * the danger here: every close this object can see clears the slot before the
 * kernel may hand the number out again.
 */
#include "shim.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define MOST_FDS (1u << 21)
#define MOST_CONNS ((1u << 20) + (1u << 16))
#define LONG_ADDR 110			/* sizeof(struct sockaddr_un) */

_Atomic uint32_t *fd_slots;
uint32_t fd_slots_n;
_Atomic uint32_t fd_top;

struct conn *fd_pool;			/* set in fd_table, read-only after */
static uint8_t (*longs)[2][LONG_ADDR];	/* addresses too long for the pool */
static uint32_t pool_n;
static _Atomic uint32_t pool_used;
static _Atomic uint64_t pool_free;	/* count of changes, first free + 1 */
static _Atomic uint32_t ordinals;

void *zeros(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

uint32_t fd_pool_n(void)
{
	return pool_n;
}

void fd_table(void)
{
	uint32_t n = MOST_CONNS;

	/* a small address space (RLIMIT_AS) gets a smaller table */
	for (; !fd_pool && n > 64; n /= 2) {
		fd_pool = zeros(n * sizeof *fd_pool);
		longs = fd_pool ? zeros(n * sizeof *longs) : NULL;
		if (fd_pool && !longs) {
			munmap(fd_pool, n * sizeof *fd_pool);
			fd_pool = NULL;
		}
		pool_n = fd_pool ? n : 0;
	}
	for (n = MOST_FDS; !fd_slots && n >= 1024; n /= 2) {
		fd_slots = zeros(n * sizeof *fd_slots);
		fd_slots_n = fd_slots ? n : 0;
	}
}

/* ---- the pool --------------------------------------------------------- */

static struct conn *pool_take(void)
{
	uint64_t head = atomic_load(&pool_free);
	uint32_t i;

	while ((i = (uint32_t)head)) {
		uint64_t next = atomic_load(&fd_pool[i - 1].free);
		next |= ((head >> 32) + 1) << 32;
		if (atomic_compare_exchange_weak(&pool_free, &head, next))
			return &fd_pool[i - 1];
	}
	i = atomic_fetch_add(&pool_used, 1);
	if (i < pool_n)
		return &fd_pool[i];
	atomic_store(&pool_used, pool_n);
	return NULL;
}

static void pool_give(struct conn *c)
{
	uint64_t head = atomic_load(&pool_free), next;

	do {
		atomic_store(&c->free, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 | (uint32_t)(c - fd_pool + 1);
	} while (!atomic_compare_exchange_weak(&pool_free, &head, next));
}

void conn_put(uint32_t slot)
{
	struct conn *c = slot_conn(slot);

	if (slot >= SLOT_SET && slot < SLOT_NAMELESS)
		set_put(slot);
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	if (config.rules)
		gate_forget(c);
	pool_give(c);
}

/* Nothing has happened to it yet. */
static void conn_fresh(struct conn *c)
{
	sever_forget(c);
	c->due = 0;
	c->cookie = 0;
	atomic_store_explicit(&c->asked, 0, memory_order_relaxed);
	atomic_store_explicit(&c->quiet, 0, memory_order_relaxed);
	for (int i = 0; i < 2; i++)
		atomic_store_explicit(&c->bytes[i], 0, memory_order_relaxed);
	atomic_store_explicit(&c->shown, 0, memory_order_relaxed);
	for (int i = 0; i < FAMILIES; i++)
		atomic_store_explicit(&c->nth[i], 0, memory_order_relaxed);
	rules_conn_new(c);
}

static uint32_t conn_new(enum proto proto, enum role role)
{
	struct conn *c = pool_take();

	if (!c)
		return SLOT_NAMELESS;
	c->ordinal = atomic_fetch_add(&ordinals, 1) + 1;
	c->proto = proto;
	c->role = role;
	c->listener = 0;
	c->local_len = c->peer_len = 0;
	if (config.rules)
		conn_fresh(c);
	atomic_store(&c->refs, 1);
	return SLOT_CONN + (uint32_t)(c - fd_pool);
}

/* ---- slots ------------------------------------------------------------ */

void fd_set_slot(int fd, uint32_t slot)
{
	uint32_t top = atomic_load_explicit(&fd_top, memory_order_relaxed);

	if ((uint32_t)fd >= fd_slots_n) {
		conn_put(slot);
		return;
	}
	while (slot != SLOT_OTHER && (uint32_t)fd >= top &&
	       !atomic_compare_exchange_weak(&fd_top, &top, fd + 1))
		;
	conn_put(atomic_exchange(&fd_slots[fd], slot));
}

uint32_t fd_leave(int fd)
{
	uint32_t slot = fd_slot(fd);

	if ((uint32_t)fd >= fd_slots_n)
		return SLOT_UNMET;
	if (slot <= SLOT_OURS)
		return slot;		/* a second close changes nothing */
	slot = atomic_load(&fd_slots[fd]);
	if (config.gates && slot_conn(slot))
		watch_leave(fd, slot_conn(slot));
	while (!atomic_compare_exchange_weak(&fd_slots[fd], &slot,
		       fd_is_socket(slot) ? SLOT_WAS : SLOT_OTHER))
		;
	return slot;
}

int fd_leave_range(unsigned first, unsigned last)
{
	unsigned top = atomic_load(&fd_top);
	int sockets = 0;

	for (unsigned fd = first; fd <= last && fd < top; fd++) {
		uint32_t slot = fd_leave(fd);
		sockets += fd_is_socket(slot);
		conn_put(slot);
	}
	return sockets;
}

void fd_unmet(int fd)
{
	if (fd_slot(fd) != SLOT_UNMET)
		fd_set_slot(fd, SLOT_UNMET);
}

void fd_share(int from, int to)
{
	uint32_t slot = fd_look(from);
	struct conn *c = slot_conn(slot);

	if (from == to)
		return;
	if (c)
		atomic_fetch_add(&c->refs, 1);
	set_share(slot);
	fd_set_slot(to, slot == SLOT_WAS ? SLOT_UNMET : slot);
}

struct conn *fd_born(int fd, enum proto proto, enum role role)
{
	uint32_t slot = conn_new(proto, role);
	struct conn *c = slot_conn(slot);
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;
	int err = errno;

	if (c && config.rules && own_may(OWN_GETSOCKOPT)) {
		/* by way of the stack: TSan's getsockopt watches us, too */
		real.getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
		c->cookie = cookie;
	}
	errno = err;
	fd_set_slot(fd, slot);
	return slot_conn(fd_slot(fd));
}

/* A socket from elsewhere: inherited, received, or made inside libc. */
static uint32_t meet(int fd)
{
	int domain = 0, type = 0, protocol = 0, listening = 0;
	socklen_t len = sizeof domain;
	struct conn *c;

	if (!own_may(OWN_GETSOCKOPT))
		return SLOT_UNMET;
	if (real.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len)) {
		if (errno != ENOTSOCK)
			return fd_slot(fd) == SLOT_WAS ? SLOT_WAS : SLOT_UNMET;
		if (fd_slot(fd) <= SLOT_WAS)
			fd_set_slot(fd, SLOT_OTHER);
		return fd_slot(fd);
	}
	real.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	real.getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	real.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	c = fd_born(fd, proto_of(domain, type, protocol),
		    listening ? ROLE_LISTENER : ROLE_NONE);
	if (!c)
		return SLOT_NAMELESS;
	conn_ask(c, fd);
	trace_conn(c, ticks());
	return fd_slot(fd);
}

uint32_t fd_look_again(int fd)
{
	uint32_t slot = fd_slot(fd);
	int err = errno;

	if (fd < 0 || slot > SLOT_WAS)
		return slot;
	slot = meet(fd);
	errno = err;
	return slot;
}

uint32_t fd_look(int fd)
{
	uint32_t slot = fd_slot(fd);

	return slot == SLOT_OTHER ? slot : fd_look_again(fd);
}

/* ---- addresses -------------------------------------------------------- */

/* An unnamed unix socket has no address, nor has an unbound one of IP. */
static bool nameless(const void *addr, socklen_t len)
{
	struct sockaddr_in6 in6 = { 0 };
	struct sockaddr_in in;

	memcpy(&in6, addr, len < sizeof in6 ? len : sizeof in6);
	memcpy(&in, &in6, sizeof in);
	if (in6.sin6_family == AF_INET)
		return !in.sin_port && !in.sin_addr.s_addr;
	if (in6.sin6_family == AF_INET6)
		return !in6.sin6_port &&
		       IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
	return len <= sizeof(sa_family_t);
}

void conn_addr(struct conn *c, int which, const void *addr, socklen_t len)
{
	uint8_t *to = c->addr[which];

	if (nameless(addr, len))
		len = 0;
	if (len > LONG_ADDR)
		len = LONG_ADDR;
	if (len > sizeof c->addr[which])
		to = longs[c - fd_pool][which];
	memcpy(to, addr, len);
	*(which ? &c->peer_len : &c->local_len) = len;
	atomic_store(&c->asked, 0);
	atomic_store(&c->quiet, 0);
}

void conn_ask(struct conn *c, int fd)
{
	struct sockaddr_storage s;
	socklen_t len = sizeof s;

	if (own_may(OWN_GETSOCKNAME) &&
	    !real.getsockname(fd, (struct sockaddr *)&s, &len))
		conn_addr(c, 0, &s, len);
	len = sizeof s;
	if (own_may(OWN_GETPEERNAME) &&
	    !real.getpeername(fd, (struct sockaddr *)&s, &len))
		conn_addr(c, 1, &s, len);
}

struct conn_view conn_view(const struct conn *c)
{
	uint8_t (*far)[LONG_ADDR] = longs[c - fd_pool];

	return (struct conn_view){
		.ordinal = c->ordinal, .proto = c->proto, .role = c->role,
		.local_len = c->local_len, .peer_len = c->peer_len,
		.local = c->local_len > sizeof c->addr[0] ? far[0] : c->addr[0],
		.peer = c->peer_len > sizeof c->addr[1] ? far[1] : c->addr[1],
	};
}

/* ---- our own descriptors ---------------------------------------------- */

/*
 * Above the soft limit, where it can be lifted for a moment: the program then
 * has all its numbers, and its loops up to the limit never meet ours.
 */
int fd_hide(int fd)
{
	struct rlimit old, wide;
	int hidden = -1;

	if (!getrlimit(RLIMIT_NOFILE, &old) && old.rlim_cur <= 65536 &&
	    old.rlim_max > old.rlim_cur) {
		wide = old;
		wide.rlim_cur = old.rlim_cur + 16 < old.rlim_max
				? old.rlim_cur + 16 : old.rlim_max;
		if (!setrlimit(RLIMIT_NOFILE, &wide)) {
			hidden = real.fcntl(fd, F_DUPFD, (int)old.rlim_cur);
			setrlimit(RLIMIT_NOFILE, &old);
		}
	}
	for (int from = 1000; hidden < 0 && from > 2; from /= 2)
		hidden = real.fcntl(fd, F_DUPFD, from);
	if (hidden < 0)
		return fd;
	real.close(fd);
	return hidden;
}
