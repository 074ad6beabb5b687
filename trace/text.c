/* SPDX-License-Identifier: MIT */
/* What a record holds, and a call as a line like strace's. */
#include "parts.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

/* ---- what a record holds ---------------------------------------------- */

const uint8_t *payload_find(const void *payload, int len, int param,
			    struct item *item)
{
	const uint8_t *p = payload;

	for (int at = 0; at + (int)sizeof *item <= len;) {
		memcpy(item, p + at, sizeof *item);
		at += sizeof *item;
		if (item->len > len - at)
			return NULL;
		if (item->param == param)
			return p + at;
		at += item->len;
	}
	return NULL;
}

uint64_t rec_arg(const struct rec *r, int param)
{
	const uint8_t *kinds = calls[r->call].kinds;
	int at = 0;

	for (int i = 0; kinds[i] != KIND_END; i++) {
		int bytes = kind_bytes[kinds[i]];
		uint64_t v = 0;
		int32_t v32;
		if (i < param) {
			at += bytes;
		} else if (at + bytes > REC_ARGS) {
			return 0;
		} else if (bytes == 8) {
			memcpy(&v, r->args + at, 8);
			return v;
		} else {
			memcpy(&v32, r->args + at, 4);
			return bytes ? (int64_t)v32 : 0;
		}
	}
	return 0;
}

int param_of(const struct rec *r, enum kind kind)
{
	const uint8_t *kinds = calls[r->call].kinds;

	for (int i = 0; kinds[i] != KIND_END; i++)
		if (kinds[i] == kind)
			return i;
	return -1;
}

uint32_t rec_newconn(const struct rec *r)
{
	uint32_t conn = 0;

	if (calls[r->call].result == RESULT_NEWFD ||
	    r->call == CALL_socketpair)
		memcpy(&conn, r->args + REC_NEWCONN, sizeof conn);
	return conn;
}

int rec_failed(const struct rec *r)
{
	switch (calls[r->call].result) {
	case RESULT_POINTER:
	case RESULT_LINE:
	case RESULT_ITEMS:
		return !r->ret && r->err;
	case RESULT_ERRNUM:
	case RESULT_EAI:
		return r->ret != 0;
	case RESULT_HANDLER:
		return r->ret == -1;
	case RESULT_CHAR:
		return r->ret == -1 && r->err;
	case RESULT_NOTHING:
	case RESULT_NORETURN:
		return 0;
	default:
		return r->ret < 0 && r->err;
	}
}

int rec_errno(const struct rec *r)
{
	if (!rec_failed(r))
		return 0;
	switch (calls[r->call].result) {
	case RESULT_ERRNUM:
		return r->ret;
	case RESULT_EAI:
		return r->ret == EAI_SYSTEM ? r->err : 0;
	default:
		return r->err;
	}
}

int64_t event_bytes(const struct event *e)
{
	const struct rec *r = e->rec;
	int family = calls[r->call].family;

	if (family != FAMILY_SEND && family != FAMILY_RECV)
		return -1;
	switch (calls[r->call].result) {
	case RESULT_COUNT:
		return r->ret < 0 ? -1 : r->ret;
	case RESULT_ITEMS: {
		int size = param_of(r, KIND_LEN);
		return size < 0 ? -1 : (int64_t)((uint64_t)r->ret *
						 rec_arg(r, size));
	}
	default:
		return -1;
	}
}

/* ---- the line --------------------------------------------------------- */

void out_time(struct out *o, int64_t ns, int64_t epoch, struct times times)
{
	uint64_t wall = epoch + ns, local = wall / 1000000000 + times.east;

	if (times.form == TIMES_SINCE || times.form == TIMES_EPOCH) {
		out_seconds(o, times.form == TIMES_SINCE ? ns : (int64_t)wall);
		return;
	}
	out_uint(o, local / 3600 % 24, 2);
	out_char(o, ':');
	out_uint(o, local / 60 % 60, 2);
	out_char(o, ':');
	out_uint(o, local % 60, 2);
	if (times.form == TIMES_MICRO) {
		out_char(o, '.');
		out_uint(o, wall % 1000000000 / 1000, 6);
	}
}

int times_parse(struct times *times, const char *text)
{
	static const char *const forms[] = { "r", "t", "tt", "ttt" };
	int len = strspn(text, "rt");
	const char *digits = text + len + 1;

	*times = (struct times){ 0 };
	for (int i = 0; i < 4; i++) {
		if (strncmp(forms[i], text, len) || forms[i][len])
			continue;
		times->form = (enum time_form)i;
		if (!text[len])
			return 0;
		if ((text[len] != '+' && text[len] != '-') || !*digits ||
		    strspn(digits, "0123456789") != strlen(digits) ||
		    strlen(digits) > 6)
			return -1;
		for (; *digits; digits++)
			times->east = times->east * 10 + (*digits - '0');
		if (text[len] == '-')
			times->east = -times->east;
		return 0;
	}
	return -1;
}

static void out_errno(struct out *o, int err)
{
	const struct errno_row *row = errno_row(err);

	if (row) {
		out_str(o, row->name);
		out_str(o, " (");
		out_str(o, row->text);
		out_char(o, ')');
	} else {
		out_str(o, "errno ");
		out_int(o, err);
	}
}

static void out_result(struct out *o, const struct event *e)
{
	const struct rec *r = e->rec;
	int result = calls[r->call].result;

	if (e->took < 0 || result == RESULT_NORETURN) {
		out_char(o, '?');
	} else if (result == RESULT_EAI && r->ret) {
		out_name(o, NAMES_EAI, r->ret);
	} else if (result == RESULT_ERRNUM && r->ret) {
		out_errno(o, r->ret);
	} else if (result == RESULT_NEWFD && r->ret >= 0) {
		out_fd(o, r->ret, e->made);
	} else if (result == RESULT_HANDLER) {
		out_handler(o, r->ret);
	} else if ((result == RESULT_POINTER || result == RESULT_LINE) &&
		   r->ret) {
		out_hex(o, r->ret);
	} else if (result == RESULT_NOTHING) {
		out_char(o, '?');
	} else if (result == RESULT_POINTER || result == RESULT_LINE) {
		out_str(o, "NULL");
	} else {
		out_int(o, r->ret);
	}
	if (rec_errno(r) && result != RESULT_ERRNUM) {
		out_char(o, ' ');
		out_errno(o, rec_errno(r));
	}
}

void text_event(struct out *o, const struct event *e, struct times times)
{
	out_uint(o, e->tid, 1);
	out_char(o, ' ');
	out_time(o, e->time, e->epoch, times);
	out_char(o, ' ');
	out_str(o, calls[e->rec->call].name);
	out_char(o, '(');
	out_args(o, e);
	out_str(o, ") = ");
	out_result(o, e);
	if (e->took >= 0) {
		out_str(o, " <");
		out_seconds(o, e->took);
		out_char(o, '>');
	} else if (calls[e->rec->call].result != RESULT_NORETURN) {
		out_str(o, " <unfinished>");
	}
	if (e->rule) {
		out_str(o, " [");
		out_str(o, e->rule);
		out_char(o, ']');
	}
	out_char(o, '\n');
}
