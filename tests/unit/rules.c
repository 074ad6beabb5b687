/* SPDX-License-Identifier: MIT */
/*
 * The rule language by itself: what values become, what globs and addresses
 * match, and who decides when several rules match one call.
 */
#include "../../rules/rule.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- rules from text ---------------------------------------------------- */

static struct rule room[RULES_MOST];
static struct rules set;

static void report(const struct rule_err *e, void *ctx)
{
	(void)ctx;
	fprintf(stderr, "%.*s:%d:%d: %s\n", e->file.len, e->file.s, e->line,
		e->col, e->msg);
}

/* The rules of a text that has no errors; the first of them. */
static const struct rule *rules_of(const char *text)
{
	struct span file = { "unit", 4 };

	set = (struct rules){ .rule = room, .room = RULES_MOST,
			      .report = report };
	memset(room, 0xee, sizeof room);
	rules_parse(&set, file, 1, text, strlen(text));
	rules_check(&set);
	assert(!set.errors && set.n);
	return room;
}

/* ---- values ------------------------------------------------------------- */

static void test_times(void)
{
	static const struct { const char *text; int64_t ns[2]; } times[] = {
		{ "1ns", { 1, 1 } },
		{ "20us", { 20000, 20000 } },
		{ "250ms", { 250000000, 250000000 } },
		{ "2s", { 2000000000, 2000000000 } },
		{ "1.5s", { 1500000000, 1500000000 } },
		{ "0.000000001s", { 1, 1 } },
		{ "0.0000000019s", { 1, 1 } },
		{ "2.5m", { 150000000000, 150000000000 } },
		{ "2.5h", { 9000000000000, 9000000000000 } },
		{ "200000h", { 720000000000000000, 720000000000000000 } },
		{ "20ms..80ms", { 20000000, 80000000 } },
		{ "0ms..1.5ms", { 0, 1500000 } },
	};

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char text[100];
		const struct rule *r;
		sprintf(text, "recv delay=%s", times[i].text);
		r = rules_of(text);
		assert(r->delay[0] == times[i].ns[0]);
		assert(r->delay[1] == times[i].ns[1]);
		assert(r->action == FIELDS);
	}
	assert(rules_of("recv stall=forever")->time[0] == FOREVER);
	assert(rules_of("recv stall=2s")->time[1] == 2000000000);
	assert(rules_of("connect inprogress=1s then=0")->then == 0);
	assert(rules_of("connect inprogress=1s then=ETIMEDOUT")->then ==
	       ETIMEDOUT);
	assert(rules_of("recv after=3s delay=1s")->after == 3000000000);
}

static void test_bytes(void)
{
	static const struct { const char *text; uint64_t n[2]; bool part; }
	shorts[] = {
		{ "1", { 1, 1 }, false },
		{ "1..16", { 1, 16 }, false },
		{ "1B..2kB", { 1, 2000 }, false },
		{ "64KiB", { 65536, 65536 }, false },
		{ "3MB..4MiB", { 3000000, 4194304 }, false },
		{ "1GB..1GiB", { 1000000000, 1073741824 }, false },
		{ "50%", { 50, 50 }, true },
	};

	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
		char text[100];
		const struct rule *r;
		sprintf(text, "send short=%s", shorts[i].text);
		r = rules_of(text);
		assert(r->amount[0] == shorts[i].n[0]);
		assert(r->amount[1] == shorts[i].n[1]);
		assert(r->percent == shorts[i].part);
	}
	assert(rules_of("send at=4096 reset")->at == 4096);
	assert(rules_of("send rate=64KiB/s")->rate == 65536);
	assert(rules_of("send size=5 delay=1s")->size[1] == 5);
	assert(rules_of("send size=5.. delay=1s")->size[1] == UINT64_MAX);
	assert(rules_of("send size=5..1KiB delay=1s")->size[1] == 1024);
}

