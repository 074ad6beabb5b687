/* SPDX-License-Identifier: MIT */
/*
 * The environment: what it asks of us at the start, what one process tells
 * the next in SOCKWRENCH_STATE, and the environment that makes an executed
 * program one of ours, whatever the program has made of its own.
 */
#include "shim.h"

#include <dlfcn.h>
#include <sys/mman.h>

/* set at start, read-only after */
const char *env_values[ENVS];
static char text[1 << 18];		/* what they point into */
static size_t text_used;
static char preload[4096];		/* our own file name */

static char state_text[640];		/* environ's SOCKWRENCH_STATE=... */
static char path[200];			/* place in the tree: 1, 1.2, 1.2.1 */
static uint64_t path_hash;		/* of it, kept with it */
static _Atomic uint32_t children;

/* ---- reading ---------------------------------------------------------- */

static _Noreturn void too_long(void);

static const char *keep_text(const char *s, size_t len)
{
	char *to = text + text_used;

	if (len + 1 > sizeof text - text_used)
		too_long();
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

/*
 * A sanitizer's runtime calls us before libc knows the environment: the
 * kernel's copy then.  Never freed; what is kept of it is copied.
 */
static char *const *first_environ(void)
{
	static char *entries[512];
	static char copy[32768];
	size_t n = 0, at = 0;
	ssize_t len;
	int fd;

	if (environ)
		return environ;
	fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return entries;
	while (at < sizeof copy - 1 &&
	       (len = real.read(fd, copy + at, sizeof copy - 1 - at)) > 0)
		at += len;
	real.close(fd);
	for (size_t i = 0; i < at && n < 511; i += strlen(copy + i) + 1)
		entries[n++] = copy + i;
	return entries;
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
	memcpy(buf + len + 1, file, strlen(file) + 1);
	return keep_text(buf, strlen(buf));
}

static bool is_file(const char *name)
{
	struct stat st;

	return !stat(name, &st);
}

/* DIR/presets/./NAME.rules beside our own file; NULL: no such preset. */
static const char *preset(const char *name, size_t len)
{
	static const char *const places[] = {
		"/../rules/presets/./", "/../share/sockwrench/presets/./"
	};
	const char *slash = strrchr(preload, '/');
	char buf[4500];

	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
		struct out o = { buf, buf, buf + sizeof buf - 1, false };
		out_bytes(&o, preload, slash - preload);
		out_str(&o, places[i]);
		out_bytes(&o, name, len);
		out_str(&o, ".rules");
		*o.at = 0;
		if (is_file(buf))
			return keep_text(buf, out_len(&o));
	}
	return NULL;
}

/* One file of rules: DIR/./NAME, so that NAME is what is shown. */
static void out_rules(struct out *o, const char *name, size_t len)
{
	char buf[4096], cwd[4096];
	const char *found = NULL;

	if (*name != '/' && len < sizeof buf && getcwd(cwd, sizeof cwd)) {
		memcpy(buf, name, len);
		buf[len] = 0;
		if (!memchr(name, '/', len) && !is_file(buf))
			found = preset(name, len);
		if (!found) {
			out_str(o, cwd);
			out_str(o, "/./");
		}
	}
	if (found)
		out_str(o, found);
	else
		out_bytes(o, name, len);
}

/* Every file of SOCKWRENCH_RULES, wherever the children go. */
static void absolute_rules(void)
{
	const char *v = env_values[ENV_RULES];
	char buf[16384];
	struct out o = { buf, buf, buf + sizeof buf - 1, false };

	while (v && *v) {
		size_t len = strcspn(v, ":");
		if (len) {
			if (out_len(&o))
				out_char(&o, ':');
			out_rules(&o, v, len);
		}
		v += len + (v[len] == ':');
	}
	if (o.cut)
		too_long();
	if (out_len(&o))
		env_values[ENV_RULES] = keep_text(buf, out_len(&o));
}

/* Names of files are made to hold wherever the children go. */
static void make_absolute(enum env_id id)
{
	const char *v = env_values[id];

	if (v && strcmp(v, "none") && strcmp(v, "stderr"))
		env_values[id] = absolute(v);
}

static void read_state(const char *s);

void env_read(void)
{
	char *const *env = first_environ();
	Dl_info self;

	for (int i = 0; i < ENVS; i++) {
		const char *v = env_value(env, envs[i].name);
		if (v)
			env_values[i] = keep_text(v, strlen(v));
	}
	make_absolute(ENV_LOG);
	make_absolute(ENV_TRACE);
	if ((env_values[ENV_RULES] || env_values[ENV_RULE]) &&
	    !env_values[ENV_LOG] && !env_values[ENV_TRACE] &&
	    !env_values[ENV_ONLY])
		env_values[ENV_ONLY] = "injected";
	if (!env_values[ENV_LOG])
		env_values[ENV_LOG] = env_values[ENV_TRACE] ? "none" : "stderr";
	if (dladdr(env_read, &self) && self.dli_fname)
		memcpy(preload, self.dli_fname,
		       strnlen(self.dli_fname, sizeof preload - 1));
	absolute_rules();
	path[0] = '1';
	if (env_values[ENV_STATE])
		read_state(env_values[ENV_STATE]);
	path_hash = hash_text(path);
}

