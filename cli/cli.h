/* SPDX-License-Identifier: MIT */
/* What the verbs share: dying, options, the environment they set. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "../rules/table.h"

#include <stdbool.h>

/* Exit statuses of ours: the program's own are passed on. */
enum { EXIT_OURS = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* "sockwrench: " and the message on stderr, one line, and exit. */
void die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- options ---------------------------------------------------------- */

enum verbs { LAUNCH = 1, SHOW = 2, LIST = 4, CHECK = 8, AUDIT = 16 };

enum option_id {
#define OPTION(id, letter, name, value, verbs, doc) OPTION_##id,
#include "options.def"
#undef OPTION
	OPTIONS
};

struct option_row {
	char letter;
	const char *name, *value;
	int verbs;
	const char *doc;
};

extern const struct option_row options[OPTIONS];

/* Options as given; a flag that may be repeated counts. */
struct given {
	const char *value[OPTIONS];	/* the last one */
	int count[OPTIONS];
	struct each {			/* those with a value, in order */
		enum option_id option;
		const char *value;
	} *each;
	int n;				/* of each */
};

/*
 * Parse the options of a verb up to the first word that is none ("--" ends
 * them too).  Returns the index of that word.  Dies with EXIT_OURS on an
 * unknown option; prints help and exits 0 on --help.
 */
int options_parse(struct given *given, int verb, int argc, char **argv);
/* The values of options; they die naming the option (what) and its value. */
uint64_t option_number(const char *what, const char *text, uint64_t least,
		       uint64_t most);
int64_t option_time(const char *what, const char *text);
/* The options of a verb as its help shows them. */
void options_help(int verb);
/* Parse the SET of -e trace=SET; dies naming the word that is no call. */
void expr_parse(struct call_set *set, const char *expr);

/* ---- verbs ------------------------------------------------------------ */

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	int options;
	const char *usage, *doc;
};

extern const struct verb verbs[];
extern const int n_verbs;

int cmd_trace(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_audit(int argc, char **argv);

/* ---- paths.c: files by the names users and children have for them ------ */

/* The directory this command is in; dies where that cannot be known. */
const char *own_dir(void);
/* The file's name from the root, allocated: children may run elsewhere. */
char *absolute(const char *path);
/* An environment variable of the table for the program to come. */
void set_env(enum env_id id, const char *value);

/* ---- target.c: the program to be run ---------------------------------- */

struct target {
	char path[4096];		/* what will be executed */
	const char *runtime;		/* library to be preloaded before us */
	bool go;			/* makes system calls of its own */
};

/*
 * Find prog as execvp(3) would and make sure that a preloaded object can be
 * in it.  Dies with 127, 126 or 125 and the reason.
 */
void target_find(struct target *t, const char *prog);

#endif