static void test_counts(void)
{
	static const struct { const char *text; uint64_t n[3]; } whens[] = {
		{ "3", { 3, 3, 1 } },
		{ "3..5", { 3, 5, 1 } },
		{ "3+", { 3, UINT64_MAX, 1 } },
		{ "3+2", { 3, UINT64_MAX, 2 } },
		{ "3..9+2", { 3, 9, 2 } },
		{ "3..9+", { 3, 9, 1 } },
		{ "1..4294967295", { 1, 4294967295, 1 } },
	};

	for (size_t i = 0; i < sizeof whens / sizeof *whens; i++) {
		char text[100];
		const struct rule *r;
		sprintf(text, "recv when=%s delay=1s", whens[i].text);
		r = rules_of(text);
		assert(r->first == whens[i].n[0] && r->last == whens[i].n[1]);
		assert(r->step == whens[i].n[2]);
	}
	assert(rules_of("recv delay=1s")->last == UINT64_MAX);
	assert(rules_of("recv prob=5% delay=1s")->prob == 50000);
	assert(rules_of("recv prob=12.5% delay=1s")->prob == 125000);
	assert(rules_of("recv prob=0.0001% delay=1s")->prob == 1);
	assert(rules_of("recv prob=100% delay=1s")->prob == 1000000);
	assert(rules_of("recv limit=7 delay=1s")->limit == 7);
}

static void test_names(void)
{
	const struct rule *r = rules_of("accept,socket number=1024");

	assert(r->families == (ON_ACCEPT | ON_SOCKET) && r->number == 1024);
	assert(r->action == FIELD_NUMBER);
	assert(rules_of("recv error=EINTR")->error == EINTR);
	assert(rules_of("recv error=EWOULDBLOCK")->error == EAGAIN);
	assert(rules_of("resolve error=EAI_AGAIN")->error == EAI_AGAIN);
	assert(rules_of("recv signal=SIGALRM")->signal == SIGALRM);
	assert(rules_of("recv signal=USR1")->signal == SIGUSR1);
	assert(rules_of("recv fd=0 delay=1s")->fd == 0);
	assert(rules_of("recv conn=9 delay=1s")->conn == 9);
	assert(rules_of("recv proto=unix delay=1s")->protos == IS_UNIX);
	assert(rules_of("recv role=pair delay=1s")->role == ROLE_IS_PAIR);
	r = rules_of("recv via=__read_chk,readv delay=1s");
	assert(call_set_has(&r->via, CALL_read));
	assert(call_set_has(&r->via, CALL_readv));
	assert(!call_set_has(&r->via, CALL_recv));
}

/* `*` is the families for which the rule makes sense. */
static void test_star(void)
{
	assert(rules_of("* pass")->families == ON_ALL);
	assert(rules_of("* size=1 delay=1s")->families == (ON_SEND | ON_RECV));
	assert(rules_of("* short=1")->families == (ON_SEND | ON_RECV));
	assert(rules_of("* error=EPIPE")->families == ON_SEND);
	assert(rules_of("* error=EAI_AGAIN")->families == ON_RESOLVE);
	assert(rules_of("* error=EAI_AGAIN force")->families == ON_RESOLVE);
	assert(rules_of("* role=listener error=EMFILE")->families ==
	       ON_ACCEPT);
	assert(rules_of("* role=listener peer=*:80 reset")->families ==
	       ON_ACCEPT);
	assert(!(rules_of("* fd=3 delay=1s")->families &
		 (ON_SOCKET | ON_RESOLVE | ON_POLL)));
	assert(!(rules_of("* peer=*:80 delay=1s")->families & ON_ACCEPT));
	assert(rules_of("* peer=*:80 reset")->families & ON_ACCEPT);
	assert(!(rules_of("* proto=udp delay=1s")->families & ON_ACCEPT));
	assert(rules_of("* via=read,write delay=1s")->families ==
	       (ON_RECV | ON_SEND));
	assert(!(rules_of("* when=1 per=conn delay=1s")->families &
		 (ON_SOCKET | ON_RESOLVE | ON_POLL)));
}

