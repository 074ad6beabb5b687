/* SPDX-License-Identifier: MIT */
/*
 * A network of one's own (network_namespaces(7)): ports of trials that run at
 * once do not clash, and nothing goes out.  Who is not root gets the right to
 * it from a user namespace, in which it remains who it is.
 */
#include "netns.h"

#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int put_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* The same id inside as outside. */
static int put_map(const char *name, unsigned id)
{
	char text[64];

	snprintf(text, sizeof text, "%u %u 1", id, id);
	return put_file(name, text);
}

static int leave_all(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	/* gid_map may be written only when groups cannot be dropped */
	if (put_file("/proc/self/setgroups", "deny") ||
	    put_map("/proc/self/uid_map", uid) ||
	    put_map("/proc/self/gid_map", gid))
		return -1;
	return 0;
}

/* A new network has nothing but a loopback interface, and that is down. */
static int loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bad = fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo);

	if (!bad) {
		lo.ifr_flags |= IFF_UP;
		bad = ioctl(fd, SIOCSIFFLAGS, &lo);
	}
	if (fd >= 0)
		close(fd);
	return bad ? -1 : 0;
}

int netns_enter(void)
{
	if (unshare(CLONE_NEWNET) && (errno != EPERM || leave_all()))
		return -1;
	return loopback_up();
}

bool trial_netns_works(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(netns_enter() ? 1 : 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}
