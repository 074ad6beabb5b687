/* SPDX-License-Identifier: MIT */
/*
 * Answers in the kernel's place: a failure as the call's result tells it, the
 * signal that goes with it, h_errno, the flags of a FILE.
 */
#include "fault.h"

#include <stdio_ext.h>
#include <sys/syscall.h>

bool answer(struct call *c, long ret, int err)
{
	c->answer = ret;
	c->answer_err = err;
	return true;
}

void fault_raise(int sig)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_USER };

	/* as the kernel's own, directed at this thread */
	info.si_pid = me.pid;
	info.si_uid = getuid();
	real.syscall(SYS_rt_tgsigqueueinfo, (long)me.pid, (long)me.tid,
		     (long)sig, &info);
}

/* The failure of a call as its result tells it. */
static long failure(const struct call *c, int err)
{
	switch (calls[c->rec->call].result) {
	case RESULT_EAI:
	case RESULT_ERRNUM:
		return err;
	case RESULT_ITEMS:
	case RESULT_LINE:
	case RESULT_POINTER:
		return 0;
	default:
		return -1;
	}
}

/* netdb's own errors; gethostbyname_r has places for them. */
static bool answer_resolve(struct call *c, int eai)
{
	int herr = eai == EAI_AGAIN ? TRY_AGAIN :
		   eai == EAI_FAIL ? NO_RECOVERY :
		   eai == EAI_NODATA ? NO_DATA :
		   eai == EAI_MEMORY ? NETDB_INTERNAL : HOST_NOT_FOUND;
	int err = eai == EAI_MEMORY ? ENOMEM :
		  eai == EAI_AGAIN ? EAGAIN : errno;
	bool eais = calls[c->rec->call].result == RESULT_EAI;

	if (c->io.host)
		*c->io.host = NULL;
	if (c->io.herr)
		*c->io.herr = herr;
	else if (!eais)
		h_errno = herr;
	if (calls[c->rec->call].result == RESULT_ERRNUM)
		/* nss/getXXbyYY_r.c: not found is no error */
		return answer(c, herr == NETDB_INTERNAL ? ENOMEM :
			      herr == TRY_AGAIN ? EAGAIN : 0, err);
	return answer(c, failure(c, eai), eais ? errno : err);
}

/* An error on a FILE: its flag is set, what it wanted to write is gone. */
void answer_stream(FILE *f, int family)
{
#ifdef __GLIBC__
	f->_flags |= 0x20;		/* _IO_ERR_SEEN, libio.h */
	if (family == FAMILY_SEND)
		__fpurge(f);
#endif
	(void)f;
	(void)family;
}

/* Whether the program says where it goes. */
static bool addressed(const struct call *c)
{
	if (c->io.shape == SHAPE_MSG)
		return (*c->io.msg)->msg_name != NULL;
	if (c->io.shape == SHAPE_MMSG)
		return (*c->io.mmsg)->msg_hdr.msg_name != NULL;
	return c->addr != NULL;
}

/* unix_dgram_sendmsg lets go of a peer that has closed. */
static void leave_peer(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	real.connect(fd, &none, sizeof none);
}

bool answer_error(struct call *c, const struct conn *conn, int err)
{
	int family = c->family;

	if (family == FAMILY_RESOLVE)
		return answer_resolve(c, err);
	if (family == FAMILY_CLOSE) {
		c->close_err = err;	/* it closes all the same */
		return false;
	}
	if (err == EPIPE && family == FAMILY_SEND && conn &&
	    (conn->proto == PROTO_TCP || conn->proto == PROTO_UNIX) &&
	    !(c->io.flags & MSG_NOSIGNAL))
		c->raise = SIGPIPE;
	if (err == ECONNREFUSED && conn && family == FAMILY_SEND &&
	    conn->proto == PROTO_UNIX_DGRAM && !addressed(c))
		leave_peer(c->rec->fd);
	if (err == EAGAIN && conn)
		ready_rearm(conn, c->rec->fd, family == FAMILY_RECV);
	if (c->io.stream)
		answer_stream(c->io.stream, family);
	return answer(c, failure(c, err), err);
}

bool answer_failure(struct call *c, int err)
{
	return answer(c, failure(c, err), err);
}

/* connect with EINTR: the handshake goes on without us. */
bool answer_start(struct call *c)
{
	connect_start(c);
	if (c->answer < 0 && c->answer_err == EINPROGRESS)
		return answer(c, -1, EINTR);
	fault_unmark(c);			/* it was there, or failed, at once */
	return true;
}

void answer_sleep(int64_t ns)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ns / 1000000000;
	at.tv_nsec += ns % 1000000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	while (real.syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC,
			    (long)TIMER_ABSTIME, &at, NULL) && errno == EINTR)
		;
}