static void test_strace(void)
{
	const struct rule *r;

	r = rules_of("inject=recvfrom,read:error=EINTR:when=2..8+3");
	assert(r->families == ON_RECV && r->error == EINTR);
	assert(r->first == 2 && r->last == 8 && r->step == 3);
	assert(call_set_has(&r->via, CALL_recvfrom));
	assert(call_set_has(&r->via, CALL_recv));
	assert(call_set_has(&r->via, CALL_read));
	assert(call_set_has(&r->via, CALL_fread));
	assert(!call_set_has(&r->via, CALL_recvmsg));
	r = rules_of("inject=sendto,close:delay_enter=1");
	assert(call_set_has(&r->via, CALL_send) && r->delay[0] == 1000);
	assert(call_set_has(&r->via, CALL_sendto));
	assert(call_set_has(&r->via, CALL_fclose));
	assert(!call_set_has(&r->via, CALL_write));
	r = rules_of("inject=pselect6:delay_enter=1500:signal=SIGALRM");
	assert(call_set_has(&r->via, CALL_select) && r->families == ON_POLL);
	assert(r->delay[0] == 1500000 && r->delay[1] == 1500000);
	r = rules_of("inject=poll:delay_enter=2ms # and a comment");
	assert(r->delay[1] == 2000000 && r->families == ON_POLL);
	r = rules_of("inject=%network:error=EINTR");
	assert(call_set_has(&r->via, CALL_recv));
	assert(!call_set_has(&r->via, CALL_read));
	assert(!call_set_has(&r->via, CALL_poll));
}

static void test_lines(void)
{
	const char *text = "\xef\xbb\xbf# nothing\r\n\r\n"
			   " \trecv\terror=EINTR\t# x\r\nsend short=1";
	const struct rule *r = rules_of(text);
	char name[20];

	assert(set.n == 2 && r[0].line == 3 && r[1].line == 4);
	assert(rule_name(&r[1], name, sizeof name) == 6);
	assert(!strcmp(name, "unit:4"));
	/* cut from the file's end, never the line's number */
	assert(rule_name(&r[1], name, 5) == 4 && !strcmp(name, "un:4"));
	rules_parse_inject(&set, (struct span){ "-e", 2 }, 7,
			   "inject=close:error=EIO", 22);
	assert(set.n == 3 && r[2].line == 7 && r[2].families == ON_CLOSE);
}

static void count(const struct rule_err *e, void *ctx)
{
	int *n = ctx;

	(void)e;
	++*n;
}

static void test_room(void)
{
	char text[64];
	int told = 0;

	set = (struct rules){ .rule = room, .room = RULES_MOST,
			      .report = count, .ctx = &told };
	for (int i = 1; i <= RULES_MOST + 5; i++) {
		int len = sprintf(text, "recv conn=%d error=EINTR\n\n# x\n", i);
		rules_parse(&set, (struct span){ text, 0 }, i, text, len);
	}
	assert(set.n == RULES_MOST && told == 1 && set.errors == 1);
}

/* ---- globs and addresses ------------------------------------------------ */

static void test_globs(void)
{
	static const struct { const char *glob, *text; bool yes; } globs[] = {
		{ "abc", "abc", true }, { "abc", "abcd", false },
		{ "abc", "ab", false }, { "", "", true }, { "", "a", false },
		{ "*", "", true }, { "*", "anything", true },
		{ "a*", "a", true }, { "a*", "b", false },
		{ "*c", "abc", true }, { "*c", "abcd", false },
		{ "a?c", "abc", true }, { "a?c", "ac", false },
		{ "?", "", false }, { "*?", "", false }, { "*?", "x", true },
		{ "*.example.org", "www.example.org", true },
		{ "*.example.org", "example.org", false },
		{ "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXcYb", false },
		{ "**", "x", true }, { "[ab]", "a", false },
		{ "[ab]", "[ab]", true }, { "a*a*a*a*b", "aaaaaaaaaaaaaaa",
		  false },
	};

	for (size_t i = 0; i < sizeof globs / sizeof *globs; i++) {
		struct span g = { globs[i].glob, (int)strlen(globs[i].glob) };
		assert(glob_match(g, globs[i].text,
				  (int)strlen(globs[i].text)) == globs[i].yes);
	}
}

/* An address as programs hold it: 10.0.0.1:80, [::1]:80, /path, @name. */
static socklen_t address(struct sockaddr_storage *to, const char *text)
{
	struct sockaddr_in *in = (void *)to;
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_un *un = (void *)to;
	const char *port = strrchr(text, ':');
	char host[100];

	memset(to, 0, sizeof *to);
	if (*text == '/' || *text == '@') {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, text, strlen(text));
		if (*text == '@')
			un->sun_path[0] = 0;
		return offsetof(struct sockaddr_un, sun_path) + strlen(text) +
		       (*text == '/');
	}
	assert(port);
	sprintf(host, "%.*s", (int)(port - text), text);
	if (*text != '[') {
		in->sin_family = AF_INET;
		in->sin_port = htons(atoi(port + 1));
		assert(inet_pton(AF_INET, host, &in->sin_addr) == 1);
		return sizeof *in;
	}
	host[strlen(host) - 1] = 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(atoi(port + 1));
	assert(inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1);
	return sizeof *in6;
}

