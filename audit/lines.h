/* SPDX-License-Identifier: MIT */
/* Places as a person knows them: functions, files and lines. */
#ifndef AUDIT_LINES_H
#define AUDIT_LINES_H

#include <stddef.h>

/*
 * "main client.c:30" of PATH+0xOFFSET, a return address, as addr2line(1) knows
 * it; "client+0x1269" where there is no debug information, or no addr2line.
 * len bytes of place; the result is kept for the next time.
 */
const char *line_of(const char *place, size_t len);

#endif
