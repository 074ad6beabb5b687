/* SPDX-License-Identifier: MIT */
/*
 * Which runs there are: for every situation the usual order, and then one other
 * way, one other manner or one other order at a time.
 */

/* ---- rows --------------------------------------------------------------- */

static const struct row rows[] = {
#define FAULT(family, error, protos, condition, mechanism, after, situation, \
	      source) \
	{ #family, #error, error, protos, #condition, #mechanism, #after, \
	  situation, source },
#include "../../../rules/errors.def"
#undef FAULT
#define ACTION(family, what, protos, condition, after, situation) \
	{ family, what, 0, protos, condition, "", after, situation, "" },
	ACTION("RECV", "reset", TCP | STREAM | SEQ, "ALWAYS", "DEAD", "")
	ACTION("SEND", "reset", TCP, "ALWAYS", "DEAD", "")
	ACTION("SHUTDOWN", "reset", TCP, "ALWAYS", "DEAD", "")
	ACTION("ACCEPT", "reset", TCP, "ALWAYS", "DEAD", "")
	ACTION("SEND", "at=10+reset", TCP, "ALWAYS", "DEAD", "")
	ACTION("RECV", "at=5+reset", TCP, "ALWAYS", "DEAD", "")
	ACTION("RECV", "eof", TCP | STREAM | SEQ, "ALWAYS", "ENDED", "")
	ACTION("SEND", "eof", TCP | STREAM | SEQ, "ALWAYS", "ENDED", "")
	ACTION("RECV", "at=5+eof", TCP | STREAM, "ALWAYS", "ENDED", "")
	ACTION("RECV", "short=3", TCP | STREAM, "ALWAYS", "GOES_ON", "")
	ACTION("SEND", "short=1000", TCP | STREAM, "ALWAYS", "GOES_ON", "")
#define GATE(family, what, protos, after) \
	{ family, what, 0, protos, "ALWAYS", "GATE", after, "", "" },
	GATE("CONNECT", "inprogress=" SPAN, TCP, "GOES_ON")
	GATE("CONNECT", "inprogress=" SPAN "+then=ECONNREFUSED", TCP, "DEAD")
	GATE("CONNECT", "inprogress=" SPAN "+then=ETIMEDOUT", TCP, "DEAD")
	GATE("CONNECT", "inprogress=" SPAN "+then=EHOSTUNREACH", TCP, "DEAD")
	GATE("CONNECT", "inprogress=" SPAN "+then=ENOPROTOOPT", TCP, "DEAD")
	GATE("CONNECT", "inprogress=" SPAN "+then=ECONNRESET", TCP, "DEAD")
	GATE("CONNECT", "stall=" SPAN, LINKS, "GOES_ON")
	GATE("CONNECT", "stall=forever", TCP, "GOES_ON")
	GATE("ACCEPT", "latency=" SPAN, LINKS, "GOES_ON")
	GATE("ACCEPT", "stall=" SPAN, LINKS, "GOES_ON")
	GATE("RECV", "latency=" SPAN, ANY, "GOES_ON")
	GATE("RECV", "stall=" SPAN, ANY, "GOES_ON")
	GATE("RECV", "stall=forever", TCP, "GOES_ON")
	GATE("RECV", "rate=" RATE, TCP | STREAM, "GOES_ON")
	GATE("SEND", "latency=" SPAN, ANY, "GOES_ON")
	GATE("SEND", "stall=" SPAN, ANY, "GOES_ON")
	GATE("SEND", "rate=" RATE, TCP | STREAM, "GOES_ON")
};

#define N_ROWS (sizeof rows / sizeof *rows)
#define N_EVENTS (sizeof events / sizeof *events)

/* ---- runs --------------------------------------------------------------- */

/*
 * For a family, its errnos (or any) and protocols: each of these manners with
 * each of these ways in each of these orders.  cause: of another event than
 * the usual one.
 */
struct plan {
	const char *family, *what;
	unsigned protos;
	const char *cause, *waits, *vias, *orders;
};

