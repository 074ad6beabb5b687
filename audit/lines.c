/* SPDX-License-Identifier: MIT */
/* addr2line(1) is asked once for each place. */
#include "lines.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

static struct known {
	struct known *next;
	char *place, *line;
} *known;

/* What it prints: a function and FILE:LINE, a line each. */
static FILE *ask(const char *module, const char *offset, pid_t *pid)
{
	int to[2];

	if (pipe2(to, O_CLOEXEC))
		return NULL;
	fflush(NULL);
	*pid = fork();
	if (!*pid) {
		int null = open("/dev/null", O_RDWR);
		dup2(to[1], 1);
		dup2(null, 0);
		dup2(null, 2);
		execlp("addr2line", "addr2line", "-f", "-e", module, offset,
		       NULL);
		_exit(127);
	}
	close(to[1]);
	return fdopen(to[0], "r");
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *plain(const char *module, uint64_t offset)
{
	char *line;

	if (asprintf(&line, "%s+0x%llx", base(module),
		     (unsigned long long)offset) < 0)
		abort();
	return line;
}

static char *find_line(const char *module, uint64_t offset)
{
	char hex[32], function[256] = "", file[1024] = "", *line;
	pid_t pid = -1;
	FILE *f;

	/* the call is before the address it returns to */
	snprintf(hex, sizeof hex, "0x%llx", (unsigned long long)offset - 1);
	f = ask(module, hex, &pid);
	if (f && (!fgets(function, sizeof function, f) ||
		  !fgets(file, sizeof file, f)))
		file[0] = 0;
	if (f)
		fclose(f);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	function[strcspn(function, "\n")] = 0;
	file[strcspn(file, " \n")] = 0;
	if (!file[0] || function[0] == '?')
		return plain(module, offset);
	if (file[0] == '?' || file[strlen(file) - 1] == '?')
		snprintf(file, sizeof file, "%s", base(module));
	if (asprintf(&line, "%s %s", function, base(file)) < 0)
		abort();
	return line;
}

const char *line_of(const char *place, size_t len)
{
	char *copy = strndup(place, len), *plus;
	struct known *k;

	for (k = known; k; k = k->next)
		if (!strcmp(k->place, copy)) {
			free(copy);
			return k->line;
		}
	k = malloc(sizeof *k);
	if (!k)
		abort();
	*k = (struct known){ known, copy, NULL };
	known = k;
	plus = strrchr(copy, '+');
	if (plus) {
		char *module = strndup(copy, plus - copy);
		k->line = find_line(module, strtoull(plus + 1, NULL, 16));
		free(module);
	} else {
		k->line = strdup(copy);
	}
	return k->line;
}
