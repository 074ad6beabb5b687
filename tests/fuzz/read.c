/* SPDX-License-Identifier: MIT */
/*
 * Everything that is done with a trace, on traces that nobody has written.
 * The first byte says whether the rest is the file as it is, or what follows
 * a good head: guessing the hash of the table would take for ever.
 */
#include "../../audit/print.h"
#include "../../cli/summary.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 40			/* bytes of the head that are fuzzed */

/* A head of which the clocks, the seed and the rest come from the input. */
static void put_head(struct trace_head *h, const uint8_t *data, size_t size)
{
	memcpy(h->magic, TRACE_MAGIC, sizeof h->magic);
	h->order = TRACE_ORDER;
	h->calls = CALLS;
	h->table = trace_table();
	memcpy(&h->tick, data, size < FIELDS ? size : FIELDS);
	if (!h->rate)
		h->rate = 1000000000;
	h->next = 1000;
}

/* A run is told by an odd first byte; its label is made good. */
static void put_label(struct trace_run *run, size_t room)
{
	if (room < sizeof *run || !(run->magic & 1))
		return;
	run->magic = RUN_MAGIC;
	run->units = run->units % 4 + 1;
	run->proc = run->proc % 5 + 1;
	run->check = run->proc ^ run->units ^ run->tick;
}

static char *make_file(const uint8_t *data, size_t size, size_t *len)
{
	size_t used = size < FIELDS ? size : FIELDS;
	size_t rest = size - used;
	char *file;

	*len = TRACE_HEAD + rest;
	file = calloc(1, *len + SLOT);
	if (!file)
		abort();
	put_head((struct trace_head *)file, data, size);
	memcpy(file + TRACE_HEAD, data + used, rest);
	for (size_t at = 0; at < rest; at += TRACE_UNIT)
		put_label((struct trace_run *)(file + TRACE_HEAD + at),
			  rest - at);
	return file;
}

static void use(struct trace *t, FILE *null)
{
	static char buf[1 << 18];
	struct trace_call c;

	while (trace_next(t, &c)) {
		struct out o = OUT(buf);
		text_event(&o, &c.event, (struct times){ TIMES_MICRO, 3600 });
		o = OUT(buf);
		json_event(&o, &c.event);
		fwrite(buf, 1, out_len(&o), null);
	}
	summary_print(null, t);
}

/* The lint looks for most only where nothing is missing: let it believe so. */
static void lint(struct trace *t, FILE *null)
{
	struct trace_facts *f = (struct trace_facts *)trace_facts(t);

	lint_print(null, t, (struct times){ 0 });
	f->dropped = f->damaged = 0;
	f->cut = f->partial = false;
	lint_print(null, t, (struct times){ 0 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct trace_choice choice = { 0 };
	struct trace *t;
	char why[100];
	size_t len;
	char *file;

	if (!null)
		null = fopen("/dev/null", "w");
	if (!size)
		return 0;
	if (*data & 1) {
		file = make_file(data + 1, size - 1, &len);
	} else {
		len = size - 1;
		file = malloc(len + 1);
		if (!file)
			abort();
		memcpy(file, data + 1, len);
	}
	choice.ok = *data & 2;
	t = trace_parse(file, len, why, sizeof why);
	if (t) {
		trace_choose(t, &choice);
		use(t, null);
		lint(t, null);
	}
	trace_free(t);
	free(file);
	return 0;
}
