/* SPDX-License-Identifier: MIT */
/*
 * The log: a line per call, written as it happens, to a descriptor that the
 * program cannot reach.  Whatever becomes of the log, the program must not
 * notice: no signal, no error, no line in a file of its own.  It waits while
 * the log takes a line, for a second where the log is non-blocking and full.
 */
#include "shim.h"

#include <sys/mman.h>
#include <sys/resource.h>

static int log_fd = -1;			/* where it is; -1: nowhere */
static dev_t log_dev;			/* which file, set when it is opened */
static ino_t log_ino;

/* %p in a log's name is the process: every process has its own. */
bool log_each(const char *log)
{
	return log && strstr(log, "%p");
}

/* ---- the descriptor --------------------------------------------------- */

static int log_use(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	log_fd = fd;
	log_dev = st.st_dev;
	log_ino = st.st_ino;
	fd_set_slot(fd, SLOT_OURS);
	return 0;
}

bool log_open(const char *path, bool anew)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY |
		    (anew ? O_TRUNC : 0);
	int fd = path ? open(path, flags, 0600) : real.dup(STDERR_FILENO);

	return fd >= 0 && !log_use(fd_hide(fd));
}

static bool log_is(int fd, uint64_t dev, uint64_t ino)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == dev && st.st_ino == ino;
}

bool log_inherit(int fd, uint64_t dev, uint64_t ino)
{
	return log_is(fd, dev, ino) && !log_use(fd);
}

bool log_stderr(uint64_t dev, uint64_t ino)
{
	return log_is(STDERR_FILENO, dev, ino) && log_open(NULL, false);
}

void log_handover(int *fd, uint64_t *dev, uint64_t *ino)
{
	*fd = log_fd;
	*dev = log_dev;
	*ino = log_ino;
}

void log_close(void)
{
	if (log_fd >= 0) {
		fd_set_slot(log_fd, SLOT_OTHER);
		real.close(log_fd);
	}
	log_fd = -1;
}

void fd_yield(int fd)
{
	int moved;

	if (fd < 0 || fd_slot(fd) != SLOT_OURS)
		return;
	moved = real.fcntl(fd, F_DUPFD, fd + 1);
	if (moved < 0)
		moved = real.fcntl(fd, F_DUPFD, 3);
	fd_set_slot(fd, SLOT_OTHER);
	if (fd == log_fd)
		log_fd = moved;
	else
		gate_yield(fd, moved);
	if (moved >= 0)
		fd_set_slot(moved, SLOT_OURS);
}

/*
 * One write per line.  A log that cannot take a line (a full disk, a closed
 * pipe) loses it, and the program sees neither SIGPIPE nor SIGXFSZ.
 */
static void log_write(const char *line, size_t len)
{
	sigset_t ours, old, pending;
	struct timespec now = { 0 };
	bool was = false;

	if (!own_may(OWN_WRITE) || !own_may(OWN_SIGMASK))
		return;

	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE);
	sigaddset(&ours, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &ours, &old);
	/* what was not blocked cannot have been pending */
	if ((sigismember(&old, SIGPIPE) || sigismember(&old, SIGXFSZ)) &&
	    own_may(OWN_SIGPENDING) && !sigpending(&pending))
		was = sigismember(&pending, SIGPIPE) ||
		      sigismember(&pending, SIGXFSZ);
	while (len) {
		struct pollfd full = { log_fd, POLLOUT, 0 };
		ssize_t n = real.write(log_fd, line, len);
		if (n > 0) {
			line += n;
			len -= n;
		} else if (errno == EAGAIN) {
			if (!own_may(OWN_POLL) ||
			    real.poll(&full, 1, 1000) <= 0)
				break;
		} else if (errno != EINTR) {
			break;
		}
	}
	if (len && !was && (errno == EPIPE || errno == EFBIG)) {
		if (own_may(OWN_SIGWAIT)) {
			sigtimedwait(&ours, NULL, &now);
		} else {
			/* it cannot be taken back: it stays blocked, and */
			/* there are no more */
			sigaddset(&old, errno == EPIPE ? SIGPIPE : SIGXFSZ);
			log_fd = -1;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void log_text(const struct event *e)
{
	char small[1280], *buf = small;
	size_t size = sizeof small;
	struct out o;

	if (config.log_data > 128) {
		if (!own_may(OWN_MMAP) || !own_may(OWN_MUNMAP))
			return;
		size += 4 * config.log_data;
		buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (buf == MAP_FAILED)
			return;
	}
	o = (struct out){ buf, buf, buf + size - 4, false };
	text_event(&o, e, config.times);
	if (o.cut) {
		memcpy(o.at, "...\n", 4);
		o.at += 4;
	}
	log_write(buf, out_len(&o));
	if (buf != small)
		munmap(buf, size);
}

/* The program that is running, once, before its first line. */
void log_announce(void)
{
	const struct image *image;
	struct event e;

	if (!config.log || log_fd < 0 || config.log_injected)
		return;
	image = image_once(&common->image_logged);
	if (!image)
		return;
	e = (struct event){
		.rec = &image->rec, .payload = image->items,
		.payload_len = image->len, .pid = image->pid,
		.tid = image->pid,
		.time = ticks_ns(image->rec.start - config.t0),
		.epoch = config.epoch,
	};
	log_text(&e);
}

void log_call(struct call *c, const struct keep *k)
{
	struct conn *subject = slot_conn(c->slot), *made = slot_conn(c->made);
	struct conn_view vs, vm;
	struct event e = {
		.rec = c->rec, .pid = me.pid, .tid = me.tid,
		.payload = k ? k->start : NULL,
		.payload_len = k ? keep_len(k) : 0,
		.time = ticks_ns(c->rec->start - config.t0),
		.took = ticks_ns(c->rec->took), .epoch = config.epoch,
	};
	char rule[RULE_TEXT];

	if (log_fd < 0)
		return;
	if (c->rec->rule) {
		rule_name(&rules.rule[c->rec->rule - 1], rule, sizeof rule);
		e.rule = rule;
	}
	if (subject) {
		vs = conn_view(subject);
		e.conn = &vs;
	} else if (c->slot == SLOT_NAMELESS) {
		vs = (struct conn_view){ 0 };
		e.conn = &vs;
	}
	if (made) {
		vm = conn_view(made);
		e.made = &vm;
	}
	log_announce();
	log_text(&e);
}
