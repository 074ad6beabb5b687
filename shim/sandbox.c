/* SPDX-License-Identifier: MIT */
/*
 * Programs that put themselves under seccomp.  The shim makes a few system
 * calls that the program would not, and a filter that kills for one would kill
 * the program because of us.  So each filter is run here first, for each of
 * those calls (seccomp(2), the kernel's Documentation/networking/filter.rst);
 * what it does not allow is not done again, and the log says a little less.
 * A filter that was inherited through exec is not known here.
 */
#include "shim.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MET 1024			/* descriptors looked at beforehand */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the audit name of this machine is not known"
#endif

_Atomic uint64_t own_forbidden;		/* set as filters are installed */
_Static_assert(OWNS <= 64, "a bit for each");

static const struct seccomp_data own_calls[OWNS] = {
	[OWN_WRITE] = { .nr = SYS_write },
	[OWN_POLL] = { .nr = SYS_ppoll },
	[OWN_SIGMASK] = { .nr = SYS_rt_sigprocmask },
	[OWN_SIGPENDING] = { .nr = SYS_rt_sigpending },
	[OWN_SIGWAIT] = { .nr = SYS_rt_sigtimedwait },
	[OWN_GETSOCKOPT] = { .nr = SYS_getsockopt },
	[OWN_GETSOCKNAME] = { .nr = SYS_getsockname },
	[OWN_GETPEERNAME] = { .nr = SYS_getpeername },
	[OWN_MADVISE] = { .nr = SYS_madvise,
			  .args = { [2] = MADV_POPULATE_WRITE } },
	[OWN_MMAP] = { .nr = SYS_mmap },
	[OWN_MUNMAP] = { .nr = SYS_munmap },
	[OWN_STAT] = { .nr = SYS_newfstatat },
	[OWN_TRUNCATE] = { .nr = SYS_truncate },
	[OWN_GETRLIMIT] = { .nr = SYS_prlimit64 },
	[OWN_KILL] = { .nr = SYS_kill },
	[OWN_GETTID] = { .nr = SYS_gettid },
	[OWN_FUTEX] = { .nr = SYS_futex, .args = { [1] = FUTEX_WAKE } },
	[OWN_GETUID] = { .nr = SYS_getuid },
	[OWN_FCNTL] = { .nr = SYS_fcntl },
	[OWN_IOCTL] = { .nr = SYS_ioctl },
	[OWN_SOCKET] = { .nr = SYS_socket },
	[OWN_BIND] = { .nr = SYS_bind },
	[OWN_CONNECT] = { .nr = SYS_connect },
	[OWN_SHUTDOWN] = { .nr = SYS_shutdown },
	[OWN_SETSOCKOPT] = { .nr = SYS_setsockopt },
	[OWN_RECVFROM] = { .nr = SYS_recvfrom },
	[OWN_READV_OF] = { .nr = SYS_process_vm_readv },
	[OWN_SLEEP] = { .nr = SYS_clock_nanosleep },
	[OWN_SIGNAL] = { .nr = SYS_rt_tgsigqueueinfo },
	[OWN_TIMERFD] = { .nr = SYS_timerfd_create },
	[OWN_TIMERSET] = { .nr = SYS_timerfd_settime },
	[OWN_EPOLL_CTL] = { .nr = SYS_epoll_ctl },
	[OWN_SIGACTION] = { .nr = SYS_rt_sigaction },
};

/* ---- a filter's verdict ----------------------------------------------- */

static uint32_t alu(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return b ? a / b : 0;
	case BPF_OR: return a | b;
	case BPF_AND: return a & b;
	case BPF_LSH: return b < 32 ? a << b : 0;
	case BPF_RSH: return b < 32 ? a >> b : 0;
	case BPF_XOR: return a ^ b;
	default: return -a;			/* BPF_NEG */
	}
}

static bool jumps(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	default: return a & b;			/* BPF_JSET */
	}
}

/* What the kernel would make of data; a broken filter kills. */
static uint32_t verdict(const struct sock_filter *f, size_t len,
			const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };

	for (size_t pc = 0; pc < len; pc++) {
		uint16_t code = f[pc].code;
		uint32_t k = f[pc].k;
		uint32_t b = BPF_SRC(code) == BPF_X ? x : k;
		uint32_t loaded = BPF_MODE(code) == BPF_MEM
				  ? mem[k % BPF_MEMWORDS] : k;

		switch (BPF_CLASS(code)) {
		case BPF_LD:
			if (BPF_MODE(code) == BPF_ABS &&
			    k <= sizeof *data - sizeof a)
				memcpy(&a, (const char *)data + k, sizeof a);
			else
				a = BPF_MODE(code) == BPF_LEN ? sizeof *data
							      : loaded;
			break;
		case BPF_LDX:
			x = BPF_MODE(code) == BPF_LEN ? sizeof *data : loaded;
			break;
		case BPF_ST:
			mem[k % BPF_MEMWORDS] = a;
			break;
		case BPF_STX:
			mem[k % BPF_MEMWORDS] = x;
			break;
		case BPF_ALU:
			a = alu(BPF_OP(code), a, b);
			break;
		case BPF_JMP:
			pc += BPF_OP(code) == BPF_JA ? k :
			      jumps(BPF_OP(code), a, b) ? f[pc].jt : f[pc].jf;
			break;
		case BPF_RET:
			return BPF_RVAL(code) == BPF_A ? a : k;
		case BPF_MISC:
			if (BPF_MISCOP(code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static bool allowed(uint32_t verdict)
{
	uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static uint64_t forbidden_by(const struct sock_fprog *prog)
{
	uint64_t set = 0;

	for (int i = 0; i < OWNS; i++) {
		struct seccomp_data data = own_calls[i];
		data.arch = ARCH;
		if (!allowed(verdict(prog->filter, prog->len, &data)))
			set |= UINT64_C(1) << i;
	}
	return set;
}

/* ---- its installation ------------------------------------------------- */

uint64_t sandbox_enter(const struct sock_fprog *prog)
{
	uint64_t set = ~UINT64_C(0);

	/* later nobody may be able to ask what they are */
	for (int fd = 0; fd < MET; fd++)
		if (fd_slot(fd) == SLOT_UNMET)
			fd_look(fd);
	trace_ahead();
	if (prog)
		set = readable(prog, sizeof *prog) &&
		      readable(prog->filter, prog->len * sizeof *prog->filter)
		      ? forbidden_by(prog) : ~UINT64_C(0);
	else
		config.active = false;	/* reading the clock is fatal, too */
	return atomic_fetch_or(&own_forbidden, set);
}

void sandbox_refused(uint64_t before)
{
	atomic_store(&own_forbidden, before);
	config.active = true;
}
