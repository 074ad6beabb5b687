/* SPDX-License-Identifier: MIT */
/* errors.def and fields.def as arrays, and what can be asked of them. */
#include "rule.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

/* the words of errors.def */
enum { TCP = IS_TCP, UDP = IS_UDP, STREAM = IS_STREAM, DGRAM = IS_DGRAM,
       SEQ = IS_SEQ, ANY = IS_ANY };

const struct fault_row faults[] = {
#define FAULT(family_, error_, protos_, condition_, mechanism_, after_,	\
	      situation_, source_)					\
	{ .family = FAMILY_##family_, .protos = protos_,		\
	  .condition = condition_, .mechanism = mechanism_,		\
	  .after = after_, .error = error_, .name = #error_,		\
	  .situation = situation_, .source = source_ },
#include "errors.def"
#undef FAULT
};
const int n_faults = sizeof faults / sizeof *faults;

const struct field_row fields[FIELDS] = {
#define FIELD(id, name, value, class, families, doc)	\
	{ name, value, class, families, doc },
#include "fields.def"
#undef FIELD
};

const char *const condition_names[] = {
	[ALWAYS] = "always", [BLOCKING] = "blocking", [NOWAIT] = "nonblocking",
};

const char *const mechanism_names[] = {
	[ANSWER] = "answer", [SEVER] = "sever", [REFUSE] = "refuse",
	[START] = "start", [TAKE] = "take", [CLOSE] = "close",
};

const char *const after_names[] = {
	[GOES_ON] = "transient", [DEAD] = "terminal",
};

const struct fault_row *fault_find(int family, int error, int protos)
{
	for (int i = 0; i < n_faults; i++)
		if (faults[i].family == family && faults[i].error == error &&
		    faults[i].protos & protos)
			return &faults[i];
	return NULL;
}

const char *protos_text(int protos, char *buf, size_t size)
{
	static const struct {
		int bit;
		const char *name;
	} bits[] = {
		{ IS_TCP, "tcp" }, { IS_UDP, "udp" }, { IS_STREAM, "unix" },
		{ IS_DGRAM, "unix-dgram" }, { IS_SEQ, "unix-seqpacket" },
	};
	size_t at = 0;

	if (protos == IS_ANY)
		return "any";
	buf[0] = 0;
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		size_t len = strlen(bits[i].name);
		if (!(protos & bits[i].bit) || at + len + 2 > size)
			continue;
		if (at)
			buf[at++] = ' ';
		memcpy(buf + at, bits[i].name, len + 1);
		at += len;
	}
	return buf;
}
