/* SPDX-License-Identifier: MIT */
/* The table of findings. */
#include "finding.h"

const struct finding_row findings[FINDINGS] = {
#define FINDING(id, name, level, means, fix) \
	{ name, LEVEL_##level, false, means, fix },
#define LINT(id, name, level, means, fix) \
	{ name, LEVEL_##level, true, means, fix },
#include "findings.def"
#undef FINDING
};

const char *const level_names[LEVELS] = {
	[LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning",
	[LEVEL_NOTE] = "note",
};
