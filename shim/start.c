/* SPDX-License-Identifier: MIT */
/*
 * The beginning: of a process (read the environment, find libc's functions,
 * open the sinks), of a forked child, of a thread.  Whatever comes first
 * starts it, the constructor or a call from another library's.
 */
#include "shim.h"

#include "../trace/file.h"
#include "../trace/tick.h"

#include <sys/mman.h>
#include <sys/syscall.h>

struct config config;
__thread struct thread me;

static struct here nowhere;
struct here *here = &nowhere;		/* set at start, read-only after */
static struct common not_shared;
struct common *common = &not_shared;	/* likewise */

enum { NOT_STARTED, STARTING, STARTED };
static _Atomic int state;

static struct image image;

static const char *log_name(const char *log, char *buf, size_t size)
{
	const char *mark = strstr(log, "%p");
	struct out o = { buf, buf, buf + size - 1, false };

	if (!mark)
		return log;
	out_bytes(&o, log, mark - log);
	out_uint(&o, atomic_load(&here->pid), 1);
	out_str(&o, mark + 2);
	*o.at = 0;
	return buf;
}

static bool open_log(bool first)
{
	const char *log = env_values[ENV_LOG];
	char buf[4096];
	uint64_t dev, ino;
	int fd;

	if (!strcmp(log, "none"))
		return false;
	env_state_log(&fd, &dev, &ino);
	if (fd >= 0 && !log_each(log) && log_inherit(fd, dev, ino))
		return true;
	if (strcmp(log, "stderr"))
		return log_open(log_name(log, buf, sizeof buf), first);
	/* never a descriptor that has become something else */
	return fd < 0 ? log_open(NULL, false)
		      : log_stderr(dev, ino);
}

/* The processor's speed, from the trace's beginning to now if that is long. */
static void set_clock(const struct trace_head *head)
{
	uint64_t rate = head->rate;
	uint64_t tick, ns = clock_ns(CLOCK_MONOTONIC);

	config.counter = rate != 1000000000;
	tick = ticks();
	if (config.counter && ns - head->ns > 1000000 && tick > head->tick)
		rate = (unsigned __int128)(tick - head->tick) * 1000000000 /
		       (ns - head->ns);
	config.mult = (((unsigned __int128)1000000000 << 32) + rate / 2) / rate;
	config.t0 = head->tick;
	config.epoch = head->epoch;
}

/* ---- the program's image ---------------------------------------------- */

static uint8_t *image_item(int param, size_t len)
{
	struct item head = { .param = param, .len = len };
	uint8_t *at = image.items + image.len + sizeof head;

	if (image.len + sizeof head + len > sizeof image.items)
		return NULL;
	memcpy(at - sizeof head, &head, sizeof head);
	image.len += sizeof head + len;
	return at;
}

/* The arguments, from the kernel: nobody has handed us main's. */
static ssize_t read_args(char *to, size_t size)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : real.read(fd, to, size);

	if (fd >= 0)
		real.close(fd);
	return n;
}

static void describe_image(void)
{
	char args[320];
	ssize_t n;
	uint8_t *to;

	image.pid = atomic_load(&here->pid);
	image.rec = (struct rec){
		.slots = 1, .call = CALL_execve, .fd = NO_FD,
		.start = ticks(),
	};
	n = readlink("/proc/self/exe", args, 120);
	to = n > 0 ? image_item(0, n) : NULL;
	if (to)
		memcpy(to, args, n);
	n = read_args(args, sizeof args);
	to = n > 0 ? image_item(1, n) : NULL;
	if (to)
		memcpy(to, args, n);
}

const struct image *image_once(_Atomic bool *told)
{
	return atomic_exchange(told, true) ||
	       !call_set_has(&config.wanted, CALL_execve) ? NULL : &image;
}

/* ---- start ------------------------------------------------------------ */

static void make_here(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		common = p;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return;
	/* without it (before 4.14) a fork is noticed by the wrapper alone */
	madvise(p, 4096, MADV_WIPEONFORK);
	here = p;
}

static bool create_trace(const char *name)
{
	char args[2048];
	char *argv[128];
	ssize_t len = read_args(args, sizeof args - 1);
	int n = 0;

	args[len > 0 ? len : 0] = 0;
	for (ssize_t at = 0; at < len && n < 127; at += strlen(args + at) + 1)
		argv[n++] = args + at;
	argv[n] = NULL;
	return !trace_create(name, env_seed(), argv);
}

