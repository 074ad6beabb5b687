/* SPDX-License-Identifier: MIT */
/*
 * A map from two numbers to one, for the readers of a trace.  Entries are
 * never removed, only changed.  All zero is an empty map.
 */
#ifndef TRACE_MAP_H
#define TRACE_MAP_H

#include <stdint.h>
#include <stdlib.h>

struct map_entry {
	uint32_t a, b;
	uint32_t value;
	uint32_t used;
};

struct map {
	struct map_entry *entries;
	size_t used, size;		/* size is a power of two, or 0 */
};

static inline struct map_entry *map_place(const struct map *m, uint32_t a,
					  uint32_t b)
{
	uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = h >> 32;

	for (;; i++) {
		struct map_entry *e = &m->entries[i & (m->size - 1)];
		if (!e->used || (e->a == a && e->b == b))
			return e;
	}
}

/* The value of (a, b), or NULL. */
static inline uint32_t *map_get(const struct map *m, uint32_t a, uint32_t b)
{
	struct map_entry *e = m->size ? map_place(m, a, b) : NULL;

	return e && e->used ? &e->value : NULL;
}

static inline int map_grow(struct map *m)
{
	struct map old = *m;

	m->size = old.size ? 2 * old.size : 64;
	m->entries = calloc(m->size, sizeof *m->entries);
	if (!m->entries) {
		*m = old;
		return -1;
	}
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].used)
			*map_place(m, old.entries[i].a, old.entries[i].b) =
				old.entries[i];
	free(old.entries);
	return 0;
}

/* The value of (a, b), a new one being otherwise; NULL without memory. */
static inline uint32_t *map_put(struct map *m, uint32_t a, uint32_t b,
				uint32_t otherwise)
{
	struct map_entry *e;

	if (2 * (m->used + 1) > m->size && map_grow(m))
		return NULL;
	e = map_place(m, a, b);
	if (!e->used) {
		*e = (struct map_entry){ a, b, otherwise, 1 };
		m->used++;
	}
	return &e->value;
}

static inline void map_free(struct map *m)
{
	free(m->entries);
	*m = (struct map){ 0 };
}

#endif
