/* SPDX-License-Identifier: MIT */
/* Where this command is, and names that hold in another directory. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *own_dir(void)
{
	static char dir[PATH_MAX];
	ssize_t n;

	if (*dir)
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	if (n < 0)
		die(EXIT_OURS, "/proc/self/exe: %s", strerror(errno));
	dir[n] = 0;
	*strrchr(dir, '/') = 0;
	return dir;
}

char *absolute(const char *path)
{
	char cwd[PATH_MAX], *name;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof cwd) ||
	    asprintf(&name, "%s/%s", cwd, path) < 0)
		die(EXIT_OURS, "%s: %s", path, strerror(errno));
	return name;
}

void set_env(enum env_id id, const char *value)
{
	if (setenv(envs[id].name, value, 1))
		die(EXIT_OURS, "setenv: %s", strerror(errno));
}
