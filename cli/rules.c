/* SPDX-License-Identifier: MIT */
/*
 * Rules on their way to the object.  They are parsed here first, with the code
 * the object will use, so that nothing is started on a rule that is wrong.
 */
#include "rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".rules"
#define FILE_MOST (16 << 20)		/* bytes of one file */

/* load.c says the same where there is no command. */
#define DIRECTORY "expected a file of rules, found a directory"

/* ---- presets ------------------------------------------------------------- */

/* In the source tree, or in PREFIX/share where this is PREFIX/bin. */
static const char *preset_dir(void)
{
	static const char *const places[] = {
		"../rules/presets", "../share/sockwrench/presets",
	};
	static char *dir;

	for (size_t i = 0; !dir && i < sizeof places / sizeof *places; i++) {
		char *path;
		if (asprintf(&path, "%s/%s", own_dir(), places[i]) < 0)
			die(EXIT_OURS, "out of memory");
		dir = realpath(path, NULL);
		free(path);
	}
	return dir ? dir : "";
}

static int is_preset(const struct dirent *d)
{
	size_t len = strlen(d->d_name), suffix = strlen(SUFFIX);

	return len > suffix && !strcmp(d->d_name + len - suffix, SUFFIX);
}

char **presets(const char **dir)
{
	static char **all;
	struct dirent **found;
	int n;

	if (dir)
		*dir = preset_dir();
	if (all)
		return all;
	n = scandir(preset_dir(), &found, is_preset, alphasort);
	n = n < 0 ? 0 : n;
	all = calloc(n + 1, sizeof *all);
	if (!all)
		die(EXIT_OURS, "out of memory");
	for (int i = 0; i < n; i++)
		all[i] = strndup(found[i]->d_name, strlen(found[i]->d_name) -
				 strlen(SUFFIX));
	return all;
}

static const char *known_preset(int i)
{
	return presets(NULL)[i];
}

/* ---- files --------------------------------------------------------------- */

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Also by the name that its rules have in the log. */
static bool preset_find(struct source *s, const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);
	bool whole = len > suffix && !strcmp(name + len - suffix, SUFFIX);
	char *shown;

	if (asprintf(&shown, "%s%s", name, whole ? "" : SUFFIX) < 0 ||
	    asprintf(&s->path, "%s/./%s", preset_dir(), shown) < 0)
		die(EXIT_OURS, "out of memory");
	s->shown = shown;
	return !access(s->path, F_OK);
}

/* The object cuts a name behind the first of these, which is put there. */
static void without_dots(char *path)
{
	char *at;

	while ((at = strstr(path, "/./")))
		memmove(at, at + 2, strlen(at + 2) + 1);
}

static void file_find(struct source *s, const char *name)
{
	char *base;

	if (*name == '/') {
		s->path = strdup(name);
		without_dots(s->path);
		s->shown = s->path;
		return;
	}
	base = absolute("");
	if (asprintf(&s->path, "%s./%s", base, name) < 0)
		die(EXIT_OURS, "out of memory");
	free(base);
	s->shown = name;
}

bool source_find(struct source *s, const char *name, char *why, size_t size)
{
	const char *near;

	*s = (struct source){ .shown = name };
	if (strchr(name, '/') ||
	    (!access(name, F_OK) && !is_directory(name))) {
		file_find(s, name);
		return true;
	}
	if (*name && preset_find(s, name))
		return true;
	s->shown = name;
	near = word_nearest(name, strlen(name), known_preset);
	if (is_directory(name))
		snprintf(why, size, DIRECTORY);
	else if (near)
		snprintf(why, size, "expected a file or a preset, the nearest "
			 "is '%s'", near);
	else
		snprintf(why, size, "expected a file or a preset "
			 "(sockwrench list presets)");
	return false;
}

/* All that is behind fd; false with errno. */
static bool read_all(struct source *s, int fd)
{
	size_t room = 0;
	ssize_t n;

	do {
		if (s->len == room) {
			room = room ? 2 * room : 1 << 16;
			s->text = realloc(s->text, room);
			if (!s->text)
				die(EXIT_OURS, "out of memory");
		}
		n = read(fd, s->text + s->len, room - s->len);
		s->len += n > 0 ? n : 0;
	} while ((n > 0 && s->len <= FILE_MOST) || (n < 0 && errno == EINTR));
	if (n > 0)
		errno = EFBIG;
	return !n;
}

