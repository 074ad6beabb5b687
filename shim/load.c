/* SPDX-License-Identifier: MIT */
/*
 * The rules of this process: read at the start from the files and the text
 * that the environment names, and counted here.  What does not parse ends the
 * program before it has begun.
 */
#include "shim.h"

#include "../trace/file.h"

#include <sys/mman.h>
#include <sys/resource.h>

struct rules rules;
struct span rules_exe[2];		/* set at start, read-only after */
uint64_t rules_seed;			/* likewise */

/* Calls that matched, calls it fired on: of the process, of a connection. */
struct tally {
	_Atomic uint32_t n[2];
};
static struct tally *tally;		/* one a rule, set at start */
static struct tally *common_tally;	/* likewise, of the whole tree */
static struct tally (*per_conn)[PER_MOST]; /* one array a socket, likewise */
static _Atomic bool *told;		/* the trace has the rule's name */

/* ---- messages -------------------------------------------------------------- */

static void report(const struct rule_err *e, void *ctx)
{
	char buf[600];
	struct out o = OUT(buf);

	(void)ctx;
	out_str(&o, "sockwrench: ");
	out_bytes(&o, e->file.s, e->file.len);
	out_char(&o, ':');
	out_uint(&o, e->line, 1);
	out_char(&o, ':');
	out_uint(&o, e->col, 1);
	out_str(&o, ": ");
	out_str(&o, e->msg);
	out_char(&o, '\n');
	if (real.write(STDERR_FILENO, buf, out_len(&o)) < 0)
		return;			/* nobody is listening */
}

static _Noreturn void refuse(struct span file, const char *what)
{
	char buf[600];
	struct out o = OUT(buf);

	out_str(&o, "sockwrench: ");
	out_bytes(&o, file.s, file.len);
	out_str(&o, ": ");
	out_str(&o, what);
	out_char(&o, '\n');
	if (real.write(STDERR_FILENO, buf, out_len(&o)) < 0)
		real._exit(125);
	real._exit(125);
	__builtin_unreachable();
}

/* ---- reading --------------------------------------------------------------- */

/* Its text, mapped; never unmapped, the rules point into it. */
static const char *read_file(const char *path, struct span shown, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const struct errno_row *row = errno_row(errno);
	struct stat st;
	char *text;
	ssize_t n;

	*len = 0;
	if (fd < 0)
		refuse(shown, row ? row->text : "cannot be opened");
	if (fstat(fd, &st))
		st.st_mode = 0;
	if (S_ISDIR(st.st_mode))
		refuse(shown, "expected a file of rules, found a directory");
	if (!S_ISREG(st.st_mode))
		refuse(shown, "expected a regular file: every process of the "
		       "program reads it again");
	text = zeros(st.st_size);
	if (!text)
		refuse(shown, "expected a file that fits into memory");
	while (*len < (size_t)st.st_size &&
	       (n = real.read(fd, text + *len, st.st_size - *len)) > 0)
		*len += n;
	real.close(fd);
	return text;
}

static int lines(const char *text, size_t len)
{
	int n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void room(int more)
{
	static struct rule *old;
	size_t size;

	if (more > RULES_MOST)
		more = RULES_MOST;
	rules.room = rules.n + more < RULES_MOST ? rules.n + more
						 : RULES_MOST;
	size = rules.room * sizeof *rules.rule;
	old = rules.rule;
	rules.rule = zeros(size);
	if (!rules.rule)
		refuse((struct span){ "rules", 5 }, "no memory for them");
	if (old)
		memcpy(rules.rule, old, rules.n * sizeof *old);
}

/* One rule a line, each line numbered; strace's spelling is one. */
static void parse_single(const char *text)
{
	struct span file = { "-e", 2 };

	room(lines(text, strlen(text)));
	for (int line = 1; *text; line++) {
		size_t len = strcspn(text, "\n");
		if (!strncmp(text, "inject=", 7))
			rules_parse_inject(&rules, file, line, text, len);
		else
			rules_parse(&rules, file, line, text, len);
		text += len + (text[len] == '\n');
	}
}

static void parse_file(const char *path, size_t len)
{
	char name[4096];
	const char *text, *mark;
	struct span shown = { path, len };
	size_t size;

	if (!len || len >= sizeof name)
		return;
	memcpy(name, path, len);
	name[len] = 0;
	/* DIR/./NAME: NAME is what the user has typed */
	mark = memmem(path, len, "/./", 3);
	if (mark)
		shown = (struct span){ mark + 3, path + len - mark - 3 };
	text = read_file(name, shown, &size);
	room(lines(text, size));
	rules_parse(&rules, shown, 1, text, size);
}

/* ---- what follows from them ------------------------------------------------- */

/* Whether it can end a connection. */
static bool ends(const struct rule *r)
{
	for (int i = 0; i < n_faults && r->action == FIELD_ERROR; i++)
		if (faults[i].error == r->error &&
		    r->families & 1 << faults[i].family &&
		    faults[i].after == DEAD)
			return true;
	return r->action == FIELD_RESET || r->action == FIELD_EOF ||
	       r->then || (r->action == FIELD_STALL &&
			   r->families & ON_CONNECT);
}

static bool takes_time(const struct rule *r)
{
	return r->action == FIELD_INPROGRESS || r->action == FIELD_STALL ||
	       r->action == FIELD_LATENCY || r->action == FIELD_RATE ||
	       (r->action == FIELD_ERROR && r->error == EAGAIN);
}

/* Descriptors from N up need a limit above N. */
static void lift_limit(int number)
{
	struct rlimit l;
	rlim_t want = (rlim_t)number + 1024;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want)
		return;
	l.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
	setrlimit(RLIMIT_NOFILE, &l);
}

