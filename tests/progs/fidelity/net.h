/* SPDX-License-Identifier: MIT */
/*
 * What a network and an administrator can do to a connection: for the real
 * events only, in a network namespace of the run's own, so that nothing
 * outside it notices.  What is not allowed here ends the run with NOT_HERE.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

/* write_file: 0, or -1 and errno. */
static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result;

	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return result;
}

static void set_sysctl(const char *path, const char *value)
{
	char full[128];

	snprintf(full, sizeof full, "/proc/sys/net/%s", path);
	if (write_file(full, value))
		not_here(full);
}

/* tool: ip, tc or ss; they are quiet when all is well. */
__attribute__((format(printf, 1, 2))) static void tool(const char *format, ...)
{
	char command[256];
	va_list list;

	va_start(list, format);
	vsnprintf(command, sizeof command, format, list);
	va_end(list);
	if (system(command)) {
		errno = ENOTSUP;
		not_here(command);
	}
}

static void loopback(bool up)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = need(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	r.ifr_flags = up ? IFF_UP | IFF_RUNNING : 0;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		not_here("lo");
	close(fd);
}

/* own_net: a network of our own; as a user, with a user namespace around. */
static void own_net(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWNET)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			not_here("unshare");
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof map, "0 %d 1", uid);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof map, "0 %d 1", gid);
		write_file("/proc/self/gid_map", map);
	}
	loopback(true);
	set_sysctl("ipv4/tcp_syn_linear_timeouts", "0");
}

/* ---- a wire that can be listened to, and spoken on ---------------------- */

static int wire = -1;			/* a copy of every TCP segment */
static struct flow {			/* what one end has sent last */
	uint16_t port;
	uint32_t next;
} flows[2];

static void listen_in(void)
{
	own_net();
	wire = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_TCP);
	if (wire < 0)
		not_here("a raw socket");
}

static void flow_note(const struct tcphdr *t, size_t data)
{
	struct flow *f = flows;

	if (f->port && f->port != t->source)
		f++;
	f->port = t->source;
	f->next = ntohl(t->seq) + data + t->syn + t->fin;
}

/* overhear: read what has passed; the last segment's packet, or 0. */
static ssize_t overhear(char *packet, size_t room)
{
	ssize_t n, last = 0;

	while ((n = recv(wire, packet, room, 0)) > 0) {
		const struct iphdr *ip = (void *)packet;
		const struct tcphdr *t = (void *)(packet + ip->ihl * 4);

		last = n;
		flow_note(t, ntohs(ip->tot_len) - ip->ihl * 4 - t->doff * 4);
		if (t->syn && !t->ack)
			break;		/* the connection's first */
	}
	return last;
}

static uint16_t checksum(const void *data, size_t len, uint32_t sum)
{
	const uint16_t *p = data;

	for (; len > 1; len -= 2)
		sum += *p++;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* rst_to: a RST as if the end with flow f had sent it to port. */
static void rst_to(uint16_t port, const struct flow *f)
{
	struct {
		uint32_t from, to;
		uint8_t zero, protocol;
		uint16_t len;
		struct tcphdr t;
	} __attribute__((packed)) p = {
		htonl(INADDR_LOOPBACK), htonl(INADDR_LOOPBACK), 0, IPPROTO_TCP,
		htons(sizeof(struct tcphdr)),
		{ .source = f->port, .dest = port, .seq = htonl(f->next),
		  .doff = 5, .rst = 1 }
	};
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct tcphdr t;

	p.t.check = checksum(&p, sizeof p, 0);
	t = p.t;
	if (sendto(wire, &t, sizeof t, 0, (void *)&to, sizeof to) != sizeof t)
		not_here("RST");
}

/* icmp_about: destination unreachable, about a packet of ours. */
static void icmp_about(int code, const void *quote, size_t len)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	static char room[9000];
	struct icmphdr *i = (void *)room;
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	if (fd < 0)
		not_here("a raw socket");
	memset(i, 0, sizeof *i);
	i->type = ICMP_DEST_UNREACH;
	i->code = code;
	memcpy(room + sizeof *i, quote, len);
	i->checksum = checksum(room, sizeof *i + len, 0);
	if (sendto(fd, room, sizeof *i + len, 0, (void *)&to, sizeof to) < 0)
		not_here("ICMP");
	close(fd);
}

