/* SPDX-License-Identifier: MIT */
/*
 * strace's spelling of a rule: system calls by their names, which libc's
 * functions do not always share, and options between colons.
 */
#include "parse.h"

static void inject_call(struct rule *r, int id)
{
	r->families |= call_families(id);
	r->with |= WITH(VIA);
	call_set_add(&r->via, id);
}

/* libc's functions that end in a system call of another name. */
static void inject_relatives(struct rule *r, const char *at, const char *end)
{
	static const struct { const char *system; int call; } relatives[] = {
		{ "sendto", CALL_send }, { "recvfrom", CALL_recv },
		{ "pselect6", CALL_pselect }, { "pselect6", CALL_select },
		{ "close", CALL_fclose },
	};
	int family = parse_is(at, end, "write") ? FAMILY_SEND
		   : parse_is(at, end, "read") ? FAMILY_RECV : FAMILIES;

	for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++)
		if (parse_is(at, end, relatives[i].system))
			inject_call(r, relatives[i].call);
	for (int id = 0; id < CALLS; id++)
		if (calls[id].family == family &&
		    call_has_kind(id, KIND_STREAM))
			inject_call(r, id);
}

/* %network: what is called on sockets only */
static void inject_network(struct rule *r)
{
	r->star = true;
	for (int id = 0; id < CALLS; id++)
		if (families[calls[id].family].rule &&
		    (calls[id].kinds[0] == KIND_SOCK ||
		     calls[id].family == FAMILY_SOCKET))
			inject_call(r, id);
}

/* CALL | "%network" | "%net" */
static void inject_name(struct parse *p, const char *at, const char *end)
{
	int id;

	p->failed = false;
	if (parse_is(at, end, "%network") || parse_is(at, end, "%net")) {
		inject_network(p->rule);
		return;
	}
	inject_relatives(p->rule, at, end);
	if (parse_is(at, end, "pselect6"))
		return;
	id = parse_call(p, at, end, "expected a system call on sockets");
	if (id >= 0 && families[calls[id].family].rule)
		inject_call(p->rule, id);
	else if (id >= 0)
		rule_complain(p->set, p->rule, parse_place(p->rule, at, end),
			      "expected a system call that a rule can touch");
}

/* NAME {"," NAME}; the end of it */
static const char *inject_set(struct parse *p, const char *at, const char *end)
{
	for (;;) {
		const char *stop = at;
		while (stop < end && *stop != ',' && *stop != ':')
			stop++;
		inject_name(p, at, stop);
		if (stop == end || *stop == ':')
			return stop;
		at = stop + 1;
	}
}

/* delay_enter=USECONDS, which may have a unit */
static void inject_delay(struct parse *p, const char *at)
{
	int64_t *t = p->rule->delay;
	const char *stop = at;
	uint64_t us;

	if (parse_number(&stop, p->end, &us) && stop == p->end &&
	    us < 1000000000)
		t[0] = us * 1000;
	else
		stop = parse_time(p, at, &t[0]);
	if (stop < p->end)
		parse_fail(p, stop, "expected one time");
	t[1] = t[0];
	p->rule->with |= WITH(DELAY);
	p->rule->place[FIELD_DELAY] = parse_place(p->rule, p->word, p->end);
}

/* An option that is a field of ours, or has one. */
static void inject_option(struct parse *p)
{
	const char *at = p->word;

	p->failed = false;
	if (parse_skip(&at, p->end, "delay_enter="))
		inject_delay(p, at);
	else if (parse_skip(&at, p->end, "error=") ||
		 parse_skip(&at, p->end, "signal=") ||
		 parse_skip(&at, p->end, "when="))
		parse_field(p);
	else
		parse_fail(p, at, "expected error=, signal=, when= or "
			   "delay_enter=");
}

/* "inject=" SET {":" OPTION} */
void parse_inject(struct parse *p)
{
	const char *at = p->word, *end = p->end;

	parse_skip(&at, end, "inject=");
	p->rule->place[FIELD_VIA] = parse_place(p->rule, at,
					     inject_set(p, at, end));
	at += p->rule->place[FIELD_VIA].len;
	while (at < end) {
		p->word = ++at;
		while (at < end && *at != ':')
			at++;
		p->end = at;
		inject_option(p);
	}
}