/* ---- asking ------------------------------------------------------------- */

/* As the object keeps them: of the process, three sockets, two threads. */
static _Atomic uint32_t tally[RULES_MOST][2], per_conn[4][PER_MOST][2],
	per_thread[2][PER_MOST][2];
static int thread;

static _Atomic uint32_t *counter(struct query *q, int i, bool fired)
{
	const struct rule *r = &room[i];

	if (r->per == PER_CONN && q->conn)
		return &per_conn[q->conn][r->counter][fired];
	if (r->per == PER_THREAD)
		return &per_thread[thread][r->counter][fired];
	return &tally[i][fired];
}

static int never_asked(struct query *q)
{
	(void)q;
	assert(!"asked whether the descriptor waits");
}

static int bounded(struct query *q)
{
	(void)q;
	return WAITS_BOUNDED;
}

static void start_counting(void)
{
	memset(tally, 0, sizeof tally);
	memset(per_conn, 0, sizeof per_conn);
	memset(per_thread, 0, sizeof per_thread);
	thread = 0;
}

/* A blocking TCP recv of 100 bytes on the first connection. */
static struct query some_query(void)
{
	return (struct query){
		.call = CALL_recv, .family = FAMILY_RECV, .fd = 3, .conn = 1,
		.protos = IS_TCP, .role = ROLE_IS_CLIENT, .sized = true,
		.size = 100, .waits = 1, .ask = never_asked,
		.count = counter, .seed = 7, .path = 11, .nth = 1,
		.exe = { { "/usr/bin/prog", 13 }, { "prog", 4 } },
	};
}

/* The number of the rule that decides, or 0. */
static int ask(struct query q)
{
	struct verdict v = rules_ask(&set, &q);

	assert(!v.rule == !v.id && (!v.rule || v.rule == &room[v.id - 1]));
	return v.id;
}

static int decides(const char *text, struct query q)
{
	rules_of(text);
	start_counting();
	return ask(q);
}

static bool peer_matches(const char *peer, const char *addr)
{
	struct query q = some_query();
	struct sockaddr_storage sa;
	char text[200];

	q.alen[1] = address(&sa, addr);
	q.addr[1] = &sa;
	if (sa.ss_family == AF_UNIX)
		q.protos = IS_STREAM;
	sprintf(text, "recv peer=%s delay=1s", peer);
	return decides(text, q);
}

