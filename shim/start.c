/* SPDX-License-Identifier: MIT */
/*
 * The beginning: of a process (read the environment, find libc's functions,
 * open the sinks), of a forked child, of a thread; and the environment that
 * makes an executed program one of ours.  Whatever comes first starts it, the
 * constructor or a call from another library's.
 */
#include "shim.h"

#include "../trace/file.h"
#include "../trace/tick.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct config config;
__thread struct thread me;

static struct here nowhere;
struct here *here = &nowhere;		/* set at start, read-only after */

enum { NOT_STARTED, STARTING, STARTED };
static _Atomic int state;

/* Values of our variables for children; set at start, read-only after. */
static const char *values[ENVS];
static char text[16384];		/* what they and preload point into */
static size_t text_used;
static char preload[4096];		/* our own file name */

static char state_text[640];		/* environ's SOCKWRENCH_STATE=... */
static char path[200];			/* place in the tree: 1, 1.2, 1.2.1 */
static _Atomic uint32_t children;
static struct image image;

/* ---- small things ----------------------------------------------------- */

static const char *keep_text(const char *s, size_t len)
{
	char *to = text + text_used;

	if (len + 1 > sizeof text - text_used)
		return "";
	memcpy(to, s, len);
	to[len] = 0;
	text_used += len + 1;
	return to;
}

