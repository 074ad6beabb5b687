/* SPDX-License-Identifier: MIT */
/*
 * Which cases there are, each with its rule: those of kinds.h and calls.h in
 * every style, function and manner, and then single ones.
 */

/* ---- single cases ------------------------------------------------------- */

#define CONNECT "connect fd=100 limit=1 inprogress=@T@"
#define UNREACHED " then=EHOSTUNREACH"
#define REFUSED " then=ECONNREFUSED"
#define STALL "recv role=client limit=1 stall=@T@"
#define SEND_STALL "send fd=100 limit=1 stall=@T@"
#define ACCEPT_LATENCY "accept fd=100 latency=@T@"
#define LATENCY "recv role=client latency=@T@"

static void connect_what(int what)
{
	static void (*const cases[])(void) = {
		connect_again, connect_view, connect_seen, connect_sent,
		connect_named, connect_closed, connect_dissolved,
	};

	cases[what]();
}

static const struct single {
	const char *name;
	void (*run)(int arg);
	int arg;
	const char *rule;		/* NULL: LATENCY, and STALL */
} singles[] = {
	{ "connect:again", connect_what, 0, CONNECT },
	{ "connect:view", connect_what, 1, CONNECT },
	{ "connect:until-connect", connect_what, 2, CONNECT },
	{ "connect:until-send", connect_what, 3, CONNECT },
	{ "connect:until-getpeername", connect_what, 4, CONNECT },
	{ "connect:close", connect_what, 5, CONNECT },
	{ "connect:dissolve", connect_what, 6, CONNECT },
	{ "connect:shut-wr", connect_shut, SHUT_WR, CONNECT },
	{ "connect:shut-rd", connect_shut, SHUT_RD, CONNECT },
	{ "connect:shut-rdwr", connect_shut, SHUT_RDWR, CONNECT },
	{ "connect:then-wait", connect_then_wait, 'c', CONNECT },
	{ "connect:then-send", connect_then_wait, 's', CONNECT },
	{ "connect:then-recv", connect_then_wait, 'r', CONNECT },
	{ "connect:set-before", connect_set_before, 0, CONNECT },
	{ "connect:edge-before", connect_set_before, 1, CONNECT },
	{ "connect:oneshot", connect_oneshot, 0, CONNECT },
	{ "connect:oneshot-edge", connect_oneshot, EPOLLET, CONNECT },
	{ "connect:mod", connect_mod, 0, CONNECT },
	{ "connect:mod-edge", connect_mod, EPOLLET, CONNECT },
	{ "connect:two-sets", connect_two_sets, 0, CONNECT },
	{ "connect:fork", connect_forked, 0, CONNECT },
	{ "connect:fork-edge", connect_forked, 1, CONNECT },
	{ "connect:already-edge", connect_already, 0, CONNECT },
	{ "connect:forever", connect_forever, 0,
	  "connect fd=100 limit=1 stall=forever" },
	{ "refused:connect", failed, 'c', CONNECT REFUSED },
	{ "refused:send", failed, 'w', CONNECT REFUSED },
	{ "refused:recv", failed, 'r', CONNECT REFUSED },
	{ "refused:peek", failed, 'k', CONNECT REFUSED },
	{ "refused:shutdown", failed, 's', CONNECT REFUSED },
	{ "refused:names", failed, 'n', CONNECT REFUSED },
	{ "refused:SO_ERROR", failed, 'e', CONNECT REFUSED },
	{ "unreachable:connect", failed, 'C', CONNECT UNREACHED },
	{ "unreachable:send", failed, 'W', CONNECT UNREACHED },
	{ "unreachable:recv", failed, 'R', CONNECT UNREACHED },
	{ "unreachable:SO_ERROR", failed, 'E', CONNECT UNREACHED },
	{ "refused:unasked", failed_unasked, 0, CONNECT REFUSED },
	{ "refused:unasked-edge", failed_unasked, 1, CONNECT REFUSED },
	{ "refused:until-connect", failed_asked, 'c', CONNECT REFUSED },
	{ "refused:until-send", failed_asked, 's', CONNECT REFUSED },
	{ "refused:set-before", failed_set_before, 0, CONNECT REFUSED },
	{ "refused:edge-before", failed_set_before, 1, CONNECT REFUSED },
	{ "unix-connect:block", unix_connect, 'b',
	  "connect fd=100 limit=1 stall=@T@" },
	{ "unix-connect:nonblock", unix_connect, 'n',
	  "connect fd=100 limit=1 stall=@T@" },
	{ "unix-connect:timeout", unix_connect, 't',
	  "connect fd=100 limit=1 stall=@T@" },

	{ "accept:block", accept_held, 'b', "accept fd=100 limit=1 stall=@T@" },
	{ "accept:timeout", accept_held, 't',
	  "accept fd=100 limit=1 stall=@T@" },
	{ "accept:poll", accept_held, 'n', "accept fd=100 limit=1 stall=@T@" },
	{ "accept:select", accept_held, 's',
	  "accept fd=100 limit=1 stall=@T@" },
	{ "accept:level", accept_held, 'l', "accept fd=100 limit=1 stall=@T@" },
	{ "accept:edge", accept_held, 'e', "accept fd=100 limit=1 stall=@T@" },
	{ "accept-latency:block", accept_late, 'b', ACCEPT_LATENCY },
	{ "accept-latency:poll", accept_late, 'n', ACCEPT_LATENCY },
	{ "accept-latency:select", accept_late, 's', ACCEPT_LATENCY },
	{ "accept-latency:level", accept_late, 'l', ACCEPT_LATENCY },
	{ "accept-latency:edge", accept_late, 'e', ACCEPT_LATENCY },
	{ "accept:forever", accept_forever, 0, "accept fd=100 stall=forever" },

	{ "flag:dontwait", flag_dontwait, 0, STALL },
	{ "flag:dontwait-send", flag_dontwait_send, 0,
	  SEND_STALL },
	{ "flag:peek", flag_peek, 0, LATENCY },
	{ "flag:unread", flag_unread, 0, LATENCY },
	{ "flag:waitall", flag_waitall, 0, LATENCY },
	{ "flag:waitall-stall", flag_waitall, 1, STALL },
	{ "flag:nothing", flag_nothing, 0, LATENCY },
	{ "already:crowd", crowd, 0, "recv role=pair latency=@T@" },
	{ "flag:lowat", flag_lowat, 0, LATENCY },
	{ "flag:several", flag_several, 0, "recv fd=100 latency=@T@" },
	{ "flag:timeout", flag_timeout, 0, LATENCY },
	{ "flag:urgent", flag_urgent, 0, LATENCY },
	{ "flag:pieces", flag_pieces, 0, LATENCY },
	{ "flag:pieces-stall", flag_pieces, 0, STALL },

	{ "mask:ppoll-lets", masked, 'p', LATENCY },
	{ "mask:pselect-lets", masked, 's', LATENCY },
	{ "mask:epoll_pwait-lets", masked, 'e', LATENCY },
	{ "mask:epoll_pwait2-lets", masked, 'f', LATENCY },
	{ "mask:ppoll-keeps", masked, 'P', LATENCY },
	{ "mask:pselect-keeps", masked, 'S', LATENCY },
	{ "mask:epoll_pwait-keeps", masked, 'E', LATENCY },
	{ "mask:epoll_pwait2-keeps", masked, 'F', LATENCY },

	{ "epoll:before", ep_before, 0, NULL },
	{ "epoll:before-edge", ep_before, EPOLLET, NULL },
	{ "epoll:after", ep_after, 0, NULL },
	{ "epoll:after-edge", ep_after, EPOLLET, NULL },
	{ "epoll:oneshot", ep_oneshot, 0, NULL },
	{ "epoll:oneshot-edge", ep_oneshot, EPOLLET, NULL },
	{ "epoll:oneshot-spent", ep_oneshot_spent, 0, NULL },
	{ "epoll:oneshot-armed", ep_oneshot_spent, 1, NULL },
	{ "epoll:exclusive", ep_exclusive, 0, NULL },
	{ "epoll:exclusive-edge", ep_exclusive, EPOLLET, NULL },
	{ "epoll:two-sets", ep_two_sets, 0, NULL },
	{ "epoll:two-sets-edge", ep_two_sets, EPOLLET, NULL },
	{ "epoll:dup", ep_dup, 0, NULL },
	{ "epoll:dup-both", ep_dup, 1, NULL },
	{ "epoll:dup-closed", ep_dup_closed, 0, NULL },
	{ "epoll:set-dup", ep_set_dup, 0, NULL },
	{ "epoll:set-closed", ep_set_closed, 0, NULL },
	{ "epoll:nested", ep_nested, 0, NULL },
	{ "epoll:nested-edge", ep_nested, EPOLLET, NULL },
	{ "epoll:polled", ep_polled, 0, NULL },
	{ "epoll:selected", ep_polled, 1, NULL },
	{ "epoll:same-data", ep_same_data, 0, NULL },
	{ "epoll:max-one", ep_max_one, 0, NULL },
	{ "epoll:max-one-edge", ep_max_one, EPOLLET, NULL },
	{ "epoll:mod", ep_mod, 0, NULL },
	{ "epoll:mod-edge", ep_mod, EPOLLET, NULL },
	{ "epoll:mod-off", ep_mod_off, 0, NULL },
	{ "epoll:del", ep_del, 0, NULL },
	{ "epoll:del-add", ep_del, 1, NULL },
	{ "epoll:both-ways", ep_both_ways, 0, NULL },
	{ "epoll:both-ways-edge", ep_both_ways, EPOLLET, NULL },
	{ "epoll:send", ep_send, 0, SEND_STALL },
	{ "epoll:send-edge", ep_send, EPOLLET, SEND_STALL },
	{ "epoll:many", ep_many, 0, "recv role=pair latency=@T@" },
	{ "epoll:many-edge", ep_many, EPOLLET, "recv role=pair latency=@T@" },
	{ "epoll:other", ep_other, 0, NULL },
	{ "epoll:other-edge", ep_other, EPOLLET, NULL },
	{ "epoll:already", ep_already, 0, NULL },
	{ "epoll:already-edge", ep_already, EPOLLET, NULL },
	{ "epoll:already-oneshot", ep_already, EPOLLONESHOT, NULL },
	{ "epoll:threads", ep_threads, 0, LATENCY },

	{ "other:poll", other_polled, 'p', NULL },
	{ "other:ppoll", other_polled, 'P', NULL },
	{ "other:select", other_polled, 's', NULL },
	{ "other:pselect", other_polled, 'S', NULL },
	{ "other:comes-poll", other_comes, 'p', NULL },
	{ "other:comes-level", other_comes, 'l', NULL },
	{ "other:comes-edge", other_comes, 'e', NULL },
	{ "other:arguments", other_args, 0, NULL },
	{ "other:left", other_left, 0, NULL },
	{ "other:names", other_names, 0, NULL },
	{ "other:direction", other_direction, 0, NULL },
	{ "fork:poll", forked, 'p', NULL },
	{ "fork:level", forked, 'e', NULL },
	{ "fork:edge", forked, 'g', NULL },
	{ "fork:recv", forked, 'r', NULL },
	{ "fork:storm", fork_storm, 0, "recv role=pair latency=1ms" },
	{ "fork:both", forked_both, 0, NULL },
	{ "close:copy", closed_copy, 0, NULL },
	{ "close:all", closed_all, 0, NULL },
	{ "end:eof", ended, 0, NULL },
	{ "end:data-eof", ended, 1, NULL },
	{ "end:hidden", end_hidden, 0, NULL },
	{ "end:shut-rd", shut, SHUT_RD, NULL },
	{ "end:shut-wr", shut, SHUT_WR, NULL },
	{ "end:shut-rdwr", shut, SHUT_RDWR, NULL },
	{ "end:shut-in-recv", shut_waiting, 'r', STALL },
	{ "end:shut-in-poll", shut_waiting, 'p', STALL },
	{ "end:shut-send", shut_send, 0, SEND_STALL },
	{ "end:reset", reset_there, 0, "recv fd=100 stall=forever" },
	{ "end:data-reset", reset_there, 1, "recv fd=100 stall=forever" },
	{ "forever:recv", for_ever, 0, "recv fd=100 stall=forever" },
	{ "forever:send", for_ever_send, 0, "send fd=100 stall=forever" },
};

