/* SPDX-License-Identifier: MIT */
/* Numbers in rules, with the units of times and of bytes. */
#include "parse.h"

static bool digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

static bool letter(const char *at, const char *end)
{
	return at < end && ((*at | 32) >= 'a' && (*at | 32) <= 'z');
}

bool parse_number(const char **at, const char *end, uint64_t *n)
{
	const char *start = *at;

	for (*n = 0; digit(*at, end); (*at)++)
		if (*n < UINT64_C(100000000000000000))
			*n = *n * 10 + (**at - '0');
		else
			*n = UINT64_C(1000000000000000000);
	return *at > start;
}

uint64_t parse_whole(struct parse *p, const char *at, uint64_t min,
		     uint64_t max, const char *what)
{
	const char *start = at;
	uint64_t n;

	if (!parse_number(&at, p->end, &n) || at < p->end || n < min || n > max)
		parse_fail(p, start, what);
	return n;
}

/* DIGITS ["." DIGITS], the part behind the point in billionths */
bool parse_decimal(const char **at, const char *end, uint64_t *n,
		    uint32_t *billionths)
{
	uint32_t scale = 1000000000;

	*billionths = 0;
	if (!parse_number(at, end, n))
		return false;
	if (*at == end || **at != '.' || !digit(*at + 1, end))
		return true;
	for ((*at)++; digit(*at, end); (*at)++) {
		scale /= 10;
		*billionths += scale * (**at - '0');
	}
	return true;
}

struct unit {
	const char *name;
	uint64_t scale;
};

/* The unit whose letters stand at *at, or NULL. */
static const struct unit *unit(const struct unit *units, const char **at,
			       const char *end)
{
	const char *stop = *at;

	while (letter(stop, end))
		stop++;
	for (; units->name; units++)
		if (parse_is(*at, stop, units->name)) {
			*at = stop;
			return units;
		}
	return NULL;
}

static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	{ "m", UINT64_C(60000000000) }, { "h", UINT64_C(3600000000000) },
	{ 0 }
};

/* TIME = NUMBER ("ns" | "us" | "ms" | "s" | "m" | "h") */
bool parse_duration(const char **at, const char *end, int64_t *ns)
{
	const struct unit *u = NULL;
	unsigned __int128 value;
	uint32_t rest;
	uint64_t n;

	if (parse_decimal(at, end, &n, &rest))
		u = unit(time_units, at, end);
	if (!u)
		return false;
	value = (unsigned __int128)n * u->scale +
		(unsigned __int128)rest * u->scale / 1000000000;
	*ns = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	return true;
}

const char *parse_time(struct parse *p, const char *at, int64_t *ns)
{
	const char *start = at;

	if (!parse_duration(&at, p->end, ns)) {
		parse_fail(p, start, "expected a time with its unit, such as "
			   "250ms or 2s,");
		return p->end;
	}
	if (*ns > INT64_C(1000000000000000000))
		parse_fail(p, start, "expected a time under 30 years");
	return at;
}

static const struct unit byte_units[] = {
	{ "", 1 }, { "B", 1 },
	{ "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 },
	{ "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
	{ 0 }
};

/* BYTES = NUMBER ["B" | "kB" | "KiB" | "MB" | "MiB" | "GB" | "GiB"] */
const char *parse_bytes(struct parse *p, const char *at, uint64_t *n)
{
	const char *start = at;
	const struct unit *u = NULL;

	if (parse_number(&at, p->end, n))
		u = unit(byte_units, &at, p->end);
	if (!u) {
		parse_fail(p, start, "expected a number of bytes, such as 4096 "
			   "or 64KiB,");
		return p->end;
	}
	if (*n >= UINT64_C(1000000000000000) / u->scale)
		parse_fail(p, start, "expected fewer than 10^15 bytes");
	else
		*n *= u->scale;
	return at;
}
