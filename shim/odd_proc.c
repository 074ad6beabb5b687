/* SPDX-License-Identifier: MIT */
/*
 * Calls that make processes.  A child is one of ours however it comes about:
 * the page in `here` tells a forked one what it is, the environment carries
 * the rest to an executed one.
 */
#include "wrap.h"

extern char **environ;

/* ---- fork ------------------------------------------------------------- */

static inline pid_t in_fork(const void *caller, int id, pid_t (*libc)(void))
{
	struct call c;
	bool on = entered();
	pid_t r;

	child_count();
	/* the child's records refer to this process's */
	if (on) {
		trace_introduce();
		trace_expect();
	}
	on = on && call_begin(&c, id, NO_FD, false, caller);
	r = libc();
	if (!r) {
		/* where the kernel did not empty the page, we do */
		if (atomic_load(&here->pid) == me.pid)
			atomic_store(&here->pid, 0);
		entered();
		return 0;
	}
	if (r < 0)
		trace_arrive(me.pid, 0);
	if (on)
		RETURNED(r, BAD_PID, 0, );
	return r;
}

pid_t fork(void)
{
	return in_fork(CALLER, CALL_fork, real.fork);
}

pid_t __fork(void)
{
	return in_fork(CALLER, CALL_fork, real.fork);
}

pid_t _Fork(void)
{
	return in_fork(CALLER, CALL__Fork, real._Fork);
}

/*
 * A vfork child would run on our tables and in our frame.  It gets its own
 * copy; like vfork's, it runs no atfork handlers.
 */
pid_t vfork(void)
{
	return in_fork(CALLER, CALL_vfork, real._Fork);
}

pid_t __vfork(void)
{
	return in_fork(CALLER, CALL_vfork, real._Fork);
}

int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	pid_t *parent, *child;
	struct call c;
	va_list list;
	uint8_t *at;
	void *tls;
	int r;

	va_start(list, arg);
	parent = va_arg(list, pid_t *);
	tls = va_arg(list, void *);
	child = va_arg(list, pid_t *);
	va_end(list);
	child_count();
	if (!call_begin(&c, CALL_clone, NO_FD, false, CALLER))
		return real.clone(fn, stack, flags, arg, parent, tls, child);
	at = c.rec->args;
	STORE_CLONEFLAGS(flags)
	(void)at;
	r = real.clone(fn, stack, flags, arg, parent, tls, child);
	RETURNED(r, BAD_PID, 0, );
	return r;
}

/* ---- exec ------------------------------------------------------------- */

/* A successful exec is told by the new program; a failed one here. */
static int exec_failed(const void *caller, int id, uint64_t start,
		       const char *path, char *const *argv, int dir)
{
	bool at_dir = id == CALL_execveat || id == CALL_fexecve;
	int err = errno;
	struct call c;
	uint8_t *at;

	if (!call_begin(&c, id, NO_FD, false, caller))
		return -1;
	c.rec->start = start;
	at = c.rec->args;
	if (at_dir)
		STORE_INT(dir)
	(void)at;
	errno = err;
	ENDED(-1, true, 1,
		 if (err != EFAULT && path)
			 keep_string(&k, at_dir, path);
		 if (err != EFAULT && argv)
			 keep_argv(&k, 1 + (id == CALL_execveat), argv););
	return -1;
}

static int in_execve(const void *caller, int id, const char *path,
		     char *const *argv, char *const *env)
{
	uint64_t start = entered() ? ticks() : 0;
	char **ours = env_ours(env, false);
	int err;

	if (id == CALL_execvp || id == CALL_execvpe || id == CALL_execlp)
		real.execvpe(path, argv, ours);
	else
		real.execve(path, argv, ours);
	err = errno;
	env_free(ours, env);
	errno = err;
	return exec_failed(caller, id, start, path, argv, 0);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	return in_execve(CALLER, CALL_execve, path, argv, envp);
}

int execv(const char *path, char *const argv[])
{
	return in_execve(CALLER, CALL_execv, path, argv, environ);
}

int execvp(const char *file, char *const argv[])
{
	return in_execve(CALLER, CALL_execvp, file, argv, environ);
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return in_execve(CALLER, CALL_execvpe, file, argv, envp);
}

int execveat(int dir, const char *path, char *const argv[],
	     char *const envp[], int flags)
{
	uint64_t start = entered() ? ticks() : 0;
	char **ours = env_ours(envp, false);
	int err;

	real.execveat(dir, path, argv, ours, flags);
	err = errno;
	env_free(ours, envp);
	errno = err;
	return exec_failed(CALLER, CALL_execveat, start, path, argv, dir);
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
	uint64_t start = entered() ? ticks() : 0;
	char **ours = env_ours(envp, false);
	int err;

	real.fexecve(fd, argv, ours);
	err = errno;
	env_free(ours, envp);
	errno = err;
	return exec_failed(CALLER, CALL_fexecve, start, NULL, argv, fd);
}

static size_t count_args(va_list list)
{
	size_t n = 1;

	while (va_arg(list, char *))
		n++;
	return n;
}

