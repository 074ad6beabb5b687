/* SPDX-License-Identifier: MIT */
/*
 * stdio on a socket, where a plain row is not enough: what closes, what has
 * variable arguments, and what means standard input or output.  libc's own
 * read and write underneath cannot be seen; these calls can.
 */
#include "wrap.h"

/* ---- closing ---------------------------------------------------------- */

int fclose(FILE *stream)
{
	int fd = fileno_unlocked(stream);
	uint32_t slot;
	struct call c;
	bool on;
	int r;

	on = !fd_plain(fd) && call_begin(&c, CALL_fclose, fd, true, CALLER);
	slot = fd_leave(fd);
	if (on)
		call_fault(&c);		/* whatever it says, it closes */
	r = real.fclose(stream);
	if (on)
		RETURNED(r, ret == EOF, 0, );
	conn_put(slot);
	return r;
}

/* off_t is 64 bits wide: freopen64 is the same function */
static inline FILE *in_freopen(const void *caller, const char *path,
			       const char *mode, FILE *stream)
{
	int fd = fileno_unlocked(stream);
	uint32_t slot;
	struct call c;
	bool on;
	FILE *r;

	on = !fd_plain(fd) && call_begin(&c, CALL_freopen, fd, true, caller);
	slot = fd_leave(fd);
	r = real.freopen(path, mode, stream);
	if (on)
		RETURNED(r, BAD_POINTER, 1,
			 keep_string(&k, 0, path);
			 keep_string(&k, 1, mode););
	conn_put(slot);
	return r;
}

FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	return in_freopen(CALLER, path, mode, stream);
}

FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	return in_freopen(CALLER, path, mode, stream);
}

/* glibc's fcloseall writes everything out and closes nothing */
int fcloseall(void)
{
	struct call c;
	int r;

	if (!call_begin(&c, CALL_fcloseall, NO_FD, false, CALLER))
		return real.fcloseall();
	r = real.fcloseall();
	RETURNED(r, ret == EOF, 0, );
	return r;
}

int fflush(FILE *stream)
{
	int fd = stream ? fileno_unlocked(stream) : -1;
	struct call c;
	int r;

	if (!entered() || fd < 0 || fd_plain(fd) ||
	    !call_begin(&c, CALL_fflush, fd, true, CALLER))
		return real.fflush(stream);
	r = REAL_STREAM(int, stream, real.fflush(stream));
	RETURNED(r, ret == EOF, 0, );
	return r;
}

/* ---- formatting ------------------------------------------------------- */

static inline int in_print(const void *caller, int id, FILE *stream,
			   bool checked, int flag, const char *format,
			   int param, va_list list)
{
	int fd = fileno_unlocked(stream);
	struct call c;
	bool on;
	int r;

	on = !fd_plain(fd) && call_begin(&c, id, fd, true, caller);
	if (on)
		c.io.stream = stream;
	if (on && call_fault(&c))
		r = c.answer;
	else
		r = checked ? real.__vfprintf_chk(stream, flag, format, list)
			    : real.vfprintf(stream, format, list);
	if (on)
		RETURNED(r, BAD_COUNT, 1, keep_string(&k, param, format););
	return r;
}

#define PRINT(id, stream, checked, flag, param)				\
	va_list list;							\
	int r;								\
									\
	va_start(list, format);						\
	r = in_print(CALLER, id, stream, checked, flag, format, param,	\
		     list);						\
	va_end(list);							\
	return r

int fprintf(FILE *stream, const char *format, ...)
{
	PRINT(CALL_fprintf, stream, false, 0, 1);
}

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
	PRINT(CALL_fprintf, stream, true, flag, 1);
}

int __vfprintf_chk(FILE *stream, int flag, const char *format, va_list list)
{
	return in_print(CALLER, CALL_vfprintf, stream, true, flag, format, 1,
			list);
}

int printf(const char *format, ...)
{
	PRINT(CALL_printf, stdout, false, 0, 1);
}

int __printf_chk(int flag, const char *format, ...)
{
	PRINT(CALL_printf, stdout, true, flag, 1);
}

int vprintf(const char *format, va_list list)
{
	return in_print(CALLER, CALL_vprintf, stdout, false, 0, format, 1,
			list);
}

int __vprintf_chk(int flag, const char *format, va_list list)
{
	return in_print(CALLER, CALL_vprintf, stdout, true, flag, format, 1,
			list);
}

static inline int in_dprint(const void *caller, int id, int fd, bool checked,
			    int flag, const char *format, int param,
			    va_list list)
{
	struct call c;
	bool on;
	int r;

	on = !fd_plain(fd) && call_begin(&c, id, fd, true, caller);
	if (on && call_fault(&c))
		r = c.answer;
	else
		r = checked ? real.__vdprintf_chk(fd, flag, format, list)
			    : real.vdprintf(fd, format, list);
	if (on)
		RETURNED(r, BAD_COUNT, 1, keep_string(&k, param, format););
	return r;
}

