/* SPDX-License-Identifier: MIT */
/* Text in a fixed buffer; see out.h.  Async-signal-safe throughout. */
#include "out.h"

#include <string.h>

void out_bytes(struct out *o, const void *data, size_t len)
{
	size_t room = o->end - o->at;

	if (len > room) {
		len = room;
		o->cut = true;
	}
	memcpy(o->at, data, len);
	o->at += len;
}

void out_char(struct out *o, char c)
{
	out_bytes(o, &c, 1);
}

void out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_uint(struct out *o, uint64_t n, int width)
{
	char digits[20];
	int i = sizeof digits;

	do {
		digits[--i] = '0' + n % 10;
		n /= 10;
	} while (n && i);
	while ((int)sizeof digits - i < width && i)
		digits[--i] = '0';
	out_bytes(o, digits + i, sizeof digits - i);
}

void out_int(struct out *o, int64_t n)
{
	if (n < 0)
		out_char(o, '-');
	out_uint(o, n < 0 ? -(uint64_t)n : (uint64_t)n, 1);
}

void out_hex(struct out *o, uint64_t n)
{
	char digits[18];
	int i = sizeof digits;

	do {
		digits[--i] = "0123456789abcdef"[n & 15];
		n >>= 4;
	} while (n);
	digits[--i] = 'x';
	digits[--i] = '0';
	out_bytes(o, digits + i, sizeof digits - i);
}

void out_seconds(struct out *o, int64_t ns)
{
	uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		out_char(o, '-');
	out_uint(o, n / 1000000000, 1);
	out_char(o, '.');
	out_uint(o, n % 1000000000 / 1000, 6);
}

static void octal(struct out *o, unsigned char c, bool full)
{
	out_char(o, '\\');
	if (full || c >= 0100)
		out_char(o, '0' + c / 64);
	if (full || c >= 010)
		out_char(o, '0' + c / 8 % 8);
	out_char(o, '0' + c % 8);
}

void out_quoted(struct out *o, const void *data, size_t len)
{
	const unsigned char *p = data;
	static const char plain[] = "\t\n\v\f\r\"\\", named[] = "tnvfr\"\\";

	out_char(o, '"');
	for (size_t i = 0; i < len; i++) {
		const char *esc = p[i] ? strchr(plain, p[i]) : NULL;
		if (esc) {
			out_char(o, '\\');
			out_char(o, named[esc - plain]);
		} else if (p[i] >= ' ' && p[i] < 127) {
			out_char(o, p[i]);
		} else {
			octal(o, p[i], i + 1 < len && p[i + 1] >= '0' &&
					       p[i + 1] <= '7');
		}
	}
	out_char(o, '"');
}

/* Length of the well-formed UTF-8 character at p, or 0 (RFC 3629). */
static int utf8(const unsigned char *p, size_t len)
{
	int n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 :
		(p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (!n || (size_t)n > len)
		return 0;
	for (int i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void out_json(struct out *o, const void *data, size_t len)
{
	const unsigned char *p = data;

	out_char(o, '"');
	for (size_t i = 0; i < len;) {
		int n = utf8(p + i, len - i);
		if (!n) {
			out_str(o, "\\ufffd");
			n = 1;
		} else if (p[i] == '"' || p[i] == '\\') {
			out_char(o, '\\');
			out_char(o, p[i]);
		} else if (p[i] < ' ' || p[i] == 127) {
			out_str(o, "\\u00");
			out_char(o, '0' + p[i] / 16);
			out_char(o, "0123456789abcdef"[p[i] % 16]);
		} else {
			out_bytes(o, p + i, n);
		}
		i += n;
	}
	out_char(o, '"');
}
