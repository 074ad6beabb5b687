/* SPDX-License-Identifier: MIT */
/*
 * The parser of rules.  By hand, the grammar above each function; a line goes
 * through to its end, so that all its errors are told at once.
 */
#include "parse.h"

#include <string.h>

/* ---- errors ------------------------------------------------------------ */

static void put(struct rule_err *e, size_t *at, const char *s, size_t len)
{
	while (len-- && *at < sizeof e->msg - 1) {
		char c = *s++;
		e->msg[(*at)++] = (c >= 0 && c < ' ') || c == 127 ? '?' : c;
	}
	e->msg[*at] = 0;
}

/* A word of the text, cut where it is long, not within a character. */
static void put_word(struct rule_err *e, size_t *at, const char *s, size_t len)
{
	enum { MOST = 60 };
	bool cut = len > MOST;

	for (len = cut ? MOST : len; cut && len && (s[len] & 0xc0) == 0x80;)
		len--;
	put(e, at, s, len);
	if (cut)
		put(e, at, "...", 3);
}

/* "WHAT near 'WORD'" */
static size_t describe(struct rule_err *e, const struct rule *r, uint32_t col,
		       const char *what, struct span word)
{
	size_t at = 0;

	*e = (struct rule_err){ .file = r->file, .line = r->line, .col = col };
	put(e, &at, what, strlen(what));
	put(e, &at, " near '", 7);
	put_word(e, &at, word.s, word.len);
	put(e, &at, "'", 1);
	return at;
}

static void tell(struct rules *set, const struct rule_err *e)
{
	set->errors++;
	if (set->report)
		set->report(e, set->ctx);
}

void rule_tell(struct rules *set, const struct rule *r, struct place where,
	       const char *const *text)
{
	struct span word = { r->text + where.col - 1, where.len };
	struct rule_err e;
	size_t at = describe(&e, r, where.col, *text, word);

	while (*++text)
		put(&e, &at, *text, strlen(*text));
	tell(set, &e);
}

struct place parse_place(const struct rule *r, const char *at,
			     const char *end)
{
	return (struct place){ at - r->text + 1, end - at };
}

/* WHAT at a column, near a piece of the text. */
static void fail(struct parse *p, const char *at, const char *what,
		 const char *from)
{
	struct rule_err e;

	if (p->failed)
		return;
	p->failed = true;
	describe(&e, p->rule, at - p->rule->text + 1, what,
		 (struct span){ from, p->end - from });
	tell(p->set, &e);
}

void parse_fail(struct parse *p, const char *at, const char *what)
{
	fail(p, at, what, at < p->end ? at : p->word);
}

void parse_unknown(struct parse *p, const char *at, const char *end,
		   const char *what, const char *(*known)(int),
		   const char *hint)
{
	const char *near = word_nearest(at, end - at, known);

	if (at == end)			/* nothing that could be shown */
		fail(p, at, what, p->word);
	if (p->failed)
		return;
	p->failed = true;
	rule_complain(p->set, p->rule, parse_place(p->rule, at, end), what,
		      near ? ", the nearest is '" : "", near ? near : hint,
		      near ? "'" : "");
}

bool parse_is(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - at) == len && !memcmp(at, word, len);
}

bool parse_skip(const char **at, const char *end, const char *s)
{
	size_t len = strlen(s);

	if ((size_t)(end - *at) < len || memcmp(*at, s, len))
		return false;
	*at += len;
	return true;
}

/* ---- a field ----------------------------------------------------------- */

static const char *known_field(int i)
{
	return i < FIELDS ? fields[i].name : NULL;
}

static int field_find(const char *at, const char *end)
{
	int id = 0;

	while (id < FIELDS && !parse_is(at, end, fields[id].name))
		id++;
	return id;
}

/* A second field of its kind, or a second action, would contradict. */
static bool is_new(struct parse *p, enum field id)
{
	struct rule *r = p->rule;

	if (r->with >> id & 1) {
		parse_fail(p, p->word, "expected each field once");
		return false;
	}
	if (fields[id].class != ACTION)
		return true;
	if (r->action != FIELDS) {
		rule_complain(p->set, r, parse_place(r, p->word, p->end),
			      "expected one action", ": there is ",
			      fields[r->action].name, " already");
		return false;
	}
	r->action = id;
	return true;
}

/* FIELD = NAME | NAME "=" VALUE */
void parse_field(struct parse *p)
{
	const char *eq = memchr(p->word, '=', p->end - p->word);
	const char *stop = eq ? eq : p->end;
	struct rule *r = p->rule;
	int id = field_find(p->word, stop);

	if (id == FIELDS) {
		parse_unknown(p, p->word, stop, "expected a matcher or an "
			      "action", known_field, " (sockwrench(1) lists "
			      "them)");
		return;
	}
	if (!is_new(p, id))
		return;
	r->with |= UINT64_C(1) << id;
	r->place[id] = parse_place(r, p->word, p->end);
	if (!fields[id].value && eq)
		parse_fail(p, eq, "expected no value");
	else if (fields[id].value && (!eq || eq + 1 == p->end))
		rule_complain(p->set, r, parse_place(r, p->word, p->end),
			      "expected a value", ": ", fields[id].name, "=",
			      fields[id].value);
	else if (fields[id].value)
		parse_value[id](p, eq + 1);
}

/* ---- families ---------------------------------------------------------- */

static const char *known_family(int i)
{
	for (int n = 0; n < FAMILIES; n++)
		if (families[n].rule && !i--)
			return families[n].name;
	return NULL;
}