#define DPRINT(id, fd, checked, flag, param)				\
	va_list list;							\
	int r;								\
									\
	va_start(list, format);						\
	r = in_dprint(CALLER, id, fd, checked, flag, format, param,	\
		      list);						\
	va_end(list);							\
	return r

int dprintf(int fd, const char *format, ...)
{
	DPRINT(CALL_dprintf, fd, false, 0, 1);
}

int __dprintf_chk(int fd, int flag, const char *format, ...)
{
	DPRINT(CALL_dprintf, fd, true, flag, 1);
}

int __vdprintf_chk(int fd, int flag, const char *format, va_list list)
{
	return in_dprint(CALLER, CALL_vdprintf, fd, true, flag, format, 1,
			 list);
}

/* ---- standard input and output ---------------------------------------- */

int puts(const char *text)
{
	int fd = fileno_unlocked(stdout);
	struct call c;
	int r;

	if (fd_plain(fd) || !call_begin(&c, CALL_puts, fd, true, CALLER))
		return real.puts(text);
	r = REAL_STREAM(int, stdout, real.puts(text));
	RETURNED(r, ret == EOF, 1, keep_string(&k, 1, text););
	return r;
}

static inline int in_putchar(const void *caller, int ch)
{
	int fd = fileno_unlocked(stdout);
	struct call c;
	uint8_t *at;
	int r;

	if (fd_plain(fd) || !call_begin(&c, CALL_putchar, fd, true, caller))
		return real.putchar(ch);
	at = c.rec->args;
	STORE_INT(ch)
	(void)at;
	r = REAL_STREAM(int, stdout, real.putchar(ch));
	RETURNED(r, ret == EOF, 0, );
	return r;
}

static inline int in_getchar(const void *caller)
{
	int fd = fileno_unlocked(stdin);
	FILE *stream = stdin;
	struct call c;
	int r;

	if (fd_plain(fd) || !call_begin(&c, CALL_getchar, fd, true, caller))
		return real.getchar();
	r = REAL_STREAM(int, stream, real.getchar());
	RETURNED(r, BAD_CHAR, 0, );
	return r;
}

int putchar(int ch)
{
	return in_putchar(CALLER, ch);
}

int putchar_unlocked(int ch)
{
	return in_putchar(CALLER, ch);
}

int getchar(void)
{
	return in_getchar(CALLER);
}

int getchar_unlocked(void)
{
	return in_getchar(CALLER);
}

/* ---- fortified reading ------------------------------------------------ */

static inline size_t in_fread_chk(const void *caller,
				  __typeof__(__fread_chk) *libc, void *data,
				  size_t room, size_t size, size_t n,
				  FILE *stream)
{
	int fd = fileno_unlocked(stream);
	struct call c;
	uint8_t *at;
	size_t r;

	if (fd_plain(fd) || !call_begin(&c, CALL_fread, fd, true, caller))
		return libc(data, room, size, n, stream);
	at = c.rec->args;
	STORE_LEN(size) STORE_LEN(n)
	(void)at;
	r = REAL_STREAM(size_t, stream,
			libc(data, room, size, n, stream));
	RETURNED(r, BAD_ITEMS, 2, KEEP_ITEMDATA(0, data));
	return r;
}

size_t __fread_chk(void *data, size_t room, size_t size, size_t n,
		   FILE *stream)
{
	return in_fread_chk(CALLER, real.__fread_chk, data, room, size, n,
			    stream);
}

size_t __fread_unlocked_chk(void *data, size_t room, size_t size, size_t n,
			    FILE *stream)
{
	return in_fread_chk(CALLER, real.__fread_unlocked_chk, data, room,
			    size, n, stream);
}

static inline char *in_fgets_chk(const void *caller,
				 __typeof__(__fgets_chk) *libc, char *line,
				 size_t room, int len, FILE *stream)
{
	int fd = fileno_unlocked(stream);
	struct call c;
	uint8_t *at;
	char *r;

	if (fd_plain(fd) || !call_begin(&c, CALL_fgets, fd, true, caller))
		return libc(line, room, len, stream);
	at = c.rec->args;
	STORE_INT(len)
	(void)at;
	r = REAL_STREAM(char *, stream, libc(line, room, len, stream));
	RETURNED(r, BAD_LINE, 2, KEEP_LINE(0, line));
	return r;
}

char *__fgets_chk(char *line, size_t room, int len, FILE *stream)
{
	return in_fgets_chk(CALLER, real.__fgets_chk, line, room, len,
			    stream);
}

char *__fgets_unlocked_chk(char *line, size_t room, int len, FILE *stream)
{
	return in_fgets_chk(CALLER, real.__fgets_unlocked_chk, line, room,
			    len, stream);
}