/* quote_of: the head of a packet of ours, as a router would quote it. */
static size_t quote_of(char *room, int protocol, uint16_t from, uint16_t to,
		       uint32_t word)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64,
			    .tot_len = htons(40), .protocol = protocol,
			    .saddr = htonl(INADDR_LOOPBACK),
			    .daddr = htonl(INADDR_LOOPBACK) };
	uint16_t ports[2] = { from, to };

	memcpy(room, &ip, sizeof ip);
	memcpy(room + sizeof ip, ports, 4);
	memcpy(room + sizeof ip + 4, &word, 4);
	return sizeof ip + 8;
}

/* deaf: a socket that receives nothing more. */
static void deaf(int fd, bool is)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };
	int zero = 0;

	if (is ? setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			    sizeof prog)
	       : setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero,
			    sizeof zero))
		not_here("SO_ATTACH_FILTER");
}

/* ---- a control group that forbids --------------------------------------- */

static char group[200];			/* our cgroup, while we are in it */
static int group_fd = -1, prog_fd = -1;
static enum bpf_attach_type group_hook;

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof *attr);
}

/* group_root: where the version 2 hierarchy is. */
static bool group_root(char *path, size_t room)
{
	FILE *f = fopen("/proc/mounts", "r");
	char where[160], type[40];
	bool found = false;

	while (f && !found &&
	       fscanf(f, "%*s %159s %39s %*[^\n]", where, type) == 2)
		found = !strcmp(type, "cgroup2");
	if (f)
		fclose(f);
	if (found)
		snprintf(path, room, "%s", where);
	return found;
}

static void group_leave(void)
{
	char *slash = strrchr(group, '/'), procs[240];

	if (!group[0])
		return;
	snprintf(procs, sizeof procs, "%.*s/cgroup.procs",
		 (int)(slash - group), group);
	write_file(procs, "0");
	close(group_fd);
	rmdir(group);
	group[0] = '\0';
}

static void group_enter(void)
{
	char root[160], procs[240];

	if (!group_root(root, sizeof root)) {
		errno = ENOENT;
		not_here("cgroup2");
	}
	snprintf(group, sizeof group, "%s/sockwrench-%d", root, getpid());
	if (mkdir(group, 0755)) {
		group[0] = '\0';
		not_here("a cgroup");
	}
	snprintf(procs, sizeof procs, "%s/cgroup.procs", group);
	group_fd = open(group, O_RDONLY | O_DIRECTORY);
	clean_at_end(group_leave);
	if (group_fd < 0 || write_file(procs, "0")) {
		group_leave();
		not_here(procs);
	}
}

/* forbid: whatever the hook is asked, no. */
static void forbid(enum bpf_prog_type type, enum bpf_attach_type hook)
{
	struct bpf_insn no[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = { .prog_type = type, .insn_cnt = 2,
				.insns = (uintptr_t)no,
				.license = (uintptr_t)"MIT",
				.expected_attach_type = hook };
	union bpf_attr attach = { .attach_type = hook };

	prog_fd = bpf(BPF_PROG_LOAD, &load);
	attach.target_fd = group_fd;
	attach.attach_bpf_fd = prog_fd;
	if (prog_fd < 0 || bpf(BPF_PROG_ATTACH, &attach)) {
		group_leave();
		not_here("BPF");
	}
	group_hook = hook;
}

static void allow(void)
{
	union bpf_attr detach = { .attach_type = group_hook };

	detach.target_fd = group_fd;
	detach.attach_bpf_fd = prog_fd;
	if (bpf(BPF_PROG_DETACH, &detach))
		not_here("BPF_PROG_DETACH");
	close(prog_fd);
}
