/* SPDX-License-Identifier: MIT */
/* The table of TCP's states; part of the command, so its source is taken in. */
#include "../../cli/states.c"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const struct tcp_path *p)
{
	static char *all;
	size_t len;
	FILE *f;

	free(all);
	f = open_memstream(&all, &len);
	assert(f);
	path_print(f, p);
	fclose(f);
	return all;
}

/* Signs by letter, in the order of enum tcp_sign. */
static void is(enum tcp_state first, const char *signs, const char *expected)
{
	static const char letters[] = "lscrxdefka";
	struct tcp_path p;

	assert(sizeof letters - 1 == TCP_SIGNS);
	path_begin(&p, first);
	for (; *signs; signs++)
		path_sign(&p, strchr(letters, *signs) - letters);
	if (strcmp(text(&p), expected))
		fprintf(stderr, "expected '%s'\n     got '%s'\n", expected,
			text(&p));
	assert(!strcmp(text(&p), expected));
}

static void test_opening(void)
{
	is(ST_CLOSED, "", "CLOSED");
	is(ST_CLOSED, "k", "CLOSED");
	is(ST_CLOSED, "x", "CLOSED");
	is(ST_CLOSED, "l", "CLOSED > LISTEN");
	is(ST_CLOSED, "lk", "CLOSED > LISTEN > CLOSED");
	is(ST_CLOSED, "lx", "CLOSED > LISTEN");
	is(ST_CLOSED, "lf", "CLOSED > LISTEN > CLOSED");
	is(ST_CLOSED, "c", "CLOSED > SYN_SENT > ESTABLISHED");
	is(ST_CLOSED, "ss", "CLOSED > SYN_SENT");
	is(ST_CLOSED, "sc", "CLOSED > SYN_SENT > ESTABLISHED");
	is(ST_CLOSED, "sd", "CLOSED > SYN_SENT > ESTABLISHED");
	is(ST_CLOSED, "sx", "CLOSED > SYN_SENT > CLOSED");
	is(ST_CLOSED, "sk", "CLOSED > SYN_SENT > CLOSED");
	is(ST_CLOSED, "r", "CLOSED > SYN_SENT > CLOSED");
	is(ST_CLOSED, "sr", "CLOSED > SYN_SENT > CLOSED");
	is(ST_CLOSED, "rc",
	   "CLOSED > SYN_SENT > CLOSED > SYN_SENT > ESTABLISHED");
	is(ST_SYN_RCVD, "c", "SYN_RCVD > ESTABLISHED");
}

static void test_closing(void)
{
	is(ST_ESTABLISHED, "k",
	   "ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)");
	is(ST_ESTABLISHED, "ek",
	   "ESTABLISHED > CLOSE_WAIT > LAST_ACK (> CLOSED)");
	is(ST_ESTABLISHED, "ef", "ESTABLISHED > CLOSE_WAIT > LAST_ACK");
	is(ST_ESTABLISHED, "efk",
	   "ESTABLISHED > CLOSE_WAIT > LAST_ACK (> CLOSED)");
	is(ST_ESTABLISHED, "f", "ESTABLISHED > FIN_WAIT_1");
	is(ST_ESTABLISHED, "fk",
	   "ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)");
	is(ST_ESTABLISHED, "fd", "ESTABLISHED > FIN_WAIT_1");
	is(ST_ESTABLISHED, "fe",
	   "ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT");
	is(ST_ESTABLISHED, "fek",
	   "ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT");
	is(ST_ESTABLISHED, "fexa",
	   "ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT");
	is(ST_ESTABLISHED, "x", "ESTABLISHED > CLOSED");
	is(ST_ESTABLISHED, "xk", "ESTABLISHED > CLOSED");
	is(ST_ESTABLISHED, "ex", "ESTABLISHED > CLOSE_WAIT > CLOSED");
	is(ST_ESTABLISHED, "a", "ESTABLISHED > CLOSED");
	is(ST_ESTABLISHED, "ee", "ESTABLISHED > CLOSE_WAIT");
}

static void test_told(void)
{
	struct tcp_path p;

	path_begin(&p, ST_ESTABLISHED);
	path_told(&p, TCP_ESTABLISHED);
	assert(!strcmp(text(&p), "ESTABLISHED"));
	path_sign(&p, SIGN_SHUT);
	path_told(&p, TCP_CLOSING);
	path_told(&p, 0);
	path_told(&p, 200);
	path_sign(&p, SIGN_CLOSE);
	assert(!strcmp(text(&p), "ESTABLISHED > FIN_WAIT_1 > CLOSING "
		       "(> TIME_WAIT)"));
	assert(path_state(&p) == ST_CLOSING);
}

/* Signs after a close that was not the last: the foretold is forgotten. */
static void test_going_on(void)
{
	is(ST_ESTABLISHED, "kd",
	   "ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)");
	is(ST_ESTABLISHED, "ke",
	   "ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT");
}

static void test_long(void)
{
	struct tcp_path p;

	path_begin(&p, ST_CLOSED);
	for (int i = 0; i < 1000; i++)
		path_sign(&p, SIGN_REFUSED);
	assert(p.cut && p.n <= PATH_STATES && path_state(&p) == ST_CLOSED);
	path_sign(&p, SIGN_CONNECTED);
	path_sign(&p, SIGN_CLOSE);
	assert(path_state(&p) == ST_FIN_WAIT_1 && p.n == PATH_STATES);
	assert(strstr(text(&p), "> ... > FIN_WAIT_1 (> FIN_WAIT_2 > "
		      "TIME_WAIT)"));
}

/* Every state is reached by some row, or only the kernel can tell. */
static void test_table(void)
{
	bool reached[TCP_STATES] = { [ST_NONE] = true, [ST_CLOSED] = true };

	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		for (int k = 0; k < 2; k++)
			reached[moves[i].to[k]] = true;
	for (int i = 0; i < TCP_STATES; i++) {
		assert(tcp_states[i]);
		assert(reached[i] || i == ST_CLOSING || i == ST_SYN_RCVD);
	}
}

int main(void)
{
	test_opening();
	test_closing();
	test_told();
	test_going_on();
	test_long();
	test_table();
	return 0;
}
