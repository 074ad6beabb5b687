/* SPDX-License-Identifier: MIT */
/*
 * Whether a program has something of its own to say: words that it neither
 * writes untouched nor has received.  Data in other pieces has none.
 */
#include "words.h"

#include <ctype.h>
#include <string.h>

#define SHORTEST 4			/* letters; less is part of anything */
#define MOST 4000			/* words looked at */
#define ENOUGH 2			/* one may be a result: "down" */

static bool has(const struct text *t, const char *word, size_t len)
{
	return t->len && memmem(t->s, t->len, word, len);
}

static size_t letters(const struct text *t, size_t at)
{
	size_t n = 0;

	while (at + n < t->len && isalpha((unsigned char)t->s[at + n]))
		n++;
	return n;
}

/* How far both are the same; back to where a line begins. */
static size_t common(const struct text *a, const struct text *b)
{
	size_t n = 0;

	while (n < a->len && n < b->len && a->s[n] == b->s[n])
		n++;
	while (n && a->s[n - 1] != '\n')
		n--;
	return n;
}

bool words_new(const struct text *said, const struct text *a,
	       const struct text *b, const struct text *got)
{
	size_t i = common(said, a), len;
	int own = 0;

	for (int n = 0; i < said->len && n < MOST && own < ENOUGH;
	     i += len ? len : 1) {
		const char *word = said->s + i;
		len = letters(said, i);
		if (len < SHORTEST)
			continue;
		n++;
		own += !has(a, word, len) && !has(b, word, len) &&
		       !has(got, word, len);
	}
	return own >= ENOUGH;
}
