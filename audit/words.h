/* SPDX-License-Identifier: MIT */
#ifndef AUDIT_WORDS_H
#define AUDIT_WORDS_H

#include "view.h"

/*
 * Whether what was said has words that neither of the untouched runs' texts a
 * and b has, nor anything received.
 */
bool words_new(const struct text *said, const struct text *a,
	       const struct text *b, const struct text *got);

#endif