static void test_addresses(void)
{
	static const struct { const char *peer, *addr; bool yes; } pairs[] = {
		{ "127.0.0.1:80", "127.0.0.1:80", true },
		{ "127.0.0.1:80", "127.0.0.1:81", false },
		{ "127.0.0.1:80", "127.0.0.2:80", false },
		{ "127.0.0.1:*", "127.0.0.1:81", true },
		{ "*:80", "10.1.2.3:80", true },
		{ "*:80", "[2001:db8::1]:80", true },
		{ "*:80", "[2001:db8::1]:81", false },
		{ "*:*", "/run/x", false },
		{ "10.0.0.0/8:*", "10.255.0.1:1", true },
		{ "10.0.0.0/8:*", "11.0.0.1:1", false },
		{ "10.1.2.3/8:*", "10.9.9.9:1", true },
		{ "10.0.0.0/9:*", "10.127.0.1:1", true },
		{ "10.0.0.0/9:*", "10.128.0.1:1", false },
		{ "0.0.0.0/0:80", "1.2.3.4:80", true },
		{ "1.2.3.4/32:80", "1.2.3.5:80", false },
		{ "[::1]:80", "[::1]:80", true },
		{ "[::1]:80", "[::2]:80", false },
		{ "[2001:db8::]/32:*", "[2001:db8:1::5]:1", true },
		{ "[2001:db8::]/33:*", "[2001:db8:8000::5]:1", false },
		{ "[::]/0:*", "1.2.3.4:80", false },
		/* an IPv4 address in an IPv6 socket */
		{ "1.2.3.4:80", "[::ffff:1.2.3.4]:80", true },
		{ "1.0.0.0/8:*", "[::ffff:1.2.3.4]:80", true },
		{ "[::ffff:0:0]/96:*", "[::ffff:1.2.3.4]:80", true },
		{ "1.2.3.4:80", "[::1.2.3.4]:80", false },
		{ "unix:/run/x", "/run/x", true },
		{ "unix:/run/x", "/run/xy", false },
		{ "unix:/run/*", "/run/a/b", true },
		{ "unix:*", "/run/x", true },
		{ "unix:*", "@x", false },
		{ "unix:@x", "@x", true },
		{ "unix:@*", "@anything", true },
		{ "unix:@*", "/run/x", false },
		{ "unix:*", "1.2.3.4:80", false },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		assert(peer_matches(pairs[i].peer, pairs[i].addr) ==
		       pairs[i].yes);
	/* an abstract name may have zeros in it */
	struct sockaddr_un un = { AF_UNIX, "\0a\0b" };
	struct query q = some_query();
	q.protos = IS_STREAM;
	q.addr[0] = &un;
	q.alen[0] = offsetof(struct sockaddr_un, sun_path) + 4;
	assert(decides("recv local=unix:@a?b delay=1s", q) == 1);
	assert(decides("recv local=unix:@a delay=1s", q) == 0);
	/* unnamed, and none at all */
	q.alen[0] = offsetof(struct sockaddr_un, sun_path);
	assert(decides("recv local=unix:* delay=1s", q) == 0);
	assert(decides("recv local=unix:@* delay=1s", q) == 0);
	q.alen[0] = 0;
	assert(decides("recv local=unix:* delay=1s", q) == 0);
	assert(decides("recv local=*:* delay=1s", q) == 0);
}

/* Each matcher lets the call through, or keeps it away. */
static void test_matchers(void)
{
	struct query q = some_query();

	assert(decides("recv delay=1s", q) == 1);
	assert(decides("send delay=1s", q) == 0);
	assert(decides("send,recv delay=1s", q) == 1);
	assert(decides("* delay=1s", q) == 1);
	assert(decides("recv proto=tcp delay=1s", q) == 1);
	assert(decides("recv proto=udp delay=1s", q) == 0);
	assert(decides("recv proto=unix delay=1s", q) == 0);
	assert(decides("recv role=client delay=1s", q) == 1);
	assert(decides("recv role=server delay=1s", q) == 0);
	assert(decides("recv fd=3 delay=1s", q) == 1);
	assert(decides("recv fd=4 delay=1s", q) == 0);
	assert(decides("recv conn=1 delay=1s", q) == 1);
	assert(decides("recv conn=2 delay=1s", q) == 0);
	assert(decides("recv via=recv delay=1s", q) == 1);
	assert(decides("recv via=read,readv delay=1s", q) == 0);
	assert(decides("recv exe=prog delay=1s", q) == 1);
	assert(decides("recv exe=p*g delay=1s", q) == 1);
	assert(decides("recv exe=bin delay=1s", q) == 0);
	assert(decides("recv exe=/usr/*/prog delay=1s", q) == 1);
	assert(decides("recv exe=/prog delay=1s", q) == 0);
	assert(decides("recv size=100 delay=1s", q) == 1);
	assert(decides("recv size=99..101 delay=1s", q) == 1);
	assert(decides("recv size=1..99 delay=1s", q) == 0);
	assert(decides("recv size=101.. delay=1s", q) == 0);
	assert(decides("recv blocking delay=1s", q) == 1);
	assert(decides("recv nonblocking delay=1s", q) == 0);
	q.sized = false;
	assert(decides("recv size=0.. delay=1s", q) == 0);
	q.elapsed = 2999999999;
	assert(decides("recv after=3s delay=1s", q) == 0);
	q.elapsed = 3000000000;
	assert(decides("recv after=3s delay=1s", q) == 1);
	q = (struct query){ .call = CALL_getaddrinfo, .role = -1,
			    .family = FAMILY_RESOLVE, .name = "a.example.org",
			    .ask = never_asked, .count = counter };
	assert(decides("resolve name=*.example.org error=EAI_AGAIN", q) == 1);
	assert(decides("resolve name=example.org error=EAI_AGAIN", q) == 0);
	q.name = NULL;
	assert(decides("resolve name=* error=EAI_AGAIN", q) == 0);
}

/* What the kernel could not do to this very call is not done. */
static void test_possible(void)
{
	struct query q = some_query();

	assert(decides("recv error=EINTR", q) == 1);
	assert(decides("recv error=EAGAIN", q) == 0);
	assert(decides("recv error=EAGAIN force", q) == 1);
	assert(decides("recv error=EAGAIN\nrecv error=EINTR", q) == 2);
	q.waits = 0;
	assert(decides("recv error=EINTR", q) == 0);
	assert(decides("recv error=EAGAIN", q) == 1);
	/* a time-out on the socket: it waits, but not for ever */
	q.waits = -1;
	q.ask = bounded;
	assert(decides("recv error=EINTR", q) == 1);
	assert(decides("recv error=EAGAIN", q) == 1);
	assert(decides("recv blocking error=EAGAIN", q) == 1);
	assert(decides("recv nonblocking error=EAGAIN", q) == 0);
	/* what it was shown is there, and all of it */
	q = some_query();
	q.shown = 40;
	assert(decides("recv error=EINTR", q) == 0);
	assert(decides("recv short=5", q) == 1);
	q.waits = 0;
	assert(decides("recv error=EAGAIN", q) == 0);
	assert(decides("recv error=ENOMEM", q) == 1);
	q.shown = 100;
	assert(decides("recv short=5", q) == 0);
	q = some_query();
	q.family = FAMILY_RESOLVE;
	q.call = CALL_getaddrinfo;
	assert(decides("resolve error=EAI_AGAIN", q) == 1);
	q.literal = true;
	assert(decides("resolve error=EAI_AGAIN", q) == 0);
	assert(decides("resolve error=EAI_AGAIN force", q) == 1);
	assert(decides("resolve error=EAI_MEMORY", q) == 1);
	q = some_query();
	assert(decides("recv error=ECONNREFUSED", q) == 0);
	q.protos = IS_UDP;
	assert(decides("recv error=ECONNREFUSED", q) == 1);
	assert(decides("recv short=5", q) == 0);
	assert(decides("recv reset", q) == 0);
	assert(decides("recv eof", q) == 0);
	q = some_query();
	assert(decides("recv short=5", q) == 1);
	q.whole = true;
	assert(decides("recv short=5", q) == 0);
	q = some_query();
	q.size = 1;
	assert(decides("recv short=5", q) == 0);
	q.protos = IS_SEQ;
	assert(decides("recv reset", q) == 1);
}

/* ---- who decides -------------------------------------------------------- */

/* Which rule decides each of n calls, as a string of digits. */
static const char *run(const char *text, int n, void (*change)(struct query *q,
							       int i))
{
	static char decided[64];
	struct query q = some_query();

	rules_of(text);
	start_counting();
	for (int i = 0; i < n; i++) {
		q.nth = i + 1;
		if (change)
			change(&q, i);
		decided[i] = '0' + ask(q);
	}
	decided[n] = 0;
	return decided;
}

#define SAME(a, b) assert(!strcmp(a, b))

/* Calls come from two sockets in turn. */
static void two_conns(struct query *q, int i)
{
	q->conn = 1 + i % 2;
}

static void two_threads(struct query *q, int i)
{
	(void)q;
	thread = i % 2;
}

static void two_families(struct query *q, int i)
{
	q->family = i % 2 ? FAMILY_SEND : FAMILY_RECV;
	q->call = i % 2 ? CALL_send : CALL_recv;
}

static void test_turns(void)
{
	SAME(run("recv when=3 delay=1s", 8, NULL), "00100000");
	SAME(run("recv when=3..5 delay=1s", 8, NULL), "00111000");
	SAME(run("recv when=3+ delay=1s", 8, NULL), "00111111");
	SAME(run("recv when=3+2 delay=1s", 8, NULL), "00101010");
	SAME(run("recv when=3..6+2 delay=1s", 8, NULL), "00101000");
	SAME(run("recv limit=2 delay=1s", 8, NULL), "11000000");
	SAME(run("recv when=3+2 limit=2 delay=1s", 8, NULL), "00101000");
	/* the first decides; what it lets go, the next may take */
	SAME(run("recv when=2 delay=1s\nrecv delay=2s", 4, NULL), "2122");
	SAME(run("recv when=2 pass\nrecv delay=2s", 4, NULL), "2122");
	/* every rule counts the calls that match it, whoever decides */
	SAME(run("recv when=1..2 delay=1s\nrecv when=2..4 delay=1s", 6, NULL),
	     "112200");
	SAME(run("recv when=1..2 delay=1s\nrecv when=3 error=EIO force", 4,
		 NULL), "1120");
	/* but not calls that it could do nothing to */
	SAME(run("recv when=2 error=EAGAIN\nrecv when=2 delay=1s", 3, NULL),
	     "020");
	SAME(run("send when=2 delay=1s", 6, two_families), "000100");
	SAME(run("* when=4 delay=1s", 6, two_families), "000100");
	/* a limit is used up by deciding, not by matching */
	SAME(run("recv when=2+2 delay=1s\nrecv limit=2 delay=1s", 8, NULL),
	     "21210101");
}

static void test_per(void)
{
	SAME(run("recv when=2 delay=1s", 8, two_conns), "01000000");
	SAME(run("recv when=2 per=conn delay=1s", 8, two_conns), "00110000");
	SAME(run("recv limit=1 per=conn delay=1s", 8, two_conns), "11000000");
	SAME(run("recv when=2+ limit=2 per=conn delay=1s", 8, two_conns),
	     "00111100");
	SAME(run("recv when=2 per=thread delay=1s", 8, two_threads),
	     "00110000");
	/* each of them has counters of its own */
	SAME(run("recv when=1 per=conn delay=1s\n"
		 "recv when=2 per=conn delay=1s\n"
		 "recv when=5 per=thread delay=1s\n"
		 "recv when=6 delay=1s", 8, two_conns), "11223400");
}

/* at=: calls are cut where the byte is, and the rule acts when it is there. */
static void test_at(void)
{
	struct query q = some_query();
	struct verdict v;

	rules_of("recv at=150 error=ENOMEM");
	v = rules_ask(&set, &q);
	assert(!v.rule && v.cut == 150);
	q.offset = 100;
	v = rules_ask(&set, &q);
	assert(!v.rule && v.cut == 50);
	q.offset = 150;
	v = rules_ask(&set, &q);
	assert(v.id == 1 && v.cut == UINT64_MAX);
	q.offset = 151;
	v = rules_ask(&set, &q);
	assert(!v.rule && v.cut == UINT64_MAX);
	/* the nearest of several */
	rules_of("recv at=150 error=ENOMEM\nrecv at=120 error=ENOMEM");
	q.offset = 100;
	assert(rules_ask(&set, &q).cut == 20);
	/* what ends the connection acts as soon as the byte has gone */
	rules_of("recv at=150 reset");
	q.offset = 150;
	assert(!rules_ask(&set, &q).rule);
	q.moment = REACHED;
	assert(rules_ask(&set, &q).id == 1);
	q.offset = 149;
	v = rules_ask(&set, &q);
	assert(!v.rule && v.cut == UINT64_MAX);
	/* at the very start there is nothing that could go first */
	rules_of("recv at=0 reset");
	q.offset = 0;
	assert(!rules_ask(&set, &q).rule);
	q.moment = BEFORE;
	assert(rules_ask(&set, &q).id == 1);
	/* cut there whatever chance says, whether anybody keeps the score */
	rules_of("recv at=150 prob=0.0001% error=ENOMEM");
	for (int scored = 0; scored < 2; scored++) {
		set.score = scored ? &(struct rule_score){ 0 } : NULL;
		for (q.offset = 50; q.offset < 150; q.offset++)
			assert(rules_ask(&set, &q).cut == 150 - q.offset);
	}
	/* datagrams have no offset */
	q.protos = IS_UDP;
	assert(decides("recv at=0 delay=1s", q) == 0);
}

/* accept: before it is made, and when it has made a descriptor. */
static void test_made(void)
{
	struct query q = some_query();

	q.call = CALL_accept;
	q.family = FAMILY_ACCEPT;
	q.role = ROLE_IS_LISTENER;
	assert(decides("accept error=EMFILE", q) == 1);
	assert(decides("accept error=ECONNABORTED", q) == 0);
	assert(decides("accept reset", q) == 0);
	assert(decides("accept number=1024", q) == 0);
	q.moment = MADE;
	assert(decides("accept error=EMFILE", q) == 0);
	assert(decides("accept error=ECONNABORTED", q) == 1);
	assert(decides("accept reset", q) == 1);
	assert(decides("accept number=1024", q) == 1);
}

/* ---- chance ------------------------------------------------------------- */

static int fired_of(uint64_t seed, uint64_t path, uint32_t conn, int n,
		    uint8_t *each)
{
	struct query q = some_query();
	int fired = 0;

	q.seed = seed;
	q.path = path;
	q.conn = conn;
	for (int i = 0; i < n; i++) {
		q.nth = i + 1;
		each[i] = ask(q) != 0;
		fired += each[i];
	}
	return fired;
}

static void test_chance(void)
{
	enum { N = 20000 };
	static uint8_t a[N], b[N];
	int n;

	rules_of("recv prob=5% delay=1s");
	start_counting();
	n = fired_of(1, 2, 3, N, a);
	assert(n > N / 20 * 9 / 10 && n < N / 20 * 11 / 10);
	/* the same again, whatever else was asked in between */
	fired_of(9, 9, 1, N, b);
	assert(fired_of(1, 2, 3, N, b) == n && !memcmp(a, b, N));
	/* another seed, process or socket: another run */
	fired_of(2, 2, 3, N, b);
	assert(memcmp(a, b, N));
	fired_of(1, 3, 3, N, b);
	assert(memcmp(a, b, N));
	fired_of(1, 2, 1, N, b);
	assert(memcmp(a, b, N));
	/* two rules of the same chance are independent */
	rules_of("recv fd=4 prob=50% delay=1s\nrecv prob=5% delay=1s");
	fired_of(1, 2, 3, N, b);
	assert(memcmp(a, b, N));
	rules_of("recv prob=100% delay=1s");
	assert(fired_of(1, 2, 3, N, b) == N);
}

static void test_draws(void)
{
	const struct rule *r = rules_of("send short=10..20");
	int seen[21] = { 0 };

	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t n = rule_short(r, i, 1000);
		assert(n >= 10 && n <= 20);
		seen[n]++;
		assert(n == rule_short(r, i, 1000));
	}
	for (int i = 10; i <= 20; i++)
		assert(seen[i] > 100);
	assert(draw_between(5, 7, 7) == 7);
	draw_between(5, 0, UINT64_MAX);
	r = rules_of("send short=50%");
	assert(rule_short(r, 1, 1000) == 500);
	assert(rule_short(r, 1, 2) == 1);
	assert(rule_short(r, 1, 1) == 1);
	assert(rule_short(r, 1, UINT64_MAX) == UINT64_MAX / 2);
	assert(hash_text("1.2") != hash_text("1.3"));
}