static const char *env_value(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* The program cannot be started as asked for: say why, once, and end. */
static _Noreturn void refuse(int id, const char *what)
{
	char buf[1024];
	struct out o = OUT(buf);

	out_str(&o, "sockwrench: ");
	out_str(&o, envs[id].name);
	out_str(&o, ": ");
	out_str(&o, what);
	out_char(&o, '\n');
	if (real.write(STDERR_FILENO, buf, out_len(&o)) < 0)
		text_used = 0;		/* nobody is listening */
	real._exit(125);
	__builtin_unreachable();
}

static _Noreturn void refuse_errno(int id, int err)
{
	const struct errno_row *row = errno_row(err);
	char buf[600];
	struct out o = OUT(buf);

	out_str(&o, values[id]);
	out_str(&o, ": ");
	out_str(&o, row ? row->text : "cannot be opened");
	out_char(&o, 0);
	buf[sizeof buf - 1] = 0;
	refuse(id, buf);
}

static uint64_t number(const char **s)
{
	uint64_t n = 0;

	while (**s >= '0' && **s <= '9')
		n = n * 10 + (*(*s)++ - '0');
	if (**s == ':')
		(*s)++;
	return n;
}

const char *tree_path(void)
{
	return path;
}

void child_count(void)
{
	atomic_fetch_add(&children, 1);
}

/* %p in a log's name is the process: every process has its own. */
static bool log_each(const char *log)
{
	return log && strstr(log, "%p");
}

/* ---- what one process tells the next ---------------------------------- */

/* fd:dev:ino:t0:epoch:parent:path, fd - for none; child: for a new process. */
static void out_state(struct out *o, bool child)
{
	uint64_t dev, ino;
	int fd;

	log_handover(&fd, &dev, &ino);
	out_str(o, envs[ENV_STATE].name);
	out_char(o, '=');
	if (fd < 0 || log_each(values[ENV_LOG]))
		out_char(o, '-');
	else
		out_uint(o, fd, 1);
	out_char(o, ':');
	out_uint(o, dev, 1);
	out_char(o, ':');
	out_uint(o, ino, 1);
	out_char(o, ':');
	out_uint(o, config.t0, 1);
	out_char(o, ':');
	out_uint(o, config.epoch, 1);
	out_char(o, ':');
	out_uint(o, trace_proc(), 1);
	out_char(o, ':');
	out_str(o, path);
	if (child) {
		out_char(o, '.');
		out_uint(o, atomic_load(&children), 1);
	}
	out_char(o, 0);
}

static void write_state(bool child)
{
	struct out o = OUT(state_text);

	out_state(&o, child);
	state_text[sizeof state_text - 1] = 0;
}

static void read_state(const char *s)
{
	size_t len;

	if (*s == '-')
		s += 2;
	else
		number(&s);
	number(&s);
	number(&s);
	config.t0 = number(&s);
	config.epoch = number(&s);
	trace_forked(number(&s));
	len = strnlen(s, sizeof path - 1);
	memcpy(path, s, len);
	path[len] = 0;
}

/* ---- what the environment says ---------------------------------------- */

static int setting_number(int id, int otherwise, int most)
{
	const char *s = values[id];
	uint64_t n;

	if (!s)
		return otherwise;
	if (!*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 9 ||
	    (n = number(&s)) > (uint64_t)most)
		refuse(id, "expected a whole number in range");
	return n;
}

static void read_settings(bool first)
{
	const char *bad, *only = values[ENV_ONLY];

	call_set_default(&config.wanted);
	if (values[ENV_CALLS]) {
		config.signals = true;
		if (call_set_parse(&config.wanted, values[ENV_CALLS], &bad))
			refuse(ENV_CALLS, "expected calls or families, "
			       "see sockwrench list calls");
	}
	if (only && !strcmp(only, "ok"))
		config.only = ONLY_OK;
	else if (only && !strcmp(only, "failed"))
		config.only = ONLY_FAILED;
	else if (only)
		refuse(ENV_ONLY, "expected ok or failed");
	if (values[ENV_TIMES] && times_parse(&config.times, values[ENV_TIMES]))
		refuse(ENV_TIMES, "expected r, t, tt or ttt");
	if (first && values[ENV_SEED] &&
	    (!*values[ENV_SEED] || strspn(values[ENV_SEED], "0123456789") !=
				   strlen(values[ENV_SEED])))
		refuse(ENV_SEED, "expected a whole number");
	config.trace_data = setting_number(ENV_STRSIZE, 0, 4096);
	config.log_data = setting_number(ENV_STRSIZE, 32, 4096);
}

/* A file of the first process's directory, wherever its children go. */
static const char *absolute(const char *file)
{
	char buf[4096];
	size_t len;

	if (*file == '/' || !getcwd(buf, sizeof buf))
		return file;
	len = strlen(buf);
	if (len + 1 + strlen(file) >= sizeof buf)
		return file;
	buf[len] = '/';
	strcpy(buf + len + 1, file);
	return keep_text(buf, strlen(buf));
}

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

static void open_log(const char *inherited)
{
	const char *log = values[ENV_LOG];
	char buf[4096];
	int fd = -1;
	uint64_t dev = 0, ino = 0;

	if (!log)
		log = values[ENV_TRACE] ? "none" : "stderr";
	if (!strcmp(log, "none"))
		return;
	if (inherited && *inherited != '-') {
		fd = number(&inherited);
		dev = number(&inherited);
		ino = number(&inherited);
	}
	if (strcmp(log, "stderr")) {
		config.log = (fd >= 0 && !log_each(log) &&
			      log_inherit(fd, dev, ino)) ||
			     log_open(log_name(log, buf, sizeof buf));
	} else if (fd >= 0) {
		/* never a descriptor that has become something else */
		config.log = log_inherit(fd, dev, ino) ||
			     log_inherit(STDERR_FILENO, dev, ino);
	} else {
		config.log = log_open(NULL);
	}
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
static void describe_image(void)
{
	char args[320];
	ssize_t n;
	uint8_t *to;
	int fd;

	image.rec = (struct rec){
		.slots = 1, .call = CALL_execve, .fd = NO_FD,
		.start = ticks(),
	};
	n = readlink("/proc/self/exe", args, 120);
	to = n > 0 ? image_item(0, n) : NULL;
	if (to)
		memcpy(to, args, n);
	fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : real.read(fd, args, sizeof args);
	if (fd >= 0)
		real.close(fd);
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
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	/* without it (before 4.14) a fork is noticed by the wrapper alone */
	madvise(p, 4096, MADV_WIPEONFORK);
	here = p;
}

/*
 * The program's own environ gets our STATE, in memory of ours that always
 * holds the newest: libc's system() and raw system calls exec with it.
 */
static void put_state(void)
{
	write_state(false);
	for (char **e = environ; e && *e; e++) {
		if (strncmp(*e, envs[ENV_STATE].name,
			    strlen(envs[ENV_STATE].name)))
			continue;
		*e = state_text;
		return;
	}
	environ = env_ours(environ, false);
}

static void open_sinks(const char *inherited)
{
	char *const *argv = (char *[]){ NULL };

	if (values[ENV_TRACE]) {
		values[ENV_TRACE] = absolute(values[ENV_TRACE]);
		if (!inherited && trace_create(values[ENV_TRACE], 0, argv))
			refuse_errno(ENV_TRACE, errno);
		config.trace = trace_open(values[ENV_TRACE]);
	}
	if (config.trace) {
		set_clock(trace_head());
		trace_attach(atomic_load(&here->pid));
	}
	if (values[ENV_LOG] && strcmp(values[ENV_LOG], "none") &&
	    strcmp(values[ENV_LOG], "stderr"))
		values[ENV_LOG] = absolute(values[ENV_LOG]);
	open_log(inherited);
	if (!inherited && values[ENV_LOG] && !config.log &&
	    strcmp(values[ENV_LOG], "none"))
		refuse_errno(ENV_LOG, errno);
	config.active = config.trace || config.log;
}

static void start_process(void)
{
	const char *inherited;
	Dl_info self;

	real_find();
	fd_table();
	make_here();
	atomic_store(&here->pid, getpid());
	config.mult = UINT64_C(1) << 32;
	for (int i = 0; i < ENVS; i++) {
		const char *v = env_value(environ, envs[i].name);
		if (v)
			values[i] = keep_text(v, strlen(v));
	}
	if (dladdr(start_process, &self) && self.dli_fname)
		strncpy(preload, self.dli_fname, sizeof preload - 1);
	inherited = values[ENV_STATE];
	path[0] = '1';
	config.t0 = clock_ns(CLOCK_MONOTONIC);
	config.epoch = clock_ns(CLOCK_REALTIME);
	if (inherited)
		read_state(inherited);
	read_settings(!inherited);
	open_sinks(inherited);
	if (!config.active)
		return;
	describe_image();
	put_state();
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
	uint32_t none = 0, self = syscall(SYS_getpid);
	size_t len = strlen(path);
	struct out o = { path + len, path + len, path + sizeof path - 1, false };
	char buf[4096];

	if (!atomic_compare_exchange_strong(&here->pid, &none, self))
		return;
	out_char(&o, '.');
	out_uint(&o, atomic_exchange(&children, 0), 1);
	*o.at = 0;
	if (!config.active)
		return;
	if (config.trace) {
		trace_forked(trace_proc());
		trace_attach(self);
	}
	if (config.log && log_each(values[ENV_LOG])) {
		log_close();
		config.log = log_open(log_name(values[ENV_LOG], buf,
					       sizeof buf));
	}
	write_state(false);
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
	me.tid = real.syscall(SYS_gettid);
	me.next = me.end = NULL;
	me.units = 0;
	errno = err;
	return true;
}

__attribute__((constructor)) static void construct(void)
{
	entered();
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

/* ---- the environment of a program to be executed ---------------------- */

/* LD_PRELOAD with us in it, whatever else the program put there. */
static void out_preload(struct out *o, const char *theirs)
{
	out_str(o, "LD_PRELOAD=");
	if (theirs && strstr(theirs, preload)) {
		out_str(o, theirs);
	} else {
		out_str(o, preload);
		if (theirs && *theirs) {
			out_char(o, ':');
			out_str(o, theirs);
		}
	}
	out_char(o, 0);
}

static bool is_ours(const char *entry)
{
	if (!strncmp(entry, "LD_PRELOAD=", 11))
		return true;
	for (int i = 0; i < ENVS; i++) {
		size_t len = strlen(envs[i].name);
		if (!strncmp(entry, envs[i].name, len) && entry[len] == '=')
			return true;
	}
	return false;
}

struct env_copy {
	size_t size;
	char *entries[];
};

char **env_ours(char *const *env, bool child)
{
	static char *const none[] = { NULL };
	size_t n = 0, room = sizeof text + sizeof preload + 8192, size;
	const char *theirs;
	struct env_copy *copy;
	struct out o;
	size_t to = 0;

	if (!config.active)
		return (char **)env;
	env = env ? env : none;
	while (env[n])
		n++;
	theirs = env_value(env, "LD_PRELOAD");
	room += theirs ? strlen(theirs) : 0;
	size = sizeof *copy + (n + ENVS + 2) * sizeof(char *) + room;
	copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return (char **)env;
	copy->size = size;
	o.start = o.at = (char *)&copy->entries[n + ENVS + 2];
	o.end = (char *)copy + size;
	for (size_t i = 0; i < n; i++)
		if (!is_ours(env[i]))
			copy->entries[to++] = env[i];
	copy->entries[to++] = o.at;
	out_preload(&o, theirs);
	copy->entries[to++] = o.at;
	out_state(&o, child);
	for (int i = 0; i < ENVS; i++) {
		if (!values[i] || i == ENV_STATE)
			continue;
		copy->entries[to++] = o.at;
		out_str(&o, envs[i].name);
		out_char(&o, '=');
		out_str(&o, values[i]);
		out_char(&o, 0);
	}
	copy->entries[to] = NULL;
	return copy->entries;
}

void env_free(char **ours, char *const *env)
{
	struct env_copy *copy;

	if (ours == env)
		return;
	copy = (struct env_copy *)((char *)ours -
				   offsetof(struct env_copy, entries));
	munmap(copy, copy->size);
}

char **environ_child(void)
{
	char **theirs = environ;

	child_count();
	if (!config.active)
		return theirs;
	write_state(true);
	if (!env_value(environ, envs[ENV_STATE].name))
		environ = env_ours(environ, true);
	return theirs;
}

void environ_back(char **theirs)
{
	char **ours = environ;

	if (!config.active)
		return;
	write_state(false);
	if (ours != theirs) {
		environ = theirs;
		env_free(ours, theirs);
	}
}
