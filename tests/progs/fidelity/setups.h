/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong before there is a connection, with options and with names:
 * real events.
 */
#include <resolv.h>

/* ---- socket, bind, listen ----------------------------------------------- */

static void other_domain(void)
{
	s.domain = AF_X25;
}

static void other_protocol(void)
{
	s.protocol = 200;
}

static void usual_socket(void)
{
	s.domain = s.proto & INET ? AF_INET : AF_UNIX;
	s.protocol = 0;
}

static void address_taken(void)
{
	int one = 1;

	others[0] = new_socket();
	if (is_family("LISTEN"))
		setsockopt(others[0], SOL_SOCKET, SO_REUSEADDR, &one,
			   sizeof one);
	need(bind(others[0], &s.there.any, s.therelen), "bind");
	if (is_family("LISTEN"))
		need(listen(others[0], 1), "listen");
}

static void address_free(void)
{
	close(others[0]);
	if (s.proto & UNIX)
		unlink(s.there.un.sun_path);
}

static void foreign_address(void)
{
	s.kept = s.there;
	s.there.in.sin_addr.s_addr = inet_addr("192.0.2.1");
}

static void privileged_port(void)
{
	s.kept = s.there;
	s.there.in.sin_port = htons(80);
	as_nobody();
}

static void usual_port(void)
{
	as_root();
	s.there = s.kept;
}

static void dir_closed(void)
{
	need(chmod(s.dir, 0555), "chmod");
	as_nobody();
}

static void dir_open(void)
{
	as_root();
	need(chmod(s.dir, 0755), "chmod");
}

/* in_sys: a file system in which nothing can be made. */
static void in_sys(void)
{
	if (getuid()) {
		errno = EACCES;
		not_here("/sys");
	}
	s.kept = s.there;
	strcpy(s.there.un.sun_path, "/sys/kernel/fidelity");
}

static void dir_away(void)
{
	char away[100];

	snprintf(away, sizeof away, "%s.away", s.dir);
	need(rename(s.dir, away), "rename");
}

static void dir_back(void)
{
	char away[100];

	snprintf(away, sizeof away, "%s.away", s.dir);
	remove(s.dir);
	need(rename(away, s.dir), "rename");
}

static void dir_is_file(void)
{
	dir_away();
	close(need(open(s.dir, O_CREAT | O_WRONLY, 0600), "open"));
}

static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		not_here("a mount namespace");
}

static void read_only(void)
{
	if (mount(s.dir, s.dir, NULL, MS_BIND, NULL) ||
	    mount("none", s.dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		not_here("mount");
}

static void read_write(void)
{
	need(umount2(s.dir, MNT_DETACH), "umount");
}

/* ---- options ------------------------------------------------------------ */

static void unknown_option(void)
{
	s.option = 9999;
}

static void short_option(void)
{
	s.valuelen = 1;
}

static void root_option(void)
{
	s.option = SO_MARK;
	as_nobody();
}

static void any_option(void)
{
	static const int one = 1;

	as_root();
	s.level_no = SOL_SOCKET;
	s.option = SO_KEEPALIVE;
	s.value = &one;
	s.valuelen = sizeof(int);
}

static void no_filter(void)
{
	static struct sock_filter keep = BPF_STMT(BPF_RET | BPF_K, ~0u);
	static struct sock_fprog prog = { 1, &keep };

	no_memory();
	s.option = SO_ATTACH_FILTER;
	s.value = &prog;
	s.valuelen = sizeof prog;
}

static void no_sources(void)
{
	static struct ip_msfilter f;

	no_memory();
	s.level_no = IPPROTO_IP;
	s.option = IP_MSFILTER;
	s.value = &f;
	s.valuelen = sizeof f;
}

static void memory_option(void)
{
	memory();
	any_option();
}

static void long_time(void)
{
	static struct timeval t = { 0, 2000000 };

	s.option = SO_RCVTIMEO;
	s.value = &t;
	s.valuelen = sizeof t;
}

/* ---- names -------------------------------------------------------------- */

static int dns_code;			/* what the server answers; -1: nothing */

static void dns_fails(void)
{
	dns_code = SERVFAIL;
}

static void dns_silent(void)
{
	dns_code = -1;
}

static void dns_refuses(void)
{
	dns_code = FORMERR;
}

static void dns_unknown(void)
{
	dns_code = NXDOMAIN;
}

static void dns_empty(void)
{
	dns_code = 100;
}

static void dns_well(void)
{
	dns_code = NOERROR;
}