#define N_SINGLES (sizeof singles / sizeof *singles)

/* ---- the list ----------------------------------------------------------- */

enum what { KIND, RATED_IO, CALL, TIMEOUT, SIGNAL, HANDLER, JUMP, CANCEL,
	    ALREADY, THREADS, RESET, SINGLE };

static struct job {
	char name[56], rule[80];
	enum what what;
	int index, style, how;
	enum proto proto;
	bool asked, late;
} jobs[800];

static size_t n_jobs;

__attribute__((format(printf, 3, 4)))
static struct job *job(enum what what, const char *rule, const char *name, ...)
{
	struct job *j = &jobs[n_jobs++];
	va_list list;

	if (n_jobs > sizeof jobs / sizeof *jobs)
		abort();
	*j = (struct job){ .what = what, .proto = TCP };
	snprintf(j->rule, sizeof j->rule, "%s", rule);
	va_start(list, name);
	vsnprintf(j->name, sizeof j->name, name, list);
	va_end(list);
	return j;
}

/* styles: block is none; the first five are enough for most. */
static const char *const styles[] = {
	"block", "poll", "select", "epoll_wait", "edge",
	"ppoll", "pselect", "epoll_pwait", "epoll_pwait2",
};

#define N_STYLES (sizeof styles / sizeof *styles)
#define FEW 5