/* For this process and all that are forked from it; NULL: none. */
static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void consequences(void)
{
	static const uint8_t moving[] = {
		FAMILY_SEND, FAMILY_RECV, FAMILY_SOCKOPT, FAMILY_NAME,
		FAMILY_CONNECT, FAMILY_SHUTDOWN, FAMILY_DESC, FAMILY_ACCEPT,
		FAMILY_CLOSE, FAMILY_POLL,
	};
	bool gates = false;

	rules_calls(&rules, &config.ruled);
	for (int i = 0; i < rules.n; i++) {
		const struct rule *r = &rules.rule[i];
		config.offsets |= (r->with & WITH(AT)) != 0;
		config.timed |= (r->with & WITH(AFTER)) != 0;
		config.ends |= ends(r);
		config.from |= (r->with & WITH(FROM)) != 0;
		gates |= takes_time(r);
		config.latent |= (r->action == FIELD_STALL ||
				  r->action == FIELD_LATENCY) &&
				 r->families & ~ON_CONNECT;
		if (r->action == FIELD_NUMBER)
			lift_limit(r->number);
		if (r->per == PER_TREE && !common_tally)
			common_tally = shared(rules.n * sizeof *common_tally);
		if (r->per == PER_CONN && !per_conn)
			per_conn = zeros(fd_pool_n() * sizeof *per_conn);
	}
	call_set_add(&config.learned, CALL_splice);
	if (config.offsets) {
		call_set_family(&config.ruled, FAMILY_SEND);
		call_set_family(&config.ruled, FAMILY_RECV);
	}
	for (int i = 0; i < CALLS; i++)
		if (call_set_has(&config.ruled, i))
			call_set_add(&config.needed, i);
	for (int i = 0; config.ends && i < CALLS; i++)
		if (call_has_kind(i, KIND_STREAM))
			call_set_add(&config.waiting, i);
	if (config.latent) {
		call_set_add(&config.waiting, CALL_ioctl);
		call_set_add(&config.waiting, CALL_sockatmark);
	}
	if (gates)
		call_set_add(&config.waiting, CALL_shutdown);
	if (watch_start() && gates)
		gate_start();
	for (size_t i = 0; (config.ends || config.gates) && i < sizeof moving;
	     i++)
		call_set_family(&config.needed, moving[i]);
}

void rules_load(void)
{
	const char *files = env_values[ENV_RULES];
	const char *single = env_values[ENV_RULE];
	static char exe[4096];
	ssize_t n;

	rules.report = report;
	if (single)
		parse_single(single);
	while (files && *files) {
		size_t len = strcspn(files, ":");
		parse_file(files, len);
		files += len + (files[len] == ':');
	}
	if (!rules.errors)
		rules_check(&rules);
	if (rules.errors)
		real._exit(125);
	if (!rules.n)
		return;
	tally = zeros(rules.n * sizeof *tally);
	told = zeros(rules.n * sizeof *told);
	if (!tally || !told)
		refuse((struct span){ "rules", 5 }, "no memory to count");
	n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	rules_exe[0] = (struct span){ exe, n > 0 ? n : 0 };
	if (program_invocation_name)
		rules_exe[1] = (struct span){
			program_invocation_name,
			strlen(program_invocation_name)
		};
	rules_seed = env_seed();
	config.rules = true;
	consequences();
}

/* ---- counting --------------------------------------------------------------- */

_Atomic uint32_t *rules_count(struct query *q, int i, bool fired)
{
	const struct rule *r = &rules.rule[i];
	struct call *c = q->ctx;
	struct conn *conn = slot_conn(c->slot);

	if (r->per == PER_CONN && conn && per_conn)
		return &per_conn[conn - fd_pool][r->counter].n[fired];
	if (r->per == PER_THREAD)
		return &me.counts[r->counter][fired];
	/* a trace goes with programs that are executed, too */
	if (r->per == PER_TREE && rules.score && i < TRACE_TREES)
		return &trace_head()->tree[i][fired];
	return r->per == PER_TREE && common_tally
	       ? &common_tally[i].n[fired] : &tally[i].n[fired];
}

void rules_conn_new(const struct conn *c)
{
	if (per_conn)
		memset(&per_conn[c - fd_pool], 0, sizeof *per_conn);
}

void rules_child(void)
{
	if (rules.n)
		gate_child();
	for (int i = 0; i < rules.n; i++) {
		atomic_store(&tally[i].n[0], 0);
		atomic_store(&tally[i].n[1], 0);
		atomic_store(&told[i], false);
	}
	if (per_conn)
		madvise(per_conn, fd_pool_n() * sizeof *per_conn,
			MADV_DONTNEED);
}

void rules_tell(int id)
{
	char name[RULE_TEXT];

	if (!config.trace || atomic_exchange(&told[id - 1], true))
		return;
	rule_name(&rules.rule[id - 1], name, sizeof name);
	trace_rule(id, name);
}
