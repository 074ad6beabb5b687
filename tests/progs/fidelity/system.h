/* SPDX-License-Identifier: MIT */
/*
 * What the system refuses a process, and what is full or late: real events.
 */
#include <sys/resource.h>

/* ---- control groups ---------------------------------------------------- */

static void no_socket(void)
{
	forbid(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
}

static void no_bind(void)
{
	forbid(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND);
}

/* BPF_CGROUP_UNIX_CONNECT, Linux 6.7. */
static void no_connect(void)
{
	forbid(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, s.proto & INET
	       ? BPF_CGROUP_INET4_CONNECT : (enum bpf_attach_type)49);
}

static void no_packets(void)
{
	forbid(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS);
}

/* ---- the process ------------------------------------------------------- */

static struct rlimit usual;

/* no_descriptors: every number below the limit is in use. */
static void no_descriptors(void)
{
	struct rlimit few;
	int fd = need(dup(1), "dup");

	close(fd);
	getrlimit(RLIMIT_NOFILE, &usual);
	few = usual;
	few.rlim_cur = fd;
	need(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
}

static void descriptors(void)
{
	need(setrlimit(RLIMIT_NOFILE, &usual), "setrlimit");
}

static void nothing(void)
{
}

static void signal_comes(void)
{
	pthread_kill(s.thread, SIGUSR1);
}

/* ---- full buffers ------------------------------------------------------- */

static bool take_some(void)
{
	ssize_t n = send(FD, stream_bytes(s.out, PIECE), PIECE, MSG_DONTWAIT);

	if (n > 0)
		s.out += n;
	return n > 0;
}

static int in_flight(void)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	getsockopt(FD, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_unacked;
}

/* full: nothing more goes in, and nothing is under way that could change it.*/
static void full(void)
{
	char limit[] = "tc qdisc add dev lo root tbf rate 8bit burst 2000 "
		       "limit 1000000";

	if (s.proto == UDP)
		tool("%s", limit);
	do {
		while (take_some())
			;
		if (s.proto == TCP)
			until(in_flight() == 0);
	} while (take_some());
}

static void drain(void)
{
	char data[4096];
	ssize_t n;

	if (s.proto == UDP)
		tool("tc qdisc del dev lo root");
	while (s.seen < s.out) {
		n = recv(s.peer, data, sizeof data,
			 s.proto == UDP ? MSG_DONTWAIT : 0);
		if (n <= 0)
			break;
		s.seen += n;
	}
	s.seen = s.out = 0;		/* as if the program had begun here */
}

static void no_memory(void)
{
	set_sysctl("core/optmem_max", "0");
}

static void memory(void)
{
	set_sysctl("core/optmem_max", "131072");
}

/* ---- late data ---------------------------------------------------------- */

/* taken_back: the data that is there was not; n bytes of it come at last. */
static void taken_back(size_t n)
{
	char data[PIECE];

	until(recv(FD, data, sizeof data, MSG_DONTWAIT) == PIECE);
	s.in -= PIECE;
	s.late = n;
}

static void all_late(void)
{
	taken_back(PIECE);
}

static void send_late(size_t n)
{
	need(send(s.peer, stream_bytes(s.in, n), n, 0), "send");
	s.in += n;
	s.late -= n;
	if (s.proto == TCP)
		until(unacked(s.peer) == 0);
}

static void some_late(void)
{
	taken_back(PIECE);
	send_late(3);
}

static void data_comes(void)
{
	send_late(s.late);
}
