/* SPDX-License-Identifier: MIT */
/*
 * Text built in a fixed buffer, without stdio, locale or allocation.  What
 * does not fit is dropped and remembered in cut.
 */
#ifndef TRACE_OUT_H
#define TRACE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out {
	char *start, *at, *end;
	bool cut;
};

#define OUT(buf) ((struct out){ buf, buf, (buf) + sizeof(buf), false })

static inline size_t out_len(const struct out *o)
{
	return o->at - o->start;
}

void out_char(struct out *o, char c);
void out_str(struct out *o, const char *s);
void out_bytes(struct out *o, const void *data, size_t len);
void out_int(struct out *o, int64_t n);
/* Decimal, at least width digits, zeros in front. */
void out_uint(struct out *o, uint64_t n, int width);
void out_hex(struct out *o, uint64_t n);
/* Nanoseconds as seconds with six decimals, truncated. */
void out_seconds(struct out *o, int64_t ns);
/* "text" with C escapes, as strace shows data. */
void out_quoted(struct out *o, const void *data, size_t len);
/* The same with JSON's escapes; bytes that are no UTF-8 become U+FFFD. */
void out_json(struct out *o, const void *data, size_t len);

#endif
