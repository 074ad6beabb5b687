/* SPDX-License-Identifier: MIT */
/*
 * What the result of a call says about its connection: bytes, the state of
 * TCP, and who or what ended it.
 */
#include "conns.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* ---- what a call says ------------------------------------------------- */

bool error_waits(int err)
{
	return err == EAGAIN || err == EINPROGRESS || err == EALREADY;
}

static int kind_at(const struct rec *r, enum kind kind)
{
	const uint8_t *kinds = calls[r->call].kinds;

	for (int i = 0; kinds[i] != KIND_END; i++)
		if (kinds[i] == kind)
			return i;
	return -1;
}

static uint64_t kind_value(const struct rec *r, enum kind kind,
			   uint64_t otherwise)
{
	int at = kind_at(r, kind);

	return at < 0 ? otherwise : rec_arg(r, at);
}

int payload_get(const struct event *e, int param, void *to, int size)
{
	struct item item = { 0 };
	const uint8_t *data = payload_find(e->payload, e->payload_len, param,
					   &item);

	memset(to, 0, size);
	if (!data)
		return 0;
	if (item.len < size)
		size = item.len;
	memcpy(to, data, size);
	return size;
}

/* Several messages at once: the sum of their lengths. */
static int64_t messages(const struct event *e)
{
	uint32_t lens[16];
	int n = payload_get(e, 1, lens, sizeof lens) / 4;
	int64_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += lens[i];
	return sum;
}

int64_t event_moved(const struct event *e)
{
	const struct rec *r = e->rec;
	int flags = kind_value(r, KIND_MSGFLAGS, 0);

	if (rec_failed(r))
		return 0;
	/* what is peeked at is counted when it is taken */
	if (flags & (MSG_PEEK | MSG_ERRQUEUE) &&
	    calls[r->call].family == FAMILY_RECV)
		return 0;
	if (r->call == CALL_sendmmsg || r->call == CALL_recvmmsg)
		return messages(e);
	return event_bytes(e) > 0 ? event_bytes(e) : 0;
}

bool rec_receives(const struct rec *r)
{
	if (r->call == CALL_splice)
		return (int32_t)rec_arg(r, 0) == r->fd;
	return calls[r->call].family == FAMILY_RECV;
}

bool rec_is_eof(const struct rec *r)
{
	int flags = kind_value(r, KIND_MSGFLAGS, 0);

	if (!rec_receives(r) || flags & MSG_ERRQUEUE || rec_failed(r))
		return false;
	switch (calls[r->call].result) {
	case RESULT_COUNT:
		return !r->ret && kind_value(r, KIND_LEN, 1);
	case RESULT_LINE:
		return !r->ret;
	case RESULT_CHAR:
		return r->ret == -1;
	default:
		return false;
	}
}

bool error_ends(int err)
{
	switch (err) {
	case ECONNRESET:
	case EPIPE:
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNABORTED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		return true;
	}
	return false;
}

/* ---- what it means for its connection --------------------------------- */

static void comes_up(struct conn_row *row, enum tcp_sign sign)
{
	row->up = sign == SIGN_CONNECTED || row->up;
	if (row->ending == END_ERROR)
		row->ending = END_NONE;
	path_sign(&row->path, sign);
}

static void lose(struct conn_row *row, int err)
{
	/* after our own shutdown it says no more than that */
	if (err == EPIPE && row->shut_wr)
		return;
	if (row->ending == END_NONE) {
		row->ending = END_ERROR;
		row->error = err;
	}
	path_sign(&row->path, SIGN_LOST);
}

static void see_connect(struct conn_row *row, const struct event *e)
{
	uint16_t family = AF_UNSPEC;
	int err = e->rec->err;
	bool told = payload_get(e, 1, &family, sizeof family) > 0;

	if (!e->rec->ret && told && family == AF_UNSPEC) {
		row->up = false;
		path_sign(&row->path, SIGN_ABORT);
	} else if (!e->rec->ret || err == EISCONN) {
		comes_up(row, SIGN_CONNECTED);
	} else if (err == EINPROGRESS || err == EALREADY || err == EINTR) {
		comes_up(row, SIGN_STARTED);
	} else if (err != EAGAIN && !row->up && row->ending == END_NONE) {
		row->ending = END_ERROR;
		row->error = err;
	}
	if (err == ECONNREFUSED || err == ETIMEDOUT || err == ECONNRESET)
		path_sign(&row->path, SIGN_REFUSED);
	else if (error_ends(err))
		path_sign(&row->path, SIGN_LOST);
}

static void see_option(struct conn_row *row, const struct event *e)
{
	const struct rec *r = e->rec;
	int level = rec_arg(r, 1), name = rec_arg(r, 2);
	int32_t value[2];
	int len = payload_get(e, 3, value, sizeof value);

	if (r->ret || !len)
		return;
	if (r->call == CALL_setsockopt) {
		if (level == SOL_SOCKET && name == SO_LINGER)
			row->linger = value[0] && !value[1];
	} else if (level == SOL_SOCKET && name == SO_ERROR) {
		if (error_ends(value[0]))
			lose(row, value[0]);
		else if (!value[0] && path_state(&row->path) == ST_SYN_SENT)
			comes_up(row, SIGN_CONNECTED);
	} else if (level == IPPROTO_TCP && name == TCP_INFO) {
		path_told(&row->path, *(uint8_t *)value);
	}
}

static void see_shutdown(struct conn_row *row, const struct rec *r)
{
	int how = rec_arg(r, 1);
	bool listens = path_state(&row->path) == ST_LISTEN;

	if (r->ret)
		return;
	row->shut_rd |= how != SHUT_WR;
	row->shut_wr |= how != SHUT_RD;
	/* a listener ends with its receiving side, all else with its other */
	if (how != (listens ? SHUT_WR : SHUT_RD))
		path_sign(&row->path, SIGN_SHUT);
}

static void see_data(struct conn_row *row, const struct event *e, bool stream)
{
	const struct rec *r = e->rec;
	int64_t n = event_moved(e);

	if (n && rec_receives(r)) {
		row->recvs++;
		row->received += n;
	} else if (n) {
		row->sends++;
		row->sent += n;
	}
	if (!stream)
		return;
	if (n) {
		row->up = true;
		path_sign(&row->path, SIGN_DATA);
	} else if (rec_is_eof(r) && !row->shut_rd) {
		if (row->ending == END_NONE)
			row->ending = row->shut_wr ? END_BY_US : END_BY_PEER;
		path_sign(&row->path, SIGN_EOF);
	} else if (rec_failed(r) && error_ends(r->err)) {
		lose(row, r->err);
	}
}

void row_see(struct conn_row *row, const struct event *e, bool stream)
{
	const struct rec *r = e->rec;

	switch (calls[r->call].family) {
	case FAMILY_LISTEN:
		if (!r->ret)
			path_sign(&row->path, SIGN_LISTEN);
		break;
	case FAMILY_CONNECT:
		see_connect(row, e);
		break;
	case FAMILY_SOCKOPT:
		if (stream)
			see_option(row, e);
		break;
	case FAMILY_SHUTDOWN:
		see_shutdown(row, r);
		break;
	case FAMILY_SEND:
	case FAMILY_RECV:
		see_data(row, e, stream);
		break;
	case FAMILY_NAME:
		if (r->call == CALL_getpeername && !r->ret &&
		    path_state(&row->path) == ST_SYN_SENT)
			comes_up(row, SIGN_CONNECTED);
		break;
	}
}
