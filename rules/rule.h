/* SPDX-License-Identifier: MIT */
/*
 * The rule language: one rule as parsed, the parser, and the question which
 * rule touches a call.  Pure code without allocation, stdio or locale: the
 * command checks rules with it before it starts a program, the object parses
 * the same text again and asks at every call.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "table.h"

#include <stdatomic.h>
#include <stddef.h>

/* ---- the tables errors.def and fields.def ------------------------------ */

enum {
#define FAMILY(id, name, rule, log, doc) ON_##id = (rule) << FAMILY_##id,
#include "families.def"
#undef FAMILY
	ON_IO = ON_SEND | ON_RECV | ON_ACCEPT | ON_CONNECT,
	ON_ALL = ON_SOCKET | ON_BIND | ON_LISTEN | ON_CONNECT | ON_ACCEPT |
		 ON_SEND | ON_RECV | ON_CLOSE | ON_SHUTDOWN | ON_SOCKOPT |
		 ON_POLL | ON_RESOLVE,
};

/* The families of a call, as bits; splice goes both ways. */
static inline uint16_t call_families(int id)
{
	return id == CALL_splice ? ON_SEND | ON_RECV : 1 << calls[id].family;
}

enum field {
#define FIELD(id, name, value, class, families, doc) FIELD_##id,
#include "fields.def"
#undef FIELD
	FIELDS
};

enum field_class { MATCHER, ACTION, BESIDE, MANNER };

struct field_row {
	const char *name, *value;
	enum field_class class;
	uint16_t families;
	const char *doc;
};

extern const struct field_row fields[FIELDS];

/* What a socket is, as bits: the protocols of errors.def. */
enum {
	IS_TCP = 1, IS_UDP = 2, IS_STREAM = 4, IS_DGRAM = 8, IS_SEQ = 16,
	IS_OTHER = 32, IS_UNIX = IS_STREAM | IS_DGRAM | IS_SEQ, IS_ANY = 63,
};

enum condition { ALWAYS, BLOCKING, NOWAIT };
enum mechanism { ANSWER, SEVER, REFUSE, START, TAKE, CLOSE };
enum after { GOES_ON, DEAD };

struct fault_row {
	uint8_t family, protos, condition, mechanism, after;
	int error;			/* errno, or a negative EAI_ code */
	const char *name, *situation, *source;
};

extern const struct fault_row faults[];
extern const int n_faults;
extern const char *const condition_names[], *const mechanism_names[],
	*const after_names[];

/* "TCP STREAM", "ANY" */
const char *protos_text(int protos, char *buf, size_t size);

/* The row of a fault, or NULL: the kernel does not do that. */
const struct fault_row *fault_find(int family, int error, int protos);

/* Whether this function of the family fails so; not every one does. */
bool fault_of_call(const struct fault_row *f, int call);

/* Why no rule can touch a function of a rule's family, or NULL: it can. */
const char *call_futile(int call);

/* ---- a rule ------------------------------------------------------------ */

/* A piece of the rules' text, which must outlive them. */
struct span {
	const char *s;
	int len;
};

enum addr_kind { ADDR_ANY, ADDR_IP4, ADDR_IP6, ADDR_PATH, ADDR_ABSTRACT };

struct addr_match {
	enum addr_kind kind;
	uint8_t ip[16];
	int bits;			/* of ip that count */
	int port;			/* -1: any */
	struct span glob;		/* of a path or an abstract name */
};

/* A return address: a file's name and what addr2line(1) knows it by. */
struct rule_from {
	struct span module;
	uint64_t offset;
};

#define FROM_MOST 4

enum per { PER_PROCESS, PER_CONN, PER_THREAD, PER_TREE };

/* Where something stands in a rule's line: a column from 1, 0: nowhere. */
struct place {
	uint32_t col, len;
};

#define WITH(field) (UINT64_C(1) << FIELD_##field)

struct rule {
	struct span file;		/* where it stands */
	int line;
	uint64_t with;			/* WITH(field) of what it says */
	uint16_t families;		/* ON_ bits */
	bool star;			/* those of them that make sense */
	bool never;			/* another always comes first */
	struct call_set via;
	struct addr_match addr[2];	/* local, peer */
	uint8_t protos;			/* IS_ bits */
	uint8_t role;			/* enum rule_role */
	enum per per;
	int fd;
	uint32_t conn;
	struct span exe, name;
	struct rule_from from[FROM_MOST];
	int froms;
	uint64_t size[2], at;
	int64_t after;			/* ns */
	uint64_t first, last, step;	/* when= */
	uint32_t prob;			/* of a million */
	uint32_t limit;
	enum field action;		/* FIELDS: none but DELAY, SIGNAL */
	int error, then;		/* errno, or a negative EAI_ code */
	uint64_t amount[2];		/* short= */
	bool percent;			/* amount is one */
	int64_t time[2];		/* ns: latency, stall, inprogress */
	int64_t delay[2];		/* ns */
	uint64_t rate;			/* bytes a second */
	int number, signal;
	uint8_t counter;		/* among those with the same per= */
	/* for messages */
	const char *text;		/* its line, which is column 1 */
	struct place whole, place[FIELDS];
};

/* How far calls have come with a rule, in all processes of a run. */
struct rule_score {
	_Atomic uint32_t matched;	/* its matchers, without at= */
	_Atomic uint32_t able;		/* and at=, and it could act on them */
	_Atomic uint32_t turn;		/* and when= and prob= let them */
	_Atomic uint32_t fired;		/* and no other rule came first */
};

