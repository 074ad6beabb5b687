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

/* Functions that alone fail so; the others of their family do not. */
static const struct {
	uint8_t family;
	int error;
	uint8_t n, calls[10];
} narrow[] = {
#define ONLY(family, error, ...)					\
	{ FAMILY_##family, error,					\
	  sizeof (uint8_t[]){ __VA_ARGS__ }, { __VA_ARGS__ } }
	ONLY(POLL, EINTR, CALL_poll, CALL_ppoll, CALL_select, CALL_pselect,
	     CALL_epoll_wait, CALL_epoll_pwait, CALL_epoll_pwait2),
	ONLY(POLL, EMFILE, CALL_epoll_create, CALL_epoll_create1),
	ONLY(POLL, ENFILE, CALL_epoll_create, CALL_epoll_create1),
	ONLY(POLL, ENOSPC, CALL_epoll_ctl),
	ONLY(SOCKOPT, EDOM, CALL_setsockopt),
	ONLY(SOCKOPT, EPERM, CALL_setsockopt),
	ONLY(SOCKOPT, ENOBUFS, CALL_setsockopt),
	ONLY(RESOLVE, EAI_NODATA, CALL_getaddrinfo, CALL_gethostbyname,
	     CALL_gethostbyname2, CALL_gethostbyname_r, CALL_gethostbyname2_r,
	     CALL_res_query, CALL_res_search, CALL_res_nquery,
	     CALL_res_nsearch),
#undef ONLY
};

bool fault_of_call(const struct fault_row *f, int call)
{
	for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
		if (narrow[i].family == f->family &&
		    narrow[i].error == f->error)
			return memchr(narrow[i].calls, call, narrow[i].n);
	return true;
}

#define FAILS "it always fails on a socket"
#define BEGINS "it only begins what others carry out"
#define SILENT "it tells nobody what came of a socket"

static const char *const futile[CALLS] = {
	[CALL_pread] = FAILS, [CALL_pwrite] = FAILS, [CALL_preadv] = FAILS,
	[CALL_pwritev] = FAILS, [CALL_vmsplice] = FAILS, [CALL_tee] = FAILS,
	[CALL_aio_read] = BEGINS, [CALL_aio_write] = BEGINS,
	[CALL_lio_listio] = BEGINS, [CALL_getaddrinfo_a] = BEGINS,
	[CALL_freeaddrinfo] = SILENT, [CALL_close_range] = SILENT,
	[CALL_closefrom] = SILENT, [CALL_fcloseall] = SILENT,
	[CALL_freopen] = SILENT, [CALL___fdelt_chk] = SILENT,
};

const char *call_futile(int call)
{
	return futile[call];
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
