/* SPDX-License-Identifier: MIT */
/*
 * Processes and their descendants, as /proc knows them.  It tells of children
 * only where the kernel has CONFIG_PROC_CHILDREN, as those of distributions
 * do; and a list may lack somebody who has just been born (proc(5)).
 */
#ifndef AUDIT_TREE_H
#define AUDIT_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether the kernel tells of children at all. */
bool tree_known(void);
/* Its children, not theirs. */
void tree_children(pid_t pid, void (*visit)(pid_t, void *), void *arg);
/* CPU time in ns of the process, all below it, and those they waited for. */
int64_t tree_cpu(pid_t root);
/* SIGKILL to the process and all below it. */
void tree_kill(pid_t root);

/*
 * Whether it sleeps until a time of its own choosing, or waits for descriptors
 * no longer than to one: a process of it does, and all the others wait for
 * children.
 */
bool tree_asleep(pid_t root);

#endif