/* Whether calls are left out that are recorded unless somebody objects. */
static bool partial(void)
{
	struct call_set usual = { 0 };

	call_set_default(&usual);
	for (int i = 0; i < CALLS; i++)
		if (call_set_has(&usual, i) && !call_set_has(&config.wanted, i))
			return true;
	return config.only != ONLY_ANY;
}

static void open_sinks(bool first)
{
	const char *trace = env_values[ENV_TRACE];

	if (trace && first && !create_trace(trace))
		env_refuse_errno(ENV_TRACE, errno);
	config.trace = trace && trace_open(trace);
	if (config.trace) {
		set_clock(trace_head());
		if (partial())
			atomic_store(&trace_head()->partial, 1);
		trace_attach(atomic_load(&here->pid));
	}
	config.log = open_log(first);
	if (first && !config.log && strcmp(env_values[ENV_LOG], "none"))
		env_refuse_errno(ENV_LOG, errno);
	config.active = config.trace || config.log || config.rules;
	config.seen = config.trace || (config.log && !config.log_injected);
	for (int i = 0; config.seen && i < CALLS; i++)
		if (call_set_has(&config.wanted, i))
			call_set_add(&config.needed, i);
	for (int i = 0; i < CALLS; i++)
		if (!config.active || !call_set_has(&config.needed, i))
			call_set_add(&config.quick, i);
}

static void start_process(void)
{
	bool first;

	real_find();
	fd_table();
	make_here();
	atomic_store(&here->pid, getpid());
	config.mult = UINT64_C(1) << 32;
	config.t0 = clock_ns(CLOCK_MONOTONIC);
	config.epoch = clock_ns(CLOCK_REALTIME);
	env_read();
	first = !env_values[ENV_STATE];
	env_settings(first);
	rules_load();
	if (config.stack || config.from)
		origin_start();
	open_sinks(first);
	if (!config.active)
		return;
	if (config.trace)
		rules.score = trace_head()->score;
	describe_image();
	env_put_state();
}

/* Signals wait: a handler would find a process half started. */
static void start(void)
{
	int expected = NOT_STARTED, err = errno;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	me.starting = true;
	if (atomic_compare_exchange_strong(&state, &expected, STARTING)) {
		start_process();
		atomic_store(&state, STARTED);
	}
	while (atomic_load(&state) != STARTED)
		sched_yield();		/* another thread came first */
	me.starting = false;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
}

/* This is a new child: it has its own place, log and numbers. */
static void start_child(void)
{
	uint32_t none = 0, self = real.syscall(SYS_getpid);
	char buf[4096];

	if (!atomic_compare_exchange_strong(&here->pid, &none, self))
		return;
	tree_descend();
	if (!config.active)
		return;
	rules_child();
	if (config.trace) {
		trace_begin(trace_proc() ? trace_proc() : trace_parent(), true);
		trace_arrive(me.pid, self);
	}
	if (config.log && log_each(env_values[ENV_LOG])) {
		log_close();
		config.log = log_open(log_name(env_values[ENV_LOG], buf,
					       sizeof buf), true);
	}
	env_renew_state();
}

bool enter(void)
{
	int err = errno;

	if (me.starting)
		return false;
	if (atomic_load(&state) != STARTED)
		start();
	if (!atomic_load(&here->pid))
		start_child();
	me.pid = atomic_load(&here->pid);
	me.tid = own_may(OWN_GETTID) ? real.syscall(SYS_gettid) : me.pid;
	me.next = me.end = NULL;
	me.units = 0;
	me.doubt = NULL;
	memset(me.counts, 0, sizeof me.counts);
	errno = err;
	return true;
}

__attribute__((constructor)) static void construct(void)
{
	/* a sanitizer may have started us before there was an environ */
	if (entered() && config.active)
		env_put_state();
	if (entered() && (config.stack || config.from))
		origin_load();
	/* who asks for processes by name wants to see the silent ones too */
	if (entered() && config.active && config.signals) {
		log_announce();
		trace_introduce();
	}
}

void process_end(void)
{
	if (entered() && config.trace)
		trace_detach();
}

__attribute__((destructor)) static void destruct(void)
{
	int err = errno;

	process_end();
	errno = err;
}