/* A thousand rules: the last decides, and all have counted. */
static void test_thousand(void)
{
	static char text[RULES_MOST * 64];
	char *at = text;

	for (int i = 1; i <= RULES_MOST; i++)
		at += sprintf(at, "recv when=%d error=EIO force\n",
			      RULES_MOST + 1 - i);
	rules_of(text);
	start_counting();
	for (int i = RULES_MOST; i > 0; i--)
		assert(ask(some_query()) == i);
	assert(ask(some_query()) == 0);
}

/* Which functions a rule has to do with. */
static void test_calls(void)
{
	struct call_set calls_ = { 0 };

	rules_of("recv via=read,readv delay=1s\nclose error=EIO");
	rules_calls(&set, &calls_);
	assert(call_set_has(&calls_, CALL_read));
	assert(call_set_has(&calls_, CALL_close));
	assert(!call_set_has(&calls_, CALL_recv));
	assert(!call_set_has(&calls_, CALL_send));
}

int main(void)
{
	test_times();
	test_bytes();
	test_counts();
	test_names();
	test_star();
	test_strace();
	test_lines();
	test_room();
	test_globs();
	test_addresses();
	test_matchers();
	test_possible();
	test_turns();
	test_per();
	test_at();
	test_made();
	test_chance();
	test_draws();
	test_thousand();
	test_calls();
	return 0;
}