/* ---- what it asks ------------------------------------------------------ */

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

static _Noreturn void too_long(void)
{
	refuse(ENV_RULES, "expected less: all that SOCKWRENCH_ variables hold "
	       "must fit 256 KiB");
}

_Noreturn void env_refuse_errno(int id, int err)
{
	const struct errno_row *row = errno_row(err);
	char buf[600];
	struct out o = OUT(buf);

	out_str(&o, env_values[id]);
	out_str(&o, ": ");
	out_str(&o, row ? row->text : "cannot be opened");
	out_char(&o, 0);
	buf[sizeof buf - 1] = 0;
	refuse(id, buf);
}

static int setting_number(int id, int otherwise, int most)
{
	const char *s = env_values[id];
	uint64_t n;

	if (!s)
		return otherwise;
	if (!*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 9 ||
	    (n = number(&s)) > (uint64_t)most)
		refuse(id, "expected a whole number in range");
	return n;
}

uint64_t env_seed(void)
{
	const char *s = env_values[ENV_SEED];

	return s ? number(&s) : 0;
}

void env_settings(bool first)
{
	const char *bad, *only = env_values[ENV_ONLY];

	call_set_default(&config.wanted);
	if (env_values[ENV_CALLS]) {
		config.signals = true;
		if (call_set_parse(&config.wanted, env_values[ENV_CALLS], &bad))
			refuse(ENV_CALLS, "expected calls or families, "
			       "see sockwrench list calls");
	}
	call_need(&config.needed);
	call_need(&config.learned);
	if (only && !strcmp(only, "ok"))
		config.only = ONLY_OK;
	else if (only && !strcmp(only, "failed"))
		config.only = ONLY_FAILED;
	else if (only && !strcmp(only, "injected"))
		config.log_injected = true;
	else if (only)
		refuse(ENV_ONLY, "expected ok, failed or injected");
	if (env_values[ENV_TIMES] && times_parse(&config.times, env_values[ENV_TIMES]))
		refuse(ENV_TIMES, "expected r, t, tt or ttt");
	if (first && env_values[ENV_SEED] &&
	    (!*env_values[ENV_SEED] || strspn(env_values[ENV_SEED], "0123456789") !=
				   strlen(env_values[ENV_SEED])))
		refuse(ENV_SEED, "expected a whole number");
	config.trace_data = setting_number(ENV_STRSIZE, 0, 4096);
	config.log_data = setting_number(ENV_STRSIZE, 32, 4096);
	config.stack = env_values[ENV_TRACE]
		       ? setting_number(ENV_STACK, 0, ORIGINS) : 0;
}

/* ---- the tree of processes -------------------------------------------- */

const char *tree_path(void)
{
	return path;
}

uint64_t tree_hash(void)
{
	return path_hash;
}

void child_count(void)
{
	atomic_fetch_add(&children, 1);
}

uint32_t children_made(void)
{
	return atomic_load(&children);
}

void tree_descend(void)
{
	size_t len = strlen(path);
	struct out o = { path + len, path + len, path + sizeof path - 1, false };

	out_char(&o, '.');
	out_uint(&o, atomic_exchange(&children, 0), 1);
	*o.at = 0;
	path_hash = hash_text(path);
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
	if (fd < 0 || log_each(env_values[ENV_LOG]))
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
	out_uint(o, trace_proc() ? trace_proc() : trace_parent(), 1);
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
	trace_begin(number(&s), false);
	len = strnlen(s, sizeof path - 1);
	memcpy(path, s, len);
	path[len] = 0;
}

void env_state_log(int *fd, uint64_t *dev, uint64_t *ino)
{
	const char *s = env_values[ENV_STATE];

	*fd = -1;
	*dev = *ino = 0;
	if (!s || *s == '-')
		return;
	*fd = number(&s);
	*dev = number(&s);
	*ino = number(&s);
}

/*
 * The program's own environ gets our STATE, in memory of ours that always
 * holds the newest: libc's system() and raw system calls exec with it.
 */
void env_put_state(void)
{
	if (!environ)
		return;			/* the constructor comes back for it */
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

/*
 * In a child, only that memory of ours is made new.  Where the program has put
 * its own copy of environ in place (a shell does), its entries are its to free;
 * the wrappers of exec, system and popen pass on what is right.
 */
void env_renew_state(void)
{
	write_state(false);
}

static bool has_state_text(char *const *env)
{
	while (env && *env && *env != state_text)
		env++;
	return env && *env;
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
		if (!env_values[i] || i == ENV_STATE)
			continue;
		copy->entries[to++] = o.at;
		out_str(&o, envs[i].name);
		out_char(&o, '=');
		out_str(&o, env_values[i]);
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
	if (!has_state_text(environ))
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