bool source_read(struct source *s, bool again, char *why, size_t size)
{
	int fd = s->path ? open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
				(again ? O_NONBLOCK : 0)) : STDIN_FILENO;
	struct stat st;
	bool whole;

	if (fd < 0) {
		snprintf(why, size, "%s", strerror(errno));
		return false;
	}
	if (s->path && fstat(fd, &st))
		st.st_mode = 0;
	if (s->path && (S_ISDIR(st.st_mode) ||
			(again && !S_ISREG(st.st_mode)))) {
		snprintf(why, size, S_ISDIR(st.st_mode) ? DIRECTORY :
			 "expected a regular file: every process of the "
			 "program reads it again");
		close(fd);
		return false;
	}
	whole = read_all(s, fd);
	if (!whole)
		snprintf(why, size, "%s", strerror(errno));
	if (s->path)
		close(fd);
	return whole;
}

static struct span span_of(const char *s)
{
	return (struct span){ s, (int)strlen(s) };
}

void source_parse(struct rules *set, const struct source *s)
{
	rules_parse(set, span_of(s->shown), 1, s->text, s->len);
}

void rules_room(struct rules *set)
{
	set->room = RULES_MOST;
	set->rule = calloc(RULES_MOST, sizeof *set->rule);
	if (!set->rule)
		die(EXIT_OURS, "out of memory");
}

/* ---- to the object ------------------------------------------------------- */

/* A list that an environment variable will hold. */
struct list {
	char *text;
	char between;
};

static void list_add(struct list *l, const char *s)
{
	char *longer;

	if (asprintf(&longer, "%s%.*s%s", l->text ? l->text : "",
		     l->text != NULL, &l->between, s) < 0)
		die(EXIT_OURS, "out of memory");
	free(l->text);
	l->text = longer;
}

static void report(const struct rule_err *e, void *ctx)
{
	(void)ctx;
	warn("%.*s:%d:%d: %s", e->file.len, e->file.s, e->line, e->col,
	     e->msg);
}

/* A rule on the command line; its number is the line the object sees. */
static void add_rule(struct rules *set, struct list *l, const char *rule,
		     int line)
{
	int before = set->n + set->errors;

	if (strchr(rule, '\n'))
		die(EXIT_OURS, "-e:%d: expected one rule, which is one line",
		    line);
	rules_parse(set, span_of("-e"), line, rule, strlen(rule));
	if (set->n + set->errors == before)
		die(EXIT_OURS, "-e:%d: expected a rule, found none", line);
	list_add(l, rule);
}

static void add_file(struct rules *set, struct list *l, struct source *s)
{
	char why[200];

	if (!source_read(s, true, why, sizeof why))
		die(EXIT_OURS, "%s: %s", s->shown, why);
	if (strchr(s->path, ':'))
		die(EXIT_OURS, "%s: expected a name without a colon, which "
		    "is what stands between names", s->path);
	source_parse(set, s);
	list_add(l, s->path);
}

static void add_name(struct rules *set, struct list *l, const char *name)
{
	struct source s;
	char why[200];

	if (!source_find(&s, name, why, sizeof why))
		die(EXIT_OURS, "%s: %s", name, why);
	add_file(set, l, &s);
}

/* DIR/./NAME in the environment is shown as NAME. */
static void add_named(struct rules *set, struct list *l, char *name)
{
	struct source s = { .path = name };
	char *mark = strstr(name, "/./");

	if (!mark) {
		add_name(set, l, name);
		return;
	}
	s.shown = mark + 3;
	add_file(set, l, &s);
}

static int gather_single(struct rules *set, struct list *l,
			 const struct given *g)
{
	const char *theirs = getenv(envs[ENV_RULE].name);
	int line = 0;

	for (int i = 0; i < g->n; i++)
		if (g->each[i].option == OPTION_EXPR &&
		    strncmp(g->each[i].value, "trace=", 6))
			add_rule(set, l, g->each[i].value, ++line);
	if (theirs && *theirs) {
		rules_parse(set, span_of("-e"), line + 1, theirs,
			    strlen(theirs));
		list_add(l, theirs);
	}
	return line;
}

static void gather_files(struct rules *set, struct list *l,
			 const struct given *g)
{
	const char *theirs = getenv(envs[ENV_RULES].name);

	for (int i = 0; i < g->n; i++)
		if (g->each[i].option == OPTION_RULES)
			add_name(set, l, g->each[i].value);
	while (theirs && *theirs) {
		size_t len = strcspn(theirs, ":");
		if (len)
			add_named(set, l, strndup(theirs, len));
		theirs += len + (theirs[len] == ':');
	}
}

void rules_gather(struct rules *set, const struct given *g)
{
	struct list single = { .between = '\n' }, files = { .between = ':' };

	rules_room(set);
	set->report = report;
	gather_single(set, &single, g);
	gather_files(set, &files, g);
	if (!set->errors)
		rules_check(set);
	if (set->errors)
		exit(EXIT_OURS);
	if (single.text)
		set_env(ENV_RULE, single.text);
	if (files.text)
		set_env(ENV_RULES, files.text);
}