#define FOREVER INT64_MAX

enum rule_role { ROLE_IS_CLIENT, ROLE_IS_SERVER, ROLE_IS_LISTENER,
		 ROLE_IS_PAIR };

/* per=conn and per=thread need room at every socket and in every thread. */
#define PER_MOST 8
#define RULES_MOST 1000

/* ---- parsing ----------------------------------------------------------- */

struct rule_err {
	struct span file;
	int line, col;			/* from 1 */
	char msg[240];
};

/* Rules under construction; all memory is the caller's. */
struct rules {
	struct rule *rule;
	int n, room;			/* lines are enough room */
	int errors;
	bool full;			/* of RULES_MOST, and that is told */
	struct rule_score *score;	/* one a rule, or NULL: nobody asks */
	void (*report)(const struct rule_err *err, void *ctx);
	void *ctx;
};

/*
 * Parse one rule a line and add them; a line that begins with inject= is
 * strace's spelling of one.  file is shown in messages and as the
 * rule's name; line is the first line's number.  Text and file must live as
 * long as the rules.  Every error is reported and counted in errors.
 */
void rules_parse(struct rules *set, struct span file, int line,
		 const char *text, size_t len);
/* strace's inject=SET:error=E:when=..., one line, as one rule. */
void rules_parse_inject(struct rules *set, struct span file, int line,
			const char *text, size_t len);
/* When all are there: rules that can never fire because of others. */
void rules_check(struct rules *set);
/* "short.rules:3" into buf; its length. */
int rule_name(const struct rule *r, char *buf, size_t size);
/* What one rule says against itself and against the kernel (check.c). */
void rule_check(struct rules *set, struct rule *r);
/*
 * The error "WHAT near 'WORD': WHY" at a place of the rule's line, from strings
 * up to NULL: WHAT, and the pieces of WHY, which may be missing.
 */
void rule_tell(struct rules *set, const struct rule *r, struct place where,
	       const char *const *text);
#define rule_complain(set, r, where, ...)				\
	rule_tell(set, r, where, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- matching ----------------------------------------------------------- */

/*
 * When in a call a rule acts: before it is made; once it has made a new
 * descriptor; as a stream reaches a byte.
 */
enum moment { BEFORE, MADE, REACHED };

/* The descriptor waits, but not for ever: SO_RCVTIMEO, SO_SNDTIMEO. */
#define WAITS_BOUNDED 2

/* A call as rules see it. */
struct query {
	int call, family;
	enum moment moment;
	bool guess;			/* what the next call would meet: */
	bool taken;			/*   nothing is counted, unless so */
	int fd;
	uint32_t conn;			/* ordinal, or 0 */
	uint8_t protos;			/* one IS_ bit, or 0: not about a socket */
	int role;			/* enum rule_role, or -1 */
	const void *addr[2];		/* struct sockaddr: local, peer */
	uint32_t alen[2];		/* 0: there is none */
	struct span exe[2];		/* the program's file, its argv[0] */
	const char *name;		/* of resolve; NULL: none */
	bool sized;			/* size and offset make sense */
	bool whole;			/* short counts are not allowed here */
	uint64_t size, offset;
	uint64_t shown;			/* bytes it was told are there */
	bool literal;			/* no name server would be asked */
	bool aside;			/* it is about something else */
	int64_t elapsed;		/* ns since the run began */
	int waits;			/* 1, 0, WAITS_BOUNDED; -1: ask */
	int (*ask)(struct query *q);	/* whether the descriptor waits */
	/* whether the call is made where the rule says */
	bool (*from)(struct query *q, const struct rule *r);
	/* the counter of a rule, for this connection or thread */
	_Atomic uint32_t *(*count)(struct query *q, int rule, bool fired);
	uint64_t seed, path;		/* of the run; hash of the process's */
	uint64_t nth;			/* call of this family on this socket */
	void *ctx;
};

/* What rules say of a call. */
struct verdict {
	const struct rule *rule;	/* NULL: nothing */
	int id;				/* its number, from 1 */
	const struct fault_row *fault;	/* of error=, or NULL where forced */
	uint64_t cut;			/* bytes to the next at=, UINT64_MAX */
	uint64_t draw;			/* chance, for ranges */
};

/* Which rule touches the call.  Counts it for every rule that matches. */
struct verdict rules_ask(const struct rules *set, struct query *q);
/* Whether it ever can for a call of that family on such a socket. */
bool rule_may(const struct rule *r, const struct query *q);
/* The bytes that such a call moves at least, if it moves any. */
uint64_t query_piece(const struct query *q);
/* A number from a to b. */
uint64_t draw_between(uint64_t draw, uint64_t a, uint64_t b);
/* The bytes short= leaves of size, at least 1. */
uint64_t rule_short(const struct rule *r, uint64_t draw, uint64_t size);
/* The calls any rule may touch, and whether one may end a connection. */
void rules_calls(const struct rules *set, struct call_set *calls);
/* FNV-1a, for paths in the tree of processes. */
uint64_t hash_text(const char *s);

bool glob_match(struct span glob, const char *s, int len);
/* The path, or without a slash in the glob its last part. */
bool file_match(struct span glob, struct span path);

#endif