static bool is_epoll(int i)
{
	return styles[i][0] == 'e';
}

static const struct {
	enum proto proto;
	const char *name;
} protos[] = {
	{ TCP, "" }, { UDP, "-udp" }, { STREAM, "-unix" },
	{ DGRAM, "-dgram" }, { SEQ, "-seqpacket" },
};

#define N_PROTOS (sizeof protos / sizeof *protos)

static void kind_job(int kind, int proto, int i, bool asked, bool after)
{
	struct job *j = job(KIND, kinds[kind].rule, "%s%s:%s%s%s",
			    kinds[kind].name, protos[proto].name,
			    styles[i], asked ? "+asked" : "",
			    after ? "+late" : "");

	j->index = kind;
	j->proto = protos[proto].proto;
	j->style = i;
	j->asked = asked;
	j->late = after;
}

static void list_kind(int kind)
{
	const struct kind *k = &kinds[kind];

	for (size_t p = 0; p < N_PROTOS; p++)
		for (size_t i = 0; i < N_STYLES; i++) {
			if (!(protos[p].proto & k->protos) ||
			    (i >= FEW && (p > 0 || k->event == syn_lost)))
				continue;
			kind_job(kind, p, i, false, false);
			if (p > 0 || i == 0 || i >= FEW)
				continue;
			kind_job(kind, p, i, true, false);
			if (is_epoll(i) && !is_connect(k))
				kind_job(kind, p, i, true, true);
		}
}

