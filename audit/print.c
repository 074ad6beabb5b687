/* SPDX-License-Identifier: MIT */
/*
 * The lint's findings as blocks of text.  Cases of one name from one call site
 * are told as one, the first, and counted.  A trace is gone over twice: for
 * the findings, and for the lines of the calls they are at.
 */
#include "print.h"

#include "../trace/map.h"
#include "lint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MOST 65536			/* bytes of a line */

struct block {
	struct finding first;
	uint64_t count;
	char *line;			/* of its call; NULL: not chosen */
};

struct blocks {
	struct block *block;
	uint32_t n;
	struct map sites;		/* (name and caller): a block */
	bool failed;
};

static void add(struct blocks *b, const struct finding *f)
{
	if (!b->n || (b->n >= 16 && !(b->n & (b->n - 1)))) {
		size_t room = b->n ? 2 * (size_t)b->n : 16;
		struct block *all = realloc(b->block, room * sizeof *all);
		if (!all) {
			b->failed = true;
			return;
		}
		b->block = all;
	}
	b->block[b->n++] = (struct block){ .first = *f, .count = 1 };
}

/* A return address has 48 bits. */
static void collect(const struct finding *f, void *ctx)
{
	struct blocks *b = ctx;
	uint32_t high = (uint32_t)(f->caller >> 32) ^ (uint32_t)f->id << 24;
	uint32_t *at = map_put(&b->sites, high, (uint32_t)f->caller, b->n);

	if (!at)
		b->failed = true;
	else if (*at == b->n)
		add(b, f);
	else
		b->block[*at].count++;
}

static int by_call(const void *a, const void *b)
{
	const struct finding *p = a, *q = b;

	return p->nth < q->nth ? -1 : p->nth > q->nth;
}

static int by_level(const void *a, const void *b)
{
	const struct finding *p = a, *q = b;
	int worse = (int)findings[p->id].level - (int)findings[q->id].level;

	return worse ? worse : p->id != q->id ? (int)p->id - (int)q->id
					      : by_call(a, b);
}

/* The line of each block's call. */
static void find_lines(struct blocks *b, struct trace *t, struct times times)
{
	static char line[LINE_MOST];
	struct trace_call c;
	uint32_t at = 0;

	qsort(b->block, b->n, sizeof *b->block, by_call);
	trace_rewind(t, false);
	for (uint64_t nth = 0; at < b->n && trace_next(t, &c); nth++) {
		struct out o = { line, line, line + sizeof line - 2, false };
		if (nth != b->block[at].first.nth)
			continue;
		text_event(&o, &c.event, times);
		if (o.cut)
			*o.at++ = '\n';
		*o.at = 0;
		for (; at < b->n && b->block[at].first.nth == nth; at++)
			b->block[at].line = c.chosen ? strdup(line) : NULL;
	}
}

static void print_block(FILE *to, const struct block *b)
{
	const struct finding_row *row = &findings[b->first.id];

	fprintf(to, "%s: %s: %s", level_names[row->level], row->name,
		b->first.text);
	if (b->count > 1)
		fprintf(to, " (%" PRIu64 " times)", b->count);
	fprintf(to, "\n  %s  %s\n  %s\n\n", b->line, row->means, row->fix);
}

int lint_print(FILE *to, struct trace *t, struct times times)
{
	struct blocks b = { 0 };
	int shown = 0;

	lint_trace(t, collect, &b);
	if (b.n) {
		find_lines(&b, t, times);
		qsort(b.block, b.n, sizeof *b.block, by_level);
	}
	for (uint32_t i = 0; i < b.n; i++) {
		if (b.block[i].line) {
			print_block(to, &b.block[i]);
			shown++;
		}
		free(b.block[i].line);
	}
	if (!shown)
		fputs("nothing found\n", to);
	else
		fprintf(to, "%d finding%s\n", shown, shown == 1 ? "" : "s");
	map_free(&b.sites);
	free(b.block);
	return shown;
}