/*
 * arg and what follows it as an array on this function's stack.  The headers
 * promise that arg is not NULL; programs do not.
 */
#define COLLECT(argv, list, arg)					\
	va_list list;							\
	char *first = (char *)arg;					\
	size_t n = 1;							\
									\
	__asm__("" : "+r"(first));					\
	va_start(list, arg);						\
	if (first)							\
		n = 1 + count_args(list);				\
	va_end(list);							\
	va_start(list, arg);						\
	char *argv[n];							\
	argv[0] = first;						\
	for (size_t i = 1; i < n; i++)					\
		argv[i] = va_arg(list, char *)

int execl(const char *path, const char *arg, ...)
{
	COLLECT(argv, list, arg);
	va_end(list);
	return in_execve(CALLER, CALL_execl, path, argv, environ);
}

int execlp(const char *file, const char *arg, ...)
{
	COLLECT(argv, list, arg);
	va_end(list);
	return in_execve(CALLER, CALL_execlp, file, argv, environ);
}

int execle(const char *path, const char *arg, ...)
{
	char *const *env;

	COLLECT(argv, list, arg);
	env = va_arg(list, char *const *);
	va_end(list);
	return in_execve(CALLER, CALL_execle, path, argv, env);
}

/* ---- both at once ----------------------------------------------------- */

static int in_spawn(const void *caller, int id, pid_t *pid, const char *path,
		    const posix_spawn_file_actions_t *fa,
		    const posix_spawnattr_t *attr, char *const *argv,
		    char *const *env)
{
	bool on = entered();
	struct call c;
	char **ours;
	pid_t new = 0;
	int r;

	child_count();
	ours = env_ours(env, true);
	on = on && call_begin(&c, id, NO_FD, false, caller);
	if (id == CALL_posix_spawn)
		r = real.posix_spawn(&new, path, fa, attr, argv, ours);
	else
		r = real.posix_spawnp(&new, path, fa, attr, argv, ours);
	if (!r && pid)
		*pid = new;
	if (!r)
		trace_attach(new);
	if (on)
		RETURNED(r, BAD_ERRNUM, 1,
			 if (!ret)
				 keep_bytes(&k, 0, &new, sizeof new, 4);
			 keep_string(&k, 1, path);
			 keep_argv(&k, 4, argv););
	env_free(ours, env);
	return r;
}

int posix_spawn(pid_t *pid, const char *path,
		const posix_spawn_file_actions_t *fa,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[])
{
	return in_spawn(CALLER, CALL_posix_spawn, pid, path, fa, attr, argv,
			envp);
}

int posix_spawnp(pid_t *pid, const char *file,
		 const posix_spawn_file_actions_t *fa,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[])
{
	return in_spawn(CALLER, CALL_posix_spawnp, pid, file, fa, attr, argv,
			envp);
}

int system(const char *command)
{
	struct call c;
	bool on = call_begin(&c, CALL_system, NO_FD, false, CALLER);
	char **theirs = environ_child();
	int r = real.system(command), err = errno;

	environ_back(theirs);
	errno = err;
	if (on)
		RETURNED(r, BAD_VALUE, 1, keep_string(&k, 0, command););
	return r;
}

FILE *popen(const char *command, const char *mode)
{
	struct call c;
	bool on = call_begin(&c, CALL_popen, NO_FD, false, CALLER);
	char **theirs = environ_child();
	FILE *r = real.popen(command, mode);
	int err = errno;

	environ_back(theirs);
	errno = err;
	if (on)
		RETURNED(r, BAD_POINTER, 1,
			 keep_string(&k, 0, command);
			 keep_string(&k, 1, mode););
	return r;
}

/* ---- the end ---------------------------------------------------------- */

static void in_exit(const void *caller, int status)
{
	struct call c;
	uint8_t *at;

	if (call_begin(&c, CALL__exit, NO_FD, false, caller)) {
		at = c.rec->args;
		STORE_INT(status)
		(void)at;
		ENDED(0, false, 0, );
	}
	process_end();
	real._exit(status);
	__builtin_unreachable();
}

void _exit(int status)
{
	in_exit(CALLER, status);
	__builtin_unreachable();
}

void _Exit(int status)
{
	in_exit(CALLER, status);
	__builtin_unreachable();
}

/* It returns in the child; libc ends the parent itself. */
int daemon(int nochdir, int noclose)
{
	struct call c;
	uint8_t *at;
	bool on = call_begin(&c, CALL_daemon, NO_FD, false, CALLER);
	int r;

	if (on) {
		at = c.rec->args;
		STORE_INT(nochdir) STORE_INT(noclose)
		(void)at;
	}
	child_count();
	r = real.daemon(nochdir, noclose);
	/* dup2(null, 2) inside libc has replaced the standard descriptors */
	if (!r && !noclose)
		for (int fd = 0; fd <= 2; fd++)
			fd_set_slot(fd, SLOT_OTHER);
	entered();
	if (on)
		RETURNED(r, BAD_ZERO, 0, );
	return r;
}