static void list_rates(void)
{
	for (int i = 0; i < FEW; i++) {
		job(RATED_IO, "recv fd=100 rate=400kB/s", "recv-rate:%s",
		    styles[i])->style = i;
		job(RATED_IO, "send fd=100 rate=400kB/s", "send-rate:%s",
		    styles[i])->style = i;
	}
}

static void list_calls(const struct data_way *w, bool sends)
{
	for (; w->name; w++)
		for (int asked = 0; asked < 2; asked++) {
			struct job *j = job(CALL, sends ?
				"send fd=100 limit=1 stall=@T@" :
				"recv fd=100 limit=1 stall=@T@", "%s:%s%s",
				sends ? "send-by" : "recv-by", w->name,
				asked ? "+asked" : "");

			j->index = w - (sends ? send_ways : recv_ways);
			j->how = sends;
			j->asked = asked;
		}
}

static void list_in(int index)
{
	const struct in_call *c = &in_calls[index];
	bool data = strchr("rp", c->what);

	if (c->what != 'p')
		job(TIMEOUT, in_rule(c), "timeout:%s", c->name)->index = index;
	job(CANCEL, in_rule(c), "cancel:%s", c->name)->index = index;
	job(JUMP, in_rule(c), "jump:%s", c->name)->index = index;
	if (data && c->call != in_fgets)
		job(HANDLER, in_rule(c), "handler:%s", c->name)->index = index;
	for (int how = 0; how < (c->what == 'p' ? 2 : 4); how++) {
		struct job *j = job(SIGNAL, in_rule(c), "signal:%s%s%s",
				    c->name, how & 1 ? "+restart" : "",
				    how & 2 ? "+timeout" : "");

		j->index = index;
		j->how = how;
	}
	for (int asked = 0; asked < 2 && data; asked++) {
		struct job *j = job(ALREADY, asked ? STALL : LATENCY,
				    "already:%s%s", c->name,
				    asked ? "+asked" : "");

		j->index = index;
		j->asked = asked;
	}
	if (data || c->what == 'w')
		job(RESET, c->what == 'w' ? "send fd=100 stall=forever" :
		    "recv fd=100 stall=forever", "reset:%s",
		    c->name)->index = index;
}

static void list_single(int index)
{
	const struct single *e = &singles[index];
	struct job *j;

	for (int asked = 0; asked < (e->rule ? 1 : 2); asked++) {
		j = job(SINGLE, e->rule ? e->rule : asked ? STALL : LATENCY,
			"%s%s", e->name, asked ? "+asked" : "");
		j->index = index;
		j->asked = asked;
	}
}

static void make_list(void)
{
	for (size_t i = 0; i < N_KINDS; i++)
		list_kind(i);
	list_rates();
	list_calls(recv_ways, false);
	list_calls(send_ways, true);
	for (size_t i = 0; i < N_IN_CALLS; i++)
		list_in(i);
	job(THREADS, "recv fd=100 latency=@T@", "already:threads")->proto =
		DGRAM;
	for (size_t i = 0; i < N_SINGLES; i++)
		list_single(i);
}