#define RECV_WAYS "recvfrom recvmsg recvmmsg read readv preadv2 __recv_chk " \
		  "__read_chk __recvfrom_chk"
#define RECV_FILE_WAYS "splice fread fgets getline fgetc"
#define SEND_WAYS "sendto sendmsg sendmmsg write writev pwritev2"
#define SEND_FILE_WAYS "sendfile splice fwrite fprintf unbuffered dprintf"
#define WAIT_WAYS "poll ppoll select pselect epoll_wait epoll_pwait " \
		  "epoll_pwait2"
#define WAITERS "nonblock+in-poll nonblock+in-ppoll nonblock+in-select " \
		"nonblock+in-pselect nonblock+in-epoll_wait " \
		"nonblock+in-epoll_pwait nonblock+in-epoll_pwait2 " \
		"nonblock+in-edge"
#define SIGNALS "nonblock+ignore nonblock+pending nonblock+nosignal " \
		"nonblock+default"
#define RESET "ECONNRESET reset"
#define OTHERS "ETIMEDOUT EHOSTUNREACH ENETUNREACH ECONNABORTED"
#define STYLES "poll select epoll_wait edge"
#define LATE_WAITERS "nonblock+in-poll nonblock+in-select " \
		     "nonblock+in-epoll_wait nonblock+in-edge"
#define MADE "inprogress=" SPAN " stall=" SPAN
#define FAILED "inprogress=" SPAN "+then=ECONNREFUSED " \
	       "inprogress=" SPAN "+then=ETIMEDOUT " \
	       "inprogress=" SPAN "+then=EHOSTUNREACH " \
	       "inprogress=" SPAN "+then=ENOPROTOOPT " \
	       "inprogress=" SPAN "+then=ECONNRESET"