static void unknown_family(struct parse *p, const char *at, const char *end)
{
	static const char what[] = "expected a family of calls";
	struct place where = parse_place(p->rule, at, end);
	int id = at < end ? call_find(at, end - at) : -1;

	if (id < 0)
		parse_unknown(p, at, end, what, known_family, ": one of socket "
			      "bind listen connect accept send recv close "
			      "shutdown sockopt poll resolve, or *");
	else if (families[calls[id].family].rule)
		rule_complain(p->set, p->rule, where, what, ": write '",
			      families[calls[id].family].name, " via=",
			      calls[id].name, "' for one function");
	else
		rule_complain(p->set, p->rule, where, what, ": no rule "
			      "touches that function");
}

/* FAMILY {"," FAMILY} | "*" */
static void parse_families(struct parse *p)
{
	struct rule *r = p->rule;

	if (parse_is(p->word, p->end, "*")) {
		r->families = ON_ALL;
		r->star = true;
		return;
	}
	for (const char *at = p->word, *end; at <= p->end; at = end + 1) {
		int id;
		end = memchr(at, ',', p->end - at);
		end = end ? end : p->end;
		id = family_find(at, end - at);
		p->failed = false;
		if (at == end || id < 0 || !families[id].rule)
			unknown_family(p, at, end);
		else if (r->families & 1 << id)
			rule_complain(p->set, r, parse_place(r, at, end),
				      "expected each family once");
		else
			r->families |= 1 << id;
	}
}

/* ---- a line ------------------------------------------------------------ */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word before end; false: no more, or a comment. */
static bool next_word(struct parse *p, const char *end)
{
	const char *at = p->end;

	while (at < end && blank(*at))
		at++;
	if (at == end || *at == '#')
		return false;
	p->word = at;
	while (at < end && !blank(*at))
		at++;
	p->end = at;
	p->failed = false;
	return true;
}

/* The first word: there is a rule, and room for it. */
static bool begin(struct parse *p, const char *end)
{
	struct rules *set = p->set;
	struct rule *r = p->rule;

	if (!next_word(p, end))
		return false;
	r->whole = parse_place(r, p->word, p->end);
	if (set->n < set->room && set->n < RULES_MOST)
		return true;
	if (!set->full)
		rule_complain(set, r, r->whole, "expected at most 1000 rules");
	set->full = true;
	return false;
}

/* The rule is whole: to be kept if it makes sense. */
static void finish(struct parse *p, int errors)
{
	struct rules *set = p->set;
	struct rule *r = p->rule;
	int like = 0;

	p->failed = false;
	if (set->errors == errors && r->action == FIELDS &&
	    !(r->with & (WITH(DELAY) | WITH(SIGNAL))))
		parse_fail(p, p->end, "expected an action, such as error=, "
			   "reset, eof, short= or delay=,");
	if (set->errors == errors)
		rule_check(set, r);
	for (int i = 0; i < set->n; i++)
		like += set->rule[i].per == r->per;
	r->counter = like;
	if (set->errors == errors && r->per != PER_PROCESS && like >= PER_MOST)
		rule_complain(set, r, r->place[FIELD_PER], "expected at most 8 "
			      "rules that count per connection, and 8 per "
			      "thread,");
	if (set->errors == errors)
		set->rule[set->n++] = *r;
}

/* RULE = (FAMILIES {FIELD} | INJECT) ["#" ...] */
static void parse_line(struct rules *set, struct span file, int line,
		       const char *text, const char *end)
{
	struct rule r = {
		.file = file, .line = line, .text = text, .action = FIELDS,
		.protos = IS_ANY, .fd = -1, .first = 1, .last = UINT64_MAX,
		.step = 1, .prob = 1000000, .limit = UINT32_MAX,
		.size = { 0, UINT64_MAX },
	};
	struct parse p = { .set = set, .rule = &r, .end = text };
	int errors = set->errors;
	const char *at;
	bool strace;

	if (!begin(&p, end))
		return;
	at = p.word;
	strace = parse_skip(&at, p.end, "inject=");
	if (strace)
		parse_inject(&p);
	else
		parse_families(&p);
	while (next_word(&p, end)) {
		r.whole.len = p.end - text + 1 - r.whole.col;
		if (strace)
			parse_fail(&p, p.word, "expected a colon before each "
				   "option, and no blank,");
		else
			parse_field(&p);
	}
	finish(&p, errors);
}

void rules_parse_inject(struct rules *set, struct span file, int line,
			const char *text, size_t len)
{
	parse_line(set, file, line, text, text + len);
}

/* The file is none of text. */
static void binary(struct rules *set, struct span file, int line,
		   const char *text, const char *zero, const char *end)
{
	struct rule r = { .file = file, .line = line, .text = text };

	rule_complain(set, &r, parse_place(&r, zero, end), "expected text, no "
		      "byte of 0,");
}

void rules_parse(struct rules *set, struct span file, int line,
		 const char *text, size_t len)
{
	const char *end = text + len;

	/* a file from an editor that marks UTF-8 */
	parse_skip(&text, end, "\xef\xbb\xbf");
	for (; text < end; line++) {
		const char *stop = memchr(text, '\n', end - text), *zero;
		stop = stop ? stop : end;
		zero = memchr(text, 0, stop - text);
		if (zero) {
			binary(set, file, line, text, zero, stop);
			return;
		}
		parse_line(set, file, line, text, stop);
		text = stop + 1;
	}
}

/* ---- names ------------------------------------------------------------- */

int rule_name(const struct rule *r, char *buf, size_t size)
{
	char digits[12];
	int n = 0, len = r->file.len;
	unsigned line = r->line;

	do
		digits[n++] = '0' + line % 10;
	while (line /= 10);
	if ((size_t)(len + n + 2) > size)
		len = (int)size - n - 2;
	memcpy(buf, r->file.s, len);
	buf[len++] = ':';
	while (n)
		buf[len++] = digits[--n];
	buf[len] = 0;
	return len;
}
