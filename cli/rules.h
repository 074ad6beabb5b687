/* SPDX-License-Identifier: MIT */
/*
 * Rules as the command meets them: files and presets by name, the words of
 * -e, and what the environment says already.
 */
#ifndef CLI_RULES_H
#define CLI_RULES_H

#include "../rules/rule.h"
#include "cli.h"

/* A file of rules, read. */
struct source {
	const char *shown;		/* as in messages and as rules' names */
	char *path;			/* as it is opened; NULL: stdin */
	char *text;			/* what is in it */
	size_t len;
};

/*
 * Find a name that the user has typed: a file, or a preset.  False, and why
 * without the name.
 */
bool source_find(struct source *s, const char *name, char *why, size_t size);
/* Read it; only a regular file where the object will read it again. */
bool source_read(struct source *s, bool again, char *why, size_t size);
/* Add its rules. */
void source_parse(struct rules *set, const struct source *s);

/* Room for all the rules there may be; dies where there is none. */
void rules_room(struct rules *set);

/*
 * The rules of the options and of the environment, all parsed and checked,
 * and handed on to the object by its variables.  Dies with the errors told.
 */
void rules_gather(struct rules *set, const struct given *g);

/* The presets' names in order, NULL behind the last, and where they are. */
char **presets(const char **dir);

#endif
