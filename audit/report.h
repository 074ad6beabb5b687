/* SPDX-License-Identifier: MIT */
/* What an audit says, for people, programs and CI. */
#ifndef AUDIT_REPORT_H
#define AUDIT_REPORT_H

#include "sweep.h"

#include <stdio.h>

/* A finding's level, lowered where its fault is without evidence. */
enum level found_level(const struct audit *a, int trial,
		       const struct found *f);
/* Findings of that level or worse. */
int report_count(const struct audit *a, enum level level);

/* Why a trial could not be run, or NULL: all could. */
const char *report_failure(const struct audit *a);

void report_text(FILE *f, const struct audit *a);
void report_json(FILE *f, const struct audit *a);
void report_junit(FILE *f, const struct audit *a);

#endif
