/* SPDX-License-Identifier: MIT */
/*
 * Where in the program a call was made: return addresses as MODULE+0xOFFSET,
 * which the next run has too.  Asked for by from= and SOCKWRENCH_STACK only:
 * unwinding costs microseconds.  The unwinder is libc's backtrace(), loaded
 * by our constructor (before it a call has no more than its caller), and the
 * modules come from _dl_find_object(3), which takes no lock.
 */
#include "shim.h"

#include <dlfcn.h>
#include <link.h>

static int (*unwind)(void **to, int n);	/* set in the constructor */
static char program[256];		/* its file; set at start */

void origin_start(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

	program[n > 0 ? n : 0] = 0;
}

/*
 * Not at the first call: an allocator may be making it, which loading would
 * wait for.
 */
void origin_load(void)
{
	void *one[1];
	int (*found)(void **, int) = dlsym(RTLD_DEFAULT, "backtrace");

	if (found)
		found(one, 1);		/* it loads libgcc now */
	unwind = found;
}

struct origin {
	const char *module;		/* its file */
	uint64_t offset;		/* as addr2line(1) wants it */
};

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* glibc's, from 2.35; musl has none */
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

static bool find(uint64_t pc, struct origin *o)
{
	struct dl_find_object found;

	if (!_dl_find_object ||
	    _dl_find_object((void *)(uintptr_t)pc, &found))
		return false;
	o->module = found.dlfo_link_map->l_name;
	o->offset -= found.dlfo_link_map->l_addr;
	return true;
}
#else
static bool find(uint64_t pc, struct origin *o)
{
	(void)pc, (void)o;
	return false;
}
#endif

static struct origin origin_of(uint64_t pc)
{
	struct origin o = { "?", pc };
	Dl_info info;

	if (!find(pc, &o) && dladdr((void *)(uintptr_t)pc, &info) &&
	    info.dli_fname) {
		o.module = info.dli_fname;
		o.offset -= (uintptr_t)info.dli_fbase;
	}
	if (!*o.module)
		o.module = program;
	return o;
}

/* The call's return addresses, the innermost first; how many. */
static int frames(const struct rec *r, uint64_t *to, int most)
{
	void *all[ORIGINS + 12];
	int n = unwind ? unwind(all, most + 12) : 0, at = 0, k = 0;

	/* our own come first */
	while (at < n && (uintptr_t)all[at] != r->caller)
		at++;
	to[k++] = r->caller;
	while (++at < n && k < most)
		to[k++] = (uintptr_t)all[at];
	return k;
}

void origin_text(struct out *o, const struct rec *r)
{
	uint64_t pc[ORIGINS];
	int n = frames(r, pc, config.stack < ORIGINS ? config.stack : ORIGINS);

	for (int i = 0; i < n; i++) {
		struct origin at = origin_of(pc[i]);
		if (i)
			out_char(o, '<');
		out_str(o, at.module);
		out_char(o, '+');
		out_hex(o, at.offset);
	}
}

static bool is_from(const struct rule_from *f, uint64_t pc)
{
	struct origin o = origin_of(pc);

	return o.offset == f->offset &&
	       file_match(f->module, (struct span){ o.module,
						    strlen(o.module) });
}

bool origin_is(const struct rec *r, const struct rule *rule)
{
	uint64_t pc[FROM_MOST];
	int n;

	if (!is_from(&rule->from[0], r->caller))
		return false;
	if (rule->froms == 1)
		return true;
	n = frames(r, pc, rule->froms);
	for (int i = 1; i < rule->froms; i++)
		if (i >= n || !is_from(&rule->from[i], pc[i]))
			return false;
	return true;
}