static const struct plan plans[] = {
{ "SOCKET", "", ANY, "", "block", "socket", "!O.O" },
{ "SOCKET", "EMFILE ENFILE ENOBUFS ENOMEM EACCES EPROTONOSUPPORT", UNIX, "",
  "block", "socketpair", "!O.O" },
{ "BIND", "", ANY, "", "block", "-", "!B.BM" },
{ "LISTEN", "", TCP, "", "block", "-", "!I.IcA" },

/* connect: a failure that ends the attempt, one that does not */
{ "CONNECT", "ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENOPROTOOPT", TCP, "",
  "block", "-", "!CEEPNMWWRR !C.CQWar !CWE !CRE !CS !CGP" },
{ "CONNECT", "ECONNRESET", TCP, "",
  "block", "-", "!CEEPNMWWRR !CC !CWE !CRE !CS !CGP" },
{ "CONNECT", "ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENOPROTOOPT", TCP, "",
  "nonblock", "-",
  "!C~QEEPNMWWRR !C~QC.CQWar !C~QE.CCQWar !C~WWR !C~RRW !C~CEP !C~SE G!C~GE" },
{ "CONNECT", "ECONNRESET", TCP, "",
  "nonblock", "-",
  "!C~QEEPNMWWRR !C~QCP !C~QECP !C~WWR !C~RRW !C~CEP !C~SE G!C~GE" },
{ "CONNECT", "ECONNREFUSED ETIMEDOUT", TCP, "",
  "nonblock", WAIT_WAYS, "!C~PEP" },
{ "CONNECT", "ENETUNREACH EADDRNOTAVAIL ENOBUFS EPERM EACCES ECONNREFUSED "
  "ENOENT EPROTOTYPE ENOMEM", UDP | UNIX, "",
  "block nonblock", "-", "!C.CQEWarNM !CPE.CWar" },
{ "CONNECT", "ENETUNREACH EADDRNOTAVAIL ENOBUFS EPERM EACCES", TCP, "",
  "block nonblock", "-", "!C.CQEWarNM !CPEN.CQWar" },
{ "CONNECT", "EHOSTUNREACH ENETUNREACH ENOPROTOOPT", TCP, "queued",
  "block", "-", "!CEEPNMWWRR !C.CQWar" },
{ "CONNECT", "EHOSTUNREACH ENOPROTOOPT", TCP, "queued",
  "nonblock", "-", "!C~QEEPNMWWRR !C~QE.CCQWar" },
{ "CONNECT", "EHOSTUNREACH", TCP, "unrouted", "block", "-",
  "!CEEPNMWWRR !C.CQWar" },
{ "CONNECT", "EHOSTUNREACH", TCP, "unrouted", "nonblock", "-",
  "!C~QEEPNMWWRR !C~QE.CCQWar" },
{ "CONNECT", "EAGAIN", STREAM | SEQ, "", "nonblock", "-", "!CPE.CWarN" },
{ "CONNECT", "EAGAIN", UDP, "", "block nonblock", "-", "!C.CQEWarN" },
{ "CONNECT", "EINTR", LINKS, "", "block", "-", "!C.CQEWarN !C.CC" },
{ "CONNECT", "EINTR", TCP, "", "block", "-", "!C.QEWarN" },

/* accept */
{ "ACCEPT", "EMFILE ENFILE ENOBUFS ENOMEM EPERM", LINKS, "",
  "block nonblock", "accept accept4 accept(NULL)", "cP!AP.APwRWr" },
{ "ACCEPT", "EMFILE", LINKS, "", "block nonblock", "accept", "!A.cA" },
{ "ACCEPT", "EINTR", LINKS, "", "block", "accept accept4 accept(NULL)",
  "!A.cAwRWr" },
{ "ACCEPT", "ECONNABORTED EPROTO ENETDOWN ENOPROTOOPT EHOSTDOWN ENONET "
  "EHOSTUNREACH EOPNOTSUPP ENETUNREACH", TCP, "",
  "block nonblock", "accept accept4 accept(NULL)", "cP!APprcAwRWr" },
{ "ACCEPT", "reset", TCP, "", "block nonblock",
  "accept accept4 accept(NULL)", "cP!ANMRRWWEEPprw" },
{ "ACCEPT", "reset", TCP, "", "nonblock", "-",
  "cP!AWRP cP!AEENRW cP!ASR cP!APRP cP!AKFR" },

/* the end of a connection, met by recv */
{ "RECV", RESET, TCP, "", "block nonblock", "-",
  "P!RRPFKWWEENMSCprw !RWRE !RWWE !REP !RPE !RS !RC !RN !RM !RGP !RFK" },
{ "RECV", RESET, TCP, "", "nonblock", "-", "w!RRRWP w!KRRR ww!RRW" },
{ "RECV", RESET, TCP, "", "block nonblock", RECV_WAYS " " RECV_FILE_WAYS,
  "!RRPWW" },
{ "RECV", RESET, TCP, "", "nonblock", WAIT_WAYS, "P!RPRWP" },
{ "RECV", RESET, TCP, "", WAITERS " block+in-recv", "-", "!RRWP" },
{ "RECV", "ECONNRESET", TCP, "linger", "block nonblock", "-",
  "P!RRPFKWWEENMSC !RWRE w!RRW" },
{ "RECV", "ECONNRESET", TCP, "unread", "block nonblock", "-",
  "WP!RRPFKWWEENMSC W!RWRE wW!RRW" },
{ "RECV", "ECONNRESET", TCP, "killed", "nonblock", "-",
  "WP!RRPFKWWEENMSC" },
{ "RECV", OTHERS, TCP, "", "block nonblock", "-", "P!RRPFKWWEENMSCprw" },
{ "RECV", OTHERS, TCP, "", "nonblock", "-", "!RWR !REE !RGP w!RRR" },
{ "RECV", OTHERS, TCP, "", "nonblock",
  "recvmsg read readv __read_chk fread", "!RRPWW" },
{ "RECV", RESET, STREAM | SEQ, "", "block nonblock", "-",
  "WP!RRPFKWWEENMSC W!RWRE W!REE W!RGP" },
{ "RECV", RESET, STREAM, "", "block nonblock", "-", "wW!RRR" },
/* the kernel tells a datagram socket's error before its data */
{ "RECV", RESET, SEQ, "", "block nonblock", "-", "wW!RRR" },
{ "RECV", "ECONNRESET", STREAM | SEQ, "killed", "nonblock", "-",
  "WP!RRPFKWWEENMSC" },
{ "RECV", RESET, STREAM | SEQ, "", "nonblock", RECV_WAYS, "W!RRPWW" },
{ "RECV", RESET, STREAM, "", "nonblock", RECV_FILE_WAYS, "W!RRPWW" },
{ "RECV", "at=5+reset", TCP, "", "block nonblock", "-",
  "wxR!RPWWEEprw wxR!EER wxR!PR wxR!WWR wxR!SR wxR!CR wxR!GR wxR!KR wxR!NR" },
/* a FILE reads ahead: at= is not for it (docs/rules.md) */
{ "RECV", "at=5+reset", TCP, "", "nonblock", RECV_WAYS, "wxR!RW" },
{ "RECV", "eof", LINKS, "", "block nonblock", "-",
  "P!RRPFKEWWrNMS !RWrRP !RGP w!RRWr w!KRRR" },
{ "RECV", "eof", LINKS, "", "nonblock", RECV_WAYS, "!RRPWr" },
{ "RECV", "eof", TCP | STREAM, "", "nonblock", RECV_FILE_WAYS, "!RRPWr" },
{ "RECV", "eof", TCP | STREAM, "", "nonblock", WAIT_WAYS, "P!RPWr" },
{ "RECV", "eof", TCP | STREAM, "", WAITERS, "-", "!RRWr" },
{ "SEND", "eof", LINKS, "", "nonblock", "-", "P!WPRRWrE !WRWr" },
{ "RECV", "at=5+eof", TCP | STREAM, "", "block nonblock", "-",
  "wxR!RRWr wxR!PRWr" },

/* the end of a connection, met by send and shutdown */
{ "SEND", "ECONNRESET EPIPE reset", TCP, "", "block nonblock", "-",
  "P!WWRRPFKEENMSCprw !WRW !WEP !WSC !WPR !WN !WGP w!WRRW" },
{ "SEND", "ECONNRESET EPIPE reset", TCP, "", "block nonblock",
  SEND_WAYS " " SEND_FILE_WAYS, "!WWRP" },
{ "SEND", "ECONNRESET EPIPE reset", TCP, "", SIGNALS, "send", "!WWRP" },
{ "SEND", "EPIPE", TCP | STREAM, "", SIGNALS,
  SEND_WAYS " " SEND_FILE_WAYS, "!WWR" },
{ "SEND", "ECONNRESET EPIPE reset", TCP, "", WAITERS " block+in-recv", "-",
  "!WWRP" },
{ "SEND", "EPIPE", TCP, "closed", "block nonblock", "-",
  "!W~*WWRPEENM !W~*WRS" },
{ "SEND", OTHERS, TCP, "", "nonblock", "-",
  "P!WWRRPFKEENMSCprw !WRW !WEE !WGP w!WRR" },
{ "SEND", OTHERS, TCP, "", "nonblock", "write sendmsg writev fprintf",
  "!WWRP" },
{ "SEND", "EPIPE", STREAM | SEQ, "", "block nonblock", "-",
  "P!WWRRPFKEENMSC !WRW !WEP !WGP" },
{ "SEND", "EPIPE", STREAM | SEQ, "", SIGNALS, "send", "!WWRP" },
{ "SEND", "EPIPE", STREAM | SEQ, "", "nonblock", SEND_WAYS, "!WWRP" },
{ "SEND", "EPIPE", STREAM, "", "nonblock", SEND_FILE_WAYS, "!WWRP" },
{ "SEND", "at=10+reset", TCP, "", "block nonblock", "-",
  "WW!WWRPEEprr WW!RRWprr WW!EEWR WW!PRPW WW!SRW WW!CRW WW!GR WW!NRW" },
{ "SHUTDOWN", "", TCP, "", "block nonblock", "-",
  "P!SRRPWWEENMprw !SSWE !SEEPR !SPC" },

/* send: what passes */
{ "SEND", "ECONNREFUSED EHOSTUNREACH ENETUNREACH ENETDOWN EPERM EACCES "
  "ENOPROTOOPT", UDP, "", "block nonblock", "send " SEND_WAYS,
  "P!W.PEWrwREN" },
{ "SEND", "ECONNREFUSED", DGRAM, "", "block nonblock", "sendto",
  "P!W.PEWrEN" },
{ "SEND", "ECONNREFUSED", DGRAM, "", "block nonblock",
  "send sendmsg write writev", "P!W.PEWNCWrN" },
{ "SEND", "EMSGSIZE", UDP | DGRAM | SEQ, "", "block nonblock",
  "send " SEND_WAYS, "P!W.PEWrwREN" },
{ "SEND", "ECONNREFUSED", UDP, "closed", "nonblock", "send sendto",
  "!W~*WPE" },
{ "SEND", "EACCES", UDP, "broadcast", "nonblock", "sendto", "P!W.PEWrwREN" },
{ "SEND", "EINTR", ANY, "", "block", "send " SEND_WAYS, "!W.PWrwREN" },
{ "SEND", "EINTR", TCP | STREAM, "", "block", SEND_FILE_WAYS, "!W.PWrwREN" },
{ "SEND", "EAGAIN", ANY, "", "nonblock", "send " SEND_WAYS, "!W.GQWrwREN" },
{ "SEND", "EAGAIN", TCP | STREAM, "", "nonblock", SEND_FILE_WAYS,
  "!W.GQWrwREN" },
{ "SEND", "ENOBUFS", ANY, "", "block nonblock", "control send", "P!W.PWrwREN" },
{ "SEND", "ENOMEM", ANY, "", "block nonblock", "writev sendmsg",
  "P!W.PWrwREN" },
{ "SEND", "short=1000", TCP | STREAM, "", "nonblock", "send " SEND_WAYS,
  "!WrWrwREN" },
{ "SEND", "short=1000", TCP, "", "nonblock", "sendfile splice",
  "!WrWrwREN" },
{ "SEND", "short=1000", TCP | STREAM, "signal", "block",
  "send " SEND_WAYS, "!WrWrwREN" },

/* recv: what passes */
{ "RECV", "ECONNREFUSED EHOSTUNREACH ENETUNREACH ENOPROTOOPT", UDP, "",
  "block nonblock", "recv " RECV_WAYS, "P!RPEwRWrN" },
{ "RECV", "ECONNREFUSED", UDP, "closed", "block nonblock", "recv recvmsg",
  "!W~*RPE" },
{ "RECV", "EINTR", ANY, "", "block", "recv " RECV_WAYS, "!RwRWrPEN" },
{ "RECV", "EINTR", TCP | STREAM, "", "block", RECV_FILE_WAYS, "!RwRWrPEN" },
{ "RECV", "EAGAIN", ANY, "", "nonblock", "recv " RECV_WAYS,
  "wPG!R.GQRWrEN" },
{ "RECV", "EAGAIN", TCP | STREAM, "", "nonblock", RECV_FILE_WAYS,
  "wPG!R.GQRWrEN" },
{ "RECV", "ENOMEM", ANY, "", "block nonblock", "readv recvmsg",
  "wP!R.PRWrEN" },
{ "RECV", "short=3", TCP | STREAM, "", "block nonblock",
  "recv " RECV_WAYS " splice", "wPG!R.GQRPWrEN" },
{ "RECV", "short=3", TCP | STREAM, "waitall", "block+waitall",
  "recv recvfrom recvmsg recvmmsg", "w!R.Wr" },

/* close, options, waiting, names */
{ "CLOSE", "", ANY, "", "block", "-", "P!XXpr" },
{ "SOCKOPT", "", ANY, "", "block", "setsockopt", "!T.TWrEN" },
{ "SOCKOPT", "ENOPROTOOPT", ANY, "", "block", "getsockopt", "!T.TWrEN" },
{ "POLL", "EINTR", ANY, "", "block", WAIT_WAYS, "!PwPRWr" },
{ "POLL", "ENOMEM", ANY, "", "block", "poll ppoll select pselect",
  "w!PPRWr" },
{ "POLL", "ENOMEM ENOSPC", ANY, "", "block", "epoll_ctl", "w!PP" },
{ "POLL", "EMFILE ENFILE", ANY, "", "block", "epoll_create epoll_create1",
  "!P.P" },
{ "RESOLVE", "EAI_AGAIN EAI_FAIL EAI_NONAME EAI_NODATA", TCP, "", "block",
  "getaddrinfo gethostbyname gethostbyname_r res_query", "!D.D" },
{ "RESOLVE", "EAI_MEMORY", TCP, "", "block", "getaddrinfo", "!D.D" },
{ "RESOLVE", "EAI_AGAIN", TCP, "silent", "block", "getaddrinfo", "!D.D" },

/* later: in every style of waiting, in a call, and in one with a time-out */
{ "CONNECT", MADE, TCP, "", "nonblock", STYLES,
  "!CPECNMZP.QEECCNZWarwR !CWRKFP.QWaarE" },
{ "CONNECT", MADE, TCP, "", "nonblock", "poll", "!CSPENZWR.CQEWN !CSRC" },
{ "CONNECT", MADE, TCP, "", "block", "-", "!C.EENMZCWarwRP" },
{ "CONNECT", MADE, TCP, "", "block+timeo", "poll",
  "!CECNZPWR.QECCNZWarwR" },
{ "CONNECT", "stall=" SPAN, STREAM | SEQ, "", "nonblock", "poll", "!CPECN" },
{ "CONNECT", "stall=" SPAN, STREAM | SEQ, "", "block", "-", "!C.EPWarNC" },
{ "CONNECT", "stall=" SPAN, STREAM | SEQ, "", "block+timeo", "poll", "!CPEC" },
{ "CONNECT", "stall=forever", TCP, "", "nonblock", STYLES,
  "!CPECNMZPWRP" },
{ "CONNECT", "stall=forever", TCP, "", "block+timeo", "poll", "!CECNZPWR" },
{ "CONNECT", FAILED, TCP, "", "nonblock", STYLES,
  "!CPECNMZP.QEEPNZWWRR !CCP.QCEP" },
{ "CONNECT", FAILED, TCP, "", "nonblock", "poll",
  "!CWR.QWWRE !CK.QRRWE !C.QSE !CF.QKE !CSPE" },
{ "CONNECT", FAILED, TCP, "", "block+timeo", "poll",
  "!CECNZP.QCEPNZWR !CEWR.QEPWR" },
{ "CONNECT", "inprogress=" SPAN "+then=ECONNREFUSED "
  "inprogress=" SPAN "+then=ETIMEDOUT inprogress=" SPAN "+then=EHOSTUNREACH "
  "inprogress=" SPAN "+then=ENOPROTOOPT", TCP, "", "block", "-",
  "!C.EEPNMZWWRR" },
{ "CONNECT", "inprogress=" SPAN "+then=EHOSTUNREACH", TCP, "neighbour",
  "nonblock", "poll edge", "!CPECNMZ.QEENZWWRR" },
{ "CONNECT", "inprogress=" SPAN "+then=EHOSTUNREACH", TCP, "neighbour",
  "block", "-", "!C.EENMZWWRR" },
{ "ACCEPT", "latency=" SPAN, LINKS, "", "nonblock", STYLES,
  "!PAP.QAwRWr" },
{ "ACCEPT", "latency=" SPAN, LINKS, "", "block", "accept accept4",
  "!A.wRWr" },
{ "ACCEPT", "latency=" SPAN, LINKS, "", "block+timeo", "poll",
  "!APA.QAwRWr" },
{ "ACCEPT", "stall=" SPAN, LINKS, "", "nonblock", STYLES,
  "cP!AP.QAwRWr" },
{ "ACCEPT", "stall=" SPAN, LINKS, "", "block", "accept accept4",
  "cP!A.wRWr" },
{ "ACCEPT", "stall=" SPAN, LINKS, "", "block+timeo", "poll",
  "cP!APA.QAwRWr" },
{ "RECV", "latency=" SPAN, ANY, "", "nonblock", STYLES,
  "!PRKFP.QFKRPWrwQREN !RP.QRwQR" },
{ "RECV", "stall=" SPAN, ANY, "", "nonblock", STYLES,
  "!PRKFP.QFKRRPWrwQREN !RP.QRR" },
{ "RECV", "latency=" SPAN " stall=" SPAN, ANY, "", "block", "recv recvmsg "
  "read", "!R.WrFEN" },
{ "RECV", "latency=" SPAN " stall=" SPAN, ANY, "", "block+timeo", "poll",
  "!RPRF.QRWrEN" },
{ "RECV", "latency=" SPAN, TCP | STREAM, "", LATE_WAITERS, "poll", "!RP.Q" },
{ "RECV", "stall=" SPAN, TCP | STREAM, "", LATE_WAITERS, "poll", "R!P.Q" },
{ "RECV", "latency=" SPAN " stall=" SPAN, TCP, "", "nonblock", "poll",
  "!PRZ.QRZ !RWrS.QRWZ" },
{ "RECV", "latency=" SPAN " stall=" SPAN, LINKS, "eof", "nonblock", STYLES,
  "!PRKFP.QFRRPWrwEN" },
{ "RECV", "latency=" SPAN " stall=" SPAN, LINKS, "eof", "block", "recv read",
  "!R.RPWrEN" },
{ "RECV", "latency=" SPAN " stall=" SPAN, LINKS, "eof", "block+timeo", "poll",
  "!RPR.QRRWr" },
{ "RECV", "latency=" SPAN " stall=" SPAN, TCP, "eof", "nonblock", "poll",
  "!PRZ.QRZ" },
{ "RECV", "latency=" SPAN " stall=forever", TCP, "reset", "nonblock", STYLES,
  "!PRKFP.QRRRPWWEN" },
{ "RECV", "latency=" SPAN, TCP, "reset", "block", "recv read", "!R.RRWWEP" },
{ "RECV", "latency=" SPAN, TCP, "only-reset", "nonblock", STYLES,
  "!PRP.QRRPWWEN" },
{ "RECV", "latency=" SPAN, TCP, "only-reset", "block", "recv read",
  "!R.RWWEP" },
{ "SEND", "latency=" SPAN, ANY, "", "nonblock", STYLES,
  "!PWP.QWrwREN" },
{ "SEND", "stall=" SPAN, ANY, "", "nonblock", STYLES,
  "!PWP.QWrWrwREN" },
{ "SEND", "latency=" SPAN " stall=" SPAN, LINKS, "", "nonblock", "poll",
  "!WPwPRP.QWrEN" },
{ "SEND", "latency=" SPAN " stall=" SPAN, ANY, "", "block",
  "send sendmsg write", "!W.rwREN" },
{ "SEND", "latency=" SPAN " stall=" SPAN, ANY, "", "block+timeo", "poll",
  "!WPW.QWrEN" },
{ "SEND", "latency=" SPAN " stall=" SPAN, LINKS, "", "nonblock", "poll",
  "!WSPWP.E" },
{ "SEND", "stall=" SPAN, TCP, "reset", "nonblock", STYLES,
  "!PWP.QWWRPE" },
{ "SEND", "stall=" SPAN, TCP, "reset", "block", "send write",
  "!W.WRPE" },
{ "RECV", "rate=" RATE, TCP | STREAM, "", "nonblock", STYLES, "!VWrEN" },
{ "RECV", "rate=" RATE, TCP | STREAM, "", "block", "-", "!VWrEN" },
{ "SEND", "rate=" RATE, TCP | STREAM, "", "nonblock", STYLES, "!VwREN" },
{ "SEND", "rate=" RATE, TCP | STREAM, "", "block", "-", "!VwREN" },
};

#define N_PLANS (sizeof plans / sizeof *plans)
