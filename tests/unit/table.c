/* SPDX-License-Identifier: MIT */
/*
 * The table of descriptors at its full size, without a kernel's descriptors
 * behind it: a million sockets on a million numbers, described, shared, left
 * and born again; and no number of one found under another.
 */
#include "../../shim/fd.c"

#include <assert.h>

#define MILLION 1000000

struct real real;
struct config config;
static struct here page;
struct here *here = &page;
_Atomic uint64_t own_forbidden;
__thread struct thread me;

void trace_conn(const struct conn *c, uint64_t start)
{
	(void)c;
	(void)start;
}

/* There are no rules. */
void rules_conn_new(const struct conn *c)
{
	(void)c;
}

void gate_forget(struct conn *c)
{
	(void)c;
}

void set_put(uint32_t slot)
{
	(void)slot;
}

void set_share(uint32_t slot)
{
	(void)slot;
}

void watch_leave(int fd, struct conn *c)
{
	(void)fd;
	(void)c;
}

void sever_forget(struct conn *c)
{
	(void)c;
}

/* No descriptor is a socket of the kernel's here. */
static int no_socket(int fd, int level, int name, void *restrict val,
		     socklen_t *restrict len)
{
	(void)fd, (void)level, (void)name, (void)val, (void)len;
	errno = ENOTSOCK;
	return -1;
}

static struct conn *at(int fd)
{
	return slot_conn(fd_look(fd));
}

static void bear(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	for (int fd = 0; fd < MILLION; fd++) {
		struct conn *c = fd_born(fd, PROTO_TCP, ROLE_SERVER);
		assert(c && c->refs == 1);
		in.sin_port = fd & 0xffff;
		in.sin_addr.s_addr = fd + 1;
		conn_addr(c, 1, &in, sizeof in);
	}
}

static void check(uint32_t ordinal)
{
	for (int fd = 0; fd < MILLION; fd++) {
		struct conn_view v = conn_view(at(fd));
		const struct sockaddr_in *in = v.peer;
		assert(v.ordinal == ordinal + fd && v.proto == PROTO_TCP);
		assert(v.peer_len == sizeof *in && !v.local_len);
		assert(in->sin_addr.s_addr == (in_addr_t)fd + 1);
	}
}

int main(void)
{
	struct sockaddr_storage far = { .ss_family = AF_UNIX };

	real.getsockopt = no_socket;
	fd_table();
	assert(fd_slots_n >= MILLION && fd_look(3) == SLOT_OTHER);
	fd_set_slot(3, SLOT_UNMET);
	bear();
	check(1);

	/* two descriptors of one socket: the last one to go ends it */
	fd_share(5, MILLION);
	assert(at(MILLION) == at(5) && at(5)->refs == 2);
	conn_put(fd_leave(5));
	assert(fd_slot(5) == SLOT_WAS && at(MILLION)->refs == 1);
	assert(at(MILLION)->ordinal == 6);
	conn_put(fd_leave(MILLION));

	/* an address as long as they come, beside its neighbours */
	memset((char *)&far + 2, 'x', 108);
	conn_addr(at(7), 0, &far, 110);
	assert(conn_view(at(7)).local_len == 110);
	assert(!memcmp(conn_view(at(7)).local, &far, 110));

	/* gone, and as many again: nothing leaks, nothing is mixed up */
	assert(fd_leave_range(0, ~0u) == MILLION - 1);
	for (int fd = 0; fd < MILLION; fd++)
		assert(fd_slot(fd) == SLOT_WAS);
	bear();
	check(MILLION + 1);
	assert(pool_used == MILLION);
	return 0;
}
